"""What the archive knows of each material: one JSON line each, one file per source and event."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from functools import cache
from typing import Any

from archiver.errors import DamageError
from archiver.inventory import UNREADABLE, sha256_text
from archiver.model import Grade, Kind, Material, Role
from archiver.naming import check_path


class State(StrEnum):
    """Where a material stands."""

    STORED = "stored"
    PENDING = "pending"  # known, nothing of it stored yet
    WITHDRAWN = "withdrawn"  # no longer listed upstream, still kept here
    TAKEN_DOWN = "taken-down"  # removed from view by decision; wins over every other state


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One stored file: `path` inside its event, `size` in bytes, lower-case hex SHA-256."""

    path: str
    size: int
    sha256: str
    role: Role = Role.ORIGINAL
    grade: Grade = Grade.ORIGINAL
    label: str = ""
    media_type: str = ""


_RANK = list(Grade)


def best(grades: Iterable[Grade | None]) -> Grade | None:
    """Give the best of some grades; None when there are none."""
    known = [grade for grade in grades if grade is not None]
    return known[0] if len(known) == 1 else min(known, key=_RANK.index, default=None)


def best_grade(files: Iterable[StoredFile]) -> Grade | None:
    """Say how good the files of a material are; None when nothing among them stands for it."""
    grades: dict[Role, list[Grade]] = {}
    for file in files:
        grades.setdefault(file.role, []).append(file.grade)
    found = grades.get(Role.ORIGINAL, []) + grades.get(Role.RENDITION, [])
    # What we made ourselves (a PDF from page images) is no better than what it was made from.
    return best(found or grades.get(Role.DERIVATIVE, []))


def is_worse(files: Iterable[StoredFile], before: Iterable[StoredFile]) -> bool:
    """Say whether files are less good than those that were there before."""
    one, other = best_grade(files), best_grade(before)
    return one is not None and other is not None and _RANK.index(one) > _RANK.index(other)


