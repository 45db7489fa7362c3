"""The catalog: an SQLite file that finds things in the archive and can always be built again.

`words` cuts text, `building` makes the file, `sql` holds every statement, `snippet` shows why
something was found. Nothing here is a source of truth: ledgers and extracted texts are.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from archiver.catalog import sql
from archiver.catalog.building import ArchiveFacts, build, heads_text
from archiver.catalog.snippet import CLOSE, OPEN, snippet
from archiver.catalog.words import parse
from archiver.errors import DamageError, MissingError
from archiver.model import Kind

__all__ = ["CLOSE", "OPEN", "ArchiveFacts", "Hit", "build", "is_current", "search"]

#: The most results that one search gives.
MAX_HITS = 1000
#: Seconds that one use of a catalog may take: a hostile one could take for ever.
MAX_SECONDS = 60.0
#: Bytes of one value: a text of ours has far less.
MAX_VALUE_BYTES = 64 << 20
_STEPS = 100_000
_OBJECTS = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """One material that was found.

    `path` is where its file lies in the sink, `talk` a talk's id or empty. In `snippet` the found
    words stand between `OPEN` and `CLOSE`. A higher `score` is better; scores of different searches
    cannot be compared.
    """

    event: str
    talk: str
    kind: str
    title: str
    path: str
    snippet: str
    score: float

    def to_json(self) -> dict[str, Any]:
        """Give the fields of `archive search --json`."""
        return asdict(self)


def is_current(path: Path, heads: Mapping[str, str]) -> bool:
    """Say whether the catalog was made from these heads by this program. Never raises."""
    try:
        with _opened(path) as db:
            meta = dict(db.execute(sql.META))
    except (sqlite3.Error, OSError, ValueError):
        return False
    return meta.get("schema") == str(sql.SCHEMA_VERSION) and meta.get("heads") == heads_text(heads)


def search(
    path: Path,
    query: str,
    *,
    kinds: Collection[Kind] = (),
    events: Collection[str] = (),
    limit: int = 20,
) -> list[Hit]:
    """Find materials that have all words of `query`, best first.

    Words stand in the title, the names, the event, the description or the text; "quoted words" follow
    each other; `virtual*` begins a word. No query is an error: one without a word finds nothing.
    Raises `MissingError` when there is no catalog and `DamageError` when it cannot be read.
    """
    terms = parse(query)
    if not terms:
        return []
    if not path.is_file():
        raise MissingError("there is no catalog to search yet", hint="run `archive run` first")
    wanted = {
        "match": " AND ".join(term.match() for term in terms),
        "kinds": json.dumps([str(kind) for kind in kinds]) if kinds else None,
        "events": json.dumps(list(events)) if events else None,
        "limit": max(0, min(limit, MAX_HITS)),
    }
    patterns = [term.pattern() for term in terms]
    try:
        with _opened(path) as db:
            return [_hit(db, row, patterns) for row in db.execute(sql.SEARCH, wanted).fetchall()]
    except sqlite3.DatabaseError as error:
        raise DamageError(
            f"the catalog {path} cannot be read: {error}",
            hint="delete it; the next run builds it again from the archive",
        ) from error


def _hit(db: sqlite3.Connection, row: tuple[Any, ...], patterns: Sequence[re.Pattern[str]]) -> Hit:
    number, *told, score = row
    # SQLite puts a value of any type into any column.
    if not all(isinstance(each, str) for each in told) or not isinstance(score, float):
        raise sqlite3.DatabaseError("it holds values of wrong types")
    event, talk, kind, title, path = told
    passage = snippet(db.execute(sql.TEXTS, (number,)).fetchone(), patterns)
    # Six digits: enough to rank, few enough to be equal on every machine.
    return Hit(event, talk, kind, title, path, passage, float(f"{score:.6g}"))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    # The file is only ever replaced as a whole, so it needs no locks, and may lie on a read-only disk.
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        _distrust(db)
        yield db


def _distrust(db: sqlite3.Connection) -> None:
    """Hold a file that anybody may have changed to what this program writes. Raises `sqlite3.Error`.

    A view in the place of a table, a computed column or a trigger would run what a stranger wrote.
    """
    until = time.monotonic() + MAX_SECONDS
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    db.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA cell_size_check = ON")
    # How the index keeps its own tables differs between versions of SQLite; all that is ours does not.
    found = {row for row in db.execute(sql.OBJECTS).fetchmany(_OBJECTS) if not _is_of_the_index(row)}
    if found != _own_objects():
        raise sqlite3.DatabaseError("its tables are not those that this program makes")


def _is_of_the_index(row: tuple[str, str, str]) -> bool:
    return row[0] == "table" and str(row[1]).startswith("search_")


@cache
def _own_objects() -> set[tuple[str, str, str]]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(sql.SCHEMA)
        return {row for row in db.execute(sql.OBJECTS) if not _is_of_the_index(row)}
