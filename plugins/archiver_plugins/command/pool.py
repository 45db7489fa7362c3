"""As many running programs as requests are asked at once, each kept for the next request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Final

from archiver import api
from archiver_plugins.command import messages, talk
from archiver_plugins.command.lines import ProtocolError
from archiver_plugins.command.messages import AnyReply, AnyRequest
from archiver_plugins.command.process import Ended, Launch, Process

_TICK: Final = 0.1
_FAULT: Final = "this is a fault of the program: see the page on the command protocol"
_START: Final = "run it by hand, and look at what it logs with -v"
#: Makes a request of the number that it gets.
Asking = Callable[[int], AnyRequest]


class Pool:
    """The programs of one source. `described` hears what each says of itself. For several threads."""

    def __init__(
        self, launch: Launch, describe: Asking, described: Callable[[messages.Described], None]
    ) -> None:
        self._launch = launch
        self._describe = describe
        self._described = described
        self._limit = 1
        self._busy = 0
        self._numbers = 0
        self._idle: list[Process] = []
        self._all: set[Process] = set()
        self._free = threading.Condition()

    def ask(self, asking: Asking) -> Iterator[AnyReply]:
        """Have one program answer a request; it is ended unless it answers to the last.

        Raises `SourceError`: the program's own, or one that says what is wrong with the program.
        """
        with self._place():
            kept = self._waiting()
            # One that ended after its last answer was free to: another one takes its place.
            if kept is None or not (yield from self._answers(kept, asking, kept=True)):
                yield from self._answers(self._fresh(), asking)

    def start(self) -> None:
        """See that the program starts and says what it is; it is kept for the first request."""
        with self._place():
            self._release(self._waiting() or self._fresh())

    def close(self) -> None:
        """End all programs. Whoever still reads the answers of one is told that it died."""
        with self._free:
            idle, self._idle = self._idle, []
            busy = self._all - set(idle)
            self._all = set()
        for process in idle:
            self._drop(process)
        for process in busy:
            process.kill()

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Wait until fewer programs are busy than may be."""
        with self._free:
            while self._busy >= self._limit:
                self._free.wait(_TICK)
                self._launch.progress(0)  # raises when the run is being stopped
            self._busy += 1
        try:
            yield
        finally:
            with self._free:
                self._busy -= 1
                self._free.notify()

    def _waiting(self) -> Process | None:
        """Take one that waits for a request; end those that cannot be asked any more."""
        while True:
            with self._free:
                process = self._idle.pop() if self._idle else None
            if process is None or process.ready:
                return process
            self._drop(process)

    def _fresh(self) -> Process:
        """Start one, and let it say what it is."""
        process = Process(self._launch)
        with self._free:
            self._all.add(process)
        try:
            with self._blaming():
                reply = self._introduced(process)
        except BaseException:
            self._drop(process)
            raise
        with self._free:
            self._limit = reply.max_fetches
            self._free.notify_all()
        self._described(reply)
        return process

    def _introduced(self, process: Process) -> messages.Described:
        try:
            (reply,) = talk.answers(process, self._describe(self._number()), self._launch.hidden)
        except Ended as ended:
            message = f"{self._launch.name}: the program did not say what it is: it {ended}"
            raise api.FatalError(message, hint=_START) from ended
        assert isinstance(reply, messages.Described)
        if reply.protocol not in messages.VERSIONS:
            known = ", ".join(str(version) for version in messages.VERSIONS)
            raise api.FatalError(
                f"{self._launch.name}: the program chose version {reply.protocol} of the protocol, which was "
                f"not offered: this archiver speaks {known}",
                hint="take a version of the program, or of the archiver, that suits the other",
            )
        return reply

    def _answers(
        self, process: Process, asking: Asking, *, kept: bool = False
    ) -> Generator[AnyReply, None, bool]:
        """Give the answers of one program; False when one that was `kept` had ended before it was asked."""
        answered = False
        try:
            with self._blaming():
                for reply in talk.answers(process, asking(self._number()), self._launch.hidden):
                    answered = True
                    yield reply
        except Ended as ended:
            if kept and not answered:
                return False
            message = f"{self._launch.name}: the program left its answer unfinished: it {ended}"
            raise api.TransientError(message, hint="look at what it logs with -v") from ended
        finally:
            self._release(process)
        return True

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        try:
            yield
        except ProtocolError as error:
            message = f"{self._launch.name}: the program broke the protocol: {error}"
            raise api.FatalError(message, hint=_FAULT) from error

    def _release(self, process: Process) -> None:
        with self._free:
            keep = process in self._all and process.ready
            if keep:
                self._idle.append(process)
        if not keep:
            self._drop(process)

    def _drop(self, process: Process) -> None:
        with self._free:
            self._all.discard(process)
        if process.unasked:
            self._launch.log.warning(
                "%s: the program went on after the last message of its answer; it is ended, and what it said "
                "is left out: `checkpoint`, `done` and `error` come once",
                self._launch.name,
            )
        process.end()

    def _number(self) -> int:
        with self._free:
            self._numbers += 1
            return self._numbers
