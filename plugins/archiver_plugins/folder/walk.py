"""Walking a folder: sorted, lazily, and never mistaking a failure for emptiness."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import quote_from_bytes, unquote_to_bytes

from archiver import api

_JUNK = frozenset({
    "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "#recycle", "$recycle.bin",
    "system volume information", "lost+found", "cvs", "node_modules",
})  # fmt: skip
#: What programs call a file that they are still writing.
_UNFINISHED = (
    ".part", ".partial", ".crdownload", ".download", ".opdownload", ".filepart", ".aria2", ".!ut", ".!qb",
    ".tmp", ".temp", ".swp",
)  # fmt: skip


class Wanted(Protocol):
    """What the walk asks of a selection."""

    @property
    def base(self) -> tuple[str, ...]: ...  # noqa: D102  # see Selection
    @property
    def single(self) -> str: ...  # noqa: D102  # see Selection
    @property
    def follow(self) -> bool: ...  # noqa: D102  # see Selection
    def takes(self, parts: Sequence[str]) -> bool: ...  # noqa: D102  # see Selection
    def leaves_out(self, parts: Sequence[str]) -> bool: ...  # noqa: D102  # see Selection


@dataclass(frozen=True, slots=True)
class Found:
    """A file: `parts` are the names of its id (NFC), `raw` its path as the disk has it.

    `size` in bytes, `modified` in nanoseconds since 1970.
    """

    parts: tuple[str, ...]
    raw: str
    size: int
    modified: int
    linked: bool

    @property
    def id(self) -> str:
        """The path below the source's folder, unique and the same on every machine."""
        return "/".join(self.parts)

    @property
    def name(self) -> str:
        """The name on the disk; may hold surrogates for bytes that are no UTF-8."""
        return self.raw.rpartition("/")[2]

    @property
    def extra(self) -> dict[str, str]:
        """What a fetch needs beside the id."""
        extra = {"path": quote_from_bytes(os.fsencode(self.raw))} if self.raw != self.id else {}
        return extra | ({"linked": "yes"} if self.linked else {})


def raw_path(identity: str, extra: Mapping[str, str]) -> str:
    """Give the path on the disk of a listed file."""
    return os.fsdecode(unquote_to_bytes(extra["path"])) if "path" in extra else identity


def is_linked(extra: Mapping[str, str]) -> bool:
    """Say whether a symbolic link was followed to a listed file."""
    return extra.get("linked") == "yes"


def check_root(root: Path, own: Iterable[Path] = ()) -> tuple[int, int]:
    """Identify the folder.

    Raises `FatalError` when it is not there or lies inside the archive's `own` places, `BlockedError`
    when it is unreadable.
    """
    real = Path(os.path.realpath(root))
    for place in own:
        if real.is_relative_to(os.path.realpath(place)):
            raise api.FatalError(
                f"the folder {_shown(root)} lies inside the archive itself, in {_shown(place)}",
                hint="choose another folder: what is there is archived already",
            )
    try:
        with os.scandir(root):
            status = root.stat()
    except OSError as error:
        raise _failed(root, error, root=True) from error
    return status.st_dev, status.st_ino


def is_empty(root: Path) -> bool:
    """Say whether there is nothing at all in the folder, as where a disk is not mounted."""
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is None
    except OSError as error:
        raise _failed(root, error, root=True) from error


def _failed(folder: Path, error: OSError, *, root: bool = False) -> api.SourceError:
    shown = _shown(folder)
    if isinstance(error, PermissionError):
        return api.BlockedError(
            f"the folder {shown} may not be read", hint="give yourself the right to read it"
        )
    if root:
        return api.FatalError(
            f"the folder {shown} cannot be read: {error.strerror}",
            hint=f"is the disk mounted, and `path` right? If the folder is to be new: mkdir -p {shown}",
        )
    return api.TransientError(
        f"the folder {shown} could not be listed to its end: {error.strerror}",
        hint="is the disk mounted? Nothing is taken as withdrawn",
    )


def _shown(path: Path) -> str:
    return ascii(str(path))[1:-1] if not str(path).isprintable() else str(path)


@dataclass(slots=True)
class _Folder:
    """A folder on the way: its path on the disk and in ids, and what is left to look at in it."""

    raw: tuple[str, ...]
    parts: tuple[str, ...]
    linked: bool
    entries: Iterator[tuple[str, os.DirEntry[str]]] = field(default_factory=lambda: iter(()))
    names: frozenset[str] = frozenset()


