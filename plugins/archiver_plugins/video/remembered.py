"""What the listing saw of single videos, kept for the fetch that follows: a page is not asked for twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, Final

#: Seconds: addresses of streams are signed, and stop working after a while.
FRESH: Final = 300.0
#: Videos of a long list are fetched in its order: the first ones come before what is known grows old.
MAX_KEPT: Final = 100


class Remembered:
    """yt-dlp's findings by address, each given out once. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def keep(self, address: str, info: dict[str, Any]) -> None:
        """Remember a video that was looked at, unless there are enough."""
        with self._lock:
            if len(self._kept) < MAX_KEPT:
                self._kept[address] = (self._clock(), info)

    def take(self, address: str) -> dict[str, Any] | None:
        """Give what is known of an address, if it is fresh, and forget it."""
        with self._lock:
            at, info = self._kept.pop(address, (0.0, None))
            return info if info is not None and self._clock() - at < FRESH else None
