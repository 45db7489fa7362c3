"""One run at a time: a small file in each sink says who writes, and until when."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver.contracts import Sink, Stat
from archiver.errors import (
    ArchiverError,
    ConflictError,
    DamageError,
    ExistsError,
    LeaseHeldError,
    MissingError,
    SinkError,
)
from archiver.inventory import UNREADABLE
from archiver.ocfl_object import blob, read

PATH = ".lease"
#: Written to learn what time it is by the clock of the sink.
CLOCK = ".probe/clock"
#: Seconds without renewal after which a lease is void.
TTL = 90.0
#: No run of ours asks for more, whatever a damaged lease says: nothing blocks a sink for longer.
_MAX_TTL = 300.0
#: Seconds between two looks of a run that waits for another one.
_LOOK = 2.0
#: Runs of this very process that hold a sink: a run may have ended without the process having ended.
#: One entry per sink.
_RUNNING: list[str] = []


@dataclass
class Lease:
    """A run's hold on one sink. Renewed by a thread of its own until released.

    `lost` is set when somebody else took it over: the run must not commit any more. `wait` is for how many
    seconds to wait for another run that holds the sink: more than `ttl` outlasts one that was killed
    elsewhere.
    """

    sink: Sink[Any]
    run: str
    ttl: float = TTL
    clock: Callable[[], float] = time.time
    wait: float = 0.0
    lost: threading.Event = field(default_factory=threading.Event)
    _token: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def acquire(self) -> None:
        """Take the lease. Raises `LeaseHeldError` naming the holder and when it ends."""
        # Noted first: who reads our word before this thread goes on must not take us for dead.
        _RUNNING.append(self.run)
        try:
            self._token = self._patiently().token
        except BaseException:
            _RUNNING.remove(self.run)
            raise
        self._thread = threading.Thread(target=self._keep, name=f"lease-{self.run}", daemon=True)
        self._thread.start()

    def confirm(self) -> bool:
        """Renew now; say whether this run still holds the sink. To be asked right before a commit.

        Raises `SinkError` when the sink does not answer.
        """
        with self._lock:
            if self.lost.is_set() or not self._token:
                return False
            try:
                self._token = self.sink.replace(PATH, self._body(held=True), expected=self._token).token
            except ConflictError:
                if not self._is_ours():
                    self.lost.set()
            return not self.lost.is_set()

    def release(self) -> None:
        """Give the lease back; never raises: it would end by itself."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(self.ttl)  # a sink that hangs must not hold up the end of the run
        if self._token and not self.lost.is_set():
            with suppress(ArchiverError):
                self.sink.replace(PATH, self._body(held=False), expected=self._token)
        if self._token:
            _RUNNING.remove(self.run)
        self._token = ""

    def _patiently(self) -> Stat:
        """Take it, or try again until the time to wait is over. Raises `LeaseHeldError`."""
        until = time.monotonic() + self.wait
        while True:
            try:
                return self._take()
            except LeaseHeldError:
                left = until - time.monotonic()
                if left <= 0 or self._stop.wait(min(_LOOK, left)):
                    raise

    def _take(self) -> Stat:
        try:
            return self.sink.create(PATH, self._body(held=True))
        except ExistsError:
            return self._take_over()

    def _take_over(self) -> Stat:
        found = self.sink.stat(PATH)
        holder = _holder(self.sink)
        if found is not None and holder.get("held"):
            left = self._time_left(holder, found.modified)
            if left > 0:
                raise _held(self.sink, holder, self.clock() + left)
        try:
            if found is None:  # somebody took it away just now
                return self.sink.create(PATH, self._body(held=True))
            return self.sink.replace(PATH, self._body(held=True), expected=found.token)
        except (ConflictError, ExistsError) as error:
            raise _held(self.sink, _holder(self.sink), self.clock() + self.ttl) from error

    def _time_left(self, holder: dict[str, Any], modified: float) -> float:
        """Say for how many seconds the holder's lease is still good; 0 when it is void."""
        ttl = _ttl(holder)
        alive = _is_alive(holder)
        if alive is not None:
            return ttl if alive else 0.0
        # By the sink's own clock: those of two machines may differ by more than a lease lasts.
        age = self.sink.replace(CLOCK, blob(self.run.encode())).modified - modified
        # A time far ahead was written before that clock was set back; a living holder would have
        # renewed it since.
        return ttl - age if abs(age) < ttl else 0.0

    def _keep(self) -> None:
        while not self._stop.wait(self.ttl / 3):
            with suppress(SinkError):  # a passing fault: there are two more tries before it ends
                if not self.confirm():
                    return

    def _is_ours(self) -> bool:
        """Look whether it was this run that wrote last: a retried write meets its own first try."""
        found = self.sink.stat(PATH)
        if found is None or _holder(self.sink).get("run") != self.run:
            return False
        self._token = found.token
        return True

    def _body(self, *, held: bool) -> Any:
        data = {
            "run": self.run,
            "held": held,
            "ttl": self.ttl,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "process": _process_mark(os.getpid()),
            "at": self.clock(),
        }
        return blob((json.dumps(data, sort_keys=True) + "\n").encode())


