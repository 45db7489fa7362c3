"""The recorder: outcomes become ledger records, and one OCFL version per event and sink."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archiver import ledger, ocfl
from archiver.archive import ABOUT, COMMON, EVENT, FORMAT, LEDGERS, Head
from archiver.errors import SinkError
from archiver.journal import Entry, Journal
from archiver.ledger import Edition, Key, Match, Problem, Record, State, StoredFile
from archiver.matching import match
from archiver.model import Event, Material
from archiver.ocfl import Addition
from archiver.plan import Change, ledger_name
from archiver.route import Found

#: Facts of a material that are worth a new version when upstream changes them.
_FACTS = ("title", "url", "authors", "date", "description", "licence", "language", "tags", "kind")


@dataclass(frozen=True)
class Done:
    """What the recorder needs of an outcome: see `archiver.work.Outcome`."""

    source: str
    type_name: str
    material: Material
    files: tuple[StoredFile, ...]
    stored: tuple[str, ...]
    problem: Problem | None


@dataclass
class Ledger:
    """The records of one sink, what was put there in this run, and whether it still takes anything."""

    head: Head
    journal: Journal
    additions: dict[str, list[Addition]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    error: SinkError | None = None


@dataclass
class Recorder:
    """Takes outcomes one by one, in one thread; `commit` makes the versions.

    `known` is the union of all ledgers. `revisions` collects revisions seen to hold unchanged bytes,
    `stored` the records whose files came in this run. `series` is the title that uploads often carry
    before their own: "2012 OpenStack China Tour: …".
    """

    run: str
    events: Mapping[str, Event]
    known: dict[Key, Record]
    ledgers: dict[str, Ledger]
    now: Callable[[], str]
    revisions: dict[str, str] = field(default_factory=dict)
    stored: list[Record] = field(default_factory=list)
    series: str = ""

    def done(self, done: Done) -> Record | None:
        """Record an outcome. Returns the record when it changed."""
        key = (done.material.event, done.source, done.material.id)
        before = self.known.get(key)
        after = self._failed(before, done) if done.problem else self._stored(before, done)
        if not done.problem:
            self._note_files(done)
        if after is not None and after != before:
            # A failure is known everywhere; a file only where it was proven.
            self._enter(key, after, None if done.problem else frozenset(done.stored))
            if not done.problem:
                self.stored.append(after)
            return after
        return None

    def change(self, change: Change) -> None:
        """Record a transition that needed no fetch."""
        before = self.known.get(change.key)
        if before is None and change.found is None:
            return
        base = before or self._blank(change.found)
        problem = change.problem if change.state is State.PENDING else base.problem
        after = base.moved(change.state, self.now(), self.run, change.reason, problem=problem)
        self._enter(change.key, after, None)

    def rematch(self, found: Found) -> bool:
        """Look whether an unchanged material belongs to another talk by now: the talks may have changed."""
        before = self.known.get(found.key)
        if before is None or before.match.method == "decision":
            return False
        material = replace(before.material, talk=found.material.talk or before.material.talk)
        matched = self._match(material)
        if matched.talk == before.match.talk and material.talk == before.material.talk:
            return False
        after = before.moved(
            before.state, self.now(), self.run, "matched again", material=material, match=matched
        )
        self._enter(found.key, after, None)
        return True

    def stop(self, sink: str, error: SinkError) -> None:
        """Give nothing more to this sink in this run."""
        if sink in self.ledgers and self.ledgers[sink].error is None:
            self.ledgers[sink].error = error

    @property
    def healthy(self) -> dict[str, Ledger]:
        """The sinks that still take something."""
        return {name: each for name, each in self.ledgers.items() if each.error is None}

    def commit(self, documents: Mapping[str, Mapping[str, bytes]], message: str) -> dict[str, dict[str, int]]:
        """Make one version per touched object in every healthy sink; say which: sink → object → version.

        `documents` are the metadata files by object, such as what the configuration says of an event.
        """
        made: dict[str, dict[str, int]] = {}
        for name, each in self.healthy.items():
            try:
                made[name] = self._commit_sink(each, documents, message)
            except SinkError as error:
                self.stop(name, error)
        return made

    def _commit_sink(
        self, each: Ledger, documents: Mapping[str, Mapping[str, bytes]], message: str
    ) -> dict[str, int]:
        made = {}
        each.journal.close_segment()
        held = {name for name, known in each.head.objects.items() if known.inventory}
        for name in sorted({COMMON, *each.touched, *(held & documents.keys())}):
            content = {**documents.get(name, {}), **_ledger_files(each.head.records, name, each.touched)}
            after = ocfl.commit(
                each.head.object(name),
                each.additions.get(name, ()),
                content,
                created=self.now(),
                message=message,
            )
            if after is not None:
                each.head.objects[name] = after
                made[name] = after.head
            each.additions.pop(name, None)
        each.touched.clear()
        return made

    def _stored(self, before: Record | None, done: Done) -> Record | None:
        if before is None or not before.files:
            base = before or self._blank_of(done.source, done.type_name, done.material)
            return self._with(base, done, "stored", base.earlier)
        same_files = _contents(before.files) == _contents(done.files)
        if same_files and _facts(before.material) == _facts(done.material) and before.problem is None:
            self.revisions[ledger_name(before.key)] = done.material.revision
            return None
        earlier = before.earlier
        if not same_files:
            earlier = (*earlier, Edition(self.now(), before.material.revision, before.files))
        return self._with(before, done, "updated", earlier)

    def _with(self, base: Record, done: Done, reason: str, earlier: tuple[Edition, ...]) -> Record:
        return base.moved(
            State.STORED,
            self.now(),
            self.run,
            reason,
            material=done.material,
            match=self._match(done.material),
            files=done.files,
            problem=None,
            earlier=earlier,
        )

    def _failed(self, before: Record | None, done: Done) -> Record | None:
        assert done.problem is not None
        base = before or self._blank_of(done.source, done.type_name, done.material)
        if base.problem is not None and base.problem.reason == done.problem.reason:
            return None  # still the same: attempts belong to the run report
        state = base.state if base.files else State.PENDING
        return base.moved(state, self.now(), self.run, done.problem.reason, problem=done.problem)

    def _note_files(self, done: Done) -> None:
        for name in done.stored:
            each = self.ledgers.get(name)
            if each is not None and each.error is None:
                try:
                    self._note_in(each, done)
                except SinkError as error:
                    self.stop(name, error)

    def _note_in(self, each: Ledger, done: Done) -> None:
        event = done.material.event
        head = each.head.object(event)
        held = head.state
        fresh = [file for file in done.files if held.get(file.path) != file.sha256]
        if fresh:
            each.additions.setdefault(event, []).extend(Addition(file.path, file.sha256) for file in fresh)
            entry = Entry(event, done.source, done.type_name, done.material, head.next_content, done.files)
            each.journal.add(entry)

    def _enter(self, key: Key, record: Record, sinks: frozenset[str] | None) -> None:
        self.known[key] = record
        for name, each in self.ledgers.items():
            if sinks is None and record.files and key not in each.head.records:
                continue  # this sink does not hold the files: its ledger must not say so
            if sinks is None or name in sinks:
                each.head.records[key] = record
                each.touched.add(key[0] or COMMON)

    def _blank(self, found: Found | None) -> Record:
        assert found is not None
        return self._blank_of(found.source, found.type_name, found.material)

    def _blank_of(self, source: str, type_name: str, material: Material) -> Record:
        return Record(source, type_name, material, State.PENDING, self._match(material))

    def _match(self, material: Material) -> Match:
        event = self.events.get(material.event)
        return (
            match(material, event, series=self.series)
            if event
            else Match(why="its event is not in the configuration")
        )


def _contents(files: Iterable[StoredFile]) -> set[tuple[str, str, str]]:
    return {(file.role, file.label, file.sha256) for file in files}


def _facts(material: Material) -> tuple[Any, ...]:
    return tuple(getattr(material, name) for name in _FACTS)


def _ledger_files(records: Mapping[Key, Record], name: str, touched: Iterable[str]) -> dict[str, bytes]:
    if name not in touched:
        return {}
    event = "" if name == COMMON else name
    by_source: dict[str, list[Record]] = {}
    for key, record in records.items():
        if key[0] == event:
            by_source.setdefault(record.source, []).append(record)
    return {f"{LEDGERS}{source}.jsonl": ledger.dump(rows) for source, rows in by_source.items()}


def event_document(event: Event) -> bytes:
    """Write down what the configuration says of an event; mail addresses stay out."""
    data = {
        "id": event.id,
        "title": event.title,
        "date": event.date,
        "end_date": event.end_date,
        "city": event.city,
        "venue": event.venue,
        "facts": dict(event.facts),
        "expect": [str(kind) for kind in event.expect],
        "talks": [
            {
                "id": talk.id,
                "title": talk.title,
                "speakers": list(talk.speakers),
                "expect": [str(kind) for kind in talk.expect],
            }
            for talk in event.talks
        ],
    }
    return _document(data)


def archive_document(settings: Any, events: Iterable[Event]) -> bytes:
    """Write down what the configuration says of the whole archive, and the format of what we write."""
    data = {
        "format": FORMAT,
        "title": settings.title,
        "organizer": settings.organizer,
        "language": settings.language,
        "facts": dict(settings.facts),
        "events": [event.id for event in events],
    }
    return _document(data)


def documents(settings: Any, events: Iterable[Event]) -> dict[str, dict[str, bytes]]:
    """Give the metadata files that the configuration determines, by object."""
    listed = list(events)
    result = {event.id: {EVENT: event_document(event)} for event in listed}
    result[COMMON] = {ABOUT: archive_document(settings, listed)}
    return result


def _document(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode()
