"""A small archive in two sinks, and what spoils it: for the tests of `archive verify`."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archiver.config import ArchiveSettings
from archiver.model import Kind
from archiver.verify import Finding, Verify, VerifyReport, Wanted
from line_kit import Item, World
from media_samples import pdf

#: What is written anew all the time and holds nothing that is kept.
PASSING = (".lease", ".probe/", "tmp/")


@dataclass
class Bench:
    """The world, and its two sinks `one` and `two`."""

    world: World

    @property
    def one(self) -> Path:
        return self.world.folder / "one"

    @property
    def two(self) -> Path:
        return self.world.folder / "two"

    def verify(self, **wanted: Any) -> VerifyReport:
        """Verify sink `one`, unless told otherwise."""
        asked = {"sinks": frozenset(["one"]), **wanted}
        return Verify(self.world.config, self.world.registry(), Wanted(**asked)).execute()

    def prepared(self, **wanted: Any) -> Verify:
        return Verify(self.world.config, self.world.registry(), Wanted(**wanted))

    def paths(self, root: Path | None = None) -> list[str]:
        """All that is kept in a sink, but reports of verifications."""
        root = root or self.one
        found = sorted(file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file())
        return [path for path in found if not path.startswith(PASSING) and "-verify.json" not in path]

    def digests(self, root: Path | None = None) -> dict[str, str]:
        """The SHA-256 of each of them."""
        root = root or self.one
        return {path: hashlib.sha256((root / path).read_bytes()).hexdigest() for path in self.paths(root)}

    def content(self, part: str = "/content/other/") -> str:
        """One content file."""
        return next(path for path in self.paths() if part in path)


def _world(folder: Path) -> World:
    world = World(folder, sinks=("one", "two"), settings=ArchiveSettings("A tour"))
    world.up.put(
        Item("x", (b"bytes of x",), title="Deploy"),
        Item("deck", (pdf(["云计算 with Chef"]),), kind=Kind.SLIDES, title="Chef"),
        Item("y", (b"bytes of y", b"more bytes of y"), event="b"),
    )
    return world


def _more(world: World) -> None:
    world.up.put(Item("z", (b"bytes of z",)), Item("x", (b"new bytes of x",), revision="2", title="Deploy"))


def build(folder: Path) -> Path:
    """Make the archive: two runs, three objects, two versions, texts."""
    world = _world(folder)
    assert world.run().exit_code() == 0
    _more(world)
    assert world.run().exit_code() == 0
    return folder


def bench(folder: Path, built: Path) -> Bench:
    """Copy an archive that was built, to spoil it."""
    shutil.copytree(built, folder, dirs_exist_ok=True)
    world = _world(folder)
    _more(world)
    return Bench(world)


def flip(file: Path, chance: random.Random) -> int:
    """Flip one bit; say which."""
    data = bytearray(file.read_bytes())
    bit = chance.randrange(8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    file.write_bytes(data)
    return bit


def damage(findings: Iterable[Finding]) -> list[str]:
    """The paths that are damaged."""
    return [each.path for each in findings if each.is_damage and not each.repaired]
