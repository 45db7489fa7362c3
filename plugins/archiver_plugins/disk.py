"""The `disk` sink: an archive in a directory."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from archiver.api import (
    Blob,
    ConflictError,
    Context,
    ExistsError,
    MissingError,
    Options,
    Sink,
    SinkError,
    Stat,
    hookimpl,
)

_CHUNK = 1 << 20
# File systems without hard links (FAT, some network shares) answer link() with one of these.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_HINTS = {
    errno.ENOSPC: "free some space on that disk and run again: what is stored stays stored",
    errno.EDQUOT: "the disk quota is used up: free some space and run again",
    errno.EROFS: "that file system is mounted read-only: mount it for writing, or choose another path",
    errno.EACCES: "give the user who runs this the right to write there",
    errno.EPERM: "give the user who runs this the right to write there",
    errno.EIO: "the disk reports a hardware error: check it before you go on",
    errno.ENOTDIR: "a part of the path is a file: choose another path",
}


class DiskOptions(Options):
    """Options of the `disk` sink."""

    path: Path
    """Directory of the archive, relative to the configuration file."""


class DiskSink(Sink[DiskOptions]):
    """A directory on a local or mounted disk."""

    type_name = "disk"
    options_class = DiskOptions
    journal_batch = 1

    def __init__(self, options: DiskOptions, context: Context) -> None:
        super().__init__(options, context)
        self._root = (context.folder / options.path).absolute()
        self._tmp = self._root / "tmp"
        self._swap = threading.Lock()
        self._lock = threading.Lock()
        self._unsynced: dict[Path, None] = {}

    @property
    def local_root(self) -> Path | None:
        """Give the directory itself."""
        return self._root

    def create(self, path: str, blob: Blob) -> Stat:
        """Write or move the bytes to a new path; the digest is taken from what was written."""
        target = self._target(path)
        with self._explained(path), self._temporary(blob) as temporary:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._publish(temporary, target, path)
            return self._stat(path, target)

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        """Write to the side and rename over what is there."""
        target = self._target(path)
        with self._explained(path), self._temporary(blob) as temporary, self._locked():
            if expected is not None and self._token(target) != expected:
                raise ConflictError(f"{path} was changed by somebody else in sink {self.context.name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
            self._remember(target)
            return self._stat(path, target)

    def open(self, path: str, start: int = 0) -> BinaryIO:
        """Open the file for reading."""
        with self._explained(path):
            stream = self._target(path).open("rb")
            stream.seek(start)
            return stream

    def stat(self, path: str) -> Stat | None:
        """Look at the file."""
        with self._explained(path):
            target = self._target(path)
            return self._stat(path, target) if target.is_file() else None

    def list(self, prefix: str) -> Iterator[Stat]:
        """Walk the directory that the prefix names or lies in."""
        folder = self._root / prefix.rpartition("/")[0]
        with self._explained(prefix):
            for where, folders, names in os.walk(folder, onerror=_unless_missing):
                if Path(where) == self._root and "tmp" in folders:
                    folders.remove("tmp")
                for name in names:
                    file = Path(where, name)
                    path = file.relative_to(self._root).as_posix()
                    if path.startswith(prefix):
                        yield self._stat(path, file)

    def flush(self) -> None:
        """Sync every file written since the last call, then the directories that name them."""
        with self._lock:
            files, self._unsynced = list(self._unsynced), {}
        with self._explained("files just written"):
            for file in files:
                _sync(file, os.O_RDONLY)
            for folder in self._folders_of(files):
                _sync(folder, os.O_RDONLY | os.O_DIRECTORY)

    def check(self) -> None:
        """Refuse a root that is no directory or could not be written."""
        place = self._root
        while not place.exists() and place != place.parent:
            place = place.parent
        if not place.is_dir():
            raise SinkError(f"{place} is not a directory", hint="choose another path for this sink")
        if not os.access(place, os.W_OK | os.X_OK):
            raise SinkError(f"{place} cannot be written", hint=_HINTS[errno.EACCES])

    def prepare(self) -> None:
        """Make the root; clear what killed runs left: temporaries and empty directories."""
        with self._explained("the archive's directory"):
            shutil.rmtree(self._tmp, ignore_errors=True)
            self._tmp.mkdir(parents=True, exist_ok=True)
            for where, _, _ in os.walk(self._root / "ocfl", topdown=False):
                with suppress(OSError):  # not empty: that is the normal case
                    Path(where).rmdir()

    def _target(self, path: str) -> Path:
        target: Path = self._root / path
        if not path or not target.is_relative_to(self._root) or ".." in target.parts:
            raise SinkError(f"{path!r} leads out of sink {self.context.name}")
        return target

    @contextmanager
    def _temporary(self, blob: Blob) -> Iterator[Path]:
        self._tmp.mkdir(parents=True, exist_ok=True)
        temporary = self._tmp / uuid.uuid4().hex
        moved = blob.movable and blob.path is not None and _moved(blob, temporary)
        try:
            if not moved:
                self._write(blob, temporary)
            yield temporary
        except BaseException:
            if moved and blob.path is not None:
                temporary.rename(blob.path)  # not taken: the caller still has it
            raise
        finally:
            temporary.unlink(missing_ok=True)

    def _write(self, blob: Blob, temporary: Path) -> None:
        digest, size = hashlib.sha256(), 0
        with blob.open() as source, temporary.open("xb") as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
        if (size, digest.hexdigest()) != (blob.size, blob.sha256):
            raise SinkError(
                f"the bytes on their way into sink {self.context.name} changed: "
                f"{size} bytes with SHA-256 {digest.hexdigest()} instead of {blob.size} with {blob.sha256}",
                hint="check memory and disk of this machine, then run again",
            )

    def _publish(self, temporary: Path, target: Path, path: str) -> None:
        try:
            os.link(temporary, target)
        except FileExistsError as error:
            raise ExistsError(f"{path} is already there in sink {self.context.name}") from error
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._publish_without_links(temporary, target, path)
        self._remember(target)

    def _publish_without_links(self, temporary: Path, target: Path, path: str) -> None:
        with self._locked():
            if target.exists():
                raise ExistsError(f"{path} is already there in sink {self.context.name}")
            temporary.rename(target)

    def _remember(self, target: Path) -> None:
        with self._lock:
            self._unsynced[target] = None

    def _folders_of(self, files: Sequence[Path]) -> Sequence[Path]:
        folders = {folder for file in files for folder in file.parents if folder.is_relative_to(self._root)}
        if files:
            folders.add(self._root.parent)
        return sorted(folders, key=lambda folder: -len(folder.parts))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # Compare and rename must be one step among all processes of this machine.
        with self._swap:
            handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
            try:
                with suppress(OSError):  # some network file systems know no locks: the lease must do
                    fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)

    def _token(self, target: Path) -> str:
        try:
            found = target.stat()
        except FileNotFoundError:
            return ""
        return f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"

    def _stat(self, path: str, target: Path) -> Stat:
        found = target.stat()
        return Stat(path, found.st_size, found.st_mtime, self._token(target))

    @contextmanager
    def _explained(self, path: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise MissingError(f"{path} is not there in sink {self.context.name}") from error
        except OSError as error:
            raise SinkError(
                f"sink {self.context.name} ({self._root}) failed on {path}: {error.strerror or error}",
                hint=_HINTS.get(error.errno or 0, "see to that disk, then run again"),
            ) from error


def _moved(blob: Blob, temporary: Path) -> bool:
    assert blob.path is not None
    try:
        blob.path.chmod(0o666 & ~_UMASK)
        blob.path.rename(temporary)
    except OSError as error:
        if error.errno == errno.EXDEV:  # staged on another file system
            return False
        raise
    return temporary.stat().st_size == blob.size or _give_back(blob.path, temporary)


def _give_back(path: Path, temporary: Path) -> bool:
    # The size is not what was hashed: let the copying path find out and say so.
    temporary.rename(path)
    return False


def _read_umask() -> int:
    # There is no way to read it but to set it; done once, at import, before threads start.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


_UMASK = _read_umask()


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


@hookimpl
def archiver_sinks() -> list[type[Sink[Any]]]:
    """Announce the sink."""
    return [DiskSink]
