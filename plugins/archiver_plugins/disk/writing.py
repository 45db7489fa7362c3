"""Bytes on their way in: written or moved to `tmp/`, and given their name in one step."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from archiver.api import Blob, ExistsError, SinkError, Stat
from archiver_plugins.disk.syncing import Unsynced, sync_folder
from archiver_plugins.disk.tree import stat_of

_CHUNK = 1 << 20
# File systems without hard links (FAT, some network shares) answer link() with one of these.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def _read_umask() -> int:
    # There is no way to read it but to set it; done once, at import, before threads start.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


_UMASK = _read_umask()
#: A file that was written so many seconds ago has the time that it was stored at.
_JUST_NOW = 60.0


class Writer:
    """Brings files below `root`. `name` is the sink's, for messages; what came is noted in `unsynced`."""

    def __init__(self, root: Path, name: str, unsynced: Unsynced) -> None:
        self._tmp = root / "tmp"
        self._name = name
        self._unsynced = unsynced
        self._swap = threading.Lock()

    def make_root(self) -> None:
        """Make the root and its `tmp/`, so that a power cut does not take them away again."""
        if self._tmp.is_symlink():
            raise OSError(errno.ELOOP, f"{self._tmp} is a symbolic link")
        if self._tmp.is_dir():
            return
        missing = [folder for folder in (self._tmp, *self._tmp.parents) if not folder.exists()]
        self._tmp.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            sync_folder(folder.parent)

    def clear(self) -> None:
        """Take away the temporaries that killed runs left."""
        for left in os.scandir(self._tmp):
            if left.is_dir(follow_symlinks=False):
                shutil.rmtree(left.path, ignore_errors=True)
            else:
                Path(left.path).unlink(missing_ok=True)

    @contextmanager
    def temporary(self, blob: Blob) -> Iterator[Path]:
        """Write the bytes to a file that is gone afterwards. Raises `SinkError` when they changed."""
        self.make_root()
        temporary = self._tmp / uuid.uuid4().hex
        try:
            self._write(blob, temporary)
            yield temporary
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
                f"the bytes on their way into sink {self._name} changed: "
                f"{size} bytes with SHA-256 {digest.hexdigest()} instead of {blob.size} with {blob.sha256}",
                hint="check memory and disk of this machine, then run again",
            )

    def take(self, blob: Blob, target: str, path: str) -> Stat | None:
        """Give the file of a movable blob its place; None when its bytes have to be copied instead."""
        if not blob.movable or blob.path is None:
            return None
        found = blob.path.lstat()
        # A second name would let somebody change the archive; another size lets the copying find out more.
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_size != blob.size:
            return None
        # Killed between its two names, a file keeps both: only in `tmp/` is that one cleared away.
        inside = str(blob.path).startswith(f"{self._tmp}/")
        source = blob.path if inside else self._tmp / uuid.uuid4().hex
        try:
            found = _ordinary(blob.path, found)
            if not inside:
                self.make_root()
                blob.path.rename(source)
            self.publish(source, target, path)
        except (OSError, ExistsError) as error:
            if not inside:
                with suppress(OSError):
                    source.rename(blob.path)  # not taken: the caller still has it
            if isinstance(error, ExistsError):
                raise
            return None  # staged on another file system, or not ours
        source.unlink(missing_ok=True)
        return stat_of(path, found)  # neither names nor moves change what is looked at here

    def publish(self, temporary: Path, target: str, path: str) -> None:
        """Give a file its name, unless that is taken. Raises `ExistsError`; `path` is for its message."""
        try:
            self._link(temporary, target)
        except FileExistsError as error:
            # Of a killed run perhaps: if it is built upon, it has to be synced.
            self._unsynced.remember(target)
            raise self._taken(path) from error
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._publish_without_links(temporary, target, path)
        self._unsynced.remember(target)

    def _link(self, temporary: Path, target: str) -> None:
        try:
            os.link(temporary, target)
        except FileNotFoundError:
            self._make_place(target)
            os.link(temporary, target)

    def _publish_without_links(self, temporary: Path, target: str, path: str) -> None:
        self._make_place(target)
        with self.locked():
            if os.path.lexists(target):
                self._unsynced.remember(target)
                raise self._taken(path)
            os.rename(temporary, target)  # noqa: PTH104  # plain text

    def _taken(self, path: str) -> ExistsError:
        return ExistsError(f"{path} is already there in sink {self._name}")

    def _make_place(self, target: str) -> None:
        self.make_root()
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120  # plain text

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make comparing and renaming one step among all threads and processes of this machine."""
        # The lock is on `tmp/`, not on the root: somebody may run this program under `flock` on the
        # archive itself.
        with self._swap:
            handle = os.open(self._tmp, os.O_RDONLY | os.O_DIRECTORY)
            try:
                with suppress(OSError):  # some network file systems know no locks: the lease must do
                    fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)


def _ordinary(file: Path, found: os.stat_result) -> os.stat_result:
    """Give a file the mode and the time that one written here would have; say how it looks then."""
    mode = 0o666 & ~_UMASK
    if stat.S_IMODE(found.st_mode) == mode and -1 < time.time() - found.st_mtime < _JUST_NOW:
        return found  # as one that was just downloaded
    file.chmod(mode)
    os.utime(file)
    return file.lstat()
