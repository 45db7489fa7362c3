"""One run, from the configuration to the index: the straight line.

discover → route → plan → work → record → catalog. Planner and recorder are this one thread; the
workers of `archiver.pool` share nothing with it but their tasks and outcomes.
"""

from __future__ import annotations

import json
import secrets
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from archiver import __version__, assign, hold, index, instances, ocfl, scope
from archiver.archive import RUNS
from archiver.config import Config, SourceSpec
from archiver.contracts import Source
from archiver.discover import Listable, Listing, discover
from archiver.errors import ArchiverError, SinkError
from archiver.hold import Hold
from archiver.instances import Instances, Workshop
from archiver.journal import Journal
from archiver.ledger import Key, Problem, Record, union
from archiver.plan import Plan, plan
from archiver.pool import Crew
from archiver.record import Done, Ledger, Recorder, documents
from archiver.registry import Registry
from archiver.report import ItemProblem, Report, Silent, SinkReport, SourceReport, Watcher, source_reports
from archiver.route import Filters
from archiver.work import Outcome, Task


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
        self.id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        self.report = Report(self.id, _now(), __version__, dry_run=self.options.dry_run)

    def execute(self) -> Report:
        """Do the run. Raises `SinkError` when no sink can be used at all."""
        specs = tuple(self.config.sources if self.sources is None else self.sources)
        workshop = Workshop(self.id, self.config.folder, specs, self.config.sinks, self.config.plugins)
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
            with _stoppable(self.stop, self.watcher):
                self._line(made, held)
        finally:
            held.release()
        return self.report

    def _line(self, made: Instances, held: Hold) -> None:
        """Follow the straight line."""
        known = union(head.records for head in held.heads.values())
        before = _newest(head.report for head in held.heads.values())
        self._note_sinks(held)
        listings = self._discover(made, source_reports(before))
        planned = self._plan(listings, known, before)
        self.planned = planned
        self.watcher.said("planned", plan=planned, known=known)
        self._note_plan(planned, known)
        if self.options.dry_run:
            return
        recorder = self._recorder(held, known)
        self._record_changes(planned, recorder)
        self._work(planned, made.workshop, recorder, held)
        self._commit(recorder, held)
        self._finish(recorder, held)

    def _discover(self, made: Instances, before: Mapping[str, SourceReport]) -> list[Listing]:
        filters = self.options.filters
        listables = [
            _listable(made, spec, before.get(spec.name), partial=filters.any)
            for spec in made.workshop.sources
            if spec.entries and (not filters.sources or spec.name in filters.sources)
        ]
        self.report.sources = dict(before)
        self._scopes = {each.name: scope.fingerprints(each.entries) for each in listables}
        return discover(
            listables,
            self.config.events,
            filters,
            jobs=self._jobs,
            stop=self.stop,
            listed=lambda listing: self.watcher.said("source.listed", listing=listing),
        )

    def _plan(
        self, listings: Sequence[Listing], known: Mapping[Key, Record], before: Mapping[str, Any]
    ) -> Plan:
        earlier = source_reports(before)
        rescoped = {name: scope.rescoped(earlier.get(name), now) for name, now in self._scopes.items()}
        seen = before.get("revisions")
        self.report.revisions = dict(seen) if isinstance(seen, dict) else {}
        judged = {item.source: self._judge(item) for item in listings}
        return plan(
            [found for listing in listings for found in listing.found],
            known,
            listings={item.source: judged[item.source] for item in listings if item.error is None},
            filters=self.options.filters,
            revisions=self.report.revisions,
            rescoped=rescoped,
        )

    def _judge(self, listing: Listing) -> bool:
        full, self.report.sources[listing.source] = scope.judge(
            listing,
            self.report.sources.get(listing.source),
            self._scopes[listing.source],
            partial=self.options.filters.any or self.stop.is_set(),
            accept=listing.source in self.options.accept_shrink,
        )
        return full

    @property
    def _jobs(self) -> int:
        return max(1, self.options.jobs or self.config.archive.jobs)

    def _recorder(self, held: Hold, known: dict[Key, Record]) -> Recorder:
        ledgers = {name: Ledger(head, Journal(head.sink, self.id)) for name, head in held.heads.items()}
        events = {event.id: event for event in self.config.events}
        title = self.config.archive.title
        return Recorder(self.id, events, known, ledgers, _now, self.report.revisions, series=title)

    def _record_changes(self, planned: Plan, recorder: Recorder) -> None:
        for change in planned.changes:
            recorder.change(change)
        for found in planned.same:
            recorder.rematch(found)

    def _work(self, planned: Plan, workshop: Workshop, recorder: Recorder, held: Hold) -> None:
        staging = self.config.archive.staging or _inside(held)
        waiting = assign.tasks(planned.work, workshop, held.heads, recorder.known, staging)
        self.report.remaining = len(waiting)
        resumed = assign.adopt(waiting, held.heads)
        for outcome in resumed:
            self._take(recorder, outcome, "resumed")
        adopted = {id(outcome.task) for outcome in resumed}
        waiting = [task for task in waiting if id(task) not in adopted]
        self.watcher.said("working", tasks=waiting)
        again = self._round(waiting, recorder, held, second=False)
        self._round(again, recorder, held, second=True)
        self.report.interrupted = self.stop.is_set()

    def _round(self, waiting: Sequence[Task], recorder: Recorder, held: Hold, *, second: bool) -> list[Task]:
        """Work on tasks; give back those that failed in passing and deserve a second try."""
        again: list[Task] = []
        made = instances.of(waiting[0].workshop) if waiting else None
        limits = {task.source: made.source(task.source).max_fetches for task in waiting} if made else {}
        crew = Crew(self._jobs, limits, self._moved, self.stop)
        for outcome in crew.outcomes(_while_possible(waiting, recorder, held)):
            if outcome.transient and not second:
                again.append(outcome.task)
            else:
                self._take(recorder, outcome, outcome.task.reason)
        return [] if self.stop.is_set() else again

    def _moved(self, task: Task, done: int, total: int | None) -> None:
        self.watcher.moved(task.material.event, task.source, task.material.id, done, total)

    def _take(self, recorder: Recorder, outcome: Outcome, how: str) -> None:
        """Record one outcome and tell of it."""
        for name, error in outcome.sink_errors.items():
            recorder.stop(name, error)
        if not outcome.problem and not outcome.stored:
            return  # no sink took it: it stays to be done
        task = outcome.task
        before = recorder.known.get((task.material.event, task.source, task.material.id))
        record = recorder.done(_done(outcome))
        self.report.remaining -= 1
        self._count(outcome, how if record or outcome.problem else "same", before)
        self.watcher.said("item.done", outcome=outcome, how=how, record=record)

    def _count(self, outcome: Outcome, how: str, before: Record | None) -> None:
        task, problem = outcome.task, outcome.problem
        self.report.count(task.material.event, task.source, problem.reason if problem else how)
        if problem is None:
            self.report.files += len(outcome.files)
            self.report.bytes += outcome.size
        else:
            known = before is not None and before.problem is not None
            self.report.problems.append(_item_problem(task.source, outcome, problem, known=known))

    def _note_plan(self, planned: Plan, known: Mapping[Key, Record]) -> None:
        for found in planned.same:
            self.report.count(found.key[0], found.key[1], "same")
        for change in planned.changes:
            what = change.problem.reason if change.problem else str(change.state)
            self.report.count(change.key[0], change.key[1], what)
        if self.options.dry_run:
            for work in planned.work:
                self.report.count(work.found.key[0], work.found.key[1], work.reason)
        for found in planned.obstacles:
            assert found.problem is not None
            before = known.get(found.key)
            material = found.material
            self.report.problems.append(
                ItemProblem(
                    *found.key,
                    material.title,
                    found.problem.reason,
                    found.problem.detail,
                    known=before is not None and before.problem is not None,
                )
            )

    def _note_sinks(self, held: Hold) -> None:
        for name in held.heads:
            self.report.sinks[name] = SinkReport()
        for name, note in held.notes.items():
            self.report.sinks[name] = SinkReport(note=note)
        for name, error in held.errors.items():
            self.report.sinks[name] = SinkReport(error=str(error))

    def _commit(self, recorder: Recorder, held: Hold) -> None:
        for name in held.lost():
            recorder.stop(name, SinkError(f"another run took over sink {name}", hint="run again"))
        made = recorder.commit(documents(self.config.archive, self.config.events), _message(self.report))
        for name, versions in made.items():
            self.report.sinks[name].versions = versions
            self.watcher.said("committed", sink=name, versions=versions)
        if recorder.healthy:
            self._tell_plugins(recorder)

    def _tell_plugins(self, recorder: Recorder) -> None:
        for record in recorder.stored:
            material, paths = record.material, [file.path for file in record.files]
            self.registry.broadcast(
                "archiver_stored", event=material.event, source=record.source, material=material, paths=paths
            )

    def _finish(self, recorder: Recorder, held: Hold) -> None:
        """Bring the index up to date, then leave the run report."""
        for name, each in recorder.healthy.items():
            try:
                index.refresh(each.head, self.config, changed=bool(self.report.sinks[name].versions))
            except ArchiverError as error:
                self._sink_failed(recorder, name, error)
        for name, each in recorder.ledgers.items():
            if each.error is not None:
                self.report.sinks[name].error = str(each.error)
        if any(each.error for each in recorder.ledgers.values()) or self.stop.is_set():
            self._keep_cursors(held)
        self.report.finished = _now()
        for name, each in recorder.healthy.items():
            try:
                self._leave_report(each)
            except SinkError as error:
                self._sink_failed(recorder, name, error)
        self.watcher.said("finished", report=self.report)
        self.registry.broadcast("archiver_run_finished", report=self.report.to_json())

    def _sink_failed(self, recorder: Recorder, name: str, error: ArchiverError) -> None:
        wrapped = error if isinstance(error, SinkError) else SinkError(error.message, hint=error.hint)
        recorder.stop(name, wrapped)
        self.report.sinks[name].error = str(error)

    def _keep_cursors(self, held: Hold) -> None:
        """Let no cursor go past what is not recorded everywhere: the next run lists it again."""
        before = source_reports(_newest(head.report for head in held.heads.values()))
        for name, now in self.report.sources.items():
            now.cursor = before[name].cursor if name in before else ""

    def _leave_report(self, each: Ledger) -> None:
        data = json.dumps(self.report.to_json(), ensure_ascii=False, indent=1)
        each.head.sink.create(f"{RUNS}{self.id}.json", ocfl.blob(data.encode("utf-8", "backslashreplace")))
        each.head.sink.flush()


