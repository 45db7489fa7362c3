"""How many bytes may wait on disk at a time on their way into the sinks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from archiver.errors import InvalidError, TransientError
from archiver.threads import Stopped

#: Seconds after which one who waits looks whether to stop.
_LOOK = 0.2


@dataclass
class Room:
    """The part of a budget that one task has taken; it may ask for more as it grows."""

    budget: Budget
    bytes: int

    def grow(self, to: int, stop: threading.Event) -> None:
        """Take as many bytes in all, waiting for others to give theirs back.

        Raises `InvalidError` for more than the whole budget; `TransientError` when all who could give
        something back wait for more themselves: this one then has to begin anew.
        """
        if to > self.bytes:
            self.budget.take(to - self.bytes, stop, held=self.bytes)
            self.bytes = to


@dataclass
class Budget:
    """A number of bytes shared by the threads of a run. `limit` None means as many as there is room for."""

    limit: int | None = None
    used: int = 0
    _running: int = 0
    _stuck: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def room(self, size: int, stop: threading.Event) -> Iterator[Room]:
        """Wait until there is room for so many bytes, and give it back at the end.

        Raises `InvalidError` for more than the whole budget, `Stopped`.
        """
        self.take(size, stop, held=0)
        room = Room(self, size)
        with self._changed:
            self._running += 1
        try:
            yield room
        finally:
            with self._changed:
                self._running -= 1
                self.used -= room.bytes
                self._changed.notify_all()

    def take(self, size: int, stop: threading.Event, *, held: int) -> None:
        """Count so many bytes more as used; `held` are those that the asking one has already."""
        if self.limit is None:
            with self._changed:
                self.used += size
            return
        if held + size > self.limit:
            raise InvalidError(
                f"it takes {held + size:,} bytes on its way to the sinks, "
                f"and `staging_limit` allows {self.limit:,}",
                hint="raise `staging_limit` under `archive`, or leave it out",
            )
        with self._changed:
            self._wait(size, stop, growing=held > 0)
            self.used += size

    def _wait(self, size: int, stop: threading.Event, *, growing: bool) -> None:
        assert self.limit is not None
        self._stuck += growing
        try:
            while self.used + size > self.limit:
                if growing and self._stuck >= self._running:
                    raise TransientError("it had to make room for others on their way to the sinks")
                self._changed.wait(_LOOK)
                if stop.is_set():
                    raise Stopped
        finally:
            self._stuck -= growing
            self._changed.notify_all()
