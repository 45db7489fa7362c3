"""Which files one entry means: a folder, a file or a glob below the source's folder."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archiver_plugins.folder.globs import Glob, fixed_part, is_glob
from archiver_plugins.folder.options import Entry
from archiver_plugins.folder.pattern import Pattern
from archiver_plugins.folder.walk import Found


@dataclass(frozen=True)
class Selection:
    """Where to start, and what to take.

    `base` is the folder to start in, as its names on the disk; `single` the one file that is meant.
    Globs and patterns see the path below `base`.
    """

    base: tuple[str, ...]
    shown: str
    single: str = ""
    follow: bool = False
    only: Glob | None = None
    include: tuple[Glob, ...] = ()
    exclude: tuple[Glob, ...] = ()
    pattern: Pattern | None = None

    def takes(self, parts: Sequence[str]) -> bool:
        """Say whether a file with this path below `base` (NFC names) is meant."""
        if self.only is not None and not self.only.matches(parts):
            return False
        if self.include and not any(glob.matches(parts) for glob in self.include):
            return False
        return not self.leaves_out(parts)

    def leaves_out(self, parts: Sequence[str]) -> bool:
        """Say whether a file or folder is excluded."""
        return any(glob.matches(parts) for glob in self.exclude)

    def fields(self, file: Found) -> dict[str, str]:
        """Read the pattern's fields from a file's path."""
        return self.pattern.match("/".join(file.parts[len(self.base) :])) if self.pattern else {}


def select(root: Path, entry: Entry) -> Selection:
    """Turn an entry into a selection, looking on the disk what its path is."""
    # "." and "./photos" as people write them
    path = "/".join(part for part in entry.path.split("/") if part not in {"", "."})
    fixed, rest = (path, "") if _exists(root, path) or not is_glob(path) else fixed_part(path)
    names = _on_disk(root, fixed)
    single = names.pop() if names and root.joinpath(*names).is_file() and not rest else ""
    return Selection(
        base=tuple(names),
        shown=path,
        single=single,
        follow=entry.follow,
        only=Glob(rest, anywhere=False) if rest else None,
        include=tuple(Glob(glob) for glob in entry.include),
        exclude=tuple(Glob(glob) for glob in entry.exclude),
        pattern=Pattern(entry.pattern) if entry.pattern else None,
    )


def _exists(root: Path, path: str) -> bool:
    return os.path.lexists(root.joinpath(*_on_disk(root, path)))


def _on_disk(root: Path, path: str) -> list[str]:
    """Spell each name as the disk has it: "é" is one character here and two there."""
    names: list[str] = []
    for name in filter(None, path.split("/")):
        forms = [name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)]
        here = root.joinpath(*names)
        names.append(next((form for form in forms if os.path.lexists(here / form)), name))
    return names
