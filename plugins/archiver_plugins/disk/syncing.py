"""What was written and could still be lost in a power cut, and bringing it to stable storage."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
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
        self._files: dict[str, None] = {}
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._failure: OSError | None = None

    def remember(self, file: str) -> None:
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
                if files:
                    self._sync_all(files)
            except OSError as error:
                self._failure = error
                raise

    def _sync_all(self, files: Sequence[str]) -> None:
        # Several at a time: a disk takes many files faster that way than one after the other.
        shares = [files[first::_SYNCS] for first in range(min(_SYNCS, len(files)))]
        with ThreadPoolExecutor(_SYNCS, thread_name_prefix="sync") as pool:
            list(pool.map(_sync_files, shares))
        for folder in sorted(self._folders_of(files), key=lambda folder: -folder.count("/")):
            sync_folder(folder)

    def _folders_of(self, files: Iterable[str]) -> set[str]:
        """Give the directories of files below the root, and all above them up to it."""
        folders = {str(self._root)}
        for file in files:
            folder = os.path.dirname(file)  # noqa: PTH120  # thousands of them, as plain text
            while folder not in folders:
                folders.add(folder)
                folder = os.path.dirname(folder)  # noqa: PTH120  # as above
        return folders


def sync_folder(folder: Path | str) -> None:
    """Let the names in a directory survive a power cut, where its file system can do that."""
    handle = -1
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        if handle >= 0:
            os.close(handle)


def _sync_files(files: Iterable[str]) -> None:
    for file in files:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            os.fsync(handle)
            _forget(handle)
        finally:
            os.close(handle)


def _forget(handle: int) -> None:
    """Free the memory in which the system keeps the bytes of a large file that is on the disk now.

    What a run stores is seldom read again soon, and gigabytes of it would push out what other programs
    need. Memory that is used again is also faster than fresh memory, which a virtual machine has to get
    from its host: half of the system's time for a download (benchmarks/download.py).
    """
    if hasattr(os, "posix_fadvise") and os.fstat(handle).st_size >= _LARGE:
        with suppress(OSError):  # advice that a file system does not take
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
