"""Compare what the archive holds with what the programme promises.

Each expected thing is one cell: the slides of a talk, the report of an event. A cell is `have` when
the archive can show it; else its state says who has to do what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archiver.decisions import is_rejected
from archiver.errors import BlockedError, GoneError
from archiver.ledger import Record, State, best, best_grade
from archiver.model import Event, Grade, Kind, Role, Talk
from archiver.waivers import Waiver


class Standing(StrEnum):
    """How a cell stands, best first."""

    HAVE = "have"
    PARTIAL = "partial"  # some of it: some talks, or nothing better than a thumbnail
    BLOCKED = "blocked"  # known, and a person has to act before it can be fetched
    LINK = "link"  # known at an address, and not held
    WAIVED = "waived"  # decided not to wait for it
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of material of an event or a talk.

    `have`, `expected` and `waived` count talks where talks expect the kind; else `have` counts
    materials. `withdrawn` counts materials held here that upstream no longer lists, `unmatched` those
    that belong to no talk, `pending` those known and not held. `grade` is the best one of a talk.
    """

    state: Standing
    have: int
    expected: int
    withdrawn: int = 0
    waived: int = 0
    unmatched: int = 0
    pending: int = 0
    grade: Grade | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the four fields that are always there, and the counts that are not zero."""
        data: dict[str, Any] = {
            "state": self.state.value,
            "have": self.have,
            "expected": self.expected,
            "withdrawn": self.withdrawn,
        }
        more = {"waived": self.waived, "unmatched": self.unmatched, "pending": self.pending}
        return {**data, **{name: count for name, count in more.items() if count}}


@dataclass(frozen=True, slots=True)
class TalkCoverage:
    """The cells of one talk."""

    talk: Talk
    kinds: Mapping[Kind, Cell]

    def to_json(self) -> dict[str, Any]:
        """Give the talk as in `archive status --json`; `grade` is null for what is not held."""
        cells = {
            kind.value: {**cell.to_json(), "grade": cell.grade.value if cell.grade else None}
            for kind, cell in self.kinds.items()
        }
        cancelled = {"cancelled": True} if self.talk.cancelled else {}
        return {"id": self.talk.id, "title": self.talk.title, "kinds": cells, **cancelled}


@dataclass(frozen=True, slots=True)
class EventCoverage:
    """The cells of one event and of its talks.

    `pending` are records known and not held, `unmatched` held ones that belong to no talk though
    talks expect their kind, `outdated` held ones of which upstream has a newer state that could not be
    taken.
    """

    event: Event
    kinds: Mapping[Kind, Cell]
    talks: tuple[TalkCoverage, ...]
    pending: tuple[Record, ...] = ()
    unmatched: tuple[Record, ...] = ()
    outdated: tuple[Record, ...] = ()

    def counted(self) -> list[Cell]:
        """Give the cells that coverage counts: the talks' own, and the event's where no talk expects."""
        of_talks = {kind for talk in self.talks for kind in talk.talk.expect}
        cells = [talk.kinds[kind] for talk in self.talks for kind in dict.fromkeys(talk.talk.expect)]
        cells += [cell for kind, cell in self.kinds.items() if cell.expected and kind not in of_talks]
        return cells

    def tally(self) -> tuple[int, int]:
        """Count the cells that are held, and those that are wanted: expected, and not waived."""
        wanted = [cell for cell in self.counted() if cell.state is not Standing.WAIVED]
        return sum(cell.state is Standing.HAVE for cell in wanted), len(wanted)

    def to_json(self) -> dict[str, Any]:
        """Give the event as in `archive status --json`."""
        return {
            "id": self.event.id,
            "title": self.event.title,
            "kinds": {kind.value: cell.to_json() for kind, cell in self.kinds.items()},
            "talks": [talk.to_json() for talk in self.talks],
        }


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every event in the order of the programme, and what is in none of them.

    `unrouted` are pending records that no event has yet, `outside` held ones of events that the
    programme does not name (any more).
    """

    events: tuple[EventCoverage, ...]
    unrouted: tuple[Record, ...] = ()
    outside: tuple[Record, ...] = ()

    @property
    def share(self) -> float:
        """Give have ÷ (expected − waived) over all cells, each counted once; 1 when nothing is expected."""
        have, wanted = self.tally()
        return have / wanted if wanted else 1.0

    def held(self) -> set[tuple[str, str, Kind]]:
        """Name the cells that are held: event, talk ("" for the event as a whole), kind."""
        talks = {
            (event.event.id, talk.talk.id, kind): cell
            for event in self.events
            for talk in event.talks
            for kind, cell in talk.kinds.items()
        }
        whole = {
            (event.event.id, "", kind): cell for event in self.events for kind, cell in event.kinds.items()
        }
        return {place for place, cell in (whole | talks).items() if cell.state is Standing.HAVE}

    @property
    def percent(self) -> int:
        """Give the share in whole percent, rounded down: 100 means that nothing is missing."""
        have, wanted = self.tally()
        return 100 * have // wanted if wanted else 100

    def tally(self) -> tuple[int, int]:
        """Count the cells that are held, and those that are wanted: expected, and not waived."""
        counts = [event.tally() for event in self.events]
        return sum(have for have, _ in counts), sum(wanted for _, wanted in counts)

    def to_json(self) -> dict[str, Any]:
        """Give the shape of `archive status --json`."""
        return {"events": [event.to_json() for event in self.events], "coverage": round(self.share, 4)}