@dataclass(frozen=True, slots=True)
class Match:
    """Which talk a material belongs to, and how that was found.

    `method` is `explicit`, `title`, `title+speaker`, … or `none` with the reason in `why`.
    `score` runs from 0 to 1.
    """

    talk: str = ""
    method: str = "none"
    score: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why what upstream shows now is not stored: `failed | blocked | gone | invalid | unrouted`."""

    reason: str
    detail: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of a material's history. `at` is UTC, RFC 3339."""

    at: str
    state: State
    run: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Edition:
    """Files that stood for the material until upstream changed, or came later and are less good."""

    until: str
    revision: str
    files: tuple[StoredFile, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """All that is known of one material in one event. `material.event` is the event it was routed to.

    `source` is the name in the configuration, `type_name` the plugin's word.
    """

    source: str
    type_name: str
    material: Material
    state: State
    match: Match = Match()
    files: tuple[StoredFile, ...] = ()
    problem: Problem | None = None
    earlier: tuple[Edition, ...] = ()
    history: tuple[Transition, ...] = field(default=())

    @property
    def key(self) -> Key:
        """What tells this record from all others of the archive."""
        return (self.material.event, self.source, self.material.id)

    @property
    def changed_at(self) -> str:
        """When it last changed state."""
        return self.history[-1].at if self.history else ""

    def moved(self, state: State, at: str, run: str, reason: str = "", **changes: Any) -> Record:
        """Return the record after a transition."""
        step = Transition(at, state, run, reason)
        return replace(self, state=state, history=(*self.history, step), **changes)


Key = tuple[str, str, str]

_MATERIAL_FIELDS = [item.name for item in fields(Material)]


def dump(records: Iterable[Record]) -> bytes:
    """Write a ledger: one canonical JSON line per record, ordered by id: equal content is equal bytes."""
    lines = sorted((record.material.id, _line(record)) for record in records)
    # A lone surrogate (a file name that is no UTF-8) becomes its JSON escape, \\udc80, and so stays valid.
    return "".join(line + "\n" for _, line in lines).encode("utf-8", "backslashreplace")


def _line(record: Record) -> str:
    return json.dumps(to_json(record), ensure_ascii=False, sort_keys=True)


def load(data: bytes, where: str) -> Iterator[Record]:
    """Read a ledger. Raises `DamageError` naming `where` and the line."""
    # Not splitlines(): a title may hold U+2028, which JSON leaves as it is.
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line:
            continue
        try:
            yield from_json(json.loads(line))
        except UNREADABLE as error:
            raise DamageError(
                f"{where}, line {number}: not a ledger record ({type(error).__name__}: {str(error)[:300]})",
                hint="restore the file from another sink or an earlier version",
            ) from error


def to_json(record: Record) -> dict[str, Any]:
    """Turn a record into plain JSON data, without what is empty."""
    data = {
        "source": record.source,
        "type": record.type_name,
        "state": record.state.value,
        "material": material_to_json(record.material),
        "match": _trim(flat(record.match)),
        "files": [_trim(flat(file)) for file in record.files],
        "problem": _trim(flat(record.problem)) if record.problem else None,
        "earlier": [_edition(edition) for edition in record.earlier],
        "history": [_trim(flat(step)) for step in record.history],
    }
    return _trim(data)


def _edition(edition: Edition) -> dict[str, Any]:
    return {**_trim(flat(edition)), "files": [_trim(flat(file)) for file in edition.files]}


def flat(item: Any) -> dict[str, Any]:
    """Turn a dataclass into a mapping; what it holds stays as it is, where `asdict` copies all of it."""
    kind: type = type(item)
    return {name: getattr(item, name) for name in _in_order(kind)}


@cache
def _in_order(kind: type) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


def _plain(value: Any) -> Any:
    """Hold what a plugin filled in to the types that can be read back: a date as `date` becomes text."""
    if type(value) is str:  # as most are
        return value
    if isinstance(value, dict | Mapping):
        return {str(key): str(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [str(item) for item in value]
    return value if value is None else str(value)


def _trim(data: dict[str, Any]) -> dict[str, Any]:
    # 0 stays.
    return {key: value for key, value in data.items() if value or value not in ("", None, [], {}, ())}


def from_json(data: Mapping[str, Any]) -> Record:
    """Read a record back. Unknown keys are passed over: a later version may have added them."""
    return Record(
        source=_text(data["source"]),
        type_name=_text(data["type"]),
        material=material_from_json(data["material"]),
        state=State(data["state"]),
        match=_match(data.get("match", {})),
        files=_files(data.get("files", ())),
        problem=Problem(**_texts(_known(Problem, data["problem"]))) if data.get("problem") else None,
        earlier=tuple(_edition_from_json(item) for item in data.get("earlier", ())),
        history=tuple(_transition(item) for item in data.get("history", ())),
    )


def _match(data: Mapping[str, Any]) -> Match:
    known = _known(Match, data)
    score = known.pop("score", None)
    # Python reads NaN, which equals nothing: the record would look changed in every night to come.
    if score is not None and not (type(score) in {int, float} and 0 <= score <= 1):
        raise TypeError(f"the score of a match is {score!r:.100}")
    return Match(**_texts(known), score=score)


def _edition_from_json(data: Mapping[str, Any]) -> Edition:
    return Edition(_text(data["until"]), _text(data.get("revision", "")), _files(data["files"]))


def _transition(data: Mapping[str, Any]) -> Transition:
    known = _known(Transition, data)
    state = State(known.pop("state"))
    return Transition(**_texts(known), state=state)


_TEXT = {str}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is {value!r:.100}")
    return value


def _texts(data: dict[str, Any]) -> dict[str, Any]:
    if not set(map(type, data.values())) <= _TEXT:
        for value in data.values():
            _text(value)  # raises
    return data


def _size(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"a size in bytes is {value!r:.100}")
    return value


def material_to_json(material: Material) -> dict[str, Any]:
    """Turn a material into plain JSON data, without what is empty."""
    plain = {name: _plain(getattr(material, name)) for name in _MATERIAL_FIELDS if name != "size"}
    known_size = isinstance(material.size, int) and material.size >= 0
    return _trim({**plain, "size": int(material.size or 0) if known_size else None})


def material_from_json(data: Mapping[str, Any]) -> Material:
    """Read a material back. Raises `ValueError`, `TypeError` or the like on anything else."""
    known = _known(Material, data)
    kind, size, extra = Kind(known.pop("kind")), known.pop("size", None), known.pop("extra", {})
    authors, tags = known.pop("authors", ()), known.pop("tags", ())
    return Material(
        **_texts(known),
        kind=kind,
        authors=tuple(map(_text, authors)),
        tags=tuple(map(_text, tags)),
        size=None if size is None else _size(size),
        extra=_texts(dict(extra)),
    )


def file_from_json(data: Mapping[str, Any]) -> StoredFile:
    """Read the entry of one stored file back. Raises `ValueError`, `TypeError` or the like."""
    known = _known(StoredFile, data)
    path, sha256, size = check_path(known.pop("path")), sha256_text(known.pop("sha256")), known.pop("size")
    role = Role(known.pop("role", Role.ORIGINAL))
    grade = Grade(known.pop("grade", Grade.ORIGINAL))
    return StoredFile(path, _size(size), sha256, role, grade, **_texts(known))


def _files(items: Iterable[Mapping[str, Any]]) -> tuple[StoredFile, ...]:
    return tuple(file_from_json(item) for item in items)


def _known(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    names = _names(kind)
    if data.keys() <= names:
        return dict(data)
    return {key: value for key, value in data.items() if key in names}


@cache
def _names(kind: type) -> frozenset[str]:
    return frozenset(item.name for item in fields(kind))


def newest(one: Record, other: Record) -> Record:
    """Choose between two sinks' records of one material: a takedown wins, else the later transition.

    Of two in the same second the one with more transitions is later. What is still alike is told apart by
    what it says, so that the order of the sinks decides nothing.
    """
    if (one.state is State.TAKEN_DOWN) != (other.state is State.TAKEN_DOWN):
        return one if one.state is State.TAKEN_DOWN else other
    later, earlier = sorted((one, other), key=_age, reverse=True)
    return max(one, other, key=_line) if _age(later) == _age(earlier) else later


def _age(record: Record) -> tuple[str, int, bool, int]:
    return (record.changed_at, len(record.history), bool(record.files), len(record.earlier))


def union(ledgers: Iterable[Mapping[Key, Record]]) -> dict[Key, Record]:
    """Merge the ledgers of several sinks."""
    together: dict[Key, Record] = {}
    for ledger in ledgers:
        for key, record in ledger.items():
            together[key] = merged(together[key], record) if key in together else record
    return together


def merged(one: Record, other: Record) -> Record:
    """Choose the newest of two sinks' records, and keep of the other every file that it alone names.

    Two sinks may each have taken a change that the other missed, in different nights.
    """
    if one == other:
        return one
    first = newest(one, other)
    second = other if first is one else one
    if second.files and not first.files and first.state is not State.TAKEN_DOWN:
        # Stored where one sink was away, and not to be had where the other was: it is stored.
        since = tuple(
            replace(step, state=second.state) for step in first.history if step not in second.history
        )
        # By time: two sinks' nights interleave, and the last line has to stay the newest.
        lines = tuple(sorted((*second.history, *since), key=lambda step: step.at))
        first, second = replace(second, problem=first.problem, history=lines), first
    named = {file for edition in first.earlier for file in edition.files} | set(first.files)
    known = {(file.path, file.sha256) for file in named}
    editions = (*second.earlier, Edition(first.changed_at, second.material.revision, second.files))
    others = [each for each in editions if not known.issuperset((f.path, f.sha256) for f in each.files)]
    if not others:
        return first
    return replace(first, earlier=tuple(sorted([*first.earlier, *others], key=lambda each: each.until)))
