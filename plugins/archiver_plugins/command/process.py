"""One running program: started with nothing of ours, spoken to in lines, ended with all its children."""

from __future__ import annotations

import logging
import os
import select
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from archiver import api
from archiver_plugins.command import strays
from archiver_plugins.command.journal import Journal
from archiver_plugins.command.lines import Lines
from archiver_plugins.command.secrets import Hidden

_CHUNK: Final = 1 << 16
#: Seconds between two looks whether the run was stopped or the program has ended.
_TICK: Final = 0.1
#: Seconds for a program that closed its output to end by itself, so that its status can be told.
_PARTING: Final = 0.5
#: Of what is left on standard error when a program has died, how many pieces are logged.
_LAST_PIECES: Final = 16


class Ended(Exception):  # noqa: N818  # what happened to a program, told to whoever asked it
    """The program ended before it had answered; the text says how."""


def _nobody(done: int, total: int | None = None) -> None:
    del done, total


@dataclass(frozen=True)
class Launch:
    """How to start the program of one source, and what to do with what it says."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 60.0
    hidden: Hidden = field(default_factory=Hidden)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("archiver.plugin"))
    progress: api.Progress = _nobody


class Process:
    """The program, running in a directory of its own. For one thread at a time.

    Raises `FatalError` when it cannot be started.
    """

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self.home = Path(tempfile.mkdtemp(prefix="archive-command-")).resolve()
        try:
            self._popen = _start(launch, self.home)
        except (OSError, ValueError) as error:
            strays.clear(self.home)
            raise api.FatalError(
                f"{launch.name}: the program {launch.command[0]!r} could not be started: {error}",
                hint="see that it is installed, may be executed, and is written right after `run:`",
            ) from error
        #: Also at the end of our own process, when nobody ended it before.
        self._finalizer = weakref.finalize(self, _end, self._popen, self.home)
        self._lines = Lines()
        self._journal = Journal(launch.log, launch.name, launch.hidden)
        self._unsent = memoryview(b"")
        self._asked = False
        self._deaf = False
        self._poll = select.poll()
        for pipe, events in self._pipes():
            os.set_blocking(pipe.fileno(), False)
            if events != select.POLLOUT:
                self._poll.register(pipe.fileno(), events)

    @property
    def ready(self) -> bool:
        """Whether it can be asked something: it runs, owes no answer, and said nothing unasked."""
        if not self._finalizer.alive or self._asked or self.unasked or self._exited():
            return False
        poll = select.poll()
        poll.register(self._pipe(self._popen.stdin), 0)
        return not poll.poll(0)  # an error there: it has closed its input

    @property
    def unasked(self) -> bool:
        """Whether it said something after the last of what it was asked, such as `done` a second time."""
        if self._asked or not self._finalizer.alive:
            return False
        poll = select.poll()
        poll.register(self._pipe(self._popen.stdout), select.POLLIN)
        return self._lines.unread or any(events & select.POLLIN for _, events in poll.poll(0))

    def exchange(self, line: bytes) -> Iterator[bytes]:
        """Send a line and give each line that comes; who has the last one stops asking.

        Raises `Ended` when the program ends, `TransientError` when it says nothing for too long,
        `ProtocolError` for a line that is too long, and what `progress` raises to stop the run.
        """
        self._asked = True
        self._unsent = memoryview(line)
        self._poll.register(self._pipe(self._popen.stdin), select.POLLOUT)
        while True:
            until = time.monotonic() + self._launch.timeout
            while (found := self._lines.take()) is None:
                self._wait(until)
            yield found

    def rest(self) -> None:
        """Take note that it has said the last of what it was asked."""
        self._asked = False

    def kill(self) -> None:
        """Kill it with all that it started, while another thread still reads from it."""
        strays.end(self._popen.pid, self.home)

    def end(self) -> None:
        """Kill it with all that it started, and remove its directory. May be called again."""
        self._finalizer()

    def _wait(self, until: float) -> None:
        left = until - time.monotonic()
        if left <= 0:
            raise api.TransientError(
                f"{self._launch.name}: the program said nothing for {self._launch.timeout:g} seconds",
                hint="if it needs that long, let it report progress, or raise `timeout`",
            )
        self._launch.progress(0)  # raises when the run is being stopped
        output = self._pipe(self._popen.stdout)
        ready = dict(self._poll.poll(min(left, _TICK) * 1000))
        for handle in ready:
            if handle != output:
                self._serve(handle)
        over = self._deaf or self._exited() is not None  # a child that still runs may hold its output open
        # What it said last, before it ended, may have come since the first look.
        if output in ready or (over and output in dict(self._poll.poll(0))):
            self._receive(output)
        elif over:
            self._depart()

    def _serve(self, handle: int) -> None:
        if handle == self._pipe(self._popen.stdin):
            self._send(handle)
        elif data := _read(handle):
            self._journal.add(data)
        else:
            self._poll.unregister(handle)

    def _send(self, handle: int) -> None:
        try:
            self._unsent = self._unsent[os.write(handle, self._unsent) :]
        except BlockingIOError:
            return
        except OSError:  # it has closed its input; what it has said before is read
            self._unsent = memoryview(b"")
            self._deaf = True
        if not self._unsent:
            self._poll.unregister(handle)

    def _receive(self, handle: int) -> None:
        data = _read(handle)
        if data:
            self._lines.add(data)
        elif data is not None:
            self._depart()

    def _depart(self) -> None:
        """Say how it ended, with its last words."""
        until = time.monotonic() + _PARTING
        while (how := self._exited()) is None and time.monotonic() < until:
            time.sleep(0.005)
        errors = self._pipe(self._popen.stderr)
        for _ in range(_LAST_PIECES):
            if not (data := _read(errors)):
                break
            self._journal.add(data)
        self._journal.end()
        told = how or f"closed its {'input' if self._deaf else 'output'}"
        raise Ended(f"{told}: {self._journal.last[:300]}" if self._journal.last else told)

    def _exited(self) -> str | None:
        """Say how it ended; None while it runs. Its number stays its own until `end` takes it back."""
        try:
            found = os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return "was ended"
        if found is None:
            return None
        by_itself = found.si_code == os.CLD_EXITED
        return f"ended with status {found.si_status}" if by_itself else f"died of signal {found.si_status}"

    def _pipes(self) -> Iterator[tuple[IO[bytes], int]]:
        for pipe, events in (
            (self._popen.stdin, select.POLLOUT),
            (self._popen.stdout, select.POLLIN),
            (self._popen.stderr, select.POLLIN),
        ):
            assert pipe is not None
            yield pipe, events

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> int:
        assert pipe is not None
        return pipe.fileno()


def _start(launch: Launch, home: Path) -> subprocess.Popen[bytes]:
    own = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "TMPDIR": str(home),
    }
    return subprocess.Popen(  # noqa: S603  # what the user configured, and no shell
        launch.command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=home,
        env={**launch.environment, **own},
        bufsize=0,
        start_new_session=True,  # Ctrl-C at the terminal is for us
    )


def _end(popen: subprocess.Popen[bytes], home: Path) -> None:
    strays.end(popen.pid, home)
    popen.wait()
    for pipe in (popen.stdin, popen.stdout, popen.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    strays.clear(home)


def _read(handle: int) -> bytes | None:
    """Read what is there: nothing at the end, None when there is nothing yet."""
    try:
        return os.read(handle, _CHUNK)
    except BlockingIOError:
        return None
    except OSError:
        return b""
