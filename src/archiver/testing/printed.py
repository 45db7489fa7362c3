"""Catching what a plugin prints, in whatever way it does."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


class _Kept(io.TextIOWrapper):
    """Takes the place of `sys.stdout`; that somebody closes it is noted as well, and harms nobody."""

    def close(self) -> None:
        """Note it."""
        self.write("(sys.stdout was closed)\n")

    def end(self) -> None:
        """Close it in earnest."""
        super().close()


@contextmanager
def printed() -> Iterator[list[str]]:
    """Catch what this process and its children write on standard output; the list has the lines at the end.

    By `print`, into file descriptor 1, by a child that inherits it: all of it lands in the same place.
    """
    lines: list[str] = []
    with tempfile.TemporaryFile() as caught:
        instead = _Kept(os.fdopen(os.dup(caught.fileno()), "wb"), "utf-8", "replace", write_through=True)
        try:
            with _leading_to(caught.fileno()), redirect_stdout(instead):
                yield lines
        finally:
            instead.end()
            caught.seek(0)
            lines += caught.read(10_000).decode("utf-8", "replace").splitlines()


@contextmanager
def _leading_to(other: int) -> Iterator[None]:
    """Let descriptor 1 lead to another one for a while."""
    before = os.dup(1)
    os.dup2(other, 1)
    try:
        yield
    finally:
        os.dup2(before, 1)
        os.close(before)