def _holder(sink: Sink[Any]) -> dict[str, Any]:
    """Read who holds the sink; nobody when it is torn or makes no sense."""
    try:
        data = json.loads(read(sink, PATH, 64 << 10))
    except (MissingError, DamageError, *UNREADABLE):
        return {}
    return data if isinstance(data, dict) else {}


def _ttl(holder: dict[str, Any]) -> float:
    ttl = holder.get("ttl")
    # Comparison turns NaN away as well: JSON in Python knows it.
    return float(ttl) if isinstance(ttl, int | float) and 0 < ttl <= _MAX_TTL else TTL


def _is_alive(holder: dict[str, Any]) -> bool | None:
    """Say whether the holder still runs on this very machine; None for one elsewhere.

    Neither a killed run need be waited for, nor does a jump of the clock end the hold of a living one.
    """
    pid, mark = holder.get("pid"), holder.get("process")
    if not isinstance(pid, int) or not isinstance(mark, str) or not _boot():
        return None
    # The mark holds the boot and the start time: a reused pid or another container differs.
    if holder.get("host") != socket.gethostname() or mark.partition("/")[0] != _boot():
        return None
    return _process_mark(pid) == mark and (pid != os.getpid() or holder.get("run") in _RUNNING)


def _boot() -> str:
    # One per boot and, by the namespace's number, per container.
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116  # a magic link
    return ""


def _process_mark(pid: int) -> str:
    """Tell a process from a later one with the same number; empty where the system does not say."""
    with suppress(OSError, IndexError):
        # /proc/PID/stat: "12 (a name) S 1 …": the start time is the 20th value after the name.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        values = fields.split()
        # A zombie (Z) or a dead one (X) has ended; only its parent has not noticed yet.
        return f"{_boot()}/{values[19]}" if values[0] not in "ZX" else ""
    return ""


def _held(sink: Sink[Any], holder: dict[str, Any], until: float) -> LeaseHeldError:
    run, host, pid = (_shown(holder.get(name, "?")) for name in ("run", "host", "pid"))
    at = time.strftime("%H:%M:%S", time.localtime(until))
    hint = f"wait until it has finished; if it was killed, its hold ends at {at}"
    if _is_alive(holder):
        hint = f"wait until it has finished; process {pid} is running on this machine"
    return LeaseHeldError(
        f"sink {sink.context.name} is in use by run {run} on {host}, process {pid}", hint=hint
    )


def _shown(value: object) -> str:
    # Whoever wrote it may have put anything there, such as codes that move the cursor.
    text = str(value)[:80]
    return text if text.isprintable() else ascii(text)[1:-1]
