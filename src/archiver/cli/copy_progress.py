"""What is shown while files go from one sink to another."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from archiver.cli.pace import Pace
from archiver.cli.words import count, size

#: Seconds between two lines about a running copy.
EVERY = 10.0


class Lines(Protocol):
    """Whoever shows lines."""

    def line(self, text: str) -> None:
        """Show one line."""


class CopyProgress:
    """Tells of the copies that are under way: one line at the start, one now and then, one at the end."""

    def __init__(self, shown: Lines, clock: Callable[[], float] = time.monotonic) -> None:
        self._shown, self._clock = shown, clock
        self._pace = Pace(clock=clock)
        self._told = clock()

    def begin(self, sink: str, files: int, size_in_all: int) -> None:
        """Hear what a sink is about to be given; sizes are in bytes."""
        self._pace = Pace(files, size_in_all, self._clock)
        self._told = self._clock()
        self._shown.line(f"Sink {sink} lacks {count(files, 'file')}, {size(size_in_all)}: copying")

    def moved(self, sink: str, number: int) -> None:
        """Hear of one more file with so many bytes."""
        self._pace.done += 1
        self._pace.bytes += number
        if self._clock() - self._told >= EVERY:
            self._told = self._clock()
            done = f"{self._pace.done:,} of {count(self._pace.items, 'file')}"
            self._shown.line(f"Sink {sink}: {done}, {self._pace}")

    def end(self, sink: str, files: int, number: int, left: int) -> None:
        """Hear how it ended."""
        rest = f"; {count(left, 'file')} could not be copied" if left else ""
        self._shown.line(f"Sink {sink} got {count(files, 'file')}, {size(number)}, from another sink{rest}")
