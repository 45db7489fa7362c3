"""Work on tasks, several at a time, until they are done or somebody says stop."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from archiver.threads import GRACE, DaemonPool, Patience, Stopped
from archiver.work import Outcome, Task, work

Note = Callable[[Task, int, int | None], None]
#: Seconds for which outcomes that come close together are gathered: one journal write serves them all.
GATHER = 0.05
#: Tasks handed to the pool at most, those in work included: photos for half a second, in which the one
#: who waits for their outcomes may sync what came before.
AHEAD = 128


@dataclass
class Crew:
    """A bounded pool of threads over `archiver.work.work`.

    `limits` says for some sources how many fetches may run at once; the others' tasks go on meanwhile.
    `ready` looks at each task when its turn comes: it may change it, or give None to end the work.
    `work` does one task.
    `stop` ends it too: running fetches are given up at their next byte, waiting ones do not start.
    """

    jobs: int
    limits: Mapping[str, int] = field(default_factory=dict)
    note: Note | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    ready: Callable[[Task], Task | None] = lambda task: task
    work: Callable[[Task, Callable[[int, int | None], None]], Outcome] = work
    grace: float = GRACE
    clock: Callable[[], float] = time.monotonic
    _left: threading.Event = field(default_factory=threading.Event)
    _ended: SimpleQueue[Future[Outcome]] = field(default_factory=SimpleQueue)

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[list[Outcome]]:
        """Yield outcomes as they come: at once, or together when they come within `GATHER` seconds.

        What was not begun or finished when stopped is left out.
        """
        queue = _Queue(tasks, self.limits, self.jobs)
        running: dict[Future[Outcome], Task] = {}
        pool = DaemonPool(self.jobs, "fetch")
        patience = Patience(self.stop, self.grace)
        gathered: list[Outcome] = []
        due = 0.0
        try:
            self._fill(pool, queue, running)
            while running and not patience.over:
                done = list(self._wait(max(0.0, due - self.clock()) if gathered else 0.2))
                for future in done:
                    queue.ended(running.pop(future))
                self._fill(pool, queue, running)
                gathered += _finished(done)
                if gathered and (self.clock() >= due or not running):
                    yield gathered
                    gathered, due = [], self.clock() + GATHER
            if gathered:
                yield gathered
        finally:
            self._left.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _wait(self, seconds: float) -> Iterator[Future[Outcome]]:
        """Wait so long for one to end; give it with all that have ended meanwhile."""
        # Not `concurrent.futures.wait`: that looks at every future each time.
        with suppress(Empty):
            yield self._ended.get(timeout=seconds)
            while True:
                yield self._ended.get_nowait()

    def _fill(self, pool: DaemonPool, queue: _Queue, running: dict[Future[Outcome], Task]) -> None:
        # More than there are threads, so that none waits while this one syncs what came before.
        while len(running) < max(AHEAD, self.jobs) and not self.stop.is_set():
            task = queue.next()
            if task is None:
                return
            prepared = self.ready(task)
            if prepared is None:
                queue.close()
                return
            future = pool.submit(self._one, prepared)
            running[future] = task
            future.add_done_callback(self._ended.put)

    def _one(self, task: Task) -> Outcome:
        if self.stop.is_set():
            raise Stopped
        return self.work(task, self._noting(task))

    def _noting(self, task: Task) -> Callable[[int, int | None], None]:
        def note(done: int, total: int | None = None) -> None:
            if self.stop.is_set() or self._left.is_set():
                raise Stopped
            if self.note is not None:
                self.note(task, done, total)

        return note


class _Queue:
    """Tasks by source, handed out in turns, as many of one source as it allows."""

    def __init__(self, tasks: Iterable[Task], limits: Mapping[str, int], jobs: int) -> None:
        self._waiting: dict[str, deque[Task]] = {}
        for task in tasks:
            self._waiting.setdefault(task.source, deque()).append(task)
        # As many as there are threads is no limit at all: then some may wait in the pool as well.
        self._limits = {name: number for name, number in limits.items() if number < jobs}
        self._running: Counter[str] = Counter()
        self._turns = deque(self._waiting)

    def next(self) -> Task | None:
        """Hand out a task of the source whose turn it is; None when all have enough to do."""
        for _ in range(len(self._turns)):
            source = self._turns[0]
            self._turns.rotate(-1)
            if self._waiting[source] and self._running[source] < self._limits.get(source, 1 << 30):
                self._running[source] += 1
                return self._waiting[source].popleft()
        return None

    def ended(self, task: Task) -> None:
        """Hear that a task of its source does not run any more."""
        self._running[task.source] -= 1

    def close(self) -> None:
        """Hand out nothing more."""
        self._turns.clear()


def _finished(futures: Iterable[Future[Outcome]]) -> Iterator[Outcome]:
    for future in futures:
        # Given up at a stop: it is neither done nor failed, the next run begins it anew.
        if not future.cancelled() and not isinstance(future.exception(), Stopped):
            yield future.result()
