"""How far a run is, and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from archiver.cli.words import duration, size


@dataclass
class Pace:
    """Items and bytes of one event, or of all.

    `expected` is the number of bytes to come, None unless every item told its size: then the time left
    goes by bytes, else by items.
    """

    items: int = 0
    expected: int | None = None
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    bytes: int = 0
    started: float = field(default=0.0)

    def __post_init__(self) -> None:
        self.started = self.clock()

    @classmethod
    def over(cls, sizes: Iterable[int | None], clock: Callable[[], float] = time.monotonic) -> Pace:
        """Begin with items of these sizes."""
        listed = list(sizes)
        known = [number for number in listed if number is not None]
        return cls(len(listed), sum(known) if len(known) == len(listed) else None, clock)

    @property
    def rate(self) -> float:
        """Give bytes per second since the start."""
        return self.bytes / max(self.clock() - self.started, 0.001)

    @property
    def left(self) -> float | None:
        """Give the seconds still needed, None when nothing tells."""
        if self.expected and self.bytes:
            return max(0, self.expected - self.bytes) / self.rate
        if not self.done:
            return None
        return (self.clock() - self.started) / self.done * (self.items - self.done)

    def __str__(self) -> str:
        parts = [size(self.bytes), f"{size(self.rate)}/s"]
        if self.done < self.items and (left := self.left) is not None:
            parts.append(f"about {duration(left)} left")
        return ", ".join(parts)
