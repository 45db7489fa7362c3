"""The sink itself: a directory on a disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from archiver.api import Blob, ConflictError, Context, MissingError, Sink, SinkError, Stat
from archiver_plugins.disk import problems
from archiver_plugins.disk.options import DiskOptions
from archiver_plugins.disk.syncing import Unsynced
from archiver_plugins.disk.tree import Tree, look, stat_of
from archiver_plugins.disk.writing import Writer


class DiskSink(Sink[DiskOptions]):
    """A directory on a local or mounted disk."""

    type_name = "disk"
    options_class = DiskOptions
    journal_batch = 1

    def __init__(self, options: DiskOptions, context: Context) -> None:
        super().__init__(options, context)
        self._root = (context.folder / options.path).absolute()
        self._tree = Tree(self._root, context.name)
        self._unsynced = Unsynced(self._root)
        self._writer = Writer(self._root, context.name, self._unsynced)

    @property
    def local_root(self) -> Path | None:
        """Give the directory itself."""
        return self._root

    def create(self, path: str, blob: Blob) -> Stat:
        """Write or move the bytes to a new path; the digest is taken from what was written.

        A movable file is taken as it is: whoever made it movable has hashed it.
        """
        with self._explained(path):
            target = self._tree.target(path)
            if (made := self._writer.take(blob, target, path)) is not None:
                return made
            with self._writer.temporary(blob) as temporary:
                # Neither a link nor a rename changes what is looked at here.
                made = stat_of(path, temporary.lstat())
                self._writer.publish(temporary, target, path)
                return made

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        """Write to the side and rename over what is there."""
        with self._explained(path):
            target = self._tree.target(path)
            with self._writer.temporary(blob) as temporary, self._writer.locked():
                if expected is not None and _token(path, target) != expected:
                    raise ConflictError(f"{path} was changed by somebody else in sink {self.context.name}")
                made = stat_of(path, temporary.lstat())
                os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120  # plain text
                os.replace(temporary, target)  # noqa: PTH105  # plain text
                self._unsynced.remember(target)
                return made

    def open(self, path: str, start: int = 0) -> BinaryIO:
        """Open the file for reading."""
        with self._explained(path):
            target = self._tree.target(path)
            if look(target) is None:
                raise MissingError(f"{path} is not there in sink {self.context.name}")
            # Not following links, and not waiting for somebody to write into a named pipe.
            stream = os.fdopen(os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
            stream.seek(start)
            return stream

    def stat(self, path: str) -> Stat | None:
        """Look at the file."""
        with self._explained(path):
            found = look(self._tree.target(path))
            return stat_of(path, found) if found else None

    def list(self, prefix: str) -> Iterator[Stat]:
        """Walk the directory that the prefix names or lies in; only plain files count."""
        with self._explained(prefix):
            yield from self._tree.list(prefix)

    def flush(self) -> None:
        """Sync every file written since the last call, then the directories that name them."""
        with self._explained("files just written"):
            self._unsynced.flush()

    def cover(self, path: str) -> None:
        """Let the next flush sync a file that an earlier run has written."""
        with self._explained(path):
            self._unsynced.remember(self._tree.target(path))

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
                raise SinkError(f"{place} cannot be written", hint=problems.HINTS[errno.EROFS])
            if not os.access(place, os.W_OK | os.X_OK):
                raise SinkError(f"{place} cannot be written", hint=problems.HINTS[errno.EACCES])

    def prepare(self) -> None:
        """Make the root; clear what killed runs left: temporaries and empty directories."""
        with self._explained("the archive's directory"):
            self._writer.make_root()
            self._writer.clear()
            for where, _, _ in os.walk(self._tree.folder("ocfl"), topdown=False):
                with suppress(OSError):  # not empty: that is the normal case
                    Path(where).rmdir()

    @contextmanager
    def _explained(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SinkError(
                f"sink {self.context.name} ({self._root}) failed on {path}: {error.strerror or error}",
                hint=problems.hint(error),
            ) from error


def _token(path: str, target: str) -> str | None:
    found = look(target)
    return stat_of(path, found).token if found else None
