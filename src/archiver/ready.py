"""Small pieces of a run: what is looked at when a task's turn comes, and the words it leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from archiver import staging
from archiver.archive import Head
from archiver.budget import Budget, Room
from archiver.contracts import Source
from archiver.errors import InvalidError
from archiver.heads import told
from archiver.hold import Hold
from archiver.ledger import Problem
from archiver.record import Done, Recorder
from archiver.report import Report, SinkReport
from archiver.work import Outcome, Task, work


@dataclass
class Ready:
    """Looks at a task when its turn comes: which sinks still take something, and where to stage."""

    staging: Path | None
    recorder: Recorder
    held: Hold

    def __call__(self, task: Task) -> Task | None:
        """Give the task as it is to be done now; None when no sink takes anything any more."""
        usable = self.recorder.healthy.keys() - set(self.held.lost())
        destinations = tuple(each for each in task.destinations if each.sink in usable)
        if not destinations:
            return None
        if self.staging is not None:
            return replace(task, destinations=destinations, staging=self.staging)
        # Inside a local sink, so that files are moved in, not copied: the last one is moved to.
        for each in reversed(destinations):
            root = self.held.heads[each.sink].sink.local_root
            if root is not None:
                return replace(task, destinations=destinations, staging=root / "tmp", staging_sink=each.sink)
        return replace(task, destinations=destinations)


@dataclass
class Bounded:
    """Does tasks within a budget of bytes that wait on disk: each waits until there is room for it.

    What no source tells the size of begins with its share of the budget, and takes more as it grows;
    `alone` gives it the whole budget at once: nothing then waits for anything half done.
    """

    budget: Budget
    jobs: int
    stop: threading.Event
    alone: bool = False

    def __call__(self, task: Task, note: Callable[[int, int | None], None]) -> Outcome:
        """Do one task. Raises nothing but `Stopped`."""
        limit = self.budget.limit
        if limit is None:
            return work(task, note)
        size = task.material.size
        share = limit if self.alone else max(1, limit // self.jobs)
        try:
            with self.budget.room(share if size is None else size, self.stop) as room:
                return work(task, _Growing(room, note, self.stop))
        except InvalidError as error:
            problem = Problem(error.reason, str(error), task.material.revision)
            return Outcome(task, task.material, problem=problem)


class _Growing:
    """Passes progress on; takes more of the budget when more lies on disk than was asked for."""

    def __init__(self, room: Room, note: Callable[[int, int | None], None], stop: threading.Event) -> None:
        self._room, self._note, self._stop = room, note, stop
        self._came = 0

    def __call__(self, done: int, total: int | None = None) -> None:
        self._note(done, total)
        self._came += done
        if self._came > self._room.bytes:
            # A second try may have brought bytes again: what lies there counts.
            self._came = staging.occupied()
            self._room.grow(self._came, self._stop)


def is_settled(outcome: Outcome) -> bool:
    """Say whether anything became of a task: it failed for a reason of its own, or a sink took it."""
    return outcome.problem is not None or bool(outcome.stored)


def sink_reports(held: Hold, least: int) -> dict[str, SinkReport]:
    """Say of each sink what is known before the work; `least` sinks have to have everything."""
    few = len(held.heads) < least
    reports = {
        name: SinkReport(damage=_damage(head), limits=list(held.limits.get(name, ())))
        for name, head in {**held.heads, **held.public}.items()
    }
    for name, note in held.notes.items():
        told = f"{note}; min_copies is {least}"
        reports[name] = SinkReport(error=told) if few and name in held.lacking else SinkReport(note=note)
    return reports | {name: SinkReport(error=str(error)) for name, error in held.errors.items()}


def _damage(head: Head) -> str:
    """Tell of the damage seen in a sink that is used: of what is gone, another sink has a copy then."""
    if not head.losses:
        return head.damage
    again = f"{told(head.losses)}; filled again from another sink"
    return "; ".join(filter(None, [again, head.trouble, head.missed]))


def lacking(number: int) -> str:
    """Say of how many materials a sink has no files, or not all."""
    materials = "1 material" if number == 1 else f"{number} materials"
    return f"lacks the files of {materials} that another sink has"


def max_fetches(source: Source[Any, Any]) -> int:
    """Say how many fetches of a source may run at once, whatever its class says."""
    # A plugin's own number: "8", 0 or None would stop everything.
    number: object = source.max_fetches
    return number if isinstance(number, int) and number > 0 else 1


def done(outcome: Outcome) -> Done:
    """Give what the recorder needs of an outcome."""
    task = outcome.task
    return Done(task.source, task.type_name, outcome.material, outcome.files, outcome.stored, outcome.problem)


def newest(reports: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Choose the report of the latest run; empty when there is none."""
    return max(reports, key=lambda report: str(report.get("run", "")), default={})


def message(report: Report) -> str:
    """Say in a version what its run did."""
    parts = [f"{report.total(what)} {what}" for what in ("new", "changed", "withdrawn") if report.total(what)]
    copied = sum(sink.copied for sink in report.sinks.values())
    parts += [f"{copied} file{'' if copied == 1 else 's'} from another sink"] if copied else []
    return f"run {report.run}: {', '.join(parts) or 'records only'}"


def now() -> str:
    """Give the time of now: UTC, RFC 3339."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
