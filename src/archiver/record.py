"""The recorder: outcomes become ledger records, and one OCFL version per event and sink."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archiver import __version__, decisions
from archiver.decisions import METHOD, Decisions, Settled
from archiver.errors import ArchiverError, GoneError, SinkError
from archiver.ledger import Edition, Key, Match, Problem, Record, State, StoredFile, is_worse
from archiver.matching import hold, match
from archiver.model import Event, Material
from archiver.plan import RETURNED, Change, is_settled, ledger_name
from archiver.route import Found
from archiver.shelf import Shelf

#: Facts of a material that are worth a new version when upstream changes them.
_FACTS = ("title", "url", "authors", "date", "description", "licence", "language", "tags", "kind")
_NO_MATCH = Match()


@dataclass(frozen=True)
class Done:
    """What the recorder needs of an outcome: see `archiver.work.Outcome`."""

    source: str
    type_name: str
    material: Material
    files: tuple[StoredFile, ...]
    stored: tuple[str, ...]
    problem: Problem | None

    @property
    def key(self) -> Key:
        """The ledger's key for it."""
        return (self.material.event, self.source, self.material.id)


@dataclass
class Recorder:
    """Takes outcomes one by one, in one thread; `commit` makes the versions.

    What `done` was told is safe from a killed process after the next `acknowledge`.

    `known` is the union of all ledgers. `revisions` collects revisions seen to hold unchanged bytes,
    `stored` the records whose files came in this run. `series` is the title that uploads often carry
    before their own: "2012 OpenStack China Tour: …". `decisions` are what people decided.
    """

    run: str
    events: Mapping[str, Event]
    known: dict[Key, Record]
    shelves: dict[str, Shelf]
    now: Callable[[], str]
    revisions: dict[str, str] = field(default_factory=dict)
    stored: list[Record] = field(default_factory=list)
    series: str = ""
    decisions: Decisions = field(default_factory=Decisions)

    def done(self, done: Done) -> Record | None:
        """Record an outcome. Returns the record when it changed."""
        before = self.known.get(done.key)
        if done.problem is not None:
            after = self._failed(before, done, done.problem)
        else:
            after = self._stored(before, done)
            self._note_files(done)
        record = after or before
        if record is not None:
            self._enter(record)
        if after is not None and done.problem is None:
            self.stored.append(after)
        return after

    def acknowledge(self) -> None:
        """Write down in every sink's journal what was done since the last time, in one go."""
        for name, shelf in self.healthy.items():
            try:
                shelf.acknowledge()
            except ArchiverError as error:
                self.stop(name, error)

    def change(self, change: Change) -> None:
        """Record a transition that needed no fetch."""
        before = self.known.get(change.key)
        if before is None and change.found is None:
            return
        base = before or self._blank_of(change.found)
        self._enter(base.moved(change.state, self.now(), self.run, change.reason, problem=change.problem))

    def settle(self, settled: Settled) -> None:
        """Bring the ledgers to what was decided; sinks that hold it already do not change."""
        for key in settled.dropped:
            self.known.pop(key, None)
            for each in self.healthy.values():
                each.drop(key)
        for record in settled.entered:
            self._enter(record)

    def drop(self, key: Key) -> None:
        """Forget a pending record: its material is listed for another event by now."""
        if self.known.pop(key).files:
            raise AssertionError(f"{key} has files")
        for each in self.healthy.values():
            each.drop(key)

    @property
    def rules(self) -> str:
        """Name all that decides to which talk a material belongs, the material itself aside: a SHA-256."""
        told = (__version__, self.series, self.events, self.decisions)
        return hashlib.sha256(repr(told).encode("utf-8", "backslashreplace")).hexdigest()

    def rematch(self, named: Mapping[Key, str], rules: str = "", changed: Collection[Key] = ()) -> None:
        """Look which materials belong to another talk by now: the talks may have changed.

        `named` are the talks that sources name today, `rules` those by which all were matched last, and
        `changed` the materials of which something is new since then.
        """
        as_before = rules == self.rules
        for key, before in list(self.known.items()):
            if key[0] not in self.events or before.match.method == METHOD:
                continue
            talk = named.get(key) or before.material.talk
            if as_before and talk == before.material.talk and key not in changed:
                continue
            material = replace(before.material, talk=talk)
            # A talk that its source names now outdoes whatever was found before.
            earlier = before.match if talk == before.material.talk else _NO_MATCH
            matched = self._match(material, before.type_name, earlier)
            if matched.talk != before.match.talk or material.talk != before.material.talk:
                changes = {"material": material, "match": matched}
                self._enter(before.moved(before.state, self.now(), self.run, "matched again", **changes))

    def level(self) -> None:
        """Tell each sink what the others' ledgers know of the files that it holds."""
        for record in self.known.values():
            for each in self.healthy.values():
                each.enter(record)

    def stop(self, sink: str, error: ArchiverError) -> None:
        """Give nothing more to this sink in this run."""
        if sink in self.shelves and self.shelves[sink].error is None:
            if not isinstance(error, SinkError):
                error = SinkError(error.message, hint=error.hint)
            self.shelves[sink].error = error

    @property
    def healthy(self) -> dict[str, Shelf]:
        """The sinks that still take something."""
        return {name: each for name, each in self.shelves.items() if each.error is None}

    def commit(self, documents: Mapping[str, Mapping[str, bytes]], message: str) -> dict[str, dict[str, int]]:
        """Make one version per touched object in every healthy sink; say which: sink → object → version.

        `documents` are the metadata files by object, such as what the configuration says of an event.
        A sink that fails on the way keeps, and is said to keep, the versions made until then.
        """
        made: dict[str, dict[str, int]] = {}
        for name, each in self.healthy.items():
            made[name] = {}
            try:
                for version in each.commit(documents, message, self.now):
                    made[name].update(version)
            except ArchiverError as error:
                self.stop(name, error)
        return made

    @property
    def committed(self) -> list[Record]:
        """The records whose files came in this run and lie in every sink that was not stopped."""
        healthy = self.healthy.values()
        return [record for record in self.stored if all(each.holds(record) for each in healthy)]

    def lacking(self, shelf: Shelf) -> int:
        """Count the materials of which another sink has files, now or earlier ones, that this one has not."""
        return sum(shelf.lacks(record) for record in self.known.values())

    def _stored(self, before: Record | None, done: Done) -> Record | None:
        if before is None or not before.files:
            base = before or self._blank(done.source, done.type_name, done.material)
            return self._with(base, done, "stored")
        if before.state is State.TAKEN_DOWN:
            return None
        same_files = _contents(before.files) == _contents(done.files)
        if same_files and _is_calm(before) and _facts(before.material) == _facts(done.material):
            self.revisions[ledger_name(before.key)] = done.material.revision
            return None
        if is_worse(done.files, before.files):
            return self._lesser(before, done)
        if same_files:
            return self._with(before, done, "updated" if before.state is State.STORED else RETURNED)
        edition = Edition(self.now(), before.material.revision, before.files)
        return self._with(before, done, "updated", earlier=(*before.earlier, edition))

    def _lesser(self, before: Record, done: Done) -> Record | None:
        """Keep what is better as what stands for the material; the rest joins the other editions."""
        lesser = Edition(self.now(), done.material.revision, done.files)
        if any(_contents(edition.files) == _contents(lesser.files) for edition in before.earlier):
            self.revisions[ledger_name(before.key)] = done.material.revision
            return None
        kept = replace(done, files=before.files)
        return self._with(before, kept, "a lesser copy", earlier=(*before.earlier, lesser))

    def _with(self, base: Record, done: Done, reason: str, **changes: Any) -> Record:
        self.revisions.pop(ledger_name(base.key), None)
        # A talk that was named once stays named: a second `archive add` need not repeat it.
        material = replace(done.material, talk=done.material.talk or base.material.talk)
        matched = base.match
        if matched.method != METHOD:
            earlier = matched if _named(material) == _named(base.material) else _NO_MATCH
            matched = self._match(material, base.type_name, earlier)
        changes = {"material": material, "match": matched, "files": done.files, "problem": None, **changes}
        return base.moved(State.STORED, self.now(), self.run, reason, **changes)

    def _failed(self, before: Record | None, done: Done, problem: Problem) -> Record | None:
        base = before or self._blank(done.source, done.type_name, done.material)
        if base.files and problem.reason == GoneError.reason:
            if base.state is not State.STORED:
                return None
            return base.moved(State.WITHDRAWN, self.now(), self.run, problem.detail, problem=None)
        if base.problem is not None and base.problem.reason == problem.reason:
            return None  # still the same: attempts belong to the run report
        state = base.state if base.files else State.PENDING
        return base.moved(state, self.now(), self.run, problem.reason, problem=problem)

    def _note_files(self, done: Done) -> None:
        for name in done.stored:
            if name in self.healthy:
                try:
                    self.shelves[name].put(done.source, done.type_name, done.material, done.files)
                except ArchiverError as error:
                    self.stop(name, error)

    def _enter(self, record: Record) -> None:
        self.known[record.key] = record
        for each in self.healthy.values():
            each.enter(record)

    def _blank_of(self, found: Found | None) -> Record:
        assert found is not None
        return self._blank(found.source, found.type_name, found.material)

    def _blank(self, source: str, type_name: str, material: Material) -> Record:
        return Record(source, type_name, material, State.PENDING, self._match(material, type_name))

    def _match(self, material: Material, type_name: str, earlier: Match = _NO_MATCH) -> Match:
        event = self.events.get(material.event)
        if event is None:
            return Match(why="its event is not in the configuration")
        decision = self.decisions.about(type_name, material.id, event.id)
        decided = None if decision is None else decisions.match(decision, event.id)
        if decided is not None:
            return decided
        found = match(material, event, series=self.series)
        found = hold(earlier, found, material, event, series=self.series)
        return found if found.talk or decision is None else decisions.of_the_event()


def _contents(files: Iterable[StoredFile]) -> set[tuple[str, str, str]]:
    return {(file.role, file.label, file.sha256) for file in files}


def _named(material: Material) -> tuple[str, str, str]:
    """Give what a match was found by: with another title, the earlier one says nothing any more."""
    return (material.title, material.talk, material.kind)


def _is_calm(record: Record) -> bool:
    return record.state is State.STORED and record.problem is None and not is_settled(record)


def _facts(material: Material) -> tuple[Any, ...]:
    return tuple(getattr(material, name) for name in _FACTS)
