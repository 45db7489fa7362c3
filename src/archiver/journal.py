"""Proven puts of a run that has not committed yet, so that a later run need not fetch them again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from archiver import seal
from archiver.contracts import Sink
from archiver.errors import DamageError, MissingError
from archiver.inventory import UNREADABLE
from archiver.ledger import StoredFile, file_from_json, flat, material_from_json, material_to_json
from archiver.model import Material
from archiver.naming import check_path
from archiver.ocfl_object import blob, read

PREFIX = "journal/"
#: A segment is written at the latest after so many materials or seconds.
SEGMENT = 64
SECONDS = 30.0
#: A segment larger than this is not ours.
_SEGMENT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One finished material: where its files were put (`content`, a path prefix in the sink)."""

    event: str
    source: str
    type_name: str
    material: Material
    content: str
    files: tuple[StoredFile, ...]

    def to_json(self) -> dict[str, Any]:
        """Turn into plain JSON data."""
        return {
            "event": self.event,
            "source": self.source,
            "type": self.type_name,
            "material": material_to_json(self.material),
            "content": self.content,
            "files": [flat(file) for file in self.files],
        }


@dataclass
class Journal:
    """Writes the segments of one run into one sink.

    Sinks with `journal_batch` 1 get the growing segment anew with each `add` (without a sync: that
    survives a killed process); others once per `SEGMENT` materials or `SECONDS`.
    """

    sink: Sink[Any]
    run: str
    clock: Callable[[], float] = time.monotonic
    _open: list[bytes] = field(default_factory=list)
    _number: int = 1
    _synced: float = 0.0

    def __post_init__(self) -> None:
        self._synced = self.clock()

    def add(self, *entries: Entry) -> None:
        """Note materials whose files are proven in the sink; those that come together cost one write."""
        for entry in entries:
            line = json.dumps(entry.to_json(), ensure_ascii=False) + "\n"
            self._open.append(line.encode("utf-8", "backslashreplace"))
        full = len(self._open) >= SEGMENT or self.clock() - self._synced > SECONDS
        if full:
            self.close_segment()
        elif self.sink.journal_batch == 1:
            self._write()

    def close_segment(self) -> None:
        """Sync what was put, then write it down, and begin the next segment."""
        if self._open:
            self.sink.flush()
            self._write()
            seal.put(self.sink, self._path, hashlib.sha256(b"".join(self._open)).hexdigest())
            self._open, self._number = [], self._number + 1
        self._synced = self.clock()

    def _write(self) -> None:
        self.sink.replace(self._path, blob(b"".join(self._open)))

    @property
    def _path(self) -> str:
        return f"{PREFIX}{self.run}/{self._number}.jsonl"


def unfinished(sink: Sink[Any], finished: Iterable[str]) -> Iterator[Entry]:
    """Read the journals of runs that left no report. `finished` are the ids of those that did.

    What cannot be read is passed over: it only means that those materials are fetched again.
    """
    done = set(finished)
    for stat in sorted(sink.list(PREFIX), key=lambda stat: stat.path):
        run = stat.path.removeprefix(PREFIX).partition("/")[0]
        if run not in done and stat.size <= _SEGMENT_BYTES and stat.path.endswith(".jsonl"):
            yield from _entries(_segment(sink, stat.path))


def _segment(sink: Sink[Any], path: str) -> bytes:
    try:
        return read(sink, path, _SEGMENT_BYTES)
    except (MissingError, DamageError):
        return b""


def _entries(data: bytes) -> Iterator[Entry]:
    for line in data.split(b"\n"):
        try:
            yield _entry(json.loads(line))
        except UNREADABLE:
            continue  # a torn line, cut off by a power cut


def _entry(raw: Any) -> Entry:
    names = (raw["event"], raw["source"], raw["type"])
    files = tuple(file_from_json(file) for file in raw["files"])
    if not files or not all(isinstance(name, str) for name in names):
        raise ValueError("no journal entry")
    content = raw["content"]
    for file in files:
        check_path(content + file.path)
    return Entry(*names, material_from_json(raw["material"]), content, files)
