"""Child processes: started when they are needed, asked by one thread at a time, replaced when they die."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

#: An answer holds at most the text of one file (see `archiver.derive.MAX_CHARACTERS`), escaped.
_MAX_ANSWER = 64 << 20
_CHUNK = 1 << 16

_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from archiver.examine.child import main
main(int(sys.argv[2]))
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one look into a file may take.

    `memory` in bytes of address space; `seconds` of CPU, and one more for every `bytes_a_second` of the
    file; three times that by the clock. After `uses` files a child makes room for a fresh one: libraries
    do not give back all they took.
    """

    memory: int = 2 << 30
    seconds: float = 60.0
    bytes_a_second: int = 10_000_000
    uses: int = 2_000

    def seconds_for(self, size: int) -> float:
        """Give the seconds of CPU for a file of so many bytes."""
        return self.seconds + size / self.bytes_a_second


class Died(Exception):  # noqa: N818  # what happened to a child, told to whoever asked it
    """The child ended without an answer: `status` as `Popen.returncode`, None when it was too slow."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status


class _Child:
    def __init__(self, limits: Limits) -> None:
        command = [sys.executable, "-I", "-X", "utf8", "-c", _START, json.dumps(sys.path), str(limits.memory)]
        # In a session of its own, as Ctrl-C at the terminal is for the parent; it ends with its input.
        self._process = subprocess.Popen(  # noqa: S603  # this program itself
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            bufsize=0,
            start_new_session=True,
        )
        self.uses = 0

    def ask(self, question: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        self.uses += 1
        try:
            self._process.stdin.write(json.dumps(question).encode("ascii") + b"\n")
        except BrokenPipeError:
            raise Died(self._process.wait()) from None
        answer: dict[str, Any] = json.loads(self._line(time.monotonic() + seconds))
        return answer

    def _line(self, until: float) -> bytes:
        assert self._process.stdout is not None
        output, parts, size = self._process.stdout.fileno(), list[bytes](), 0
        poll = select.poll()
        poll.register(output, select.POLLIN)
        while size <= _MAX_ANSWER:
            if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
                raise Died(None)
            part = os.read(output, _CHUNK)
            if not part:
                raise Died(self._process.wait())
            parts.append(part)
            size += len(part)
            if part.endswith(b"\n"):
                return b"".join(parts)
        raise Died(None)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Children:
    """At most `count` children, handed to threads in turns. Thread-safe."""

    def __init__(self, limits: Limits | None = None, count: int | None = None) -> None:
        self.limits = limits or Limits()
        self._turn = threading.Semaphore(count or max(2, os.cpu_count() or 1))
        self._count = count or max(2, os.cpu_count() or 1)
        self._idle: list[_Child] = []
        self._lock = threading.Lock()

    def start(self, wanted: int) -> None:
        """Start as many as will be used, so that they are ready when they are."""
        with self._lock:
            missing = min(wanted, self._count) - len(self._idle)
        for _ in range(missing):
            self._give_back(_Child(self.limits))

    def ask(self, question: Mapping[str, Any], size: int) -> dict[str, Any]:
        """Have a child answer a question about a file of `size` bytes. Raises `Died`."""
        seconds = self.limits.seconds_for(size)
        with self._lent() as child:
            return child.ask({**question, "seconds": seconds}, 3 * seconds)

    def close(self) -> None:
        """End those that wait for a question."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    @contextmanager
    def _lent(self) -> Iterator[_Child]:
        with self._turn:
            child = self._take()
            try:
                yield child
            except BaseException:
                child.end()  # what it would say next answers nobody's question
                raise
            if child.uses < self.limits.uses:
                self._give_back(child)
            else:
                child.end()

    def _take(self) -> _Child:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Child(self.limits)

    def _give_back(self, child: _Child) -> None:
        with self._lock:
            self._idle.append(child)
