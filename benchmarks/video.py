"""Compare the video source with the `yt-dlp` command on 20 videos of a loopback site, imports included.

    python benchmarks/video.py [--videos N] [--seconds S] [--rounds N] [--dir DIRECTORY]

Both are processes of their own, from start to end, and fetch the same half of plain files and half of
HLS streams, in turns. The archive's side lists them first, looks into every file, hashes, syncs and
commits; the command writes files. Both have ffmpeg or have it not. Compare ratios within one run, never
times of two runs.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from pathlib import Path

import children
from children import Cost

from archiver import api, staging
from archiver.cli import be_quick
from archiver.config import ArchiveSettings, Config, SinkSpec, SourceSpec
from archiver.contracts import Context, ScopeEntry
from archiver.registry import load_plugins
from archiver.run import Run
from archiver.web import PoliteClient

OURS = "archive, proven and committed"
THEIRS = "yt-dlp"
QUIETLY = ("--no-config", "--quiet", "--no-warnings", "-o", "%(id)s.%(ext)s")


def archive(base: str, names: list[str], folder: Path) -> None:
    """Archive every video once. Ends the process when one of them is not stored."""
    from archiver_plugins.video import Video, VideoEntry, VideoOptions

    be_quick()  # as the command does
    registry = load_plugins()
    event = api.Event("tour", "A tour")
    sink = SinkSpec("local", "disk", registry.sinks["disk"].options_class.model_validate({"path": "archive"}))
    config = Config(
        folder / "archive.yaml", folder, ArchiveSettings("Benchmark", site=False), (sink,), (), (event,)
    )
    client = PoliteClient(hosts_allowed=[base], progress=staging.report_progress)
    context = Context("videos", folder, staging.Noting(client), logging.getLogger("bench"))
    options = VideoOptions(base_url=base, pause=0)
    entry = VideoEntry(urls=tuple(f"{base}/watch/{name}" for name in names))
    spec = SourceSpec("videos", "video", options, (ScopeEntry(event, entry),))
    report = Run(config, registry, sources=[spec], given={"videos": Video(options, context)}).execute()
    if report.exit_code() or report.files < len(names):
        raise SystemExit(f"{report.files} files of {len(names)} videos stored: {report.problems[:3]}")


def once(command: list[str], folder: Path, count: int) -> Cost:
    """Run one side into a fresh directory, and see that every film came."""
    target = Path(tempfile.mkdtemp(dir=folder, prefix="target-"))
    os.sync()  # what the other wrote is not this one's to wait for
    cost = children.run(command, target)
    films = [path for path in target.rglob("*.mp4") if path.stat().st_size]
    if len(films) < count:
        raise SystemExit(f"{len(films)} of {count} films came: {' '.join(command)}")
    return cost


def compare(folder: Path, count: int, seconds: int, rounds: int) -> None:
    """Run both sides in turns and print what each took."""
    from archiver.testing.video import Clip, VideoDouble

    forms = ("mp4", "hls")
    clips = [Clip(f"v{n}", f"Talk {n}", forms[n % 2], seconds, poster=False) for n in range(count)]
    size = sum(len(clip.film) for clip in clips)
    print(f"{count} videos, {size / 1e6:.0f} MB, {rounds} rounds")
    with VideoDouble(clips) as site:
        names = [clip.slug for clip in clips]
        commands = {
            OURS: [sys.executable, __file__, "--archive", site.url, *names],
            THEIRS: [sys.executable, "-m", "yt_dlp", *QUIETLY, *map(site.page_of, names)],
        }
        costs: dict[str, list[Cost]] = {name: [] for name in commands}
        for turn in range(rounds):
            for name in list(commands)[:: -1 if turn % 2 else 1]:
                costs[name].append(once(commands[name], folder, count))
    report(costs)


def report(costs: dict[str, list[Cost]]) -> None:
    """Print medians, and ours as a multiple of the command's."""
    theirs = children.median(costs[THEIRS])
    print(f"{'':32} {'wall s':>7} {'/ yt-dlp':>9} {'CPU s':>7} {'MB':>5}")
    for name, runs in costs.items():
        cost = children.median(runs)
        print(f"{name:32} {cost.wall:7.2f} {cost.wall / theirs.wall:9.2f} {cost.cpu:7.2f} {cost.memory:5.0f}")


def main() -> None:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dir", type=Path, help="where to put them; a temporary directory by default")
    parser.add_argument("--archive", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.archive:
        archive(args.archive[0], args.archive[1:], Path.cwd())
        return
    with tempfile.TemporaryDirectory(dir=args.dir, prefix="bench-") as made:
        compare(Path(made), args.videos, args.seconds, args.rounds)


if __name__ == "__main__":
    main()
