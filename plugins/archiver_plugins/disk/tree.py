"""Where the value of a path lies below the root, and what is there. Nothing is followed out of it."""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from archiver.api import SinkError, Stat


class Tree:
    """The directories and files below `root`. `name` is the sink's, for messages."""

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self._prefix = str(root).rstrip("/")
        self._name = name
        # Directories seen to be ones, and no links: they are not looked at again for every photo.
        self._folders: set[str] = set()

    def target(self, path: str) -> str:
        """Say where a path lies. Raises `SinkError` when that is not below the root, or via a link."""
        # Plain text, as this is done several times for each of thousands of files: a `Path` takes ten
        # times as long to make.
        parts = [part for part in path.split("/") if part not in {"", "."}]
        if not parts or path.startswith("/") or ".." in parts or parts[0] == "tmp":
            raise SinkError(f"{path!r:.300} is no path for sink {self._name}")
        folder = self._prefix
        for part in parts[:-1]:
            folder = f"{folder}/{part}"
            if folder not in self._folders and _is_folder(folder):
                self._folders.add(folder)
        return f"{folder}/{parts[-1]}"

    def folder(self, path: str) -> Path:
        """Say where a directory lies; the root for "". Raises as `target` does."""
        return Path(self.target(f"{path}/-")).parent if path else self._root

    def list(self, prefix: str) -> Iterator[Stat]:
        """Walk the directory that the prefix names or lies in; only plain files count."""
        if self._root.exists() and not self._root.is_dir():
            raise SinkError(f"{self._root} is not a directory", hint="choose another path for this sink")
        folder = self.folder(prefix.rpartition("/")[0])
        for where, folders, names in os.walk(folder, onerror=_unless_missing):
            if Path(where) == self._root and "tmp" in folders:
                folders.remove("tmp")
            yield from self._plain_files(Path(where), names, prefix)

    def _plain_files(self, folder: Path, names: Iterable[str], prefix: str) -> Iterator[Stat]:
        # In plain text: with a `Path` for each, half of the time goes into those.
        below = folder.relative_to(self._root).as_posix()
        above = "" if below == "." else f"{below}/"
        for name in names:
            path = self._key(above + name)
            if path.startswith(prefix):
                with suppress(FileNotFoundError):  # gone since the directory was read
                    found = os.lstat(f"{folder}/{name}")
                    if stat.S_ISREG(found.st_mode):
                        yield stat_of(path, found)

    def _key(self, path: str) -> str:
        if path.isascii() or unicodedata.is_normalized("NFC", path):
            return path
        # HFS+ gives names back decomposed, and finds them either way.
        composed = unicodedata.normalize("NFC", path)
        return composed if os.path.lexists(self._root / composed) else path


def look(target: str) -> os.stat_result | None:
    """Look at a file; None when it is not there. Raises `OSError` when it is a link, a pipe or the like."""
    try:
        found = os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISDIR(found.st_mode):
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.ELOOP, f"{target} is not a plain file")
    return found


def stat_of(path: str, found: os.stat_result) -> Stat:
    """Give what the sink says of a file: its token changes with time, size and file."""
    token = f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"
    return Stat(path, found.st_size, found.st_mtime, token)


def _is_folder(folder: str) -> bool:
    """Say whether a directory is there. Raises `OSError` when it is a link."""
    try:
        mode = os.lstat(folder).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, f"{folder} is a symbolic link")
    return stat.S_ISDIR(mode)


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error
