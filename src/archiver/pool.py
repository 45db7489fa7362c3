"""Work on tasks, several at a time, until they are done or somebody says stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from archiver import staging
from archiver.work import Outcome, Task, work

Note = Callable[[Task, int, int | None], None]
#: Seconds that running fetches get to notice that they should stop.
GRACE = 10.0


@dataclass
class Crew:
    """A bounded pool of threads over `archiver.work.work`.

    `limits` says for some sources how many fetches may run at once. `stop` ends the work: running
    fetches are given up at their next byte, waiting ones do not start.
    """

    jobs: int
    limits: dict[str, int] = field(default_factory=dict)
    note: Note | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic
    _slots: dict[str, threading.Semaphore] = field(default_factory=dict)
    _stopped: float = 0.0
    _left: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._slots = {name: threading.Semaphore(number) for name, number in self.limits.items()}

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Yield outcomes as they come. What was not begun or finished when stopped is left out."""
        waiting = iter(tasks)
        running: set[Future[Outcome]] = set()
        pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="fetch")
        try:
            self._fill(pool, waiting, running)
            while running and not self._given_up():
                done, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                running -= done
                self._fill(pool, waiting, running)
                yield from _finished(done)
        finally:
            self._left.set()
            pool.shutdown(wait=False, cancel_futures=True)
            staging.tidy()

    def _given_up(self) -> bool:
        """Say whether running fetches had their time to end after a stop."""
        if not self.stop.is_set():
            return False
        self._stopped = self._stopped or self.clock()
        return self.clock() - self._stopped > GRACE

    def _fill(self, pool: ThreadPoolExecutor, waiting: Iterator[Task], running: set[Future[Outcome]]) -> None:
        # A few more than there are threads, so that none waits for this one.
        while len(running) < 2 * self.jobs and not self.stop.is_set():
            task = next(waiting, None)
            if task is None:
                return
            running.add(pool.submit(self._one, task))

    def _one(self, task: Task) -> Outcome:
        slot = self._slots.get(task.source)
        if slot is None:
            return work(task, self._noting(task))
        with slot:
            return work(task, self._noting(task))

    def _noting(self, task: Task) -> Callable[[int, int | None], None]:
        def note(done: int, total: int | None = None) -> None:
            if self.stop.is_set() or self._left.is_set():
                raise KeyboardInterrupt
            if self.note is not None:
                self.note(task, done, total)

        return note


def _finished(futures: Iterable[Future[Outcome]]) -> Iterator[Outcome]:
    for future in futures:
        # Given up at a stop: it is neither done nor failed, the next run begins it anew.
        if not future.cancelled() and not isinstance(future.exception(), KeyboardInterrupt):
            yield future.result()
