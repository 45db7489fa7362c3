"""What the core holds every sink to: safe paths in, only sink errors out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from archiver.contracts import Blob, Stat
from archiver.errors import ArchiverError, SinkError
from archiver.naming import check_path
from archiver.sinks.wrapper import Wrapper


class Guarded(Wrapper):
    """Check each path that is written, and name the sink in whatever goes wrong inside it."""

    def create(self, path: str, blob: Blob) -> Stat:
        """Refuse unsafe paths, then pass on."""
        with self._named(path):
            return self.inner.create(check_path(path), blob)

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        """Refuse unsafe paths, then pass on."""
        with self._named(path):
            return self.inner.replace(check_path(path), blob, expected=expected)

    def open(self, path: str, start: int = 0) -> BinaryIO:
        """Refuse unsafe paths, then pass on."""
        with self._named(path):
            return self.inner.open(check_path(path), start)

    def stat(self, path: str) -> Stat | None:
        """Refuse unsafe paths, then pass on."""
        with self._named(path):
            return self.inner.stat(check_path(path))

    def list(self, prefix: str) -> Iterator[Stat]:
        """Pass on."""
        with self._named(prefix):
            yield from self.inner.list(prefix)

    def flush(self) -> None:
        """Pass on."""
        with self._named("what was just written"):
            self.inner.flush()

    @contextmanager
    def _named(self, path: str) -> Iterator[None]:
        try:
            yield
        except ArchiverError:
            raise
        except Exception as error:
            raise SinkError(
                f"sink {self.context.name} failed on {path}: {type(error).__name__}: {error}",
                hint="this looks like a fault of the sink's plugin; run with -v for the details",
            ) from error
