"""One run, from the configuration to the index: the straight line.

discover → route → plan → work → record → catalog. Planner and recorder are this one thread; the
workers of `archiver.pool` share nothing with it but their tasks and outcomes.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from archiver import (
    __version__,
    assign,
    closing,
    handing,
    hold,
    identity,
    instances,
    publish,
    ready,
    recall,
    renamed,
    replicate,
    scope,
    staging,
    tally,
    upkeep,
)
from archiver.allowance import Allowance, Limits
from archiver.archive import COMMON, logbooks, new_run
from archiver.budget import Budget
from archiver.bundle import Bundle, Taking
from archiver.closing import Closing
from archiver.config import Config, SourceSpec
from archiver.contracts import Source
from archiver.coverage import coverage
from archiver.decisions import Settled, settle
from archiver.discover import Discovery, Listable, Listing
from archiver.documents import documents
from archiver.foreman import Foreman
from archiver.hold import Hold
from archiver.instances import Instances, Workshop
from archiver.interrupts import stoppable
from archiver.journal import Journal
from archiver.ledger import Key, Record, union
from archiver.plan import Knowledge, Plan, Standing, plan
from archiver.record import Recorder
from archiver.registry import Registry
from archiver.report import Report, Silent, Watcher, revisions, source_reports
from archiver.route import Filters
from archiver.shelf import Shelf
from archiver.talks import refreshed


@dataclass(frozen=True)
class RunOptions:
    """What the user asked of this run. `accept_shrink` names sources whose alarm is passed over.

    `limits` is what the run may take; `wait` for how many seconds it waits for another one to end.
    With a `bundle` it fetches what that names, and lists nothing but the sources that it says could not be.
    `fail_on` is what makes it a failure: `any` open problem, or only a `new` one.
    """

    filters: Filters = field(default_factory=Filters)
    jobs: int | None = None
    dry_run: bool = False
    accept_shrink: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)
    wait: float = 0.0
    bundle: Bundle | None = None
    fail_on: str = "any"


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
        options = self.options
        self.report = Report(
            self.id, ready.now(), __version__, dry_run=options.dry_run, fail_on=options.fail_on
        )
        self.planned = Plan()
        self._budget = Budget(self.config.archive.staging_limit)
        self._allowance = Allowance(self.options.limits, self.stop, staging.report_progress)

    def execute(self) -> Report:
        """Do the run. Raises `SinkError` when no sink can be used at all."""
        config = self.config
        configured = handing.with_defaults(config.sources, config, self.registry)
        specs = configured if self.sources is None else tuple(self.sources)
        workshop = Workshop(self.id, config.folder, specs, config.sinks, config.plugins, config.path)
        allowance = self._allowance
        made = Instances(workshop, self.registry, self.given, progress=allowance.came, watch=allowance.asked)
        instances.share(made)
        try:
            with allowance.running():
                return self._with_sinks(made)
        finally:
            instances.forget(made)

    def _with_sinks(self, made: Instances) -> Report:
        names = [spec.name for spec in self.config.sinks]
        wait = self.options.wait
        held = hold.peek(made, names) if self.options.dry_run else hold.take(made, names, self.id, wait)
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
        self.config = refreshed(self.config, heads, self.report, asked, offline=self._is_narrow)
        self._router = recall.router(held.heads.values(), self.config, self.options.filters)
        settled = settle(known, self._router.decisions, ready.now(), self.id)
        settled.apply(known)
        before = ready.newest(head.report for head in held.heads.values())
        self._before, self._earlier = before, source_reports(before)
        self.report.sources = dict(self._earlier)
        self.report.revisions = revisions(before)
        self.report.sinks.update(ready.sink_reports(held, self.config.archive.min_copies))
        listings = self._discover(made, known)
        moved = self._know_again(listings, known)
        self.planned = self._plan(listings, known)
        self._take_bundle(made, known)
        self.watcher.said("planned", plan=self.planned, known=known)
        tally.count_plan(self.report, self.planned, known)
        if self.options.dry_run:
            self._follow(made, known)
            tally.count_work(self.report, self.planned, known)
            closing.count_traffic(self.report, self._allowance, self._before)
            self.report.interrupted = self._interrupted
            return
        recorder = self._recorder(held, known)
        recorder.settle(settled)
        recorder.settle(moved)
        self._record_plan(recorder, self.planned)
        self._work(made, recorder, held, self.planned)
        # What the reports point to, those too that have just come: the same way once more, and not again.
        further = self._follow(made, known)
        if further != Plan():
            self._record_plan(recorder, further)
            self._work(made, recorder, held, further)
        self._catch_up(recorder)
        self._commit(recorder, held)
        self._publish(recorder, held)
        self._finish(recorder, held)

    def _discover(self, made: Instances, known: Mapping[Key, Record]) -> list[Listing]:
        limits = self.options.limits
        self._discovery = discovery = Discovery(
            self._router,
            self.options.filters,
            self.stop,
            jobs=self._jobs,
            listed=lambda listing: self.watcher.said("source.listed", listing=listing),
            mask=made.workshop.mask,
            held=known,
            # A source whose listing never ends must not take the night from all the others.
            seconds=limits.seconds / 2 if limits.seconds is not None else None,
        )
        self._scopes: dict[str, dict[str, str]] = {}
        specs = [each for each in made.workshop.sources if each.entries and self._is_listed(each.name)]
        listables, listings = [], []
        for spec in specs:
            try:
                listables.append(self._listable(made, spec))
            except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin's constructor may raise anything
                listings.append(discovery.unlistable(spec.name, error))
        return [*listings, *discovery.listings(listables)]

    @property
    def _is_narrow(self) -> bool:
        """Say whether a person names what is wanted, and nothing else is looked for."""
        return bool(self.given) or self.options.bundle is not None

    @property
    def _is_partial(self) -> bool:
        """Say whether a listing of this run is none that the next one may go by."""
        return self.options.filters.any or self.options.bundle is not None

    def _is_listed(self, name: str) -> bool:
        asked, bundle = self.options.filters.sources, self.options.bundle
        return (not asked or name in asked) and (bundle is None or name in bundle.listed)

    def _listable(self, made: Instances, spec: SourceSpec) -> Listable:
        scopes = scope.fingerprints(spec.entries, spec.options)
        cursor = "" if self._is_partial else scope.cursor(self._earlier.get(spec.name), scopes)
        listable = Listable(spec.name, made.source(spec.name), spec.entries, cursor)
        self._scopes[spec.name] = scopes
        return listable

    def _know_again(self, listings: Sequence[Listing], known: dict[Key, Record]) -> Settled:
        """Let records follow their source to its new name in the configuration."""
        configured = handing.with_defaults(self.config.sources, self.config, self.registry)
        names = {spec.name for spec in configured} | self.given.keys()
        found = (found for listing in listings for found in listing.found)
        moved = renamed.renamed(found, known, names, ready.now(), self.id)
        moved.apply(known)
        renamed.follow(self.report.revisions, moved)
        return moved

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
        self._listed = [*found, *recall.again(self._router, self.config, found, knowledge)]
        return plan(self._listed, knowledge)

    def _take_bundle(self, made: Instances, known: Mapping[Key, Record]) -> None:
        """Plan what a bundle names, beside what the sources list that it wants listed."""
        if self.options.bundle is None:
            return
        events = {event.id for event in self.config.events}
        taking = Taking(made.workshop.sources, events, known, made.source, self.options.filters)
        handed = taking.take(self.options.bundle, self.planned)
        self.planned.extend(handed.plan)
        handed.tell(self.report)

    def _follow(self, made: Instances, known: Mapping[Key, Record]) -> Plan:
        """Plan what the reports point to, with what is left of the limit."""
        if self.sources is not None or self._is_narrow or self.stop.is_set():
            return Plan()
        limit = self.options.filters.limit
        left = None if limit is None else max(0, limit - len(self.planned.work))
        discovery = replace(
            self._discovery, filters=replace(self.options.filters, limit=left), listed=lambda _: None
        )
        further = handing.Handing(
            self.config, made, discovery, known, self._listed, self.report.revisions
        ).plan()
        tally.count_plan(self.report, further, known)
        self.planned.extend(further)
        self.report.interrupted |= self._interrupted
        return further

    def _judge(self, listing: Listing) -> Standing:
        name = listing.source
        standing, now = scope.judge(
            listing,
            self._earlier.get(name),
            self._scopes.get(name, {}),
            at=ready.now(),
            partial=self._is_partial or self.stop.is_set(),
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

    def _record_plan(self, recorder: Recorder, planned: Plan) -> None:
        """Record what needs no fetch."""
        for key in planned.dropped:
            recorder.drop(key)
        for change in planned.changes:
            recorder.change(change)
        rules = self._before.get("rules")
        changed = {change.key for change in planned.changes}
        recorder.rematch(
            {found.key: found.material.talk for found in planned.same},
            rules if isinstance(rules, str) else "",
            changed,
        )
        self.report.rules = recorder.rules
        recorder.level()

    def _work(self, made: Instances, recorder: Recorder, held: Hold, planned: Plan) -> None:
        waiting = assign.tasks(
            planned.work, made.workshop, held.heads, recorder.known, pictures=self.config.archive.site
        )
        Foreman(
            made, recorder, held, self.report, self.watcher, self.stop,
            self._budget, self._allowance, self._jobs, self.config.archive.staging, frozenset(self.given),
        ).work(waiting)  # fmt: skip
        self.report.interrupted = self._interrupted

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
                self.report.sinks[name].add_note(f"does not have {path}: {reason}")
        self.report.interrupted |= self._interrupted
        for name, found in self._replication.damage.items():
            noted = self.report.sinks[name]
            noted.damage = "; ".join([*filter(None, [noted.damage]), *found[:3]])

    def _commit(self, recorder: Recorder, held: Hold) -> None:
        for name, error in held.confirm().items():
            recorder.stop(name, error)
        files = documents(self.config.archive, self.config.events)
        files[COMMON] |= logbooks(held.heads.values()) | identity.document(held.heads.values())
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

    def _publish(self, recorder: Recorder, held: Hold) -> None:
        """Fill the public sinks with what is cleared, from those that have everything."""
        origins = {name: shelf.head for name, shelf in recorder.healthy.items()}
        if not held.public or not origins:
            return
        clearance = recall.clearance(held.heads.values(), self.config)
        desk = replicate.Desk(self.config.archive.staging, self._budget, self.stop)
        publish.Publishing(
            clearance, held, origins, recorder.known.values(), self.report, self.watcher, desk, self._jobs
        ).execute()
        self.report.interrupted |= self._interrupted

    @property
    def _interrupted(self) -> bool:
        """Say whether somebody asked for the end; a limit that was met is no interruption."""
        return self.stop.is_set() and not self._allowance.reached

    def _finish(self, recorder: Recorder, held: Hold) -> None:
        """Bring the index up to date, then leave the run report."""
        closing = Closing(self.report, self.config.archive, self._earlier, self.stop)
        closing.count(self._scopes, self._allowance, self._before)
        waived = recall.waivers(held.heads.values(), self.config)
        tally.count_coverage(self.report, coverage(self.config.events, recorder.known.values(), waived))
        upkeep.refresh(recorder, self.config, self._router.asks, self.report, self.watcher)
        closing.close(recorder)
        self.watcher.said("finished", report=self.report)
        self.registry.broadcast("archiver_run_finished", report=self.report.to_json())
