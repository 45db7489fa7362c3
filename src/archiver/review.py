"""What waits for a person: materials of no event, and held ones of no talk, with what they may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archiver.copies import Thing, copies, names, once
from archiver.decisions import METHOD, Decisions, short_id
from archiver.ledger import Record, State
from archiver.model import Event, Material, Role
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
    """One material to decide about. `name` is the word by which a person picks it.

    `same` are the materials with the same bytes that have their talk.
    """

    record: Record
    name: str
    why: str
    candidates: tuple[Candidate, ...]
    same: tuple[Record, ...] = ()

    @property
    def short(self) -> str:
        """Give its id without the event."""
        return short_id(self.record.type_name, self.record.material.id)

    def to_json(self) -> dict[str, Any]:
        """Give the shape of `archive matches list --json`: the sender is masked, no address is in it."""
        material = self.record.material
        return {
            "id": self.short,
            "name": self.name,
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
            "same_bytes": [_place_json(each) for each in self.same],
            "candidates": [
                {"event": each.event, "talk": each.talk, "score": each.score, "why": each.why}
                for each in self.candidates
            ],
        }


@dataclass(frozen=True, slots=True)
class Placed:
    """One material that has its place, and how it got there. `name` is what a person picks it by."""

    record: Record
    name: str

    @property
    def short(self) -> str:
        """Give its id without the event."""
        return short_id(self.record.type_name, self.record.material.id)

    def to_json(self) -> dict[str, Any]:
        """Give the shape of `archive matches list --all --json`."""
        material, found = self.record.material, self.record.match
        return {
            "id": self.short,
            "name": self.name,
            "source": self.record.source,
            "event": material.event,
            "talk": found.talk,
            "method": found.method,
            "why": found.why,
            "score": found.score,
            "kind": material.kind.value,
            "title": material.title,
            "held": bool(self.record.files),
        }


def _place_json(record: Record) -> dict[str, str]:
    return {"event": record.material.event, "talk": record.match.talk, "title": record.material.title}


def placed(records: Iterable[Record], decisions: Decisions) -> list[Placed]:
    """List what belongs to an event, by event, talk and title. Pure."""
    known = list(records)
    named = names(copies(known, decisions))
    own = [record for record in known if record.material.event and record.state is not State.TAKEN_DOWN]
    found = [Placed(record, named[_thing(record)]) for record in once(own)]
    return sorted(found, key=_by_place)


def _by_place(each: Placed) -> tuple[str, ...]:
    material = each.record.material
    return (material.event, each.record.match.talk, material.kind.value, material.title, each.short)


def waiting(records: Iterable[Record], router: Router) -> list[Waiting]:
    """List what waits, the newest first. Pure."""
    known = list(records)
    events = {event.id: event for event in router.events}
    open_ones = once(record for record in known if _is_open(record, events, router))
    named, held = names(copies(known, router.decisions)), _of_talks(known)
    found = [_waiting(record, named[_thing(record)], held, router) for record in open_ones]
    return sorted(found, key=lambda each: (each.record.material.date, each.short), reverse=True)


def _thing(record: Record) -> Thing:
    return (record.material.event, record.type_name, record.material.id)


def _of_talks(records: Iterable[Record]) -> Mapping[str, Sequence[Record]]:
    """Give what is held of talks, by the SHA-256 of each file that stands for it."""
    found: dict[str, list[Record]] = {}
    for record in records:
        if record.match.talk and record.state is not State.TAKEN_DOWN:
            for digest in _digests(record):
                found.setdefault(digest, []).append(record)
    return found


def _digests(record: Record) -> set[str]:
    # A sidecar says nothing: two attachments have the text of their mail in common. Nor does an empty file.
    return {file.sha256 for file in record.files if file.role is not Role.SIDECAR and file.size}


def _waiting(record: Record, name: str, held: Mapping[str, Sequence[Record]], router: Router) -> Waiting:
    material = record.material
    why = record.match.why if record.files else record.problem.detail if record.problem else ""
    found = tuple(candidates(material, router))
    same = {each.key: each for digest in sorted(_digests(record)) for each in held.get(digest, ())}
    return Waiting(record, name, why, found, tuple(same.values()))


def _is_decided(record: Record, decisions: Decisions) -> bool:
    return decisions.about(record.type_name, record.material.id, record.material.event) is not None


def _is_open(record: Record, events: dict[str, Event], router: Router) -> bool:
    if record.state is State.TAKEN_DOWN or _is_decided(record, router.decisions):
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
