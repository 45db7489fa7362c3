"""The interface of a sink, and what goes in and out of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, ClassVar, Generic

from archiver.contracts.context import Context
from archiver.contracts.options import API_VERSION, Options, OptionsT


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes to store, in a file or in memory, with their size and lower-case hex SHA-256.

    `movable` allows the sink to take the file itself instead of a copy: nobody else needs it, and
    whoever set it has hashed this very file.
    """

    size: int
    sha256: str
    path: Path | None = None
    data: bytes | None = None
    movable: bool = False

    def open(self) -> BinaryIO:
        """Open the bytes for reading."""
        import io

        if self.path is not None:
            return self.path.open("rb")
        return io.BytesIO(self.data or b"")


@dataclass(frozen=True, slots=True)
class Stat:
    """What a sink knows of one value: `modified` in seconds since 1970 by the sink's own clock.

    `token` changes with every change; it is what `replace` compares. Two of these are equal when they
    speak of the same bytes: a store may tell the time more or less exactly, depending on how it is asked.
    """

    path: str
    size: int
    modified: float = field(compare=False)
    token: str


class Sink(ABC, Generic[OptionsT]):
    """A small key–value store: paths to bytes, nothing is ever deleted.

    Paths are relative, `/`-separated, NFC, already safe (see `archiver.naming`). A sink knows
    nothing of what it holds. Every method raises `SinkError` when the store cannot be used.
    """

    type_name: ClassVar[str]
    api_version: ClassVar[int] = API_VERSION
    options_class: ClassVar[type[Options]] = Options
    #: Reachable from other machines; remote workers refuse sinks without it.
    shared: ClassVar[bool] = False
    #: How many finished materials one journal write covers; 1 where small writes cost nothing.
    journal_batch: ClassVar[int] = 64

    def __init__(self, options: OptionsT, context: Context) -> None:
        self.options = options
        self.context = context

    @property
    def local_root(self) -> Path | None:
        """Say which local directory holds this sink, so that files can be moved in and read in place."""
        return None

    @abstractmethod
    def create(self, path: str, blob: Blob) -> Stat:
        """Store under a new path; return only when the stored bytes are proven to be the blob's.

        Raises `ExistsError` when the path is taken, whatever is stored there. After `flush` they
        are on stable storage.
        """

    @abstractmethod
    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        """Store over what is there, all or nothing.

        With `expected`, a token from `stat`, only when nobody wrote since: else `ConflictError`.
        """

    @abstractmethod
    def open(self, path: str, start: int = 0) -> BinaryIO:
        """Read from byte `start` on. Raises `MissingError`."""

    @abstractmethod
    def stat(self, path: str) -> Stat | None:
        """Look up one path."""

    @abstractmethod
    def list(self, prefix: str) -> Iterator[Stat]:
        """List every path that begins with `prefix`, in no particular order."""

    @abstractmethod
    def flush(self) -> None:
        """Make everything stored so far survive a power cut."""

    def cover(self, path: str) -> None:
        """Let the next `flush` cover this value too, which an earlier run may have left unflushed."""

    def check(self) -> None:
        """Raise `SinkError` when this sink could not be written. Leaves no trace."""

    def notes(self) -> Sequence[str]:
        """Say what this store does not do as it should, and what is done instead.

        Each goes on from the name of the sink: "ignores checksums: every file is read back". Asked for
        once the sink has been checked, by `archive check` and by each run that writes. May write below
        `.probe/` to find out.
        """
        return ()

    def prepare(self) -> None:
        """Begin a run that will write: make the root, clear what killed runs left in `tmp/`."""
