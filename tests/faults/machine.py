"""A machine whose power can be cut: what was written but not flushed may be lost, or be there in part."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from archiver.contracts import Blob, Context, Options, Sink, Stat
from archiver.errors import ConflictError, ExistsError, MissingError


@dataclass
class Machine:
    """What its programs see (`cached`), what is on the disk, and who has to sync what is not.

    Programs come and go: `unsynced` maps a path to the programs that would sync it with their next flush.
    The disk may write things on its own, in any order; that is what `cut` plays.
    """

    disk: dict[str, bytes] = field(default_factory=dict)
    cached: dict[str, bytes] = field(default_factory=dict)
    unsynced: dict[str, set[int]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    programs: int = 0

    def write(self, path: str, data: bytes, program: int) -> None:
        """Write into memory; the disk comes later."""
        self.cached[path] = data
        self.unsynced[path] = {program}
        self.numbers[path] = self.numbers.get(path, 0) + 1

    def sync(self, program: int) -> None:
        """Put on the disk what that program is to sync."""
        for path in [path for path, programs in self.unsynced.items() if program in programs]:
            self.disk[path] = self.cached[path]
            del self.unsynced[path]

    def cut(self, chance: random.Random) -> None:
        """Cut the power: of each thing that was not synced, the old, the new, or a part is there."""
        for path in sorted(self.unsynced):
            new = self.cached[path]
            outcome = chance.choice(["old", "new", "empty", "zeros", "half"])
            if outcome != "old":
                half = new[: len(new) // 2]
                self.disk[path] = {"new": new, "empty": b"", "zeros": b"\0" * len(new), "half": half}[outcome]
        self.cached, self.unsynced = dict(self.disk), {}

    def copy_to(self, folder: Path) -> None:
        """Write everything down as files."""
        for path, data in self.cached.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


class MachineSink(Sink[Options]):
    """A sink on such a machine, used by one program. `point` is called before and after each operation."""

    type_name = "machine"
    journal_batch = 1

    def __init__(self, machine: Machine, point: Callable[[], None] = lambda: None) -> None:
        http: Any = None
        super().__init__(Options(), Context("machine", Path("/"), http))
        self.machine = machine
        self.point = point
        machine.programs += 1
        self.program = machine.programs

    def _write(self, path: str, blob: Blob) -> Stat:
        with blob.open() as stream:
            self.machine.write(path, stream.read(), self.program)
        found = self.stat(path)
        assert found is not None
        self.point()
        return found

    def create(self, path: str, blob: Blob) -> Stat:
        self.point()
        if path in self.machine.cached:
            self.cover(path)
            raise ExistsError(f"{path} is there")
        return self._write(path, blob)

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        self.point()
        found = self.stat(path)
        if expected is not None and (found is None or found.token != expected):
            raise ConflictError(f"{path} was changed")
        return self._write(path, blob)

    def open(self, path: str, start: int = 0) -> BinaryIO:
        if path not in self.machine.cached:
            raise MissingError(f"{path} is not there")
        return io.BytesIO(self.machine.cached[path][start:])

    def stat(self, path: str) -> Stat | None:
        data = self.machine.cached.get(path)
        number = self.machine.numbers.get(path)
        return None if data is None else Stat(path, len(data), 0.0, f"write {number}")

    def list(self, prefix: str) -> Iterator[Stat]:
        for path in sorted(self.machine.cached):
            found = self.stat(path) if path.startswith(prefix) else None
            if found is not None:
                yield found

    def cover(self, path: str) -> None:
        if path in self.machine.unsynced:
            self.machine.unsynced[path].add(self.program)

    def flush(self) -> None:
        self.point()
        self.machine.sync(self.program)
        self.point()
