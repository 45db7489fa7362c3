"""A store in one SQLite file, values of any size in pieces.

It speaks as object stores do: a key has bytes and a tag, and a condition says what must be there before.
The pieces of a value carry its tag, so that those of the next value are others.
"""

import hashlib
import sqlite3
import tempfile
import threading
import time
import uuid
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

TABLES = (
    "CREATE TABLE IF NOT EXISTS file (key TEXT PRIMARY KEY, size INT, modified REAL, tag TEXT)",
    "CREATE TABLE IF NOT EXISTS piece (tag TEXT, number INT, data BLOB, PRIMARY KEY (tag, number))",
)
CHUNK = 1 << 20


class StoreError(Exception):
    """The store cannot be used, or would not keep what it was given."""


class RefusedError(StoreError):
    """Something else is there than the condition says."""


class AbsentError(StoreError):
    """Nothing is there."""


class Entry(NamedTuple):
    key: str
    size: int
    modified: float
    tag: str


class Store:
    """The file; used by several threads, and by several processes at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._kept: sqlite3.Connection | None = None

    def put(self, key: str, source: BinaryIO, size: int, sha256: str, *, condition: str | None) -> Entry:
        """Store bytes, all or nothing. `condition` is the tag that must be there, "" for none at all."""
        made = Entry(key, size, time.time(), uuid.uuid4().hex)
        with self._database(write=True) as database:
            found = self._entries(database, "key = ?", key)
            if condition is not None and condition != (found[0].tag if found else ""):
                raise RefusedError(f"{key} is not what it was")
            database.execute("DELETE FROM piece WHERE tag = ?", (found[0].tag if found else "",))
            database.execute("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)", made)
            digest, came, number = hashlib.sha256(), 0, 0
            while chunk := source.read(CHUNK):
                database.execute("INSERT INTO piece VALUES (?, ?, ?)", (made.tag, number, chunk))
                digest.update(chunk)
                came, number = came + len(chunk), number + 1
            if came != size or digest.hexdigest() != sha256:
                raise StoreError(f"{key}: what came is not what was announced")
        return made

    def get(self, key: str, start: int = 0) -> BinaryIO:
        """Read a key from a byte on. What was opened stays as it is, whoever writes meanwhile."""
        with self._database() as database:
            found = self._entries(database, "key = ?", key)
            if not found:
                raise AbsentError(f"{key} is not there")
            copy = tempfile.SpooledTemporaryFile(CHUNK)  # noqa: SIM115  # whoever asked closes it
            select = "SELECT data FROM piece WHERE tag = ? ORDER BY number"
            for (chunk,) in database.execute(select, (found[0].tag,)):
                copy.write(chunk)
        copy.seek(start)
        return cast(BinaryIO, copy)

    def head(self, key: str) -> Entry | None:
        """Look up one key."""
        with self._database() as database:
            return next(iter(self._entries(database, "key = ?", key)), None)

    def keys(self, prefix: str) -> list[Entry]:
        """Give every key that begins with a prefix."""
        with self._database() as database:
            return self._entries(database, "substr(key, 1, ?) = ?", len(prefix), prefix)

    def close(self) -> None:
        """Give the file back; whoever asks for something opens it again."""
        with self._lock:
            if self._kept is not None:
                self._kept.close()
            self._kept = None

    def _entries(self, database: sqlite3.Connection, where: str, *values: object) -> list[Entry]:
        select = f"SELECT key, size, modified, tag FROM file WHERE {where}"  # noqa: S608  # our own text
        return [Entry(*row) for row in database.execute(select, values)]

    @contextmanager
    def _database(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        """Lend the connection to one thread. What is written is kept whole or not at all."""
        try:
            if not write and self._kept is None and not self.path.exists():
                with closing(_connected(":memory:")) as nothing:  # looking must not make the file
                    yield nothing
                return
            with self._lock, self._connection() as database:
                # A reader sees the store as it is now, whatever another process writes meanwhile.
                database.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield database
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: {error}") from error

    def _connection(self) -> sqlite3.Connection:
        if self._kept is None:
            self._kept = _connected(self.path)
            weakref.finalize(self, self._kept.close)
        return self._kept


def _connected(where: str | Path) -> sqlite3.Connection:
    made = sqlite3.connect(where, timeout=60, isolation_level=None, check_same_thread=False)
    try:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("PRAGMA synchronous = FULL")  # what was put survives a power cut
        for table in TABLES:
            made.execute(table)
    except BaseException:
        made.close()
        raise
    return made
