"""The connections to one account: lent to one thread at a time, renewed when they break."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from archiver_plugins.mail.session import Lost, Session

T = TypeVar("T")

#: How often in a row a connection may break before an item is given up for this run.
ATTEMPTS: Final = 3


class Sessions:
    """Connections that wait for another use. Thread-safe. Those that nobody closed end with the object."""

    def __init__(self, connect: Callable[[], Session]) -> None:
        self._connect = connect
        self._idle: list[Session] = []
        self._lock = threading.Lock()
        self._end = weakref.finalize(self, _close_all, self._idle, self._lock)

    @contextmanager
    def lend(self, mailbox: str = "") -> Iterator[Session]:
        """Lend a connection, best one in which that mailbox is open. It is closed when its use fails.

        When it breaks, those that wait are closed too: they are no younger.
        """
        session = self._take(mailbox) or self._connect()
        try:
            yield session
        except BaseException as error:
            session.close()
            if isinstance(error, Lost):
                self.close()
            raise
        with self._lock:
            self._idle.append(session)

    def repeat(self, use: Callable[[Session], T], mailbox: str = "") -> T:
        """Use a connection, and another one when it breaks."""
        for _ in range(ATTEMPTS - 1):
            try:
                with self.lend(mailbox) as session:
                    return use(session)
            except Lost:
                continue
        with self.lend(mailbox) as session:
            return use(session)

    def close(self) -> None:
        """Close the connections that wait."""
        _close_all(self._idle, self._lock)

    def _take(self, mailbox: str) -> Session | None:
        with self._lock:
            for session in reversed(self._idle):
                if session.box is not None and session.box.name == mailbox:
                    self._idle.remove(session)
                    return session
            return self._idle.pop() if self._idle else None


def _close_all(idle: list[Session], lock: threading.Lock) -> None:
    with lock:
        waiting = list(idle)
        idle.clear()
    for session in waiting:
        session.close()
