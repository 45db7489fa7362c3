"""What people decided about single materials: where each belongs, or that it does not belong here.

A decision holds for the type of source and the source's own id, whatever the source is called in the
configuration and wherever the material is listed; the latest one counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
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
    somebody accept it after all.
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

    @property
    def item(self) -> Item:
        """What it is about."""
        return (self.type_name, self.id)

    @property
    def place(self) -> str:
        """Where the material belongs: "beijing/chef", "beijing", or "" when it was rejected."""
        return "/".join(part for part in (self.event, self.talk) if part)

    def to_json(self) -> dict[str, Any]:
        """Give its line in the logbook."""
        plain = {name: getattr(self, name) for name in _TEXTS}
        kept = material_to_json(self.material) if self.material else None
        data = {**plain, "verdict": self.verdict.value, "material": kept}
        return {key: value for key, value in data.items() if value}


@dataclass(frozen=True)
class Decisions:
    """The decisions that hold."""

    latest: Mapping[Item, Decision] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Iterable[Line], events: Iterable[Event]) -> Decisions:
        """Read a logbook.

        An event that the configuration does not name any more is passed over, so that the material waits
        for a decision again; of a talk that is gone the event remains.
        """
        talks = {event.id: {talk.id for talk in event.talks} for event in events}
        read = (_decision(line, talks) for line in sorted(lines, key=lambda line: text(line, "at")))
        latest = {item: decision for item, decision in read if item != ("", "")}
        return cls({item: decision for item, decision in latest.items() if decision is not None})

    def about(self, type_name: str, identity: str) -> Decision | None:
        """Give the decision about a material, if there is one."""
        return self.latest.get((type_name, identity))


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
        decision = decisions.about(record.type_name, record.material.id)
        if decision is None or record.state is State.TAKEN_DOWN:
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
    for decision in decisions.latest.values():
        kept, thing = decision.material, (decision.event, decision.type_name, decision.id)
        # Under whatever name its source has by now.
        if decision.verdict is Verdict.ACCEPT and kept is not None and thing not in things:
            result.entered.append(_accepted(kept, decision.source, decision, at, run))
    return result


def _thing(record: Record) -> tuple[str, str, str]:
    return (record.material.event, record.type_name, record.material.id)


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


def _decision(line: Line, talks: Mapping[str, set[str]]) -> tuple[Item, Decision | None]:
    item = (text(line, "type_name"), text(line, "id"))
    verdict, event, talk = text(line, "verdict"), text(line, "event"), text(line, "talk")
    if verdict not in set(Verdict) or (verdict == Verdict.ACCEPT and event not in talks):
        return item, None
    talk = talk if talk in talks.get(event, ()) else ""
    plain = {name: text(line, name) for name in _TEXTS}
    kept = line.get("material")
    try:
        material = material_from_json(kept) if isinstance(kept, dict) else None
    except UNREADABLE:
        material = None  # the decision holds all the same
    given = {**plain, "event": event, "talk": talk}
    return item, Decision(**given, verdict=Verdict(verdict), material=material)
