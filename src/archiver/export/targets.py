"""Where an export is written: a directory or a zip file that appears only when it is whole.

Until then it has a name that begins with a dot and says `unfinished`; a killed export leaves no more.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

# The earliest time that a zip file can hold: equal content is to give equal bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644 << 16
_UNIX = 3


class Target(Protocol):
    """Takes files, one after the other."""

    def file(self, path: str, size: int) -> AbstractContextManager[IO[bytes]]:
        """Begin a file of `size` bytes. Raises `OSError`."""
        ...


class _Folder:
    """Files in a directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def file(self, path: str, size: int) -> AbstractContextManager[IO[bytes]]:
        """Create a file, and the directories that it needs."""
        del size
        where = self._root / path
        where.parent.mkdir(parents=True, exist_ok=True)
        return where.open("xb")


class _Zip:
    """Files in a zip file below one directory, stored as they are: media do not get smaller."""

    def __init__(self, archive: zipfile.ZipFile, top: str) -> None:
        self._archive = archive
        self._top = top

    def file(self, path: str, size: int) -> AbstractContextManager[IO[bytes]]:
        """Begin an entry; its header holds no time and no owner."""
        entry = zipfile.ZipInfo(f"{self._top}/{path}", _EPOCH)
        entry.create_system, entry.external_attr, entry.file_size = _UNIX, _FILE_MODE, size
        return self._archive.open(entry, "w")


@contextmanager
def folder(final: Path) -> Iterator[Target]:
    """Write a directory. Raises `OSError`, such as `FileExistsError` when there is one by then."""
    working = _working(final)
    working.mkdir()
    try:
        yield _Folder(working)
        # One call for all files: thousands of photos would each wait for the disk. After a power cut the
        # name is either not there, or all that it names is.
        os.sync()
        _refuse(final)
        working.rename(final)
    finally:
        shutil.rmtree(working, ignore_errors=True)
    _sync(final.parent)


@contextmanager
def zip_file(final: Path, top: str) -> Iterator[Target]:
    """Write a zip file whose entries lie in the directory `top`. Raises `OSError`."""
    working = _working(final)
    try:
        with working.open("xb") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
                yield _Zip(archive, top)
            stream.flush()
            os.fsync(stream.fileno())
        _appear(working, final)
    finally:
        working.unlink(missing_ok=True)
    _sync(final.parent)


def _working(final: Path) -> Path:
    return final.with_name(f".{final.name}.unfinished-{secrets.token_hex(4)}")


def _refuse(final: Path) -> None:
    if os.path.lexists(final):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final))


def _appear(working: Path, final: Path) -> None:
    """Give a file its name, and never take one from another file."""
    try:
        os.link(working, final)
    except FileExistsError:
        raise
    except OSError:  # FAT and exFAT have no links
        _refuse(final)
        working.rename(final)


def _sync(directory: Path) -> None:
    # Some file systems of other machines refuse this; the export is whole all the same.
    with suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
