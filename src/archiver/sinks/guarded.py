"""What the core holds every sink to: safe paths in and out, only sink errors out."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO, cast

from archiver.contracts import Blob, Stat
from archiver.errors import ArchiverError, SinkError
from archiver.naming import check_path
from archiver.sinks.wrapper import Wrapper


class Guarded(Wrapper):
    """Check each path, and name the sink in whatever goes wrong inside it."""

    def create(self, path: str, blob: Blob) -> Stat:
        """Refuse unsafe paths, then pass on."""
        with self._named(path):
            return self.inner.create(check_path(path), blob)

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        """Refuse unsafe paths, then pass on."""
        with self._named(path):
            return self.inner.replace(check_path(path), blob, expected=expected)

    def open(self, path: str, start: int = 0) -> BinaryIO:
        """Refuse unsafe paths, then pass on; reading the stream raises `SinkError` too."""
        with self._named(path):
            stream = self.inner.open(check_path(path), start)
        return cast("BinaryIO", _Stream(stream, lambda: self._named(path)))

    def stat(self, path: str) -> Stat | None:
        """Refuse unsafe paths, then pass on."""
        with self._named(path):
            return self.inner.stat(check_path(path))

    def list(self, prefix: str) -> Iterator[Stat]:
        """Pass on what was asked for and has a safe path: the rest was put there by somebody else."""
        with self._named(prefix):
            for stat in self.inner.list(prefix):
                if stat.path.startswith(prefix) and _is_safe(stat.path):
                    yield stat
                else:
                    self.context.log.debug("passed over %.300a in sink %s", stat.path, self.context.name)

    def flush(self) -> None:
        """Pass on."""
        with self._named("what was just written"):
            self.inner.flush()

    def cover(self, path: str) -> None:
        """Refuse unsafe paths, then pass on."""
        with self._named(path):
            self.inner.cover(check_path(path))

    def check(self) -> None:
        """Pass on."""
        with self._named("its check"):
            self.inner.check()

    def notes(self) -> Sequence[str]:
        """Pass on."""
        with self._named("its notes"):
            return self.inner.notes()

    def prepare(self) -> None:
        """Pass on."""
        with self._named("its preparation"):
            self.inner.prepare()

    @contextmanager
    def _named(self, path: str) -> Iterator[None]:
        try:
            yield
        except ArchiverError:
            raise
        except (Exception, SystemExit) as error:
            raise SinkError(
                f"sink {self.context.name} failed on {_shown(path)}: {type(error).__name__}: {error}",
                hint="this looks like a fault of the sink's plugin; run with -v for the details",
            ) from error


class _Stream(io.BufferedIOBase):
    """A stream of a sink, whose errors name the sink."""

    def __init__(self, inner: BinaryIO, named: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__()
        self._inner = inner
        self._named = named

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        with self._named():
            return self._inner.read(-1 if size is None else size)

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)

    def seekable(self) -> bool:
        return self._inner.seekable()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        with self._named():
            return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()


def _is_safe(path: str) -> bool:
    try:
        return bool(check_path(path))
    except ValueError:
        return False


def _shown(path: str) -> str:
    return path if path.isprintable() and len(path) <= 1024 else f"{path!r:.300}"
