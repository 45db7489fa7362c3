"""What a point of the campaign did and found: as a table for people, as JSON for programs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

#: Findings that are written out; all of them are counted.
_SHOWN = 50


@dataclass
class Figures:
    """The figures of one point. `counts` says how often what was injected, `found` what was wrong."""

    point: str
    counts: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def check(self, trial: str, findings: Iterable[str]) -> None:
        """Take in what was found wrong after one trial."""
        self.found += [f"{trial}: {each}" for each in findings]

    def to_json(self) -> dict[str, Any]:
        """Give them as plain data."""
        return {
            "point": self.point,
            "counts": dict(sorted(self.counts.items())),
            "faults": len(self.found),
            "found": self.found[:_SHOWN],
            "notes": self.notes,
            "seconds": round(self.seconds, 1),
        }


@contextmanager
def figures(point: str) -> Iterator[Figures]:
    """Count for one point, and take the time."""
    made, start = Figures(point), time.monotonic()
    try:
        yield made
    finally:
        made.seconds = time.monotonic() - start


def table(done: Sequence[Figures]) -> str:
    """Write the figures as a table, one line for each thing that was counted."""
    rows = [("point", "counted", "times", "wrong", "seconds")]
    for each in done:
        wrong, seconds = str(len(each.found)), f"{each.seconds:.0f}"
        for number, (what, times) in enumerate(sorted(each.counts.items())):
            rows.append((each.point, what, str(times), *((wrong, seconds) if not number else ("", ""))))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines += [f"{each.point}: {note}" for each in done for note in each.notes]
    lines += [f"WRONG {each.point}: {found}" for each in done for found in each.found[:_SHOWN]]
    return "\n".join(lines) + "\n"
