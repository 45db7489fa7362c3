"""What a public sink may hold: every writer to one goes by this, and by nothing else.

Consent is said of the archive, an event, a talk, a use of a source, or decided for one material or talk.
What nobody called public is not public. All of this is pure: records in, records out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archiver import crate
from archiver.archive import COMMON
from archiver.config import Config, SourceSpec
from archiver.consents import Consents
from archiver.ledger import Edition, Key, Match, Record, State
from archiver.model import Consent, Event, Kind, Material, Talk
from archiver.plan import OUT_OF_SCOPE

_STRICTEST = (Consent.INTERNAL, Consent.UNKNOWN, Consent.PUBLIC)
#: Kinds that belong to a talk as a rule: one that no talk was found for may be of any of them.
_OF_TALKS = frozenset({Kind.SLIDES, Kind.VIDEO})


@dataclass(frozen=True, slots=True)
class Ruling:
    """Who may see something, and what says so."""

    consent: Consent
    why: str

    @property
    def public(self) -> bool:
        """Say whether it may go into a public sink."""
        return self.consent is Consent.PUBLIC


@dataclass(frozen=True)
class Clearance:
    """Says of events, talks and materials who may see them, by a configuration and by what was decided."""

    config: Config
    consents: Consents = field(default_factory=Consents)

    @property
    def _events(self) -> dict[str, Event]:
        return {event.id: event for event in self.config.events}

    def of_event(self, event: Event | None) -> Ruling:
        """Judge an event. One that the configuration does not name (any more) is unknown."""
        if event is None:
            return Ruling(Consent.UNKNOWN, "its event is not in the configuration")
        if event.consent is not None:
            return Ruling(event.consent, f"the event {event.id} says so")
        return Ruling(self.config.archive.consent, "the archive's default")

    def of_talk(self, event: Event, talk: Talk) -> Ruling:
        """Judge a talk: what was decided, else what it says itself, else what its event says."""
        said = self._said_of_talk(event.id, talk)
        return said or self.of_event(event)

    def _said_of_talk(self, event: str, talk: Talk) -> Ruling | None:
        decided = self.consents.of_talk(event, talk.id)
        if decided is not None:
            return Ruling(decided, f"decided for the talk {event}/{talk.id}")
        if talk.consent is not None:
            return Ruling(talk.consent, f"the talk {event}/{talk.id} says so")
        return None

    def of_record(self, record: Record) -> Ruling:
        """Judge one record by itself: a decision, else the stricter of its talk and the use that lists it.

        Where neither says anything the event does. `rulings` looks at all records together, as is needed
        where one material is listed twice.
        """
        if record.state is State.TAKEN_DOWN:
            return Ruling(Consent.INTERNAL, "it was taken down")
        decided = self.consents.of_item(record.type_name, record.material.id)
        if decided is not None:
            return Ruling(decided, "decided for this material")
        event = self._events.get(record.material.event)
        said = [each for each in (self._of_use(record, event), self._of_its_talk(record, event)) if each]
        if said:
            return min(said, key=lambda each: _STRICTEST.index(each.consent))
        return self.of_event(event)

    def _of_use(self, record: Record, event: Event | None) -> Ruling | None:
        """Give what the uses of its source say; the strictest of several. None when none says anything."""
        last = record.history[-1].reason if record.history else ""
        if record.state is State.WITHDRAWN and last == OUT_OF_SCOPE:
            # What that use said has gone with it: it may have been "internal".
            return Ruling(Consent.UNKNOWN, "what listed it is not in the configuration any more")
        spec = next((each for each in self.config.sources if each.name == record.source), None)
        said = list(_said(spec, record.material.event)) if spec else []
        if not any(said):
            return None
        default = self.of_event(event).consent
        strictest = min((each or default for each in said), key=_STRICTEST.index)
        return Ruling(strictest, f"the source {record.source} is used so for {record.material.event}")

    def _of_its_talk(self, record: Record, event: Event | None) -> Ruling | None:
        if event is None:
            return None
        talk = next((each for each in event.talks if each.id == record.match.talk), None)
        if talk is not None:
            return self._said_of_talk(event.id, talk)
        if record.match.method == "decision":
            return None  # a person placed it in the event as a whole
        closed = [each for each in event.talks if not self.of_talk(event, each).public]
        kinds = _OF_TALKS | {kind for each in closed for kind in each.expect}
        if closed and record.material.kind in kinds:
            return Ruling(Consent.UNKNOWN, "it is of no known talk, and not every talk here is public")
        return None

    def rulings(self, records: Iterable[Record]) -> dict[Key, Ruling]:
        """Judge records together. One material listed twice is one material.

        What is internal in one place is internal in every other. Two records of one event share the
        names of their files: both have to be public.
        """
        known = list(records)
        found = {record.key: self.of_record(record) for record in known}
        closed: dict[tuple[str, ...], Ruling] = {}
        for record in known:
            ruling, item = found[record.key], (record.type_name, record.material.id)
            if ruling.consent is Consent.INTERNAL:
                closed[item] = ruling
            if not ruling.public:
                closed.setdefault((*item, record.material.event), ruling)
        for record in known:
            item = (record.type_name, record.material.id)
            stricter = closed.get(item) or closed.get((*item, record.material.event))
            if found[record.key].public and stricter:
                found[record.key] = Ruling(stricter.consent, f"listed elsewhere, too: {stricter.why}")
        return found

    def records(self, known: Iterable[Record]) -> dict[Key, Record]:
        """Give what a public sink may know: held materials that are cleared, as it may know them."""
        listed = list(known)
        rulings = self.rulings(listed)
        cleared = (each for each in listed if each.files and each.key[0] and rulings[each.key].public)
        return {each.key: self._edition(each) for each in cleared}

    def _edition(self, record: Record) -> Record:
        """Leave out of a record what is about the archive's keeping, or names what is not cleared."""
        event = self._events.get(record.material.event)
        talks = event.talks if event else ()
        shown = {each.id for each in talks if event and self.of_talk(event, each).public}
        matched = record.match if record.match.talk in shown else Match()
        return replace(
            record,
            material=_public_material(record.material, matched.talk),
            match=replace(matched, why=""),
            problem=None,
            earlier=tuple(Edition(each.until, "", each.files) for each in record.earlier),
            history=tuple(replace(step, run="", reason="") for step in record.history),
        )

    def events(self, cleared: Iterable[Key]) -> tuple[Event, ...]:
        """Give the events that a public sink shows, with the talks that it shows.

        One that is public is shown. One of which something is cleared is shown too: by its id alone when
        it is internal, or not in the configuration any more.
        """
        holding = {key[0] for key in cleared}
        shown = [self._event(event, held=event.id in holding) for event in self.config.events]
        gone = sorted(holding - self._events.keys() - {"", COMMON})
        return (*filter(None, shown), *(Event(name, name, expect=()) for name in gone))

    def _event(self, event: Event, *, held: bool) -> Event | None:
        talks = tuple(each for each in event.talks if self.of_talk(event, each).public)
        ruling = self.of_event(event)
        if not (ruling.public or held or talks):
            return None
        plain = tuple(replace(each, email="", uid="") for each in talks)
        if ruling.consent is Consent.INTERNAL:
            return Event(event.id, event.id, talks=plain, expect=())
        return replace(event, talks=plain)

    def narrowed(self, cleared: Iterable[Key]) -> Config:
        """Give the configuration as a public sink's pages and catalog may know it."""
        return replace(self.config, events=self.events(cleared), mail=None, programmes=())


def _said(spec: SourceSpec, event: str) -> Sequence[Consent | None]:
    """Give what the uses for an event say; those of all events when it has none: a mail that was routed."""
    pairs = list(zip(spec.entries, spec.consents or (None,) * len(spec.entries), strict=True))
    return [said for entry, said in pairs if entry.event.id == event] or [said for _, said in pairs]


def _public_material(material: Material, talk: str) -> Material:
    """Give a material without mail addresses and without what its source keeps for itself."""
    return replace(
        material,
        title=crate.public_text(material.title),
        url=crate.public_address(material.url),
        revision="",
        talk=talk,
        authors=tuple(filter(None, map(crate.public_text, material.authors))),
        description=crate.public_text(material.description),
        tags=tuple(filter(None, map(crate.public_text, material.tags))),
        extra={},
    )


def public_report(
    run: str, version: str, started: str, finished: str, made: Mapping[str, int]
) -> dict[str, Any]:
    """Give what a public sink may know of a run: that it was, and the versions that it made there."""
    return {"run": run, "started": started, "finished": finished, "version": version, "versions": dict(made)}
