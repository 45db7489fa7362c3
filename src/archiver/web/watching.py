"""What the wire saw: every request, with redirects and further attempts, once it is over."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archiver.errors import SourceError
from archiver.redact import redact
from archiver.web.breaks import ConnectionFault
from archiver.web.guard import Guard
from archiver.web.limits import Patience
from archiver.web.transport import Reply, Transport
from archiver.web.urls import Url


@dataclass(frozen=True, slots=True)
class Seen:
    """One request. `status` is 0 when no answer came, and `error` says why; `size` counts bytes of the body.

    `url` has no secrets that addresses show by themselves.
    """

    method: str
    url: str
    status: int
    size: int
    seconds: float
    error: str = ""


class WatchedTransport(Transport):
    """The transport, telling `watch` of each request; from any thread."""

    def __init__(
        self,
        guard: Guard,
        watch: Callable[[Seen], None],
        *,
        tls: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(guard, tls=tls, monotonic=monotonic)
        self._watch = watch
        self._now = monotonic

    def send(
        self, method: str, url: Url, headers: Mapping[str, str], body: bytes | None, patience: Patience
    ) -> Reply:
        """Pass on; tell when the body was closed, or why there is none."""
        begun = self._now()
        try:
            reply = super().send(method, url, headers, body, patience)
        except (ConnectionFault, SourceError) as error:
            self._watch(Seen(method, redact(str(url)), 0, 0, self._now() - begun, str(error)))
            raise
        came, status = reply.body, reply.status
        came.ended = lambda: self._watch(
            Seen(method, redact(str(url)), status, came.received, self._now() - begun)
        )
        return reply
