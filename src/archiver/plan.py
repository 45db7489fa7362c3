"""Compare what is listed with what the ledgers say; the result is pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from archiver.errors import GoneError
from archiver.ledger import Key, Problem, Record, State
from archiver.route import Filters, Found

#: In the history of what an entry listed that is no longer in the configuration.
OUT_OF_SCOPE = "out of scope"


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
    """What a run will do."""

    work: list[Work] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    same: list[Found] = field(default_factory=list)
    obstacles: list[Found] = field(default_factory=list)  # listed, but upstream does not give it


def plan(
    found: Sequence[Found],
    ledger: Mapping[Key, Record],
    *,
    listings: Mapping[str, bool],
    filters: Filters,
    revisions: Mapping[str, str],
    rescoped: Mapping[str, frozenset[str]] = MappingProxyType({}),
) -> Plan:
    """Decide for every listed and every known material.

    `listings` names the sources that were listed without error, and whether the listing was complete
    and unfiltered: only there does absence mean anything. `revisions` maps `ledger_name(key)` to a
    revision already seen to hold the stored
    bytes, so that a touched but unchanged file is not fetched each night. `rescoped` names, by source,
    the events whose entries changed since the listing before.
    """
    result = Plan()
    listed: dict[Key, Found] = {}
    for item in found:
        if item.key not in listed or item.material.talk:  # an entry that names the talk knows more
            listed[item.key] = item
    for item in listed.values():
        _decide(item, ledger.get(item.key), revisions, result)
    _unlisted(listed, ledger, listings, filters, rescoped, result)
    if filters.limit is not None:
        del result.work[filters.limit :]
    return result


def ledger_name(key: Key) -> str:
    """Write a key as one text, for reports."""
    return "/".join(key)


def _decide(item: Found, known: Record | None, revisions: Mapping[str, str], result: Plan) -> None:
    if known is not None and known.state is State.TAKEN_DOWN:
        result.same.append(item)
    elif item.problem is not None:
        _unobtainable(item, known, item.problem, result)
    elif known is None or not known.files:
        reason = "retry" if known and known.problem and known.problem.reason != "unrouted" else "new"
        result.work.append(Work(item, reason))
    elif known.problem is not None:
        result.work.append(Work(item, "retry"))
    elif _differs(item, known, revisions):
        result.work.append(Work(item, "changed"))
    else:
        _same(item, known, result)


def _differs(item: Found, known: Record, revisions: Mapping[str, str]) -> bool:
    revision = item.material.revision
    seen = (known.material.revision, revisions.get(ledger_name(item.key)))
    return bool(revision) and revision not in seen


def _same(item: Found, known: Record, result: Plan) -> None:
    if known.state is State.WITHDRAWN:
        result.changes.append(Change(item.key, item, State.STORED, reason="listed again"))
    result.same.append(item)


def _unobtainable(item: Found, known: Record | None, problem: Problem, result: Plan) -> None:
    if known is None or not known.files:
        result.obstacles.append(item)
    if known is not None and known.files:
        if problem.reason == GoneError.reason and known.state is State.STORED:
            result.changes.append(Change(item.key, None, State.WITHDRAWN, reason=problem.detail))
        result.same.append(item)
    elif known is None or known.problem is None or known.problem.reason != problem.reason:
        result.changes.append(Change(item.key, item, State.PENDING, problem))


def _unlisted(
    listed: Mapping[Key, Found],
    ledger: Mapping[Key, Record],
    listings: Mapping[str, bool],
    filters: Filters,
    rescoped: Mapping[str, frozenset[str]],
    result: Plan,
) -> None:
    upstream = {(item.source, item.material.id) for item in listed.values()}
    for key, known in ledger.items():
        if key in listed or known.source not in listings or (known.source, known.material.id) in upstream:
            continue
        if listings[known.source]:
            _vanished(key, known, key[0] in rescoped.get(known.source, frozenset()), result)
        elif key[0] and known.problem is not None and filters.takes(key[0], key[1], known.material.kind):
            # An incremental listing does not name it again: try once more from what the ledger holds.
            again = Found(known.source, known.type_name, known.material, "ledger")
            result.work.append(Work(again, "retry"))


def _vanished(key: Key, known: Record, rescoped: bool, result: Plan) -> None:
    if known.history and known.history[-1].reason == OUT_OF_SCOPE:
        return
    if rescoped and known.state in {State.STORED, State.PENDING}:
        # Not lost upstream: the configuration does not ask for it any more.
        result.changes.append(Change(key, None, known.state, known.problem, OUT_OF_SCOPE))
    elif known.state is State.STORED:
        result.changes.append(Change(key, None, State.WITHDRAWN, reason="no longer listed"))
    elif known.state is State.PENDING and known.problem and known.problem.reason != GoneError.reason:
        problem = Problem(GoneError.reason, "no longer listed, and never stored here")
        result.changes.append(Change(key, None, State.PENDING, problem))
