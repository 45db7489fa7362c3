"""Bounds on what one host may cost us, and on what we cost a host."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, so that tests need no real waiting. Seconds throughout.

    Without a `sleep` of its own, the client waits so that `close` can end the wait.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    sleep: Callable[[float], object] | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one exchange may take: bounds of each step, and `until` on the monotonic clock."""

    connect: float
    read: float
    head: float
    until: float
    rate: float
    rate_seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound of the client; times in seconds, sizes in bytes.

    A public host sees a new request at most every `interval` seconds and `concurrency` at once: twice
    a second is slower than a browser opening one page, and still gets a deck of 60 page images in half
    a minute. A host that the configuration names belongs to the user, so only `trusted_concurrency`
    holds there.
    """

    interval: float = 0.5
    concurrency: int = 4
    trusted_interval: float = 0.0
    trusted_concurrency: int = 8

    attempts: int = 5
    backoff: float = 0.5
    longest_backoff: float = 30.0
    #: A longer Retry-After ends the call, and all others to that host until then: waiting so long is for a
    #: later run, and for the user to know of.
    longest_wait: float = 120.0
    #: From so many seconds on a wait that a host asks for is told at once.
    told_wait: float = 5.0
    #: After a host could not be reached at all, how long further calls fail at once.
    unreachable: float = 30.0

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    #: From the first byte of an answer, interim ones included, to the end of its head.
    head_seconds: float = 30.0
    #: What a whole call may take, without the time spent waiting for its turn.
    page_seconds: float = 120.0
    file_seconds: float = 6 * 3600.0
    #: Slower than `rate` bytes a second over `rate_seconds` is a stalled transfer.
    rate: float = 1024.0
    rate_seconds: float = 30.0

    page_bytes: int = 32 << 20
    file_bytes: int = 50 << 30
    redirects: int = 10

    def patience(self, until: float) -> Patience:
        """Give the bounds of one exchange of a call that ends at `until`."""
        return Patience(
            self.connect_seconds, self.read_seconds, self.head_seconds, until, self.rate, self.rate_seconds
        )


@dataclass(slots=True)
class Budget:
    """The seconds of work left to a call. Waiting for a turn or for a busy host is not work."""

    left: float


@dataclass(slots=True)
class _Host:
    slots: threading.Semaphore
    lock: threading.Lock = field(default_factory=threading.Lock)
    next_start: float = 0.0
    refusing_until: float = 0.0
    unreachable_until: float = 0.0


class Politeness:
    """Whose turn it is at each host. Share one between clients that may meet at a host."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    @contextmanager
    def turn(
        self, host: str, interval: float, concurrency: int, sleep: Callable[[float], object]
    ) -> Iterator[None]:
        """Wait until a request to `host` may start, and hold a place there until it is done.

        The first caller decides how many places a host has.
        """
        entry = self._host(host, concurrency)
        with entry.slots:
            while (seconds := self._wait(entry, interval)) > 0:
                sleep(seconds)
            yield

    def pause(self, host: str, seconds: float) -> bool:
        """Start no request to `host` for so many seconds, because it asked for that.

        Say whether that is news: several requests under way are mostly answered alike.
        """
        entry = self._host(host, 1)
        with entry.lock:
            until = self._clock.monotonic() + seconds
            is_news = until > entry.next_start + 1.0
            entry.next_start = max(entry.next_start, until)
            return is_news

    def refuse(self, host: str, seconds: float) -> None:
        """Remember that `host` wants no request for longer than anybody would wait."""
        entry = self._host(host, 1)
        entry.refusing_until = max(entry.refusing_until, self._clock.monotonic() + seconds)

    def refused(self, host: str) -> float:
        """Say for how many seconds `host` still wants no request."""
        entry = self._hosts.get(host)
        return 0.0 if entry is None else max(0.0, entry.refusing_until - self._clock.monotonic())

    def mark_unreachable(self, host: str, seconds: float) -> None:
        """Remember that `host` could not be reached."""
        entry = self._host(host, 1)
        entry.unreachable_until = self._clock.monotonic() + seconds

    def is_unreachable(self, host: str) -> bool:
        """Say whether `host` could not be reached a moment ago."""
        entry = self._hosts.get(host)
        return entry is not None and self._clock.monotonic() < entry.unreachable_until

    def _host(self, host: str, concurrency: int) -> _Host:
        with self._lock:
            if host not in self._hosts:
                self._hosts[host] = _Host(threading.Semaphore(concurrency))
            return self._hosts[host]

    def _wait(self, entry: _Host, interval: float) -> float:
        """Take the next start and return 0, or return how long it is until then."""
        with entry.lock:
            now = self._clock.monotonic()
            if now < entry.next_start:
                return entry.next_start - now
            entry.next_start = now + interval
            return 0.0
