"""A sink around another one; the base of the wrappers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from archiver.contracts import Blob, Options, Sink, Stat


class Wrapper(Sink[Options]):
    """Pass every call on to the inner sink."""

    type_name = "wrapper"

    def __init__(self, inner: Sink[Any]) -> None:
        super().__init__(inner.options, inner.context)
        self.inner = inner
        # Capabilities are data of the class inside.
        self.journal_batch = inner.journal_batch  # type: ignore[misc]  # a ClassVar of the contract
        self.shared = inner.shared  # type: ignore[misc]  # likewise

    @property
    def local_root(self) -> Path | None:
        """Say where the inner sink lies."""
        return self.inner.local_root

    def create(self, path: str, blob: Blob) -> Stat:
        """Pass on."""
        return self.inner.create(path, blob)

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        """Pass on."""
        return self.inner.replace(path, blob, expected=expected)

    def open(self, path: str, start: int = 0) -> BinaryIO:
        """Pass on."""
        return self.inner.open(path, start)

    def stat(self, path: str) -> Stat | None:
        """Pass on."""
        return self.inner.stat(path)

    def list(self, prefix: str) -> Iterator[Stat]:
        """Pass on."""
        yield from self.inner.list(prefix)

    def flush(self) -> None:
        """Pass on."""
        self.inner.flush()

    def cover(self, path: str) -> None:
        """Pass on."""
        self.inner.cover(path)

    def check(self) -> None:
        """Pass on."""
        self.inner.check()

    def notes(self) -> Sequence[str]:
        """Pass on."""
        return self.inner.notes()

    def prepare(self) -> None:
        """Pass on."""
        self.inner.prepare()