def _listable(made: Instances, spec: SourceSpec, before: SourceReport | None, *, partial: bool) -> Listable:
    cursor = "" if partial else scope.cursor(before, scope.fingerprints(spec.entries))
    return Listable(spec.name, made.source(spec.name), spec.entries, cursor)


def _while_possible(waiting: Iterable[Task], recorder: Recorder, held: Hold) -> Iterator[Task]:
    """Hand out tasks as long as a sink takes what they bring."""
    for task in waiting:
        usable = recorder.healthy.keys() - set(held.lost())
        destinations = tuple(each for each in task.destinations if each.sink in usable)
        if not destinations:
            return
        yield replace(task, destinations=destinations)


def _done(outcome: Outcome) -> Done:
    task = outcome.task
    return Done(task.source, task.type_name, outcome.material, outcome.files, outcome.stored, outcome.problem)


def _item_problem(source: str, outcome: Outcome, problem: Problem, *, known: bool) -> ItemProblem:
    material = outcome.material
    return ItemProblem(
        material.event, source, material.id, material.title, problem.reason, problem.detail, known
    )


def _newest(reports: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    return max(reports, key=lambda report: str(report.get("run", "")), default={})


def _inside(held: Hold) -> Path | None:
    """Stage inside a local sink, so that files are moved in, not copied."""
    roots = [head.sink.local_root for head in held.heads.values()]
    return next((root / "tmp" for root in reversed(roots) if root is not None), None)


def _message(report: Report) -> str:
    parts = [f"{report.total(what)} {what}" for what in ("new", "changed", "withdrawn") if report.total(what)]
    return f"run {report.run}: {', '.join(parts) or 'records only'}"


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


@contextmanager
def _stoppable(stop: threading.Event, watcher: Watcher) -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM end the run cleanly, the second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def asked(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        watcher.said("stopping")

    old = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
