"""Say how a material found its event and its talk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archiver import added
from archiver.decisions import Decision, Verdict
from archiver.explain.model import Knowledge
from archiver.ledger import Record
from archiver.matching import THRESHOLD, rank
from archiver.model import Material
from archiver.pointers import FOUND_AT, FOUND_IN, is_handed
from archiver.review import LEAST

#: How a talk was found → in words.
METHODS = {
    "id": "it has, or links to, the code that its programme gives the talk",
    "speaker": "its title names the talk's speaker, and no other talk",
    "title+time": "of the talks with such a title it is the one at that time",
    "decision": "a person decided so",
    "title": "its title is near enough to the talk's, and to no other's",
    "title+speaker": "its title and its speaker are the talk's",
}
#: How an event was found → in words. The words of `archiver.route` and of what came by mail.
ROUTES = {
    "entry": "its source says so",
    "only event": "only this event uses its source",
    "date": "its date is one of the event's days, and of no other's",
    "tag": "one of its tags names the event",
    "talk": "its source names a talk that only this event has",
    "token": "the mail has the code that we asked with",
    "reply": "the mail answers ours",
    "subject": "the subject of the mail names the event",
    "sender": "a speaker of this event sent it",
    "title": "its title fits one talk of this event alone",
}
_MOST = 3  # talks that are named beside the matched one


def routed(record: Record, known: Knowledge, decision: Decision | None) -> str:
    """Say how a material found its event: worked out again, for ledgers keep only the result."""
    material = record.material
    if not material.event:
        return ""
    if decision is not None and decision.verdict is Verdict.ACCEPT and decision.event == material.event:
        return ROUTES.get("decision", "a person decided so")
    if record.source == added.NAME:
        return "somebody added it to this event by hand"
    if is_handed(material):
        return _reported(material)
    return _listed(record, known)


def _listed(record: Record, known: Knowledge) -> str:
    material = record.material
    spec = next((spec for spec in known.config.sources if spec.name == record.source), None)
    if spec is None:
        return "its source, which the configuration does not name any more, said so"
    users = [entry.event.id for entry in spec.entries]
    again = known.router.route(
        record.source, record.type_name, [(replace(material, event="", talk=""), None)], users
    )[0]
    if again.material.event == material.event:
        return ROUTES.get(again.routed, again.routed)
    if material.event in users:
        return "the event's own entry for this source takes it"
    return "its source listed it for this event"


def _reported(material: Material) -> str:
    report, at = (" ".join(material.extra.get(mark, "").split()) for mark in (FOUND_IN, FOUND_AT))
    named = f" “{report}”" if report and report != at else ""
    return f"it was found in the report{named}{f' ({at})' if at else ''} of this event"


def matched(record: Record, known: Knowledge) -> str:
    """Say how a material found its talk."""
    found = record.match
    if found.method.startswith("title") and _is_renamed(record, known):
        return "its title was near enough to the one that the talk had then; it has another by now"
    if found.method != "explicit":
        return METHODS.get(found.method, found.why or found.method)
    if record.source == added.NAME:
        return "whoever added it named the talk"
    event = known.event(record.material.event)
    talk = next((talk for talk in event.talks if talk.id == found.talk), None) if event else None
    names = {name.casefold() for name in (found.talk, talk.title if talk else "") if name}
    if any(name.casefold() in names for name in _entry_talks(record, known)):
        return "its entry in the configuration names the talk"
    if record.material.title.casefold() in names:
        return "its title, or the name of its file, is the talk's"
    return "its source names the talk"


def _is_renamed(record: Record, known: Knowledge) -> bool:
    """Say whether a talk that was found by its title has one by now that is not near to the material's."""
    event, talk = known.event(record.material.event), record.match.talk
    if event is None or all(each.id != talk for each in event.talks):
        return False
    ranks = rank(record.material, event, series=known.router.series)
    return all(each.score < THRESHOLD for each in ranks if each.talk.id == talk)


def _entry_talks(record: Record, known: Knowledge) -> Iterator[str]:
    """Give what the entries of its event say of the talk."""
    for spec in known.config.sources:
        for entry in spec.entries if spec.name == record.source else ():
            named = getattr(entry.options, "talk", "")
            if entry.event.id == record.material.event and isinstance(named, str):
                yield named


def others(record: Record, known: Knowledge) -> Iterator[tuple[str, float]]:
    """Give the talks that came next, with their scores."""
    event = known.event(record.material.event)
    if event is not None:
        ranks = rank(record.material, event, series=known.router.series)
        rest = [each for each in ranks if each.talk.id != record.match.talk and each.score >= LEAST]
        yield from ((each.talk.id, each.score) for each in rest[:_MOST])
