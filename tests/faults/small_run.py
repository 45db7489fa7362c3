"""A run in small: what storage does between two coffees, against any sink.

As a script it does that run on copies of an archive, killing itself at every point it passes:

    small_run.py operations|calls BASE OUT

BASE is a folder with `archive/` in it. OUT/<n>-<when>/archive is what was left by the run that died at the
n-th point; `acknowledged` beside it lists what that run had been told was safe. Points are the sink's
operations (before and after each), or the calls to the system that Python reports to audit hooks.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from archiver import ocfl
from archiver.archive import COMMON
from archiver.contracts import Blob, Sink, Stat
from archiver.journal import Entry, Journal
from archiver.lease import Lease
from archiver.ledger import StoredFile
from archiver.model import Kind, Material
from archiver.ocfl import Addition, OcflObject, blob
from archiver.sinks.wrapper import Wrapper
from ocfl_checks import make_sink

CREATED = "2012-09-16T10:00:00Z"
EVENT = "metadata/event.json"
#: Calls of an audit hook that change something on the disk.
CHANGING = {"os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.utime"}


class Watched(Wrapper):
    """Calls `point` before and after every operation that writes."""

    def __init__(self, inner: Sink[Any], point: Callable[[str], None]) -> None:
        super().__init__(inner)
        self.point = point

    def create(self, path: str, blob: Blob) -> Stat:
        self.point("before create")
        done = super().create(path, blob)
        self.point("after create")
        return done

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        self.point("before replace")
        done = super().replace(path, blob, expected=expected)
        self.point("after replace")
        return done

    def flush(self) -> None:
        self.point("before flush")
        super().flush()
        self.point("after flush")


def reopened(sink: Sink[Any]) -> dict[str, OcflObject]:
    """Open the archive as every run does: prepare, read, heal."""
    sink.prepare()
    objects = ocfl.load(sink)
    for each in objects.values():
        if ocfl.needs_healing(each):
            ocfl.heal(each)
    return objects


def contents(name: str) -> dict[str, bytes]:
    """Give the files that the run called `name` brings."""
    return {f"slides/{name}-{number}.pdf": f"{name} {number}".encode() * 50 for number in range(2)}


def run(sink: Sink[Any], name: str, *, said: Callable[[str], None] = lambda _: None, files: Path) -> None:
    """Do a whole run; `said` hears of every object as soon as its version is safe."""
    lease = Lease(sink, name)
    lease.acquire()
    try:
        store(sink, name, said=said, files=files)
    finally:
        lease.release()


def store(sink: Sink[Any], name: str, *, said: Callable[[str], None] = lambda _: None, files: Path) -> None:
    """Do what a run does while it holds the lease."""
    objects = reopened(sink)
    event = objects.get("beijing") or OcflObject(sink, "beijing")
    journal = Journal(sink, name)
    additions = [_put(event, journal, path, data, files) for path, data in contents(name).items()]
    journal.close_segment()
    for each, added in ((objects.get(COMMON) or OcflObject(sink, COMMON), []), (event, additions)):
        documents = {EVENT: f"by {name}".encode()}
        ocfl.commit(each, added, documents, created=CREATED, message=name)
        said(each.name)
    sink.create(f"runs/{name}.json", blob(b"{}"))
    sink.flush()


def _put(event: OcflObject, journal: Journal, path: str, data: bytes, files: Path) -> Addition:
    digest = hashlib.sha256(data).hexdigest()
    staged = files / digest
    staged.write_bytes(data)
    event.sink.create(event.next_content + path, Blob(len(data), digest, path=staged, movable=True))
    stored = StoredFile(path, len(data), digest)
    material = Material(path, Kind.SLIDES, event=event.name)
    journal.add(Entry(event.name, "decks", "x", material, event.next_content, (stored,)))
    return Addition(path, digest)


class Countdown:
    """Kills this process at the n-th point."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, _: str) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        writing = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
        if event in CHANGING or writing:
            self("")


def _die(kind: str, number: int, folder: Path) -> None:
    setattr(os, "fsync", lambda _: None)  # noqa: B010  # mypy knows the name of its argument; a killed process loses nothing that was written: save the time
    countdown, sink = Countdown(number), make_sink(folder)
    log = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if kind == "calls":
        sys.addaudithook(countdown.hook)
    else:
        sink = Watched(sink, countdown)  # type: ignore[assignment]  # both are sinks
    run(sink, "second", said=lambda name: _write(log, name), files=folder)


def _write(log: int, name: str) -> None:
    os.write(log, f"{name}\n".encode())


def _points(kind: str, base: Path, out: Path) -> Iterator[int]:
    """Run in children until one comes to its end; yield how each one ended."""
    number = 0
    while True:
        number += 1
        folder = out / f"{number:03}"
        shutil.copytree(base, folder)
        child = os.fork()
        if child == 0:
            try:
                _die(kind, number, folder)
            except BaseException as error:  # noqa: BLE001  # the parent wants to know of anything
                sys.stderr.write(f"{error!r}\n")
                os._exit(9)
            os._exit(0)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        yield ended
        if ended >= 0:
            return


if __name__ == "__main__":
    sys.stdout.write(" ".join(map(str, _points(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))))
