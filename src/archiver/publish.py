"""Fill the public sinks from the internal ones, once those have committed: what is cleared, and no more.

Workers, journals and logbooks know nothing of public sinks. What one gets comes through here: files that
another sink has proven, ledgers and documents that `archiver.audience` made of those of the archive.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from archiver import __version__, crate, leftovers, ocfl, ready, seal, upkeep
from archiver.archive import EVENT, LEDGERS, RUNS, Head
from archiver.asked import NOBODY_ASKED
from archiver.audience import Clearance, public_report
from archiver.config import Config
from archiver.documents import public_documents
from archiver.errors import ArchiverError
from archiver.hold import Hold
from archiver.journal import Entry, Journal
from archiver.ledger import Key, Record
from archiver.record import Recorder
from archiver.replicate import Copies, Desk, Replication
from archiver.replicate.needs import named
from archiver.report import Report, SinkReport, Watcher
from archiver.shelf import Shelf


class NoJournal(Journal):
    """Writes nothing down: what a killed run left in a public sink is proven by its bytes."""

    def add(self, *entries: Entry) -> None:
        """Pass over."""

    def close_segment(self) -> None:
        """Sync what was put."""
        self.sink.flush()


@dataclass
class Publishing:
    """One filling of the public sinks that are held. What becomes of each is noted in `report`.

    `origins` are internal heads to read from; `known` is all that the archive knows.
    """

    clearance: Clearance
    held: Hold
    origins: Mapping[str, Head]
    known: Iterable[Record]
    report: Report
    watcher: Watcher
    desk: Desk = field(default_factory=Desk)
    jobs: int = 4
    damage: dict[str, list[str]] = field(default_factory=dict)
    copies: dict[str, Copies] = field(default_factory=dict)

    def execute(self) -> Recorder:
        """Bring every public sink to what is cleared now. Raises nothing but faults of this program."""
        cleared = self.clearance.records(self.known)
        config = self.clearance.narrowed(cleared)
        shelves = {name: Shelf(head, NoJournal(head.sink, "")) for name, head in self.held.public.items()}
        recorder = Recorder(self.report.run, {}, dict(cleared), shelves, ready.now)
        self._copy(recorder)
        documents = public_documents(config.archive, config.events)
        gone = [withdraw(shelf, cleared, documents) for shelf in recorder.healthy.values()]
        self._commit(recorder, documents, withdrawn=any(gone))
        shown = _with_pages(config, recorder)
        upkeep.refresh(recorder, shown, NOBODY_ASKED, self.report, self.watcher, public=True)
        for name, shelf in recorder.healthy.items():
            self._finish(recorder, name, shelf)
        for name, shelf in recorder.shelves.items():
            if shelf.error is not None:
                self._noted(name).error = str(shelf.error)
        return recorder

    def _copy(self, recorder: Recorder) -> None:
        replication = Replication(
            recorder, self.jobs, self.desk, self.watcher.said, readable=self.origins, only_known=True
        )
        self.copies = replication.catch_up()
        for name, copies in self.copies.items():
            noted = self._noted(name)
            noted.copied, noted.copied_bytes = copies.files, copies.bytes
            for path, reason in islice(copies.left.items(), 3):
                noted.add_note(f"does not have {path}: {reason}")
        self.damage = replication.damage
        for name, found in replication.damage.items():
            noted = self._noted(name)
            noted.damage = "; ".join([*filter(None, [noted.damage]), *found[:3]])

    def _commit(
        self, recorder: Recorder, documents: Mapping[str, Mapping[str, bytes]], *, withdrawn: bool
    ) -> None:
        for name, error in self.held.confirm().items():
            recorder.stop(name, error)
        message = f"run {self.report.run}: {leftovers.WITHDRAWN if withdrawn else 'what is cleared'}"
        for name, versions in recorder.commit(documents, message).items():
            self._noted(name).versions = versions
            self.watcher.said("committed", sink=name, versions=versions)

    def _finish(self, recorder: Recorder, name: str, shelf: Shelf) -> None:
        """Note what is lacking and what lies there too much; leave the sink's own report."""
        noted = self._noted(name)
        if number := recorder.lacking(shelf):
            noted.add_note(ready.lacking(number))
        try:
            if left := leftovers.find(shelf.head):
                noted.add_note(leftovers.told(left))
            self._leave_report(shelf)
        except ArchiverError as error:
            recorder.stop(name, error)

    def _leave_report(self, shelf: Shelf) -> None:
        report, made = self.report, self._noted(shelf.head.name).versions
        data = public_report(report.run, __version__, report.started, ready.now(), made)
        text = json.dumps(data, ensure_ascii=False, indent=1)
        seal.create(shelf.head.sink, f"{RUNS}{report.run}.json", ocfl.blob(text.encode()))
        shelf.head.sink.flush()

    def _noted(self, name: str) -> SinkReport:
        return self.report.sinks.setdefault(name, SinkReport())


def _with_pages(config: Config, recorder: Recorder) -> Config:
    """Have pages that are there kept up in any case: stale ones would show what is not cleared any more."""
    from archiver.pages.places import HOME  # here: it takes long to load, and most runs make no pages

    there = any(shelf.head.sink.stat(HOME) for shelf in recorder.healthy.values())
    return replace(config, archive=replace(config.archive, site=config.archive.site or there))


def withdraw(
    shelf: Shelf, cleared: Mapping[Key, Record], documents: Mapping[str, Mapping[str, bytes]]
) -> bool:
    """Take out of the versions to come what is not cleared; say whether an earlier version showed any."""
    head = shelf.head
    gone = [key for key in head.records if key not in cleared or not shelf.holds(cleared[key])]
    for key in gone:
        shelf.drop(key)
    allowed = {(event, path) for event, path in named(cleared.values())}
    for name, each in head.objects.items():
        kept = _metadata(head, name, documents)
        unwanted = frozenset(path for path in each.state if (name, path) not in allowed and path not in kept)
        if unwanted:
            shelf.unwanted[name] = unwanted
            # Its ledgers are written anew without it, and its event's description with less.
            shelf.touched.add(name)
    return bool(gone or shelf.unwanted) or any(_tells_less(head, *each) for each in documents.items())


def _metadata(head: Head, name: str, documents: Mapping[str, Mapping[str, bytes]]) -> set[str]:
    """Name the metadata files that the next version of an object has."""
    made = documents.get(name)
    if made is None:
        return set()
    sources = {record.source for key, record in head.records.items() if key[0] == name}
    return {
        *made,
        *(f"{LEDGERS}{source}.jsonl" for source in sources),
        *([crate.CRATE] if EVENT in made else []),
    }


def _tells_less(head: Head, name: str, documents: Mapping[str, bytes]) -> bool:
    """Say whether a description names fewer talks, or less of its event, than the one before."""
    each = head.object(name)
    if EVENT not in documents or EVENT not in each.state:
        return False
    before, after = (crate.event_of(data, name) for data in (each.read(EVENT), documents[EVENT]))
    return bool(_told(before) - _told(after))


def _told(event: Mapping[str, Any]) -> set[str]:
    """Give what a description tells that consent decides: its title unless it is the id, and its talks."""
    talks = event.get("talks")
    ids = (
        {str(talk.get("id")) for talk in talks if isinstance(talk, dict)}
        if isinstance(talks, list)
        else set()
    )
    return ids | ({"/title"} if event.get("title") != event.get("id") else set())
