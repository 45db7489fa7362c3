"""Bring stored bytes out of a sink, and prove them on their way."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO

from archiver.archive import Head
from archiver.errors import DamageError, MissingError
from archiver.ledger import StoredFile

_CHUNK = 1 << 20


class BadCopyError(DamageError):
    """One sink's copy of a file is not what was stored; `where` is its path there."""

    def __init__(self, head: Head, where: str, found: str) -> None:
        super().__init__(
            f"{where} in sink {head.name} {found}",
            hint="restore that file from a copy of the archive; nothing was exported of this event",
        )
        self.bad = (head.name, where)


@dataclass
class Copier:
    """Copies the files of one event from the first sink that has them and is not known to be wrong."""

    heads: Sequence[Head]
    event: str
    moved: Callable[[int], None]
    #: Sink and path of copies that were found to be wrong.
    bad: set[tuple[str, str]] = field(default_factory=set)

    def has_other(self, file: StoredFile) -> bool:
        """Say whether any sink is left to copy a file from."""
        return self._place(file) is not None

    def copy(self, file: StoredFile, into: IO[bytes]) -> None:
        """Copy one file. Raises `BadCopyError`, `DamageError` when no sink has it, `SinkError`, `OSError`."""
        place = self._place(file)
        if place is None:
            raise DamageError(
                f"{self.event}/{file.path} is in the ledger, but no sink has it as it was stored",
                hint="restore that file from a copy of the archive",
            )
        head, where = place
        try:
            found = self._stream(head, where, file, into)
        except MissingError as error:
            raise BadCopyError(head, where, "is missing") from error
        if found != file.sha256:
            raise BadCopyError(head, where, "does not have the SHA-256 of its ledger: it is damaged")

    def _place(self, file: StoredFile) -> tuple[Head, str] | None:
        # Where one file is damaged others may be: that sink comes last.
        trust = Counter(name for name, _ in self.bad)
        for head in sorted(self.heads, key=lambda each: trust[each.name]):
            target = head.object(self.event)
            if target.state.get(file.path) == file.sha256:
                where = target.locate(file.path)
                if (head.name, where) not in self.bad:
                    return head, where
        return None

    def _stream(self, head: Head, where: str, file: StoredFile, into: IO[bytes]) -> str:
        digest, left = hashlib.sha256(), file.size
        with head.sink.open(where) as stream:
            while chunk := stream.read(_CHUNK):
                left -= len(chunk)
                if left < 0:  # no need to fill a disk with what is wrong already
                    raise BadCopyError(head, where, f"is larger than the {file.size} bytes of its ledger")
                digest.update(chunk)
                into.write(chunk)
                self.moved(len(chunk))
        return digest.hexdigest()
