"""Ctrl-C, SIGTERM, SIGHUP: the first signal asks a run to end cleanly, the second ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

#: A runner that is taken away sends SIGTERM, a terminal that is closed SIGHUP, Ctrl-C SIGINT.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def stoppable(stop: threading.Event, stopping: Callable[[], None]) -> Iterator[None]:
    """Set `stop` and call `stopping` on the first signal; raise `KeyboardInterrupt` on the second.

    Signals reach the main thread only: in another one nothing is changed. A signal that the process was
    started to ignore (`nohup` does so with SIGHUP) stays ignored. `stop` may be set by others too, such as
    a limit of time: that makes no signal the second.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    seen: list[int] = []

    def asked(number: int, frame: FrameType | None) -> None:
        del frame
        if seen:
            raise KeyboardInterrupt
        seen.append(number)
        stop.set()
        # Not from here: the main thread may be in the middle of a write to the same stream.
        threading.Thread(target=stopping, name="stopping", daemon=True).start()

    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    old = {number: signal.signal(number, asked) for number in heeded}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
