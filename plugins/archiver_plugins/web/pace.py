"""The gap between two requests that a site's robots.txt asks for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """Gives each origin its next moment. Thread-safe; seconds throughout.

    The core's client keeps half a second between requests by itself; this adds what a site asks beyond.
    """

    def __init__(
        self, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}

    def wait(self, origin: str, gap: float) -> None:
        """Wait for the turn at `origin`, and keep the next caller back for `gap`."""
        with self._lock:
            now = self.now()
            start = max(now, self._next.get(origin, now))
            self._next[origin] = start + gap
        if start > now:
            self._sleep(start - now)