class _Walk:
    def __init__(
        self, root: Path, wanted: Wanted, log: logging.Logger, own: frozenset[tuple[int, int]]
    ) -> None:
        self.root = root
        self.own = own
        self.real_root = Path(os.path.realpath(root))
        self.wanted = wanted
        self.log = log
        self.entered: set[tuple[int, int]] = set()

    def files(self) -> Iterator[Found]:
        stack = [start] if (start := self._start()) else []
        while stack:
            folder = stack[-1]
            entry = next(folder.entries, None)
            if entry is None:
                stack.pop()
            elif isinstance(result := self._look(folder, *entry), _Folder):
                stack.append(result)
            elif result is not None:
                yield result

    def _start(self) -> _Folder | None:
        """Enter the entry's own folder; None when it is not there (the event may be to come)."""
        folder = self._enter(_Folder((), (), linked=False))
        for name in self.wanted.base:
            found = next(((part, entry) for part, entry in folder.entries if entry.name == name), None)
            inner = self._inner(folder, *found) if found else None
            if not isinstance(inner, _Folder):
                return None
            folder = inner
        if self.wanted.single:
            folder.entries = iter([pair for pair in folder.entries if pair[1].name == self.wanted.single])
        return folder

    def _enter(self, folder: _Folder) -> _Folder:
        path = self.root.joinpath(*folder.raw)
        try:
            with os.scandir(path) as entries:
                listed = list(entries)
            status = path.stat()
        except OSError as error:
            raise _failed(path, error, root=not folder.raw) from error
        self.entered.add((status.st_dev, status.st_ino))
        names = id_names(entry.name for entry in listed)
        folder.names = frozenset(names)
        folder.entries = iter(
            sorted(((names[entry.name], entry) for entry in listed), key=lambda pair: pair[0])
        )
        return folder

    def _look(self, folder: _Folder, part: str, entry: os.DirEntry[str]) -> Found | _Folder | None:
        below = (*folder.parts, part)[len(self.wanted.base) :]
        if self.wanted.single:
            return self._single(folder, part, entry)
        if is_junk(entry.name) or self.wanted.leaves_out(below) or _is_placeholder(entry.name, folder.names):
            return None
        inner = self._inner(folder, part, entry)
        return inner if isinstance(inner, _Folder) or (inner and self.wanted.takes(below)) else None

    def _single(self, folder: _Folder, part: str, entry: os.DirEntry[str]) -> Found | None:
        # Named by its path: taken whatever it is called.
        inner = self._inner(folder, part, entry)
        return inner if isinstance(inner, Found) else None

    def _inner(self, folder: _Folder, part: str, entry: os.DirEntry[str]) -> Found | _Folder | None:
        """Look at one entry: a file, a folder (entered), or nothing that could be archived."""
        linked = folder.linked or entry.is_symlink()
        if entry.is_symlink() and not self._may_follow(entry):
            return None
        status = self._status(entry, linked=linked)
        if status is None:
            return None
        identity = (status.st_dev, status.st_ino)
        raw, parts = (*folder.raw, entry.name), (*folder.parts, part)
        if stat.S_ISDIR(status.st_mode):
            if identity in self.own or (linked and identity in self.entered):
                return None  # a sink; a link back to where we are
            return self._enter(_Folder(raw, parts, linked))
        if not stat.S_ISREG(status.st_mode) or identity in self.own:
            return None  # a pipe, a socket, a device; the configuration
        return Found(parts, "/".join(raw), status.st_size, status.st_mtime_ns, linked)

    def _status(self, entry: os.DirEntry[str], *, linked: bool) -> os.stat_result | None:
        try:
            return entry.stat(follow_symlinks=linked)
        except FileNotFoundError:
            return None  # gone since the folder was listed, or a link to nothing
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            self.log.warning("the link %s leads in a circle and is passed over", _shown(Path(entry.path)))
            return None

    def _may_follow(self, entry: os.DirEntry[str]) -> bool:
        if not self.wanted.follow:
            return False
        target = Path(os.path.realpath(entry.path))
        if target.is_relative_to(self.real_root):
            return True
        self.log.warning("the link %s leads out of the folder and is not followed", _shown(Path(entry.path)))
        return False


def walk(root: Path, wanted: Wanted, log: logging.Logger, own: Iterable[Path] = ()) -> Iterator[Found]:
    """Yield the wanted files, sorted by id within each folder; nothing of the archive's `own`.

    Raises `SourceError` when any folder on the way cannot be listed: what is in it must not look gone.
    """
    return _Walk(root, wanted, log, _identities(own)).files()


def _identities(paths: Iterable[Path]) -> frozenset[tuple[int, int]]:
    found = set()
    for path in paths:
        with suppress(OSError):  # a sink that is yet to be made
            status = path.stat()
            found.add((status.st_dev, status.st_ino))
    return frozenset(found)


def is_junk(name: str) -> bool:
    """Say whether a name belongs to a system, an editor or a copy under way: ".DS_Store", "~$talk.pptx"."""
    lower = name.lower()
    return lower.startswith((".", "~$")) or lower in _JUNK or lower.endswith(_UNFINISHED)


def _is_placeholder(name: str, others: frozenset[str]) -> bool:
    # Browsers keep the final name taken by an empty file while "talk.pdf.part" grows beside it.
    return any(name + ending in others for ending in (".part", ".aria2", ".crdownload"))


def id_names(names: Iterable[str]) -> dict[str, str]:
    """Give each name of one folder its name in ids: NFC, printable as UTF-8, and unique in there.

    Of twins that differ by normalisation alone the NFC one keeps its name; the other gets a hash of
    its bytes.
    """
    given: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(names, key=lambda name: (name != _escaped(name), os.fsencode(name))):
        wanted = _escaped(name)
        if wanted in taken:
            wanted = f"{wanted}~{hashlib.sha256(os.fsencode(name)).hexdigest()[:12]}"
        taken.add(wanted)
        given[name] = wanted
    return given


def _escaped(name: str) -> str:
    """Write a name as NFC; bytes that are no UTF-8 as %FF, and then also % itself as %25."""
    if not any("\ud800" <= char <= "\udfff" for char in name):
        return unicodedata.normalize("NFC", name)
    plain = (
        f"%{ord(char) - 0xDC00:02X}" if "\ud800" <= char <= "\udfff" else "%25" if char == "%" else char
        for char in name
    )
    return unicodedata.normalize("NFC", "".join(plain))
