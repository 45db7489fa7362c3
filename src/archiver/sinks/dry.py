"""A sink that is only looked at."""

from __future__ import annotations

from collections.abc import Sequence

from archiver.contracts import Blob, Stat
from archiver.errors import SinkError
from archiver.sinks.wrapper import Wrapper


class DryRun(Wrapper):
    """Read as usual; refuse every write, so that a dry run changes no byte."""

    def create(self, path: str, blob: Blob) -> Stat:
        """Refuse."""
        del blob
        raise SinkError(f"a dry run does not write {path}")

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        """Refuse."""
        del blob, expected
        raise SinkError(f"a dry run does not write {path}")

    def flush(self) -> None:
        """Do nothing: nothing was written."""

    def cover(self, path: str) -> None:
        """Do nothing: nothing will be flushed."""

    def notes(self) -> Sequence[str]:
        """Say nothing: to find out may need a write."""
        return ()

    def prepare(self) -> None:
        """Do nothing: nothing will be written."""
