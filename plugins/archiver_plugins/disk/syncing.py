"""What was written and could still be lost in a power cut, and bringing it to stable storage."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

#: Files that are synced at a time.
_SYNCS = 4
#: Smaller files, such as ledgers and inventories, are read again soon.
_LARGE = 64 << 10
# File systems that cannot sync a directory (some network shares) answer fsync() with one of these.
_NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EBADF})


class Unsynced:
    """The files below `root` that were written since the last flush. Used by several threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[Path, None] = {}
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._failure: OSError | None = None

    def remember(self, file: Path) -> None:
        """Let the next flush cover a file."""
        with self._lock:
            self._files[file] = None

    def flush(self) -> None:
        """Sync every file that is remembered, then the directories that name them.

        Raises `OSError`, and the same one ever after: the system reports a failed sync once only, and
        forgets what it could not write.
        """
        with self._flushing:
            if self._failure is not None:
                raise self._failure
            with self._lock:
                files, self._files = list(self._files), {}
            try:
                self._sync_all(files)
            except OSError as error:
                self._failure = error
                raise

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
            sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Let the names in a directory survive a power cut, where its file system can do that."""
    try:
        with _opened(folder, os.O_RDONLY | os.O_DIRECTORY) as handle:
            os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def _sync_files(files: Iterable[str]) -> None:
    for file in files:
        with _opened(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK) as handle:
            os.fsync(handle)
            _forget(handle)


def _forget(handle: int) -> None:
    """Free the memory in which the system keeps the bytes of a large file that is on the disk now.

    What a run stores is seldom read again soon, and gigabytes of it would push out what other programs
    need. Memory that is used again is also faster than fresh memory, which a virtual machine has to get
    from its host: half of the system's time for a download (benchmarks/download.py).
    """
    if hasattr(os, "posix_fadvise") and os.fstat(handle).st_size >= _LARGE:
        with suppress(OSError):  # advice that a file system does not take
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def _opened(path: Path | str, flags: int) -> Iterator[int]:
    handle = os.open(path, flags)
    try:
        yield handle
    finally:
        os.close(handle)
