"""One OCFL object as it lies in a sink, and the small reads and digests that all of storage uses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archiver.contracts import Blob, Sink, Stat
from archiver.errors import DamageError, MissingError
from archiver.inventory import Inventory

ROOT = "ocfl/"
#: An inventory larger than this is not ours: 100,000 files make about 40 MB.
_INVENTORY_BYTES = 256 << 20
_CHUNK = 1 << 20


def blob(data: bytes) -> Blob:
    """Wrap bytes in memory for a sink."""
    return Blob(len(data), hashlib.sha256(data).hexdigest(), data=data)


def read(sink: Sink[Any], path: str, limit: int = _INVENTORY_BYTES) -> bytes:
    """Read a whole small value. Raises `MissingError`, or `DamageError` when it is over `limit` bytes."""
    data = bytearray()
    with sink.open(path) as stream:
        # In pieces: one read of `limit` bytes would set aside that much memory for a small file.
        while chunk := stream.read(min(_CHUNK, limit + 1 - len(data))):
            data += chunk
    if len(data) > limit:
        raise DamageError(f"{path} is larger than {limit} bytes", hint="it was not written by this program")
    return bytes(data)


def digest(sink: Sink[Any], path: str) -> str:
    """Read a value through and give its SHA-256, to build upon it. Raises `MissingError`.

    The next flush covers it: a killed run may have written it and not come to sync it.
    """
    found = hashlib.sha256()
    with sink.open(path) as stream:
        sink.cover(path)
        while chunk := stream.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


@dataclass
class OcflObject:
    """One object in one sink, as it was when listed. `files` are paths relative to the object.

    `digest` is that of the inventory, `source` the directory it was read from: `""` or such as `v3/`.
    """

    sink: Sink[Any]
    name: str
    files: dict[str, Stat] = field(default_factory=dict)
    inventory: Inventory | None = None
    digest: str = ""
    source: str = ""

    @property
    def prefix(self) -> str:
        """Where the object lies in the sink."""
        return f"{ROOT}{self.name}/"

    @property
    def head(self) -> int:
        """Number of the newest committed version; 0 when there is none."""
        return self.inventory.head if self.inventory else 0

    @property
    def next_content(self) -> str:
        """Where the content of the version to come is created, as a path prefix in the sink."""
        return f"{self.prefix}v{self.head + 1}/content/"

    @property
    def state(self) -> Mapping[str, str]:
        """Logical path → SHA-256 of the newest version."""
        return self.inventory.state if self.inventory else {}

    def locate(self, logical: str) -> str:
        """Say where in the sink the bytes of a logical path lie. Raises `MissingError`."""
        digest = self.state.get(logical)
        if self.inventory is None or digest is None:
            raise MissingError(f"{self.name} holds no {logical}")
        paths = self.inventory.manifest[digest]
        own = [path for path in paths if path.partition("/content/")[2] == logical]
        # A person may have removed one of several copies from a public sink.
        there = [path for path in own if path in self.files]
        return self.prefix + (there or own or paths)[0]

    def read(self, logical: str) -> bytes:
        """Read a metadata file and prove it. Raises `MissingError` or `DamageError`."""
        where = self.locate(logical)
        data = read(self.sink, where)
        if hashlib.sha256(data).hexdigest() != self.state[logical]:
            raise DamageError(
                f"{where} does not have the SHA-256 of its inventory",
                hint="restore that file from a copy of the archive",
            )
        return data
