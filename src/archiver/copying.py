"""Copy the whole archive from one sink to another, such as a new one: `archive copy`.

A run leaves a sink alone that never held this archive. This is how it comes to hold it; afterwards runs
keep it up to date.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from archiver import __version__, hold, identity, index, ready, recall, seal
from archiver.archive import COMMON, RUNS, Head, logbooks, new_run
from archiver.budget import Budget
from archiver.config import Config
from archiver.contracts import Blob
from archiver.documents import documents
from archiver.errors import ArchiverError, DamageError, ExistsError, MissingError, SinkError
from archiver.hold import Hold
from archiver.instances import Instances, Workshop
from archiver.interrupts import stoppable
from archiver.journal import Journal
from archiver.ledger import union
from archiver.model import Audience
from archiver.ocfl import blob, read
from archiver.publish import Publishing
from archiver.record import Recorder
from archiver.registry import Registry
from archiver.replicate import Desk, Replication
from archiver.report import Report, Silent, SinkReport, Watcher, revisions, source_reports
from archiver.shelf import Shelf
from archiver.talks import with_kept

#: A run report larger than this is not ours.
_REPORT_BYTES = 64 << 20


@dataclass
class Copied:
    """What a copy did. `lacking` counts the materials of which the target still lacks files.

    `damage` names bytes of the origin that are not what they should be, `left` what else could not be
    copied and why, by path; `versions` are those made, by object. `partial` says that one of the two sinks
    is public: the target then has what is cleared, and not all there is.
    """

    origin: str
    target: str
    files: int = 0
    bytes: int = 0
    lacking: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    damage: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    error: str = ""
    note: str = ""
    interrupted: bool = False
    partial: bool = False

    @property
    def exit_code(self) -> int:
        """Give the exit code: see docs/reference/command.md."""
        if self.error:
            return 3
        if self.damage:
            return 4
        if self.interrupted:
            return 130
        return 1 if self.left or self.lacking else 0

    def to_json(self) -> dict[str, Any]:
        """Turn into plain JSON data."""
        data = asdict(self)
        return {"from": data.pop("origin"), "to": data.pop("target"), **data}


@dataclass
class Copying:
    """One copy between two configured sinks. What is there already is not copied again."""

    config: Config
    registry: Registry
    origin: str
    target: str
    jobs: int | None = None
    watcher: Watcher = field(default_factory=Silent)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.id, self.started = new_run(), ready.now()
        self.copied = Copied(self.origin, self.target)

    def execute(self) -> Copied:
        """Do the copy. Raises `SinkError` when one of the two cannot be used at all."""
        with self._sinks() as (origin, held), stoppable(self.stop, lambda: self.watcher.said("stopping")):
            if self.target in held.public:
                self._publish(origin, held)
            else:
                self._copy(origin, held, held.heads[self.target])
        return self.copied

    @contextmanager
    def _sinks(self) -> Iterator[tuple[Head, Hold]]:
        config = self.config
        workshop = Workshop(self.id, config.folder, (), config.sinks, config.plugins, config.path)
        made = Instances(workshop, self.registry)
        try:
            # Only read: a run may go on writing to it meanwhile, and this takes what is committed now.
            origin = self._origin(made)
            held = hold.take(made, [self.target], self.id, losers=True)
            try:
                identity.check(identity.of_heads([origin, *held.heads.values()]))
                yield origin, held
            finally:
                held.release()
        finally:
            made.close()

    def _origin(self, made: Instances) -> Head:
        # Without a check: that would want to write, and this one may be a backup that nobody can write to.
        found = hold.peek(made, [self.origin], losers=True)
        head = {**found.heads, **found.public}[self.origin]
        self.copied.partial = head.audience is Audience.PUBLIC
        if head.empty:
            raise SinkError(
                f"sink {self.origin} holds no archive",
                hint="is its disk mounted? Name the sink that has the archive after --from",
            )
        return head

    def _publish(self, origin: Head, held: Hold) -> None:
        """Fill a public sink with what is cleared. Raises `SinkError` when the origin does not know that."""
        if origin.audience is Audience.PUBLIC:
            raise SinkError(
                f"sink {self.origin} is public and does not say what else is cleared",
                hint="name an internal sink after --from",
            )
        self.copied.partial = True
        report = Report(self.id, self.started, __version__)
        settings = self.config.archive
        desk = Desk(settings.staging, Budget(settings.staging_limit), self.stop)
        clearance = recall.clearance([origin], with_kept(self.config, [origin]))
        known, jobs = origin.records.values(), max(1, self.jobs or settings.jobs)
        publishing = Publishing(
            clearance, held, {origin.name: origin}, known, report, self.watcher, desk, jobs
        )
        recorder = publishing.execute()
        noted = report.sinks[self.target]
        done = self.copied
        for copies in publishing.copies.values():
            done.files, done.bytes, done.left = copies.files, copies.bytes, copies.left
        done.damage = [text for found in publishing.damage.values() for text in found]
        done.versions, done.error, done.note = noted.versions, noted.error, noted.note
        done.interrupted = self.stop.is_set()
        done.lacking = recorder.lacking(recorder.shelves[self.target])

    def _copy(self, origin: Head, held: Hold, target: Head) -> None:
        shelf = Shelf(target, Journal(target.sink, self.id))
        known = union([origin.records, target.records])
        recorder = Recorder(self.id, {}, known, {self.target: shelf}, ready.now)
        replication = self._replication(recorder, origin)
        for copies in replication.catch_up().values():
            self.copied.files, self.copied.bytes, self.copied.left = copies.files, copies.bytes, copies.left
        lost = [origin.damage] if origin.damage else []
        self.copied.damage = lost + [text for found in replication.damage.values() for text in found]
        self.copied.interrupted = self.stop.is_set()
        self._commit(recorder, replication, held, self._documents(origin, target))
        self.copied.lacking = recorder.lacking(shelf)
        if shelf.error is None:
            self._finish(recorder, origin, shelf)
        if shelf.error is not None:
            self.copied.error = str(shelf.error)

    def _documents(self, origin: Head, target: Head) -> dict[str, dict[str, bytes]]:
        own = documents(self.config.archive, self.config.events) if self.copied.partial else {COMMON: {}}
        own[COMMON] |= logbooks([origin, target])
        return own

    def _replication(self, recorder: Recorder, origin: Head) -> Replication:
        settings = self.config.archive
        desk = Desk(settings.staging, Budget(settings.staging_limit), self.stop)
        jobs = max(1, self.jobs or settings.jobs)
        return Replication(recorder, jobs, desk, self.watcher.said, readable={self.origin: origin})

    def _commit(
        self,
        recorder: Recorder,
        replication: Replication,
        held: Hold,
        files: Mapping[str, Mapping[str, bytes]],
    ) -> None:
        for name, error in held.confirm().items():
            recorder.stop(name, error)
        if not self.copied.partial:  # what a public sink says of the archive is not all there is to say
            replication.borrow(files)
        made = recorder.commit(files, f"copy {self.id}: from sink {self.origin}")
        self.copied.versions = made.get(self.target, {})

    def _finish(self, recorder: Recorder, origin: Head, shelf: Shelf) -> None:
        """Bring the reports over, so that the next run goes on with the same cursors, and the index."""
        try:
            # What a public sink reports is no more than that there were runs.
            if not (self.copied.interrupted or self.copied.lacking or self.copied.partial):
                _copy_reports(origin, shelf.head)
                if self.copied.versions:
                    self._leave_report(origin, shelf.head)
            index.refresh(shelf.head, self.config, changed=bool(self.copied.versions))
            shelf.head.sink.flush()
        except ArchiverError as error:
            recorder.stop(self.target, error)
        except Exception as error:  # noqa: BLE001  # the catalog can be made again; what is stored is safe
            self.copied.note = f"its catalog could not be made: {type(error).__name__}: {error}"

    def _leave_report(self, origin: Head, target: Head) -> None:
        """Say in the target that this copy is over, so that no run looks for what it left behind.

        The newest report supplies the cursors: this one hands on those of the newest run.
        """
        newest = ready.newest([origin.report, target.report])
        sink = SinkReport(self.copied.versions, copied=self.copied.files, copied_bytes=self.copied.bytes)
        report = Report(
            self.id,
            self.started,
            __version__,
            finished=ready.now(),
            sources=source_reports(newest),
            sinks={self.target: sink},
            revisions=revisions(newest),
        )
        data = json.dumps(report.to_json(), ensure_ascii=False, indent=1)
        _create_report(target, f"{RUNS}{self.id}.json", blob(data.encode("utf-8", "backslashreplace")))


def _copy_reports(origin: Head, target: Head) -> None:
    """Copy the run reports that the target does not have, the newest last: it tells where to go on."""
    for run in origin.runs:
        if run in target.runs:
            continue
        path = f"{RUNS}{run}.json"
        try:
            sealed, data = seal.read_seal(origin.sink, path), blob(read(origin.sink, path, _REPORT_BYTES))
        except (DamageError, MissingError):
            continue  # it costs its cursors only
        if not sealed or data.sha256 in sealed:
            _create_report(target, path, data)


def _create_report(target: Head, path: str, data: Blob) -> None:
    try:
        seal.create(target.sink, path, data)
    except ExistsError:
        return  # there by now
