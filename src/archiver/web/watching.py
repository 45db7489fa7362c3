"""What the wire saw: every request, with redirects and further attempts, once it is over."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from archiver.errors import SourceError
from archiver.redact import redact
from archiver.web.guard import Guard
from archiver.web.transport import Body, PooledTransport


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


class WatchedTransport(PooledTransport):
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

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass on; tell when the body was closed, or why there is none."""
        begun, method, url = self._now(), request.method, redact(str(request.url))
        try:
            response = super().handle_request(request)
        except (httpx.TransportError, SourceError) as error:
            self._watch(Seen(method, url, 0, 0, self._now() - begun, str(error)))
            raise
        body, status = response.stream, response.status_code
        assert isinstance(body, Body)
        body.ended = lambda: self._watch(Seen(method, url, status, body.received, self._now() - begun))
        return response