def coverage(events: Sequence[Event], records: Iterable[Record], waivers: Iterable[Waiver] = ()) -> Coverage:
    """Compare the programme with the ledgers' records. Pure.

    Records of events that are not in `events` are only named. What was taken down or rejected counts for
    nothing.
    """
    by_event: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda item: item.key):
        if record.state is not State.TAKEN_DOWN and not is_rejected(record):
            by_event.setdefault(record.material.event, []).append(record)
    waived = frozenset((waiver.event, waiver.talk, waiver.kind) for waiver in waivers)
    return Coverage(
        tuple(_event(event, by_event.get(event.id, []), waived) for event in events),
        unrouted=tuple(record for record in by_event.get("", []) if not record.files),
        outside=tuple(
            record
            for event in sorted(by_event.keys() - {"", *(event.id for event in events)})
            for record in by_event[event]
            if _held(record)
        ),
    )


_Waived = frozenset[tuple[str, str, Kind]]


def _event(event: Event, records: Sequence[Record], waived: _Waived) -> EventCoverage:
    known = {talk.id for talk in event.talks}
    talks = tuple(
        _talk(event.id, talk, [record for record in records if record.match.talk == talk.id], waived)
        for talk in event.talks
    )
    # What a person decided is decided: it is of the event as a whole.
    loose = [each for each in records if each.match.talk not in known and each.match.method != "decision"]
    kinds = {}
    for kind in Kind:
        found = [record for record in records if record.material.kind is kind]
        cell = _event_cell(event, kind, talks, found, loose, waived)
        if cell.expected or cell.state is not Standing.MISSING:
            kinds[kind] = cell
    by_talks = {kind for talk in event.talks for kind in talk.expect}
    return EventCoverage(
        event,
        kinds,
        talks,
        pending=tuple(record for record in records if not _held(record)),
        unmatched=tuple(record for record in loose if _held(record) and record.material.kind in by_talks),
        outdated=tuple(record for record in records if _held(record) and record.problem is not None),
    )


def _talk(event_id: str, talk: Talk, records: Sequence[Record], waived: _Waived) -> TalkCoverage:
    kinds = {}
    for kind in Kind:
        found = [record for record in records if record.material.kind is kind]
        given_up = bool(waived & {(event_id, talk.id, kind), (event_id, "", kind)})
        cell = _cell(found, int(kind in talk.expect), given_up=given_up)
        if cell.expected or cell.state is not Standing.MISSING:
            kinds[kind] = cell
    return TalkCoverage(talk, kinds)


def _event_cell(
    event: Event,
    kind: Kind,
    talks: Sequence[TalkCoverage],
    found: Sequence[Record],
    loose: Sequence[Record],
    waived: _Waived,
) -> Cell:
    cells = [talk.kinds[kind] for talk in talks if kind in talk.talk.expect]
    if not cells:
        return _cell(found, int(kind in event.expect), given_up=(event.id, "", kind) in waived, of_talk=False)
    unmatched = {record.key for record in loose if record.material.kind is kind and _held(record)}
    return Cell(
        _sum_state(cells, [record for record in found if record.key not in unmatched]),
        have=sum(cell.state is Standing.HAVE for cell in cells),
        expected=len(cells),
        withdrawn=_withdrawn(found),
        waived=sum(cell.state is Standing.WAIVED for cell in cells),
        unmatched=len(unmatched),
        pending=sum(not _held(record) for record in found),
    )


def _sum_state(cells: Sequence[Cell], found: Sequence[Record]) -> Standing:
    """Sum up the cells of the talks, and what a person said is of the event as a whole.

    `found` is without what is here and belongs to no talk yet: that is counted beside, and fills no cell.
    """
    states = {cell.state for cell in cells}
    if states <= {Standing.HAVE, Standing.WAIVED}:
        return Standing.HAVE if Standing.HAVE in states else Standing.WAIVED
    if states & {Standing.HAVE, Standing.PARTIAL} or any(map(_held, found)):
        return Standing.PARTIAL
    return _absent(found, given_up=False)


def _cell(records: Sequence[Record], expected: int, *, given_up: bool, of_talk: bool = True) -> Cell:
    held = [record for record in records if _held(record)]
    grade = best(best_grade(record.files) for record in held)
    state = _state(records, grade, given_up=given_up)
    return Cell(
        state,
        have=len(held),
        expected=expected,
        withdrawn=_withdrawn(held),
        waived=expected if state is Standing.WAIVED else 0,
        pending=len(records) - len(held),
        grade=grade if of_talk else None,
    )


def _state(records: Sequence[Record], grade: Grade | None, *, given_up: bool) -> Standing:
    if grade is None:
        return _absent(records, given_up=given_up)
    if grade is Grade.THUMBNAIL:  # shows that there is a deck, and cannot be read
        return Standing.WAIVED if given_up else Standing.PARTIAL
    return Standing.HAVE


def _absent(records: Iterable[Record], *, given_up: bool) -> Standing:
    if given_up:
        return Standing.WAIVED
    reasons = {_reason(record) for record in records}
    if BlockedError.reason in reasons:
        return Standing.BLOCKED
    return Standing.LINK if "link" in reasons else Standing.MISSING


def _reason(record: Record) -> str:
    """Say why a record is pending: `blocked`, `gone`, or `link` when an address is all there is."""
    reason = record.problem.reason if record.problem else ""
    if reason in (BlockedError.reason, GoneError.reason):
        return reason
    return "link" if record.material.url.startswith(("http://", "https://")) else ""


def _held(record: Record) -> bool:
    return any(file.role is not Role.SIDECAR for file in record.files)


def _withdrawn(records: Iterable[Record]) -> int:
    return sum(record.state is State.WITHDRAWN and _held(record) for record in records)
