"""Run the campaign: `python -m faults.campaign [POINT…]`. Exit code 1 when anything was found wrong."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from faults.campaign.figures import Figures, figures, table
from faults.campaign.points import POINTS, Stage

_EARLY = "ended early, by a person: these are the figures until then"


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:14} {point.times:5} times  {point.about}" for name, point in POINTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m faults.campaign",
        description="Break things on purpose, and look whether anything was lost.",
        epilog=f"points, and how often the long form does them:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "points", nargs="*", metavar="POINT", help="which points; all of them when none is named"
    )
    parser.add_argument(
        "--times", type=int, help="do each point so many times instead of as often as told below"
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="of these alone: first or later runs, a kind of call (calls, errors), a source",
    )
    parser.add_argument("--seed", type=int, default=2012, help="what chance begins with (default: 2012)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument(
        "--folder", type=Path, help="work there (default: in memory, where there is /dev/shm)"
    )
    return parser


def _place(chosen: Path | None) -> Path:
    if chosen is None and os.access("/dev/shm", os.W_OK):
        chosen = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="archive-faults-", dir=chosen))


def _do(stage: Stage, name: str, times: int | None) -> Figures:
    point = POINTS[name]
    with figures(name) as made:
        reason = point.impossible(stage)
        if reason:
            made.notes.append(f"left out: {reason}")
        else:
            try:
                point.do(stage, made, point.times if times is None else times)
            except KeyboardInterrupt:
                made.notes.append(_EARLY)
    return made


def _save(file: Path, seed: int, done: list[Figures]) -> None:
    data = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "points": [each.to_json() for each in done],
    }
    file.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Do what is asked for; give the exit code."""
    parser = _parser()
    asked = parser.parse_args()
    unknown = set(asked.points) - POINTS.keys()
    if unknown:
        parser.error(f"there is no point {', '.join(sorted(unknown))}; choose from {', '.join(POINTS)}")
    done: list[Figures] = []
    place = _place(asked.folder)
    with Stage(place / "stage", asked.seed, frozenset(asked.only)) as stage:
        for name in asked.points or POINTS:
            sys.stderr.write(f"{name}: {POINTS[name].about} …\n")
            done.append(_do(stage, name, asked.times))
            sys.stderr.write(table(done[-1:]))
            if asked.json:
                _save(asked.json, asked.seed, done)
            if _EARLY in done[-1].notes:
                break
    # What a killed run has started may have written there a moment ago.
    shutil.rmtree(place, ignore_errors=True)
    sys.stdout.write(table(done))
    return 1 if any(each.found for each in done) else 0


if __name__ == "__main__":
    # So that whatever ends it, what is mounted is unmounted and what runs is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
