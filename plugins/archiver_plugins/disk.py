"""The `disk` sink: an archive in a directory."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import threading
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
#: Files that are synced at a time.
_SYNCS = 4
# File systems without hard links (FAT, some network shares) answer link() with one of these.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
# File systems that cannot sync a directory (some network shares) answer fsync() with one of these.
_NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EBADF})
_HINTS = {
    errno.ENOSPC: "free some space on that disk and run again: what is stored stays stored",
    errno.EDQUOT: "the disk quota is used up: free some space and run again",
    errno.EFBIG: "a limit of the system or of that file system on the size of files was met: raise it",
    errno.EROFS: "that file system is mounted read-only: mount it for writing, or choose another path",
    errno.EACCES: "give the user who runs this the right to write there",
    errno.EPERM: "give the user who runs this the right to write there",
    errno.EIO: "the disk reports a hardware error: check it before you go on",
    errno.ENOTDIR: "a part of the path is a file: choose another path",
    errno.EEXIST: "a part of the path is a file: choose another path",
    errno.ELOOP: "an archive holds no symbolic links: replace it with what it points to",
    errno.EXDEV: "the whole directory must lie on one file system",
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
        self._flushing = threading.Lock()
        self._unsynced: dict[Path, None] = {}
        self._unsafe: SinkError | None = None
        # Directories seen to be ones, and no links: they are not looked at again for every photo.
        self._folders: set[str] = set()

    @property
    def local_root(self) -> Path | None:
        """Give the directory itself."""
        return self._root

    def create(self, path: str, blob: Blob) -> Stat:
        """Write or move the bytes to a new path; the digest is taken from what was written.

        A movable file is taken as it is: whoever made it movable has hashed it.
        """
        with self._explained(path):
            target = self._target(path)
            if (made := self._take(blob, target, path)) is not None:
                return made
            with self._temporary(blob) as temporary:
                # Neither a link nor a rename changes what is looked at here.
                made = _stat(path, temporary.lstat())
                self._publish(temporary, target, path)
                return made

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        """Write to the side and rename over what is there."""
        with self._explained(path):
            target = self._target(path)
            with self._temporary(blob) as temporary, self._locked():
                if expected is not None and self._token(path, target) != expected:
                    raise ConflictError(f"{path} was changed by somebody else in sink {self.context.name}")
                made = _stat(path, temporary.lstat())
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(target)
                self._remember(target)
                return made

    def open(self, path: str, start: int = 0) -> BinaryIO:
        """Open the file for reading."""
        with self._explained(path):
            target = self._target(path)
            if _look(target) is None:
                raise MissingError(f"{path} is not there in sink {self.context.name}")
            # Not following links, and not waiting for somebody to write into a named pipe.
            stream = os.fdopen(os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
            stream.seek(start)
            return stream

    def stat(self, path: str) -> Stat | None:
        """Look at the file."""
        with self._explained(path):
            found = _look(self._target(path))
            return _stat(path, found) if found else None

    def list(self, prefix: str) -> Iterator[Stat]:
        """Walk the directory that the prefix names or lies in; only plain files count."""
        with self._explained(prefix):
            if self._root.exists() and not self._root.is_dir():
                raise SinkError(f"{self._root} is not a directory", hint="choose another path for this sink")
            folder = self._folder(prefix.rpartition("/")[0])
            for where, folders, names in os.walk(folder, onerror=_unless_missing):
                if Path(where) == self._root and "tmp" in folders:
                    folders.remove("tmp")
                yield from self._plain_files(Path(where), names, prefix)

    def flush(self) -> None:
        """Sync every file written since the last call, then the directories that name them."""
        with self._flushing:
            if self._unsafe is not None:
                # The system reports a failed sync once only, and forgets what it could not write.
                raise self._unsafe
            with self._lock:
                files, self._unsynced = list(self._unsynced), {}
            try:
                with self._explained("files just written"):
                    self._sync_all(files)
            except SinkError as error:
                self._unsafe = error
                raise

    def cover(self, path: str) -> None:
        """Let the next flush sync a file that an earlier run has written."""
        with self._explained(path):
            self._remember(self._target(path))

    def check(self) -> None:
        """Refuse a root that is no directory or could not be written."""
        with self._explained("a look at its directory"):
            place = self._root
            while not os.path.lexists(place) and place != place.parent:
                place = place.parent
            if not place.exists():
                raise SinkError(f"{place} links to what is not there", hint="is its disk mounted?")
            if not place.is_dir():
                raise SinkError(f"{place} is not a directory", hint="choose another path for this sink")
            if os.statvfs(place).f_flag & os.ST_RDONLY:
                raise SinkError(f"{place} cannot be written", hint=_HINTS[errno.EROFS])
            if not os.access(place, os.W_OK | os.X_OK):
                raise SinkError(f"{place} cannot be written", hint=_HINTS[errno.EACCES])

    def prepare(self) -> None:
        """Make the root; clear what killed runs left: temporaries and empty directories."""
        with self._explained("the archive's directory"):
            self._make_root()
            for left in os.scandir(self._tmp):
                if left.is_dir(follow_symlinks=False):
                    shutil.rmtree(left.path, ignore_errors=True)
                else:
                    Path(left.path).unlink(missing_ok=True)
            for where, _, _ in os.walk(self._folder("ocfl"), topdown=False):
                with suppress(OSError):  # not empty: that is the normal case
                    Path(where).rmdir()

    def _target(self, path: str) -> Path:
        """Say where a path lies. Raises `SinkError` when that is not below the root, or via a link."""
        # Plain text, as this is done several times for each of thousands of files.
        parts = [part for part in path.split("/") if part not in {"", "."}]
        if not parts or path.startswith("/") or ".." in parts or parts[0] == "tmp":
            raise SinkError(f"{path!r:.300} is no path for sink {self.context.name}")
        folder = str(self._root)
        for part in parts[:-1]:
            folder = f"{folder}/{part}"
            if folder not in self._folders and _is_folder(folder):
                self._folders.add(folder)
        return Path(folder, parts[-1])

    def _folder(self, path: str) -> Path:
        return self._target(f"{path}/-").parent if path else self._root

    def _make_root(self) -> None:
        """Make the root and its `tmp/`, so that a power cut does not take them away again."""
        if self._tmp.is_symlink():
            raise OSError(errno.ELOOP, f"{self._tmp} is a symbolic link")
        if self._tmp.is_dir():
            return
        missing = [folder for folder in (self._tmp, *self._tmp.parents) if not folder.exists()]
        self._tmp.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            _sync_folder(folder.parent)

    @contextmanager
    def _temporary(self, blob: Blob) -> Iterator[Path]:
        self._make_root()
        temporary = self._tmp / uuid.uuid4().hex
        try:
            self._write(blob, temporary)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def _take(self, blob: Blob, target: Path, path: str) -> Stat | None:
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
            os.chmod(blob.path, 0o666 & ~_UMASK)  # noqa: PTH101  # one of thousands of photos
            os.utime(blob.path)
            if not inside:
                self._make_root()
                blob.path.rename(source)
            self._publish(source, target, path)
        except (OSError, ExistsError) as error:
            if not inside:
                with suppress(OSError):
                    source.rename(blob.path)  # not taken: the caller still has it
            if isinstance(error, ExistsError):
                raise
            return None  # staged on another file system, or not ours
        made = _stat(path, target.lstat())
        source.unlink(missing_ok=True)
        return made

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

    def _token(self, path: str, target: Path) -> str | None:
        found = _look(target)
        return _stat(path, found).token if found else None

    def _publish(self, temporary: Path, target: Path, path: str) -> None:
        try:
            self._link(temporary, target)
        except FileExistsError as error:
            self._remember(target)  # of a killed run perhaps: if it is built upon, it has to be synced
            raise ExistsError(f"{path} is already there in sink {self.context.name}") from error
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._publish_without_links(temporary, target, path)
        self._remember(target)

    def _link(self, temporary: Path, target: Path) -> None:
        try:
            os.link(temporary, target)
        except FileNotFoundError:
            self._make_place(target)
            os.link(temporary, target)

    def _make_place(self, target: Path) -> None:
        self._make_root()
        target.parent.mkdir(parents=True, exist_ok=True)

    def _publish_without_links(self, temporary: Path, target: Path, path: str) -> None:
        self._make_place(target)
        with self._locked():
            if os.path.lexists(target):
                self._remember(target)
                raise ExistsError(f"{path} is already there in sink {self.context.name}")
            temporary.rename(target)

    def _plain_files(self, folder: Path, names: Iterable[str], prefix: str) -> Iterator[Stat]:
        for name in names:
            file = folder / name
            path = self._key(file)
            if path.startswith(prefix):
                with suppress(FileNotFoundError):  # gone since the directory was read
                    found = file.lstat()
                    if stat.S_ISREG(found.st_mode):
                        yield _stat(path, found)

    def _key(self, file: Path) -> str:
        path = file.relative_to(self._root).as_posix()
        if unicodedata.is_normalized("NFC", path):
            return path
        # HFS+ gives names back decomposed, and finds them either way.
        composed = unicodedata.normalize("NFC", path)
        return composed if os.path.lexists(self._root / composed) else path

    def _remember(self, target: Path) -> None:
        with self._lock:
            self._unsynced[target] = None

    def _sync_all(self, files: Sequence[Path]) -> None:
        names = [str(file) for file in files]
        # Several at a time: a disk takes many files faster that way than one after the other.
        shares = [names[first::_SYNCS] for first in range(min(_SYNCS, len(names)))]
        with ThreadPoolExecutor(_SYNCS, thread_name_prefix="sync") as pool:
            list(pool.map(_sync_files, shares))
        folders: set[Path] = set()
        for parent in {os.path.dirname(name) for name in names}:  # noqa: PTH120  # thousands of them
            above = (Path(parent), *Path(parent).parents)
            folders.update(folder for folder in above if folder.is_relative_to(self._root))
        for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
            _sync_folder(folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # Compare and rename must be one step among all processes of this machine. The lock is on
        # `tmp/`, not on the root: somebody may run this program under `flock` on the archive itself.
        with self._swap:
            handle = os.open(self._tmp, os.O_RDONLY | os.O_DIRECTORY)
            try:
                with suppress(OSError):  # some network file systems know no locks: the lease must do
                    fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)

    @contextmanager
    def _explained(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SinkError(
                f"sink {self.context.name} ({self._root}) failed on {path}: {error.strerror or error}",
                hint=_HINTS.get(error.errno or 0, "see to that disk, then run again"),
            ) from error


def _is_folder(folder: str) -> bool:
    """Say whether a directory is there. Raises `OSError` when it is a link."""
    try:
        mode = os.lstat(folder).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, f"{folder} is a symbolic link")
    return stat.S_ISDIR(mode)


def _look(target: Path) -> os.stat_result | None:
    """Look at a file; None when it is not there. Raises `OSError` when it is a link, a pipe or the like."""
    try:
        found = target.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISDIR(found.st_mode):
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.ELOOP, f"{target} is not a plain file")
    return found


def _stat(path: str, found: os.stat_result) -> Stat:
    token = f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"
    return Stat(path, found.st_size, found.st_mtime, token)


def _read_umask() -> int:
    # There is no way to read it but to set it; done once, at import, before threads start.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


_UMASK = _read_umask()


def _sync(path: Path | str, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_files(files: Iterable[str]) -> None:
    for file in files:
        _sync(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)


def _sync_folder(folder: Path) -> None:
    try:
        _sync(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


@hookimpl
def archiver_sinks() -> list[type[Sink[Any]]]:
    """Announce the sink."""
    return [DiskSink]
