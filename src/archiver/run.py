"""One run, from the configuration to the index: the straight line.

discover → route → plan → work → record → catalog. Planner and recorder are this one thread; the
workers of `archiver.pool` share nothing with it but their tasks and outcomes.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from archiver import (
    __version__,
    assign,
    examine,
    hold,
    index,
    instances,
    ocfl,
    ready,
    recall,
    replicate,
    scope,
    seal,
    staging,
    tally,
)
from archiver.archive import COMMON, RUNS, logbooks, new_run
from archiver.budget import Budget
from archiver.config import Config, SourceSpec
from archiver.contracts import Source
from archiver.decisions import settle
from archiver.discover import Discovery, Listable, Listing
from archiver.documents import documents
from archiver.errors import ArchiverError, SinkError
from archiver.hold import Hold
from archiver.instances import Instances, Workshop
from archiver.interrupts import stoppable
from archiver.journal import Journal
from archiver.ledger import Key, Record, union
from archiver.plan import Knowledge, Plan, Standing, plan
from archiver.pool import Crew
from archiver.record import Recorder
from archiver.registry import Registry
from archiver.report import Report, Silent, SourceReport, Watcher, revisions, source_reports
from archiver.route import Filters
from archiver.shelf import Shelf
from archiver.talks import refreshed
from archiver.work import Outcome, Task

_LOG = logging.getLogger("archiver")


@dataclass(frozen=True)
class RunOptions:
    """What the user asked of this run. `accept_shrink` names sources whose alarm is passed over."""

    filters: Filters = field(default_factory=Filters)
    jobs: int | None = None
    dry_run: bool = False
    accept_shrink: frozenset[str] = frozenset()


@dataclass
class Run:
    """One run over one configuration.

    `sources` are what is listed; by default the configured ones. `given` are instances made by the
    caller for some of them, such as files handed over on the command line.
    """

    config: Config
    registry: Registry
    options: RunOptions = field(default_factory=RunOptions)
    watcher: Watcher = field(default_factory=Silent)
    sources: Sequence[SourceSpec] | None = None
    given: Mapping[str, Source[Any, Any]] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.id = new_run()
        self.report = Report(self.id, ready.now(), __version__, dry_run=self.options.dry_run)
        self.planned = Plan()
        self._budget = Budget(self.config.archive.staging_limit)

    def execute(self) -> Report:
        """Do the run. Raises `SinkError` when no sink can be used at all."""
        specs = tuple(self.config.sources if self.sources is None else self.sources)
        config = self.config
        workshop = Workshop(self.id, config.folder, specs, config.sinks, config.plugins, config.path)
        made = Instances(workshop, self.registry, given=self.given)
        instances.share(made)
        try:
            return self._with_sinks(made)
        finally:
            instances.forget(made)

    def _with_sinks(self, made: Instances) -> Report:
        names = [spec.name for spec in self.config.sinks]
        held = hold.peek(made, names) if self.options.dry_run else hold.take(made, names, self.id)
        try:
            with stoppable(self.stop, lambda: self.watcher.said("stopping")):
                self._line(made, held)
        finally:
            staging.tidy()
            held.release()
        return self.report

    def _line(self, made: Instances, held: Hold) -> None:
        """Follow the straight line."""
        known = union(head.records for head in held.heads.values())
        heads, asked = held.heads.values(), self.options.filters.events
        self.config = refreshed(self.config, heads, self.report, asked, offline=bool(self.given))
        self._router = recall.router(held.heads.values(), self.config, self.options.filters)
        settled = settle(known, self._router.decisions, ready.now(), self.id)
        settled.apply(known)
        before = ready.newest(head.report for head in held.heads.values())
        self._earlier = source_reports(before)
        self.report.sources = dict(self._earlier)
        self.report.revisions = revisions(before)
        self.report.sinks.update(ready.sink_reports(held, self.config.archive.min_copies))
        listings = self._discover(made, known)
        self.planned = self._plan(listings, known)
        self.watcher.said("planned", plan=self.planned, known=known)
        tally.count_plan(self.report, self.planned, known)
        if self.options.dry_run:
            tally.count_work(self.report, self.planned, known)
            self.report.interrupted = self.stop.is_set()
            return
        recorder = self._recorder(held, known)
        recorder.settle(settled)
        self._record_plan(recorder)
        self._work(made, recorder, held)
        self._catch_up(recorder)
        self._commit(recorder, held)
        self._finish(recorder)

    def _discover(self, made: Instances, known: Mapping[Key, Record]) -> list[Listing]:
        discovery = Discovery(
            self._router,
            self.options.filters,
            self.stop,
            jobs=self._jobs,
            listed=lambda listing: self.watcher.said("source.listed", listing=listing),
            mask=made.workshop.mask,
            held=known,
        )
        self._scopes: dict[str, dict[str, str]] = {}
        asked = self.options.filters.sources
        specs = [each for each in made.workshop.sources if each.entries and (not asked or each.name in asked)]
        listables, listings = [], []
        for spec in specs:
            try:
                listables.append(self._listable(made, spec))
            except Exception as error:  # noqa: BLE001  # a plugin's constructor may raise anything
                listings.append(discovery.unlistable(spec.name, error))
        return [*listings, *discovery.listings(listables)]

    def _listable(self, made: Instances, spec: SourceSpec) -> Listable:
        scopes = scope.fingerprints(spec.entries, spec.options)
        partial = self.options.filters.any
        cursor = "" if partial else scope.cursor(self._earlier.get(spec.name), scopes)
        listable = Listable(spec.name, made.source(spec.name), spec.entries, cursor)
        self._scopes[spec.name] = scopes
        return listable

    def _plan(self, listings: Sequence[Listing], known: Mapping[Key, Record]) -> Plan:
        knowledge = Knowledge(
            known,
            {listing.source: self._judge(listing) for listing in listings},
            frozenset(event.id for event in self.config.events),
            self.options.filters,
            self.report.revisions,
            {name: scope.rescoped(self._earlier.get(name), now) for name, now in self._scopes.items()},
        )
        found = [found for listing in listings for found in listing.found]
        return plan([*found, *recall.again(self._router, self.config, found, knowledge)], knowledge)

    def _judge(self, listing: Listing) -> Standing:
        name = listing.source
        standing, now = scope.judge(
            listing,
            self._earlier.get(name),
            self._scopes.get(name, {}),
            at=ready.now(),
            partial=self.options.filters.any or self.stop.is_set(),
            accept=name in self.options.accept_shrink,
        )
        self.report.sources[name] = now
        if now.alarm:
            self.watcher.said("alarm", source=name, alarm=now.alarm)
        return Standing.HANDED if name in self.given else standing

    @property
    def _jobs(self) -> int:
        return max(1, self.options.jobs or self.config.archive.jobs)

    def _recorder(self, held: Hold, known: dict[Key, Record]) -> Recorder:
        shelves = {name: Shelf(head, Journal(head.sink, self.id)) for name, head in held.heads.items()}
        events = {event.id: event for event in self.config.events}
        title = self.config.archive.title
        decided = self._router.decisions
        return Recorder(
            self.id, events, known, shelves, ready.now, self.report.revisions, series=title, decisions=decided
        )

    def _record_plan(self, recorder: Recorder) -> None:
        """Record what needs no fetch."""
        for key in self.planned.dropped:
            recorder.drop(key)
        for change in self.planned.changes:
            recorder.change(change)
        recorder.rematch({found.key: found.material.talk for found in self.planned.same})
        recorder.level()

    def _work(self, made: Instances, recorder: Recorder, held: Hold) -> None:
        waiting = assign.tasks(self.planned.work, made.workshop, held.heads, recorder.known)
        self.report.remaining = len(waiting)
        adopted: set[int] = set()
        for outcome in assign.adopt(waiting, held.heads):
            self._take(recorder, [outcome], resumed=True)
            adopted.add(id(outcome.task))
            if self.stop.is_set():
                break
        waiting = [task for task in waiting if id(task) not in adopted]
        self.watcher.said("working", tasks=waiting)
        examine.start(len(waiting))
        again = self._round(waiting, made, recorder, held, last=False)
        self._round(again, made, recorder, held, last=True)
        self.report.interrupted = self.stop.is_set()

    def _round(
        self, waiting: Sequence[Task], made: Instances, recorder: Recorder, held: Hold, *, last: bool
    ) -> list[Task]:
        """Work on tasks; give back those that failed in passing and deserve a second try."""
        again: list[Task] = []
        limits = {name: ready.max_fetches(made.source(name)) for name in {task.source for task in waiting}}
        prepare = ready.Ready(self.config.archive.staging, recorder, held)
        work = ready.Bounded(self._budget, self._jobs, self.stop, alone=last)
        crew = Crew(self._jobs, limits, self._moved, self.stop, prepare, work)
        for outcomes in crew.outcomes(waiting):
            settled = []
            for outcome in outcomes:
                if not last and (outcome.transient or not ready.is_settled(outcome)):
                    self._stop_sinks(recorder, outcome)
                    again.append(outcome.task)
                else:
                    settled.append(outcome)
            self._take(recorder, settled)
        return [] if self.stop.is_set() else again

    def _moved(self, task: Task, done: int, total: int | None) -> None:
        self.watcher.moved(task.material.event, task.source, task.material.id, done, total)

    def _take(self, recorder: Recorder, outcomes: Iterable[Outcome], *, resumed: bool = False) -> None:
        """Record outcomes, and tell of them when the journals name them."""
        told = [self._record(recorder, outcome, resumed=resumed) for outcome in outcomes]
        recorder.acknowledge()
        for data in told:
            if data:
                self.watcher.said("item.done", **data)

    def _record(self, recorder: Recorder, outcome: Outcome, *, resumed: bool) -> dict[str, Any]:
        """Record one outcome and say what is to be told of it."""
        self._stop_sinks(recorder, outcome)
        if not ready.is_settled(outcome):
            return {}  # no sink took it: it stays to be done
        done = ready.done(outcome)
        before = recorder.known.get(done.key)
        # What a person hands over is told of at once, and not waited for: it leaves no pending record.
        handed = done.problem is not None and done.source in self.given
        record = None if handed else recorder.done(done)
        self.report.remaining -= 1
        what = tally.count_outcome(self.report, outcome, before, record, resumed=resumed)
        return {"outcome": outcome, "how": what, "record": record}

    def _stop_sinks(self, recorder: Recorder, outcome: Outcome) -> None:
        for name, error in outcome.sink_errors.items():
            recorder.stop(name, error)

    def _catch_up(self, recorder: Recorder) -> None:
        """Give every sink what it missed in earlier runs, from one that has it."""
        settings = self.config.archive
        desk = replicate.Desk(settings.staging, self._budget, self.stop)
        self._replication = replicate.Replication(
            recorder, self._jobs, desk, self.watcher.said, limit=settings.catch_up_limit
        )
        for name, copies in self._replication.catch_up().items():
            sink = self.report.sinks[name]
            sink.copied, sink.copied_bytes = copies.files, copies.bytes
            for path, reason in islice(copies.left.items(), 3):
                self._add_note(name, f"does not have {path}: {reason}")
        self.report.interrupted |= self.stop.is_set()
        for name, found in self._replication.damage.items():
            noted = self.report.sinks[name]
            noted.damage = "; ".join([*filter(None, [noted.damage]), *found[:3]])

    def _commit(self, recorder: Recorder, held: Hold) -> None:
        for name, error in held.confirm().items():
            recorder.stop(name, error)
        files = documents(self.config.archive, self.config.events)
        files[COMMON] |= logbooks(held.heads.values())
        self._replication.borrow(files)
        made = recorder.commit(files, ready.message(self.report))
        for name, versions in made.items():
            self.report.sinks[name].versions = versions
            self.watcher.said("committed", sink=name, versions=versions)
        for record in recorder.committed if recorder.healthy else ():
            material, paths = record.material, [file.path for file in record.files]
            self.registry.broadcast(
                "archiver_stored", event=material.event, source=record.source, material=material, paths=paths
            )

    def _finish(self, recorder: Recorder) -> None:
        """Bring the index up to date, then leave the run report."""
        tally.count_new(self.report, self._scopes)
        for name, shelf in recorder.healthy.items():
            self._refresh_index(recorder, name, shelf)
        self._count_copies(recorder)
        self._note_errors(recorder)
        if (
            any(each.error for each in recorder.shelves.values())
            or self.report.remaining
            or self.stop.is_set()
        ):
            self._keep_earlier()
        self.report.finished = ready.now()
        for name, shelf in recorder.healthy.items():
            try:
                self._leave_report(shelf)
            except SinkError as error:
                recorder.stop(name, error)
        self._note_errors(recorder)
        self.watcher.said("finished", report=self.report)
        self.registry.broadcast("archiver_run_finished", report=self.report.to_json())

    def _count_copies(self, recorder: Recorder) -> None:
        """Name the sinks that lack something; they are faults where too few have everything."""
        lacking = {name: recorder.lacking(shelf) for name, shelf in recorder.healthy.items()}
        whole = sum(not number for number in lacking.values())
        few = whole < self.config.archive.min_copies and not self.stop.is_set()
        for name, number in lacking.items():
            if number:
                self._add_note(name, ready.lacking(number))
            if number and few:
                sink = self.report.sinks[name]
                sink.error = f"it {sink.note}; min_copies is {self.config.archive.min_copies}"
                sink.note = ""

    def _refresh_index(self, recorder: Recorder, name: str, shelf: Shelf) -> None:
        changed = bool(self.report.sinks[name].versions)
        try:
            index.refresh(shelf.head, self.config, changed=changed)
        except ArchiverError as error:
            recorder.stop(name, error)
        except Exception as error:  # noqa: BLE001  # the catalog can be made again; what is stored is safe
            _LOG.debug("the catalog of sink %s failed", name, exc_info=error)
            note = f"is complete, but its catalog could not be made: {type(error).__name__}: {error}"
            self._add_note(name, note)

    def _add_note(self, sink: str, note: str) -> None:
        noted = self.report.sinks[sink]
        noted.note = f"{noted.note}; it {note}" if noted.note else note

    def _note_errors(self, recorder: Recorder) -> None:
        for name, each in recorder.shelves.items():
            if each.error is not None:
                self.report.sinks[name].error = str(each.error)

    def _keep_earlier(self) -> None:
        """Let no listing count that is not recorded everywhere: the next run goes on from the one before."""
        for name, now in self.report.sources.items():
            before = self._earlier.get(name, SourceReport())
            self.report.sources[name] = replace(
                now,
                cursor=before.cursor,
                scopes=before.scopes,
                settled=before.settled,
                baseline=before.baseline,
            )

    def _leave_report(self, shelf: Shelf) -> None:
        data = json.dumps(self.report.to_json(), ensure_ascii=False, indent=1)
        sink = shelf.head.sink
        seal.create(sink, f"{RUNS}{self.id}.json", ocfl.blob(data.encode("utf-8", "backslashreplace")))
        sink.flush()
