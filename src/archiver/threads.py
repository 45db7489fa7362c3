"""Threads that run what plugins do, and never keep the process from ending."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

#: Seconds that running plugins get to notice that they should stop.
GRACE = 10.0

P = ParamSpec("P")
T = TypeVar("T")


class Stopped(KeyboardInterrupt):
    """Somebody asked the run to stop: raised inside a plugin at its next sign of progress."""


@dataclass
class Patience:
    """How long to wait, after a stop, for what still runs."""

    stop: threading.Event
    grace: float = GRACE
    clock: Callable[[], float] = time.monotonic
    _since: float | None = field(default=None, init=False)

    @property
    def over(self) -> bool:
        """Say whether a stop was asked for longer than `grace` seconds ago (since this first looked)."""
        if not self.stop.is_set():
            return False
        if self._since is None:
            self._since = self.clock()
        return self.clock() - self._since >= self.grace


class DaemonPool(Executor):
    """A thread pool like the standard one, but of daemon threads.

    The interpreter waits at its end for the threads of `ThreadPoolExecutor`: one plugin that hangs in
    a socket would keep a stopped run alive for ever.
    """

    def __init__(self, workers: int, name: str) -> None:
        self._limit = max(1, workers)
        self._name = name
        self._waiting: queue.SimpleQueue[tuple[Future[Any], Callable[[], None]] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a function called by one of the threads."""
        future: Future[T] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  # whoever asks for the result gets it, as it is
                future.set_exception(error)
            else:
                future.set_result(result)

        self._waiting.put((future, call))
        if len(self._threads) < self._limit:
            self._start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the threads end when nothing waits any more; with `cancel_futures`, after what they do now."""
        if cancel_futures:
            self._cancel()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _cancel(self) -> None:
        with suppress(queue.Empty):
            while (item := self._waiting.get_nowait()) is not None:
                item[0].cancel()

    def _start(self) -> None:
        name = f"{self._name}-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            item[1]()
            del item  # else the last result would be kept alive until the next call
