"""What people decided about single materials: where each belongs, or that it does not belong here.

A decision holds for the type of source and the source's own id, whatever the source is called in the
configuration and wherever the material is listed; the latest one counts. Where several events have a copy of
their own, such as one file that was added to two, it names the event and holds for the copy there alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from archiver.inventory import UNREADABLE
from archiver.ledger import Key, Match, Problem, Record, State, material_from_json, material_to_json
from archiver.logbook import Line, text
from archiver.model import Event, Material

#: Why a record is pending that a person has just accepted.
ACCEPTED = "accepted"
#: How a talk was found that a person named.
METHOD = "decision"
#: How the `why` of a match begins that a decision made: not here; not in this event.
_REJECTED, _ELSEWHERE = "rejected", "it belongs to "
_TEXTS = ("type_name", "id", "at", "event", "talk", "reason", "source", "title")

Item = tuple[str, str]


class Verdict(StrEnum):
    """What was decided."""

    ACCEPT = "accept"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. `type_name` and `id` name the material, `source` and `title` are for readers.

    `material` is kept of what was rejected: a mailbox that is read once does not list it again, should
    somebody accept it after all. `within` is the event in which the copy lies that is meant, "" for the one
    of no event; None, as in all lines of earlier versions, means every copy.
    """

    type_name: str
    id: str
    verdict: Verdict
    at: str
    event: str = ""
    talk: str = ""
    reason: str = ""
    source: str = ""
    title: str = ""
    material: Material | None = None
    within: str | None = None

    @property
    def item(self) -> Item:
        """What it is about."""
        return (self.type_name, self.id)

    @property
    def place(self) -> str:
        """Where the material belongs: "beijing/chef", "beijing", or "" when it was rejected."""
        return "/".join(part for part in (self.event, self.talk) if part)

    def concerns(self, event: str) -> bool:
        """Say whether it is about the copy in an event, or brings one there."""
        return self.within in (None, event) or (self.verdict is Verdict.ACCEPT and self.event == event)

    def to_json(self) -> dict[str, Any]:
        """Give its line in the logbook."""
        plain = {name: getattr(self, name) for name in _TEXTS}
        kept = material_to_json(self.material) if self.material else None
        data = {**plain, "verdict": self.verdict.value, "material": kept}
        scope = {} if self.within is None else {"within": self.within}
        return {key: value for key, value in data.items() if value} | scope


@dataclass(frozen=True)
class Decisions:
    """The decisions that hold, the oldest first."""

    held: tuple[Decision, ...] = ()

    @classmethod
    def of(cls, lines: Iterable[Line], events: Iterable[Event]) -> Decisions:
        """Read a logbook.

        An event that the configuration does not name any more is passed over, so that the material waits
        for a decision again; of a talk that is gone the event remains.
        """
        talks = {event.id: {talk.id for talk in event.talks} for event in events}
        latest: dict[Item, dict[str | None, Decision | None]] = {}
        for line in sorted(lines, key=lambda line: text(line, "at")):
            item, within = (text(line, "type_name"), text(line, "id")), _within(line)
            of_item = latest.setdefault(item, {})
            if within is None:
                of_item.clear()  # it is about every copy: nothing earlier counts
            of_item.pop(within, None)  # so that the latest stands last
            of_item[within] = _decision(line, talks)
        latest.pop(("", ""), None)
        found = (each for of_item in latest.values() for each in of_item.values() if each is not None)
        return cls(tuple(sorted(found, key=lambda each: each.at)))

    @cached_property
    def _by_item(self) -> Mapping[Item, Sequence[Decision]]:
        found: dict[Item, list[Decision]] = {}
        for each in self.held:
            found.setdefault(each.item, []).append(each)
        return found

    def knows(self, type_name: str, identity: str) -> bool:
        """Say whether anything was decided about any copy of a material."""
        return (type_name, identity) in self._by_item

    def about(self, type_name: str, identity: str, event: str) -> Decision | None:
        """Give the decision about the copy of a material in an event, "" for the copy of no event.

        What was brought to another event, and decided about anew there, went where the later one says.
        """
        found, at = None, event
        left = list(self._by_item.get((type_name, identity), ()))
        while fitting := [number for number, each in enumerate(left) if each.concerns(at)]:
            found = left[fitting[-1]]
            if found.verdict is Verdict.REJECT or found.event == at:
                break
            # Only what was decided later leads on from there: so it ends.
            at, left = found.event, left[fitting[-1] + 1 :]
        return found


def short_id(type_name: str, identity: str) -> str:
    """Give the name by which a person picks a material: eight hex digits, the same on every machine."""
    return hashlib.sha256(f"{type_name}\0{identity}".encode("utf-8", "surrogatepass")).hexdigest()[:8]


def match(decision: Decision, event: str) -> Match | None:
    """Give the match that a decision means for a record in an event; None when titles are to tell."""
    if decision.verdict is Verdict.REJECT:
        why = f"{_REJECTED}: {decision.reason}" if decision.reason else _REJECTED
        return Match(method=METHOD, why=why)
    if decision.event != event:
        return Match(method=METHOD, why=f"{_ELSEWHERE}{decision.place}")
    return Match(decision.talk, METHOD, 1.0) if decision.talk else None


