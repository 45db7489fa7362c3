"""What waits for a person: materials of no event, and held ones of no talk, with what they may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from archiver.decisions import METHOD, short_id
from archiver.ledger import Record, State
from archiver.model import Event, Material
from archiver.routing import Router, evidence, hints

#: Candidates of one material that are shown, and the least score of one that the title alone suggests.
MOST, LEAST = 5, 0.2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a material may belong. `talk` "" is the event as a whole; `score` runs from 0 to 1."""

    event: str
    talk: str
    score: float
    why: str

    @property
    def place(self) -> str:
        """Write it as `archive matches accept` takes it."""
        return "/".join(part for part in (self.event, self.talk) if part)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One material to decide about. `short` is the name by which a person picks it."""

    record: Record
    short: str
    why: str
    candidates: tuple[Candidate, ...]

    def to_json(self) -> dict[str, Any]:
        """Give the shape of `archive matches list --json`: the sender is masked, no address is in it."""
        material = self.record.material
        return {
            "id": self.short,
            "source": self.record.source,
            "event": material.event,
            "held": bool(self.record.files),
            "kind": material.kind.value,
            "title": material.title,
            "file": material.extra.get("name", ""),
            "subject": material.extra.get("subject", ""),
            "sender": sender(material),
            "date": material.date,
            "url": material.url,
            "why": self.why,
            "candidates": [
                {"event": each.event, "talk": each.talk, "score": each.score, "why": each.why}
                for each in self.candidates
            ],
        }


@dataclass(frozen=True, slots=True)
class Placed:
    """One material that has its place, and how it got there."""

    record: Record
    short: str

    def to_json(self) -> dict[str, Any]:
        """Give the shape of `archive matches list --all --json`."""
        material, found = self.record.material, self.record.match
        return {
            "id": self.short,
            "source": self.record.source,
            "event": material.event,
            "talk": found.talk,
            "method": found.method,
            "score": found.score,
            "kind": material.kind.value,
            "title": material.title,
            "held": bool(self.record.files),
        }


def placed(records: Iterable[Record]) -> list[Placed]:
    """List what belongs to an event, by event, talk and title. Pure."""
    own = [record for record in records if record.material.event and record.state is not State.TAKEN_DOWN]
    found = [Placed(record, short_id(record.type_name, record.material.id)) for record in _once(own)]
    return sorted(found, key=_by_place)


def _by_place(each: Placed) -> tuple[str, ...]:
    material = each.record.material
    return (material.event, each.record.match.talk, material.kind.value, material.title, each.short)


def waiting(records: Iterable[Record], router: Router) -> list[Waiting]:
    """List what waits, the newest first. Pure."""
    events = {event.id: event for event in router.events}
    open_ones = _once(record for record in records if _is_open(record, events, router))
    found = [_waiting(record, router) for record in open_ones]
    return sorted(found, key=lambda each: (each.record.material.date, each.short), reverse=True)


def _once(records: Iterable[Record]) -> Iterable[Record]:
    """Give each material of an event once, however many lists it is in: one that is held if there is any."""
    found: dict[tuple[str, str, str], Record] = {}
    for record in records:
        thing = (record.material.event, record.type_name, record.material.id)
        if thing not in found or (record.files and not found[thing].files):
            found[thing] = record
    return found.values()


def _waiting(record: Record, router: Router) -> Waiting:
    material = record.material
    why = record.match.why if record.files else record.problem.detail if record.problem else ""
    found = tuple(candidates(material, router))
    return Waiting(record, short_id(record.type_name, material.id), why, found)


def _is_open(record: Record, events: dict[str, Event], router: Router) -> bool:
    if record.state is State.TAKEN_DOWN or router.decisions.about(record.type_name, record.material.id):
        return False
    if not record.material.event:
        return not record.files
    event = events.get(record.material.event)
    if event is None or not record.files or record.match.method == METHOD:
        return False
    expected = {kind for talk in event.talks for kind in talk.expect}
    return record.match.talk not in {talk.id for talk in event.talks} and record.material.kind in expected


def candidates(material: Material, router: Router) -> Iterator[Candidate]:
    """Give the places where a material may belong, the likeliest first."""
    found: dict[tuple[str, str], Candidate] = {}
    for each in (*_asked(material, router), *_sent(material), *_titled(material, router)):
        before = found.get((each.event, each.talk))
        why = f"{before.why}; {each.why}" if before and before.why != each.why else each.why
        score = max(each.score, before.score if before else 0.0)
        found[each.event, each.talk] = Candidate(each.event, each.talk, score, why)
    own = [each for each in found.values() if material.event in ("", each.event)]
    yield from sorted(own, key=lambda each: (-each.score, each.place))[:MOST]


def _asked(material: Material, router: Router) -> Iterator[Candidate]:
    read = hints.read(material)
    claim = evidence.claim(read, router.asks) if read else None
    for talk in claim.talks if claim else ():
        assert claim is not None
        yield Candidate(claim.event, talk, 0.5, f"the mail answers ours ({claim.how})")


def _sent(material: Material) -> Iterator[Candidate]:
    read = hints.read(material)
    for event, talk in read.sender_talks if read else ():
        yield Candidate(event, talk, 0.4, "its speaker sent it")


def _titled(material: Material, router: Router) -> Iterator[Candidate]:
    title = hints.without_code(material.title)
    titles = evidence.titles(replace(material, title=title), router.events, router.series)
    for event, ranks in titles.ranks.items():
        for each in ranks:
            if each.score >= LEAST:
                yield Candidate(event, each.talk.id, each.score, "by its title")


def sender(material: Material) -> str:
    """Say who sent it, so far that an organizer recognises it: "J… C…"."""
    return ", ".join(" ".join(f"{word[0]}…" for word in name.split()) for name in material.authors)
