"""Make the catalog from what the archive holds."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from archiver.catalog import sql
from archiver.catalog.words import clean, index_text
from archiver.decisions import is_rejected
from archiver.derive import has_text
from archiver.errors import SinkError
from archiver.ledger import Record, State, StoredFile
from archiver.model import Event, Grade, Role

#: Characters of text that are searched per material.
MAX_BODY = 4_000_000

Texts = Callable[[str], str | None]
Locate = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class ArchiveFacts:
    """What the catalog says of the archive as a whole.

    `heads` maps each OCFL object to the SHA-256 of its newest inventory: from these the catalog was
    made, and while they stay the same it is current.
    """

    title: str = ""
    organizer: str = ""
    language: str = ""
    heads: Mapping[str, str] = field(default_factory=dict, hash=False)


def build(
    path: Path,
    events: Sequence[Event | Mapping[str, Any]],
    records: Iterable[Record],
    texts: Texts,
    archive: ArchiveFacts,
    *,
    locate: Locate,
) -> None:
    """Build the catalog into a new file beside `path`, then move it into place.

    `events` come as in the configuration or as read from `event.json`, in the order of the programme.
    `texts` gives the extracted text of a file by its SHA-256, or None. `locate` says where in the
    sink a file lies: (event id, logical path) → path. Equal arguments give equal catalogs. Records
    taken down or rejected are left out. Raises `SinkError` when the file cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with closing(sqlite3.connect(fresh)) as db:
            _fill(db, events, records, texts, archive, locate)
        _settle(fresh, path)
    except (sqlite3.Error, OSError) as error:
        raise SinkError(
            f"the catalog {path} could not be written: {error}",
            hint="check the free space and the permissions; the archive itself is not affected",
        ) from error
    finally:
        fresh.unlink(missing_ok=True)


def _settle(fresh: Path, path: Path) -> None:
    with fresh.open("rb+") as file:
        os.fsync(file.fileno())
    fresh.replace(path)


def _fill(
    db: sqlite3.Connection,
    events: Sequence[Event | Mapping[str, Any]],
    records: Iterable[Record],
    texts: Texts,
    archive: ArchiveFacts,
    locate: Locate,
) -> None:
    db.executescript(sql.SETTINGS)
    db.executescript(sql.SCHEMA)
    programme = [_Stop.read(event) for event in events]
    with db:
        db.executemany(sql.INSERT_META, sorted(_meta(archive).items()))
        db.executemany(sql.INSERT_EVENT, (stop.row(at) for at, stop in enumerate(programme)))
        db.executemany(sql.INSERT_TALK, (row for stop in programme for row in stop.talk_rows()))
        _materials(db, _visible(records), {stop.id: stop for stop in programme}, texts, locate)
        db.execute(sql.OPTIMIZE)


def _meta(archive: ArchiveFacts) -> dict[str, str]:
    return {
        "schema": str(sql.SCHEMA_VERSION),
        "heads": heads_text(archive.heads),
        "title": clean(archive.title),
        "organizer": clean(archive.organizer),
        "language": clean(archive.language),
    }


def heads_text(heads: Mapping[str, str]) -> str:
    """Write heads so that equal ones are equal text."""
    return json.dumps(dict(heads), sort_keys=True)


def _visible(records: Iterable[Record]) -> list[Record]:
    kept = (record for record in records if record.state is not State.TAKEN_DOWN)
    shown = (record for record in kept if not is_rejected(record))
    return sorted(shown, key=lambda record: record.key)


@dataclass(frozen=True, slots=True)
class _Stop:
    """An event as the catalog needs it: clean text. `talks` by id: (title, speakers)."""

    id: str
    title: str
    date: str
    end_date: str
    city: str
    venue: str
    talks: Mapping[str, tuple[str, str]]

    @classmethod
    def read(cls, event: Event | Mapping[str, Any]) -> _Stop:
        """Take an event of the configuration, or one as `event.json` holds it."""
        data = asdict(event) if isinstance(event, Event) else event
        talks = {
            str(talk["id"]): (clean(str(talk.get("title", ""))), _joined(talk.get("speakers", ())))
            for talk in data.get("talks", ())
        }
        title, date, end_date, city, venue = (
            clean(str(data.get(name, ""))) for name in ("title", "date", "end_date", "city", "venue")
        )
        return cls(str(data["id"]), title, date, end_date, city, venue, talks)

    @property
    def words(self) -> str:
        """What finds every material of the event."""
        return f"{self.title} {self.city} {self.venue}"

    def row(self, position: int) -> tuple[Any, ...]:
        """Give the row of the table `event`."""
        return (self.id, position, self.title, self.date, self.end_date, self.city, self.venue)

    def talk_rows(self) -> Iterator[tuple[Any, ...]]:
        """Give the rows of the table `talk`."""
        for at, (talk, (title, speakers)) in enumerate(self.talks.items()):
            yield (self.id, talk, at, title, speakers)


