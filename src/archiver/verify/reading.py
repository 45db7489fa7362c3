"""Read values through and hash them: files of this machine directly, others as their sink streams them."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archiver import ocfl
from archiver.contracts import Sink
from archiver.errors import ArchiverError, MissingError, SinkError

_CHUNK = 1 << 20
#: Streams at once from a sink on another machine: each mostly waits.
_STREAMS = 8


class UnreadableError(ArchiverError):
    """One value cannot be read, while its sink as a whole works."""


class GivenUpError(Exception):
    """Nobody wants to know any more: the time is up, or the user stopped it."""


class Reader:
    """Gives digests of the values of one sink. Used by several threads.

    `moved` hears of the bytes that were read; `stop` is asked between two pieces.
    """

    def __init__(self, sink: Sink[Any], moved: Callable[[int], None], stop: Callable[[], bool]) -> None:
        self.sink = sink
        self._root = sink.local_root
        self._moved, self._stop = moved, stop
        self._own = threading.local()
        self._folders: set[Path] = set()

    @property
    def threads(self) -> int:
        """Say how many threads are of use: hashing lets the others run, so one per core."""
        return (os.cpu_count() or 1) if self._root is not None else _STREAMS

    @property
    def stopped(self) -> bool:
        """Say whether nobody wants to know any more."""
        return self._stop()

    def digest(self, path: str) -> str:
        """Give the SHA-256 of a value.

        Raises `MissingError`, `UnreadableError`, `GivenUpError`, and `SinkError` when the whole sink does
        not answer.
        """
        with self._told(path):
            return self._local(self._root / path) if self._root is not None else self._streamed(path)

    def read(self, path: str) -> bytes:
        """Read a small value whole; raises as `digest`, and `DamageError` when it is not small."""
        with self._told(path):
            return ocfl.read(self.sink, path, 4096)

    def _local(self, path: Path) -> str:
        self._inside(path.parent)
        found, buffer = hashlib.sha256(), self._buffer()
        # Neither following a link out of the archive, nor waiting at a named pipe.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_SEQUENTIAL)
            while size := os.readv(handle, [buffer]):
                found.update(buffer[:size])
                self._count(size)
        finally:
            os.close(handle)
        return found.hexdigest()

    def _inside(self, folder: Path) -> None:
        """Refuse a folder that a link leads out of the archive by. Each is looked at once."""
        assert self._root is not None
        if folder in self._folders:
            return
        if folder.resolve() != self._root.resolve() / folder.relative_to(self._root):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(folder))
        self._folders.add(folder)

    def _streamed(self, path: str) -> str:
        found = hashlib.sha256()
        with self.sink.open(path) as stream:
            while chunk := stream.read(_CHUNK):
                found.update(chunk)
                self._count(len(chunk))
        return found.hexdigest()

    def _buffer(self) -> memoryview:
        if not hasattr(self._own, "buffer"):
            self._own.buffer = memoryview(bytearray(_CHUNK))
        buffer: memoryview = self._own.buffer
        return buffer

    def _count(self, size: int) -> None:
        self._moved(size)
        if self._stop():
            raise GivenUpError

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        try:
            yield
        except MissingError:
            raise
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MissingError(f"{path} is not there in sink {self.sink.context.name}") from error
        except OSError as error:
            # EIO: the disk cannot give these bytes; EACCES: somebody changed the rights of one file.
            raise UnreadableError(f"it cannot be read: {error.strerror or error}") from error
        except SinkError as error:
            self.sink.stat(path)  # raises when it is the whole sink that does not answer
            raise UnreadableError(error.message, hint=error.hint) from error
