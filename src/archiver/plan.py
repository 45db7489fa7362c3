"""Compare what is listed with what the ledgers say; the result is pure data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

from archiver.decisions import ACCEPTED
from archiver.errors import GoneError, LinkOnlyError
from archiver.ledger import Key, Problem, Record, State
from archiver.pointers import is_handed
from archiver.route import REJECTED, UNROUTED, Filters, Found

#: In the history of what an entry listed that is no longer in the configuration.
OUT_OF_SCOPE = "out of scope"
#: In the history of what is listed for another event by now.
MOVED = "listed for another event"
RETURNED = "listed again"


class Standing(StrEnum):
    """How far a listing is believed."""

    COMPLETE = "complete"  # what it does not name is not there any more
    PARTIAL = "partial"  # filtered, limited, or only what changed: absence says nothing
    DOUBTFUL = "doubtful"  # it failed or shrank: what is new is taken, what is known stays as it is
    HANDED = "handed over"  # by a person: nothing else of this source is looked at


@dataclass(frozen=True, slots=True)
class Work:
    """One material to fetch, and why: `new`, `changed` or `retry`."""

    found: Found
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """A ledger transition that needs no fetch."""

    key: Key
    found: Found | None
    state: State
    problem: Problem | None = None
    reason: str = ""


@dataclass
class Plan:
    """What a run will do.

    `dropped` are pending records of materials that are listed for another event by now; `left` is what was
    listed, would be worked on, and is above the limit.
    """

    work: list[Work] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    same: list[Found] = field(default_factory=list)
    obstacles: list[Found] = field(default_factory=list)  # listed, but upstream does not give it
    dropped: list[Key] = field(default_factory=list)
    left: list[Work] = field(default_factory=list)

    def keep(self, limit: int | None) -> None:
        """Keep as much work as the limit allows; the rest is left."""
        if limit is not None:
            self.left += self.work[limit:]
            del self.work[limit:]

    def extend(self, further: Plan) -> None:
        """Add what another plan will do."""
        for each in fields(self):
            getattr(self, each.name).extend(getattr(further, each.name))


@dataclass(frozen=True)
class Knowledge:
    """What the planner goes by, beside the listings.

    `revisions` maps `ledger_name(key)` to a revision already seen to hold the stored bytes, so that a
    touched but unchanged file is not fetched each night. `rescoped` names, by source, the events whose
    entries changed since the last complete listing. `events` are the configured ones.
    """

    ledger: Mapping[Key, Record]
    listings: Mapping[str, Standing]
    events: Collection[str]
    filters: Filters = field(default_factory=Filters)
    revisions: Mapping[str, str] = field(default_factory=dict)
    rescoped: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def standing(self, source: str) -> Standing:
        """Say how far the listing of a source is believed; one that was not listed says nothing."""
        return self.listings.get(source, Standing.DOUBTFUL)


def plan(found: Sequence[Found], known: Knowledge) -> Plan:
    """Decide for every listed and every known material."""
    result = Plan()
    listed = _distinct(_as_before(found, known))
    for item in listed.values():
        if not _is_rejected(item):
            _decide(item, known, result)
        elif item.key in known.ledger:
            result.same.append(item)  # held from before: kept, and never fetched again
    _unlisted(listed, known, result)
    result.keep(known.filters.limit)
    return result


def ledger_name(key: Key) -> str:
    """Write a key as one text, for reports."""
    return "/".join(key)


def _as_before(found: Sequence[Found], known: Knowledge) -> Iterable[Found]:
    """Keep what events hold with those events when nothing points to any event now."""
    homes: dict[tuple[str, ...], list[str]] = {}
    if any(not item.material.event for item in found):
        for key, record in known.ledger.items():
            if key[0] and record.files:
                homes.setdefault(key[1:], []).append(key[0])
    for item in found:
        at = [] if item.material.event else homes.get(item.key[1:], [])
        yield from (_at_home(item, home) for home in at)
        if not at:
            yield item


def _is_rejected(item: Found) -> bool:
    return item.problem is not None and item.problem.reason == REJECTED


def _at_home(item: Found, home: str) -> Found:
    lost = item.problem is not None and item.problem.reason == UNROUTED
    material = replace(item.material, event=home)
    return replace(item, material=material, problem=None if lost else item.problem)


def _distinct(found: Iterable[Found]) -> dict[Key, Found]:
    """Keep one of each: what can be had before what cannot, then an entry that names the talk."""
    listed: dict[Key, Found] = {}
    for item in found:
        other = listed.get(item.key)
        if other is None or _says_more(item, other):
            listed[item.key] = item
    return listed


def _says_more(item: Found, other: Found) -> bool:
    if (item.problem is None) != (other.problem is None):
        return item.problem is None
    return bool(item.material.talk) and not other.material.talk


def _decide(item: Found, known: Knowledge, result: Plan) -> None:
    record = known.ledger.get(item.key)
    if record is not None and _left_alone(item, record, known):
        result.same.append(item)
    elif item.problem is not None:
        _unobtainable(item, record, item.problem, result)
    elif record is None or not record.files:
        reason = (
            "retry"
            if record and record.problem and record.problem.reason not in {UNROUTED, ACCEPTED}
            else "new"
        )
        result.work.append(Work(item, reason))
    elif record.problem is not None:
        result.work.append(Work(item, "retry"))
    elif _differs(item, record, known.revisions):
        result.work.append(Work(item, "changed"))
    else:
        _same(item, record, result)


def _left_alone(item: Found, record: Record, known: Knowledge) -> bool:
    if record.state is State.TAKEN_DOWN:
        return True
    doubtful = known.standing(item.source) is Standing.DOUBTFUL
    return bool(record.files) and (doubtful or item.material.event not in known.events)


def _differs(item: Found, record: Record, revisions: Mapping[str, str]) -> bool:
    revision = item.material.revision
    seen = (record.material.revision, revisions.get(ledger_name(item.key)))
    return bool(revision) and revision not in seen


def _same(item: Found, record: Record, result: Plan) -> None:
    if record.state is State.WITHDRAWN or is_settled(record):
        result.changes.append(Change(item.key, item, State.STORED, record.problem, RETURNED))
    result.same.append(item)


def _unobtainable(item: Found, record: Record | None, problem: Problem, result: Plan) -> None:
    if record is not None and record.files:
        if problem.reason == GoneError.reason and record.state is State.STORED:
            result.changes.append(Change(item.key, None, State.WITHDRAWN, None, problem.detail))
        result.same.append(item)
        return
    result.obstacles.append(item)
    if record is None or record.problem is None or record.problem.reason != problem.reason:
        result.changes.append(Change(item.key, item, State.PENDING, problem))


def _unlisted(listed: Mapping[Key, Found], known: Knowledge, result: Plan) -> None:
    elsewhere = {(item.source, item.material.id) for item in listed.values() if item.material.event}
    for key, record in known.ledger.items():
        standing = known.standing(key[1])
        if key in listed or standing in {Standing.DOUBTFUL, Standing.HANDED}:
            continue
        if key[1:] in elsewhere:
            _moved(key, record, standing, result)
        elif standing is Standing.COMPLETE:
            _vanished(key, record, known, result)
        elif _worth_another_try(key, record, known):
            # A listing of what changed does not name it again: try once more from what the ledger holds.
            result.work.append(Work(Found(key[1], record.type_name, record.material, "ledger"), "retry"))


def _moved(key: Key, record: Record, standing: Standing, result: Plan) -> None:
    if not record.files and (not key[0] or standing is Standing.COMPLETE):
        result.dropped.append(key)
    elif standing is Standing.COMPLETE and record.state is State.STORED and not is_settled(record):
        result.changes.append(Change(key, None, State.STORED, record.problem, MOVED))


def _vanished(key: Key, record: Record, known: Knowledge, result: Plan) -> None:
    if is_settled(record) or record.state not in {State.STORED, State.PENDING}:
        return
    if is_handed(record.material):
        return  # no entry ever listed it: that it is not listed says nothing
    if key[0] in known.rescoped.get(key[1], frozenset()):
        # Not lost upstream: the configuration does not ask for it any more.
        result.changes.append(Change(key, None, record.state, record.problem, OUT_OF_SCOPE))
    elif record.state is State.STORED:
        result.changes.append(Change(key, None, State.WITHDRAWN, None, "no longer listed"))
    elif record.problem is None or record.problem.reason != GoneError.reason:
        problem = Problem(GoneError.reason, "no longer listed, and never stored here")
        result.changes.append(Change(key, None, State.PENDING, problem))


def _worth_another_try(key: Key, record: Record, known: Knowledge) -> bool:
    return (
        record.problem is not None
        and record.problem.reason not in {GoneError.reason, LinkOnlyError.reason, UNROUTED}
        and not is_handed(record.material)
        and record.state in {State.STORED, State.PENDING}
        and not is_settled(record)
        and key[0] in known.events
        and known.filters.takes(key[0], key[1], record.material.kind)
    )


def is_settled(record: Record) -> bool:
    """Say whether the configuration asked for it no more, when it was last looked for."""
    return bool(record.history) and record.history[-1].reason in {OUT_OF_SCOPE, MOVED}