_NOWHERE = _Stop("", "", "", "", "", "", {})


def _joined(names: Iterable[str]) -> str:
    return clean(", ".join(names))


def _materials(
    db: sqlite3.Connection,
    records: Sequence[Record],
    stops: Mapping[str, _Stop],
    texts: Texts,
    locate: Locate,
) -> None:
    for number, record in enumerate(records, 1):
        paths = [locate(record.material.event, file.path) for file in record.files]
        db.execute(sql.INSERT_MATERIAL, _material_row(number, record, paths))
        rows = zip(record.files, paths, strict=True)
        db.executemany(sql.INSERT_FILE, (_file_row(number, at, *row) for at, row in enumerate(rows)))
        if record.files:
            _index(db, number, record, stops.get(record.material.event, _NOWHERE), texts)


def _material_row(number: int, record: Record, paths: Sequence[str]) -> tuple[Any, ...]:
    material, match, problem = record.material, record.match, record.problem
    return (
        number,
        material.event,
        record.source,
        record.type_name,
        _exact(material.id),
        material.kind.value,
        record.state.value,
        clean(material.title),
        _exact(material.url),
        match.talk,
        match.method,
        match.score,
        clean(match.why),
        _joined(material.authors),
        clean(material.date),
        clean(material.language),
        clean(material.licence),
        clean(material.description),
        problem.reason if problem else "",
        clean(problem.detail) if problem else "",
        _main(record.files, paths),
    )


def _exact(text: str) -> str:
    # An id made from a file name that is no UTF-8 holds lone surrogates, which SQLite cannot store.
    return text.encode("utf-8", "backslashreplace").decode()


def _file_row(number: int, at: int, file: StoredFile, path: str) -> tuple[Any, ...]:
    about = (
        file.size,
        file.sha256,
        file.role.value,
        file.grade.value,
        clean(file.label),
        clean(file.media_type),
    )
    return (number, at, path, file.path, *about)


def _main(files: Sequence[StoredFile], paths: Sequence[str]) -> str:
    """Choose the file to open: the original, or the PDF made from page images rather than page one."""
    ranked = sorted(zip(map(_rank, files), paths, strict=True))
    return ranked[0][1] if ranked else ""


def _rank(file: StoredFile) -> tuple[bool, bool, bool, int, int, str]:
    one_of_many = file.grade is Grade.PAGES and file.role is not Role.DERIVATIVE
    return (
        file.role is Role.SIDECAR,
        file.grade is Grade.THUMBNAIL,
        one_of_many,
        list(Role).index(file.role),
        list(Grade).index(file.grade),
        file.label,
    )


def _index(db: sqlite3.Connection, number: int, record: Record, stop: _Stop, texts: Texts) -> None:
    material = record.material
    talk_title, speakers = stop.talks.get(record.match.talk, ("", ""))
    body = _body(record.files, texts)
    if body:
        db.execute(sql.INSERT_BODY, (number, body))
    columns = (
        f"{clean(material.title)} / {talk_title}",
        f"{_joined(material.authors)} / {speakers}",
        stop.words,
        clean(material.description),
        body,
    )
    db.execute(sql.INSERT_SEARCH, (number, *map(index_text, columns)))


def _body(files: Iterable[StoredFile], texts: Texts) -> str:
    # Nobody is asked for the text of a photo: in a bucket that would be a request for each.
    readable = dict.fromkeys(
        file.sha256 for file in files if not file.media_type or has_text(file.media_type)
    )
    found = dict.fromkeys(clean(texts(sha256) or "") for sha256 in readable)
    return "\n".join(text for text in found if text)[:MAX_BODY]