def is_of_event(found: Match) -> bool:
    """Say whether a match means that a person placed the material in its event, and in no certain talk."""
    return found.method == METHOD and not found.talk and not found.why.startswith((_REJECTED, _ELSEWHERE))


@dataclass
class Settled:
    """How a ledger becomes what was decided: records to forget, and records to enter."""

    dropped: list[Key] = field(default_factory=list)
    entered: list[Record] = field(default_factory=list)

    def apply(self, known: dict[Key, Record]) -> None:
        """Change a ledger."""
        for key in self.dropped:
            known.pop(key, None)
        known.update({record.key: record for record in self.entered})


def settle(known: Mapping[Key, Record], decisions: Decisions, at: str, run: str = "") -> Settled:
    """Say what the decisions change in a ledger; nothing when it follows them already. Pure.

    What a person rejected and the archive does not hold is forgotten. What is held stays held: then only
    its talk changes. What was accepted for another event is entered there, to be fetched.
    """
    result = Settled()
    for key, record in known.items():
        if record.state is State.TAKEN_DOWN:
            continue
        decision = decisions.about(record.type_name, record.material.id, key[0])
        if decision is None:
            if _is_left_over(record, decisions):
                result.dropped.append(key)
            continue
        moves = decision.verdict is Verdict.ACCEPT and decision.event != key[0]
        if not record.files and (moves or decision.verdict is Verdict.REJECT):
            result.dropped.append(key)
        elif (after := _matched(record, decision)) is not None:
            reason = "rejected" if decision.verdict is Verdict.REJECT else ACCEPTED
            result.entered.append(record.moved(record.state, at, run, reason, match=after))
        if moves and (decision.event, *key[1:]) not in known:
            result.entered.append(_accepted(record.material, record.source, decision, at, run))
    things = {_thing(record) for record in (*known.values(), *result.entered)}
    result.entered += [_back(each, at, run) for each in _returning(decisions) if _place(each) not in things]
    return result


def _returning(decisions: Decisions) -> Iterator[Decision]:
    """Give what was accepted after all: no ledger need know of it any more."""
    for each in decisions.held:
        kept = each.verdict is Verdict.ACCEPT and each.material is not None
        if kept and decisions.about(*each.item, each.event) is each:
            yield each


def _place(decision: Decision) -> tuple[str, str, str]:
    # Under whatever name its source has by now.
    return (decision.event, *decision.item)


def _back(decision: Decision, at: str, run: str) -> Record:
    assert decision.material is not None
    return _accepted(decision.material, decision.source, decision, at, run)


def _thing(record: Record) -> tuple[str, str, str]:
    return (record.material.event, record.type_name, record.material.id)


def _is_left_over(record: Record, decisions: Decisions) -> bool:
    """Say whether it waits in an event to which an earlier decision sent it, that counts no more."""
    reason = record.problem.reason if record.problem else ""
    waits = reason == ACCEPTED and not record.files
    # Without any decision its event or the decision's place is gone from the configuration: it waits on.
    return waits and decisions.knows(record.type_name, record.material.id)


def _matched(record: Record, decision: Decision) -> Match | None:
    """Give the match that a decision changes, None when it changes nothing."""
    wanted = match(decision, record.material.event)
    if wanted is None and record.files and not record.match.talk:
        wanted = of_the_event()
    return wanted if wanted is not None and wanted != record.match else None


def is_rejected(record: Record) -> bool:
    """Say whether a person decided that what is held does not belong here: it stays, counting for nothing."""
    found = record.match
    told = found.why == _REJECTED or found.why.startswith(f"{_REJECTED}: ")
    return found.method == METHOD and not found.talk and told


def of_the_event() -> Match:
    """Give the match of what a person placed in an event, and no title in a talk."""
    return Match(method=METHOD, why="accepted for the event as a whole")


def _accepted(material: Material, source: str, decision: Decision, at: str, run: str) -> Record:
    material = replace(material, event=decision.event, talk=decision.talk)
    matched = match(decision, decision.event) or Match()
    made = Record(source, decision.type_name, material, State.PENDING, matched)
    problem = Problem(ACCEPTED, "accepted; it is fetched at the next run")
    return made.moved(State.PENDING, at, run, ACCEPTED, problem=problem)


def _within(line: Line) -> str | None:
    within = line.get("within")
    return within if isinstance(within, str) else None


def _decision(line: Line, talks: Mapping[str, set[str]]) -> Decision | None:
    verdict, event, talk = text(line, "verdict"), text(line, "event"), text(line, "talk")
    if verdict not in set(Verdict) or (verdict == Verdict.ACCEPT and event not in talks):
        return None
    talk = talk if talk in talks.get(event, ()) else ""
    plain = {name: text(line, name) for name in _TEXTS}
    kept = line.get("material")
    try:
        material = material_from_json(kept) if isinstance(kept, dict) else None
    except UNREADABLE:
        material = None  # the decision holds all the same
    given = {**plain, "event": event, "talk": talk}
    return Decision(**given, verdict=Verdict(verdict), material=material, within=_within(line))
