"""What one run may take: time, bytes, requests. What it does not come to is left for the next run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

_LOG = logging.getLogger("archiver")

#: The names of the limits, as a report has them.
TIME, BYTES, REQUESTS = "time-limit", "byte-limit", "request-limit"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a run may take at most: seconds, bytes that sources send, requests to them."""

    seconds: float | None = None
    bytes: int | None = None
    requests: int | None = None


class _Material(Protocol):
    @property
    def size(self) -> int | None:
        """Bytes, when they are known."""


class _Task(Protocol):
    @property
    def material(self) -> _Material:
        """What is to be fetched."""


TaskT = TypeVar("TaskT", bound=_Task)


def _nobody(done: int, total: int | None) -> None:
    """Hear of bytes, and do nothing."""
    del done, total


@dataclass
class Allowance:
    """Counts what a run takes, and sets `stop` when it is enough: the run then ends as when interrupted.

    `reached` names the limit that was met first; it stays empty when somebody else had set `stop` before.
    Used by every thread of the run.
    """

    limits: Limits
    stop: threading.Event
    passed: Callable[[int, int | None], None] = _nobody
    reached: str = ""
    bytes: int = 0
    requests: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the time run while the block does."""
        if self.limits.seconds is None:
            yield
            return
        timer = threading.Timer(self.limits.seconds, self._over, [TIME])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def came(self, done: int, total: int | None = None) -> None:
        """Count bytes that came, and pass them on."""
        with self._lock:
            self.bytes += done
            enough = self.limits.bytes is not None and self.bytes >= self.limits.bytes
        if enough:
            self._over(BYTES)
        self.passed(done, total)

    def asked(self, _: object) -> None:
        """Count a request that is over, be it a redirect or a further attempt."""
        with self._lock:
            self.requests += 1
            enough = self.limits.requests is not None and self.requests >= self.limits.requests
        if enough:
            self._over(REQUESTS)

    def affordable(self, tasks: Sequence[TaskT]) -> list[TaskT]:
        """Choose those whose known sizes fit into the bytes that are left; the others are left out.

        Without that, one recording above the limit would be begun and given up in every run.
        """
        if self.limits.bytes is None:
            return list(tasks)
        left = self.limits.bytes - self.bytes
        chosen: list[TaskT] = []
        for task in tasks:
            size = task.material.size or 0
            if size <= left:
                left -= size
                chosen.append(task)
        if len(chosen) < len(tasks):
            self.reached = self.reached or BYTES
            self._warn(tasks)
        return chosen

    def _warn(self, tasks: Sequence[TaskT]) -> None:
        limit = self.limits.bytes or 0
        never = sum((task.material.size or 0) > limit for task in tasks)
        if never:
            _LOG.warning(
                "Larger than the whole byte limit of %s, and never fetched under it: %d of the items.",
                f"{limit:,}",
                never,
            )

    def _over(self, limit: str) -> None:
        with self._lock:
            if not self.stop.is_set():
                self.reached = self.reached or limit
                self.stop.set()
