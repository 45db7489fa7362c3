"""The catalog: an SQLite file that finds things in the archive and can always be built again.

`words` cuts text, `building` makes the file, `sql` holds every statement, `snippet` shows why
something was found. Nothing here is a source of truth: ledgers and extracted texts are.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
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
    number, event, talk, kind, title, path, score = row
    passage = snippet(db.execute(sql.TEXTS, (number,)).fetchone(), patterns)
    # Six digits: enough to rank, few enough to be equal on every machine.
    return Hit(event, talk, kind, title, path, passage, float(f"{score:.6g}"))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    # The file is only ever replaced as a whole, so it needs no locks, and may lie on a read-only disk.
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        yield db
