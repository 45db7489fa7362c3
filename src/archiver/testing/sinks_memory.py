"""A sink in memory: the smallest one that keeps every promise. For tests; nothing outlives the process."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, ClassVar

from archiver.api import (
    Blob,
    ConflictError,
    Context,
    ExistsError,
    MissingError,
    Options,
    Sink,
    SinkError,
    Stat,
)


class MemoryOptions(Options):
    """Options of the sink `memory`."""

    name: str = "memory"
    """Instances of one name hold the same values."""


@dataclass
class Store:
    """What the instances of one name hold: path → bytes and token."""

    values: dict[str, tuple[bytes, Stat]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    writes: int = 0


class MemorySink(Sink[MemoryOptions]):
    """Keep values in memory, for tests."""

    type_name = "memory"
    options_class = MemoryOptions
    stores: ClassVar[defaultdict[str, Store]] = defaultdict(Store)

    def __init__(self, options: MemoryOptions, context: Context) -> None:
        super().__init__(options, context)
        self.store = self.stores[options.name]

    def create(self, path: str, blob: Blob) -> Stat:
        """Store under a new path."""
        data = self._proven(path, blob)
        with self.store.lock:
            if path in self.store.values:
                raise ExistsError(f"{path} is taken")
            return self._put(path, data)

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        """Store over what is there."""
        data = self._proven(path, blob)
        with self.store.lock:
            held = self.stat(path)
            if expected is not None and (held is None or held.token != expected):
                raise ConflictError(f"{path} was changed by somebody else")
            return self._put(path, data)

    def open(self, path: str, start: int = 0) -> BinaryIO:
        """Read from byte `start` on."""
        with self.store.lock:
            if path not in self.store.values:
                raise MissingError(f"nothing is stored under {path}")
            return io.BytesIO(self.store.values[path][0][start:])

    def stat(self, path: str) -> Stat | None:
        """Look up one path."""
        with self.store.lock:
            held = self.store.values.get(path)
            return held[1] if held else None

    def list(self, prefix: str) -> Iterator[Stat]:
        """List every path that begins with `prefix`."""
        with self.store.lock:
            found = [stat for path, (_, stat) in self.store.values.items() if path.startswith(prefix)]
        yield from found

    def flush(self) -> None:
        """Do nothing: memory is as stable as it gets."""

    def _proven(self, path: str, blob: Blob) -> bytes:
        with blob.open() as stream:
            data = stream.read()
        if len(data) != blob.size or hashlib.sha256(data).hexdigest() != blob.sha256:
            raise SinkError(f"{path}: what came is not what was announced")
        return data

    def _put(self, path: str, data: bytes) -> Stat:
        self.store.writes += 1
        stat = Stat(path, len(data), time.time(), f"w{self.store.writes}")
        self.store.values[path] = (data, stat)
        return stat
