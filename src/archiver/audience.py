"""What a public sink may hold: every writer to one goes by this, and by nothing else.

Consent is said of the archive, an event, a talk, a use of a source, or decided for one material or talk.
What nobody called public is not public. All of this is pure: records in, records out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archiver.archive import COMMON
from archiver.config import Config, SourceSpec
from archiver.consents import Consents
from archiver.decisions import Decision, Decisions, is_of_event, is_rejected, match
from archiver.ledger import Key, Record, State
from archiver.model import Consent, Event, Kind, Talk
from archiver.plan import OUT_OF_SCOPE
from archiver.rulings import Ruling, strictest, strictest_word, together
from archiver.shown import edition

#: Kinds that belong to a talk as a rule: one that no talk was found for may be of any of them.
_OF_TALKS = frozenset({Kind.SLIDES, Kind.VIDEO})


@dataclass(frozen=True)
class Clearance:
    """Says of events, talks and materials who may see them, by a configuration and by what was decided."""

    config: Config
    consents: Consents = field(default_factory=Consents)
    decisions: Decisions = field(default_factory=Decisions)

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
        where one material is listed twice, its bytes are elsewhere too, or a report led to it.
        """
        if record.state is State.TAKEN_DOWN:
            return Ruling(Consent.INTERNAL, "it was taken down", firm=True)
        decided = self.consents.of_item(record.type_name, record.material.id)
        if decided is not None:
            return Ruling(decided, "decided for this material", firm=True)
        event = self._events.get(record.material.event)
        placed = self.decisions.about(record.type_name, record.material.id, record.material.event)
        if placed is not None:  # no run may have followed it yet
            record = replace(record, match=match(placed, record.material.event) or record.match)
        if is_rejected(record):
            return self._of_rejected(record, event)
        own = self._of_listed(record, event)
        if placed is None or placed.event == record.material.event:
            return own
        return strictest([own, self._of_place(placed)])

    def _of_listed(self, record: Record, event: Event | None) -> Ruling:
        said = [each for each in (self._of_use(record, event), self._of_its_talk(record, event)) if each]
        return strictest(said) if said else self.of_event(event)

    def _of_rejected(self, record: Record, event: Event | None) -> Ruling:
        """Judge what a person rejected: not public, and as closed as any talk that it may have been of."""
        talks = [self.of_talk(event, each) for each in event.talks] if event else []
        closest = strictest([self._of_use(record, event) or self.of_event(event), *talks])
        word = strictest_word([closest.consent, Consent.UNKNOWN])
        return Ruling(word, "a person rejected it: it does not belong here")

    def _of_place(self, placed: Decision) -> Ruling:
        """Judge the place where a person said that something belongs, which is not where it is held."""
        event = self._events.get(placed.event)
        talks = event.talks if event else ()
        talk = next((each for each in talks if each.id == placed.talk), None)
        return self.of_talk(event, talk) if event and talk else self.of_event(event)

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
        word = strictest_word(each or default for each in said)
        return Ruling(word, f"the source {record.source} is used so for {record.material.event}")

    def _of_its_talk(self, record: Record, event: Event | None) -> Ruling | None:
        if event is None:
            return None
        talk = next((each for each in event.talks if each.id == record.match.talk), None)
        if talk is not None:
            return self._said_of_talk(event.id, talk)
        if is_of_event(record.match):
            return None  # a person placed it in the event as a whole
        closed = [each for each in event.talks if not self.of_talk(event, each).public]
        kinds = _OF_TALKS | {kind for each in closed for kind in each.expect}
        if closed and record.material.kind in kinds:
            return Ruling(Consent.UNKNOWN, "it is of no known talk, and not every talk here is public")
        return None

    def rulings(self, records: Iterable[Record]) -> dict[Key, Ruling]:
        """Judge records together. One material listed twice is one material.

        What is internal in one place is internal in every other, and so are its bytes, under whatever name.
        Two records of one event share the names of their files: both have to be public. What a report led to
        is no more public than that report. `records` has to be everything that the archive knows.
        """
        known = list(records)
        return together(known, {record.key: self.of_record(record) for record in known})

    def records(self, known: Iterable[Record]) -> dict[Key, Record]:
        """Give what a public sink may know: held materials that are cleared, as it may know them.

        By their keys there: the ids of some are others than in the archive (`archiver.shown`).
        """
        listed = list(known)
        rulings = self.rulings(listed)
        cleared = (each for each in listed if each.files and each.key[0] and rulings[each.key].public)
        editions = (edition(each, self._shown(each.material.event)) for each in cleared)
        return {each.key: each for each in editions if each.files}

    def _shown(self, name: str) -> set[str]:
        event = self._events.get(name)
        return {each.id for each in event.talks if self.of_talk(event, each).public} if event else set()

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


def public_report(
    run: str, version: str, started: str, finished: str, made: Mapping[str, int]
) -> dict[str, Any]:
    """Give what a public sink may know of a run: that it was, and the versions that it made there."""
    return {"run": run, "started": started, "finished": finished, "version": version, "versions": dict(made)}
