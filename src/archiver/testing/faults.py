"""What can go wrong on the wire, on demand: the fault switch of the loopback services."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Protocol

from archiver.testing.messages import Answer, Reply

LOGIN_PAGE = (
    "<!doctype html><html><head><title>Log in</title></head><body>"
    '<form action="/login" method="post"><label>Password <input name="password" type="password"></label>'
    "<button>Log in</button></form></body></html>"
)
BUSY_PAGE = (
    b"<!doctype html><html><head><title>Slow down</title></head><body>Too many requests.</body></html>"
)


class FaultKind(StrEnum):
    """What a fault does to the requests that it hits."""

    TRUNCATE = "truncate"  # the right length is declared, half of it comes, the connection closes
    RESET = "reset"  # the connection is reset, before the first byte unless `at` says otherwise
    TOO_MANY = "429"  # Too Many Requests, with `retry_after` when given
    UNAVAILABLE = "503"  # Service Unavailable, with `retry_after` when given
    DRIP = "drip"  # everything comes, `chunk` bytes at a time with a `pause` between
    WRONG_LENGTH = "wrong-length"  # half the length is declared: who believes it keeps half a file
    LOGIN = "login"  # 200 and a login page, whatever was asked for
    STALL = "stall"  # half comes, then nothing more, and the connection stays open
    GONE = "gone"  # 410


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the paths it hits (a shell pattern), what it does, and how often.

    `after` matching requests pass unharmed first; then `times` are hit (None: all). `at` is the
    number of body bytes that are sent before a truncation, reset or stall; None is half, and for a
    reset nothing. `retry_after` is in seconds or a moment with a time zone. `pause` is in seconds.
    """

    pattern: str
    kind: FaultKind
    times: int | None = 1
    after: int = 0
    retry_after: float | datetime | None = None
    at: int | None = None
    chunk: int = 16
    pause: float = 0.05

    def replace(self, reply: Reply) -> Reply:
        """Give the reply that takes the place of the real one; the wire faults leave it alone."""
        match self.kind:
            case FaultKind.TOO_MANY | FaultKind.UNAVAILABLE:
                # A web page, whatever was asked for: APIs too answer so when a server before them is busy.
                return Reply(BUSY_PAGE, int(self.kind.value), headers=self._retry_header())
            case FaultKind.LOGIN:
                return Reply.html(LOGIN_PAGE)
            case FaultKind.GONE:
                return Reply.missing(410)
            case _:
                return reply

    def _retry_header(self) -> dict[str, str]:
        match self.retry_after:
            case None:
                return {}
            case datetime() as moment:
                return {"Retry-After": format_datetime(moment, usegmt=True)}
            case seconds:
                return {"Retry-After": str(round(seconds))}


class FaultBoard:
    """The faults that are switched on; the first one that matches and is not used up hits.

    A request that one fault has hit does not count for those after it, so faults can be lined up.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        with self._lock:
            self._seen.append((fault, [0]))

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._seen.clear()

    def take(self, path: str) -> Fault | None:
        """Find the fault for the next request of `path` and count it as used."""
        with self._lock:
            for fault, count in self._seen:
                if fnmatchcase(path, fault.pattern):
                    count[0] += 1
                    if count[0] > fault.after and (
                        fault.times is None or count[0] <= fault.after + fault.times
                    ):
                        return fault
        return None


class Wire(Protocol):
    """The connection as a fault sees it."""

    def head(self, answer: Answer, length: int, *, close: bool) -> None:
        """Send the status line and headers, declaring `length` bytes."""
        ...

    def write(self, data: bytes) -> None:
        """Send bytes of the body."""
        ...

    def wait(self, seconds: float | None) -> bool:
        """Wait, without end for None; False when the service stops or the client leaves meanwhile."""
        ...

    def reset(self) -> None:
        """Tear the connection down so that the client sees a reset."""
        ...


def deliver(wire: Wire, answer: Answer, fault: Fault | None) -> None:
    """Send an answer, the way the fault wants it."""
    kind = fault.kind if fault else None
    if fault is None or kind not in _DELIVERIES:
        wire.head(answer, answer.length, close=False)
        for data in answer.read():
            wire.write(data)
        return
    _DELIVERIES[fault.kind](wire, answer, fault)


def _begin(wire: Wire, answer: Answer, fault: Fault, default: int) -> None:
    """Send the head with the true length and the first bytes."""
    wire.head(answer, answer.length, close=True)
    for data in answer.read(0, default if fault.at is None else fault.at):
        wire.write(data)


def _truncate(wire: Wire, answer: Answer, fault: Fault) -> None:
    _begin(wire, answer, fault, answer.length // 2)


def _reset(wire: Wire, answer: Answer, fault: Fault) -> None:
    if fault.at is not None:
        _begin(wire, answer, fault, 0)
    wire.reset()


def _drip(wire: Wire, answer: Answer, fault: Fault) -> None:
    wire.head(answer, answer.length, close=True)
    for data in answer.read(chunk=fault.chunk):
        wire.write(data)
        if not wire.wait(fault.pause):
            return


def _wrong_length(wire: Wire, answer: Answer, fault: Fault) -> None:
    del fault
    wire.head(answer, answer.length // 2, close=True)
    for data in answer.read():
        wire.write(data)


def _stall(wire: Wire, answer: Answer, fault: Fault) -> None:
    _begin(wire, answer, fault, answer.length // 2)
    wire.wait(None)


_DELIVERIES = {
    FaultKind.TRUNCATE: _truncate,
    FaultKind.RESET: _reset,
    FaultKind.DRIP: _drip,
    FaultKind.WRONG_LENGTH: _wrong_length,
    FaultKind.STALL: _stall,
}
