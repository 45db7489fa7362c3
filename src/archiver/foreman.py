"""Has the tasks of a run done, and hands what became of each to the recorder."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archiver import assign, examine, ready, tally
from archiver.allowance import Allowance
from archiver.budget import Budget
from archiver.hold import Hold
from archiver.instances import Instances
from archiver.pool import Crew
from archiver.record import Recorder
from archiver.report import Report, Watcher
from archiver.work import Outcome, Task


@dataclass(frozen=True)
class Foreman:
    """Hands tasks out to the pool, and takes outcomes in, in the one thread that records.

    `given` are sources that a person handed over: what fails of them leaves no record.
    """

    made: Instances
    recorder: Recorder
    held: Hold
    report: Report
    watcher: Watcher
    stop: threading.Event
    budget: Budget
    allowance: Allowance
    jobs: int
    staging: Path | None
    given: frozenset[str]

    def work(self, waiting: Sequence[Task]) -> None:
        """Take over what a killed run has put, then do the rest, what failed in passing twice."""
        self.report.remaining += len(waiting)
        adopted: set[int] = set()
        for outcome in assign.adopt(waiting, self.held.heads):
            self._take([outcome], resumed=True)
            adopted.add(id(outcome.task))
            if self.stop.is_set():
                break
        rest = self.allowance.affordable([task for task in waiting if id(task) not in adopted])
        self.watcher.said("working", tasks=rest)
        examine.start(len(rest))
        again = self._round(rest, last=False)
        self._round(again, last=True)

    def _round(self, waiting: Sequence[Task], *, last: bool) -> list[Task]:
        """Work on tasks; give back those that failed in passing and deserve a second try."""
        again: list[Task] = []
        for outcomes in self._crew(waiting, last=last).outcomes(waiting):
            settled = []
            for outcome in outcomes:
                if not last and (outcome.transient or not ready.is_settled(outcome)):
                    self._stop_sinks(outcome)
                    again.append(outcome.task)
                else:
                    settled.append(outcome)
            self._take(settled)
        return [] if self.stop.is_set() else again

    def _crew(self, waiting: Iterable[Task], *, last: bool) -> Crew:
        sources = {task.source for task in waiting}
        limits = {name: ready.max_fetches(self.made.source(name)) for name in sources}
        prepare = ready.Ready(self.staging, self.recorder, self.held)
        work = ready.Bounded(self.budget, self.jobs, self.stop, alone=last)
        return Crew(self.jobs, limits, self._moved, self.stop, prepare, work)

    def _moved(self, task: Task, done: int, total: int | None) -> None:
        self.watcher.moved(task.material.event, task.source, task.material.id, done, total)

    def _take(self, outcomes: Iterable[Outcome], *, resumed: bool = False) -> None:
        """Record outcomes, and tell of them when the journals name them."""
        told = [self._record(outcome, resumed=resumed) for outcome in outcomes]
        self.recorder.acknowledge()
        for data in told:
            if data:
                self.watcher.said("item.done", **data)

    def _record(self, outcome: Outcome, *, resumed: bool) -> dict[str, Any]:
        """Record one outcome and say what is to be told of it."""
        self._stop_sinks(outcome)
        if not ready.is_settled(outcome):
            return {}  # no sink took it: it stays to be done
        done = ready.done(outcome)
        before = self.recorder.known.get(done.key)
        # What a person hands over is told of at once, and not waited for: it leaves no pending record.
        handed = done.problem is not None and done.source in self.given
        record = None if handed else self.recorder.done(done)
        self.report.remaining -= 1
        what = tally.count_outcome(self.report, outcome, before, record, resumed=resumed)
        return {"outcome": outcome, "how": what, "record": record}

    def _stop_sinks(self, outcome: Outcome) -> None:
        for name, error in outcome.sink_errors.items():
            self.recorder.stop(name, error)
