"""Ctrl-C and SIGTERM: the first asks a run to end cleanly, the second ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stoppable(stop: threading.Event, stopping: Callable[[], None]) -> Iterator[None]:
    """Set `stop` and call `stopping` on the first signal; raise `KeyboardInterrupt` on the second.

    Signals reach the main thread only: in another one nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def asked(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        # Not from here: the main thread may be in the middle of a write to the same stream.
        threading.Thread(target=stopping, name="stopping", daemon=True).start()

    old = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
