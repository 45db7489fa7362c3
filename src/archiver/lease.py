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

from archiver.contracts import Sink
from archiver.errors import ConflictError, ExistsError, LeaseHeldError, MissingError, SinkError
from archiver.ocfl import blob, read

PATH = ".lease"
#: Seconds without renewal after which a lease is void.
TTL = 90.0


@dataclass
class Lease:
    """A run's hold on one sink. Renewed by a thread of its own until released.

    `lost` is set when somebody else took it over: the run must not commit any more.
    """

    sink: Sink[Any]
    run: str
    ttl: float = TTL
    clock: Callable[[], float] = time.time
    lost: threading.Event = field(default_factory=threading.Event)
    _token: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def acquire(self) -> None:
        """Take the lease. Raises `LeaseHeldError` naming the holder and when it ends."""
        body = self._body(held=True)
        try:
            self._token = self.sink.create(PATH, body).token
        except ExistsError:
            self._take_over()
        self._thread = threading.Thread(target=self._renew, name=f"lease-{self.run}", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Give the lease back; never raises: it would end by itself."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if not self.lost.is_set():
            with suppress(SinkError):
                self.sink.replace(PATH, self._body(held=False), expected=self._token)

    def _take_over(self) -> None:
        found = self.sink.stat(PATH)
        holder = _holder(self.sink)
        if found and _holds(holder, found.modified, self.clock()):
            raise _held(self.sink, holder, found.modified)
        try:
            self._token = self.sink.replace(
                PATH, self._body(held=True), expected=found.token if found else None
            ).token
        except ConflictError as error:
            raise _held(self.sink, _holder(self.sink), self.clock()) from error

    def _renew(self) -> None:
        while not self._stop.wait(self.ttl / 3):
            try:
                self._token = self.sink.replace(PATH, self._body(held=True), expected=self._token).token
            except ConflictError:
                self.lost.set()
                return
            except SinkError:
                continue  # a passing fault: there are two more tries before it ends

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
    try:
        data = json.loads(read(sink, PATH, 64 << 10))
    except (MissingError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _holds(holder: dict[str, Any], modified: float, now: float) -> bool:
    ttl = holder.get("ttl")
    if not holder.get("held") or not isinstance(ttl, int | float):
        return False
    return now < modified + ttl and not _known_dead(holder)


def _known_dead(holder: dict[str, Any]) -> bool:
    """A killed run on this very machine need not be waited for."""
    pid, mark = holder.get("pid"), holder.get("process")
    here = holder.get("host") == socket.gethostname() and isinstance(pid, int) and bool(mark)
    # The mark holds the boot and the start time: a reused pid or another container differs.
    return here and str(mark).split("/")[0] == _boot() and _process_mark(int(pid or 0)) != mark


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
        return f"{_boot()}/{fields.split()[19]}"
    return ""


def _held(sink: Sink[Any], holder: dict[str, Any], since: float) -> LeaseHeldError:
    who = f"run {holder.get('run', '?')} on {holder.get('host', '?')}, process {holder.get('pid', '?')}"
    ttl = holder.get("ttl")
    until = since + ttl if isinstance(ttl, int | float) else time.time() + TTL
    at = time.strftime("%H:%M:%S", time.localtime(until))
    return LeaseHeldError(
        f"sink {sink.context.name} is in use by {who}",
        hint=f"wait until it has finished; if it was killed, its hold ends at {at}",
    )
