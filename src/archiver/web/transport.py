"""An httpx transport on http.client: several times less work per byte than httpx's own.

The body goes from the socket into the caller's buffer without a copy in between; the comparison is
in benchmarks/transport.py. It can stand under an `httpx.Client` like any other transport.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import httpx

from archiver.web.fields import number
from archiver.web.guard import Guard
from archiver.web.limits import Patience
from archiver.web.origins import origin_of
from archiver.web.pool import Connection, Pool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: A body that nobody wants is read to its end when it is this small: that saves a new connection.
_WORTH_DRAINING = 64 << 10
_CHUNK = 64 << 10
_DEFAULT_SECONDS = 30.0


def _nobody() -> None:
    """Hear of nothing."""


class Body(httpx.SyncByteStream):
    """The body of one answer, to be read into a buffer or iterated over.

    `length` is the declared one in bytes; `None` when the framing itself marks the end (chunks) or
    nothing does. Reading raises `httpx.ReadError`, `httpx.ReadTimeout` and, when less came than was
    declared, `httpx.RemoteProtocolError`. `ended` is called once, when it is closed.
    """

    ended: Callable[[], None] = staticmethod(_nobody)

    def __init__(self, pool: Pool, connection: Connection, answer: http.client.HTTPResponse) -> None:
        self._pool = pool
        self._connection = connection
        self._answer = answer
        self._done = False
        self.received = 0
        self.length = _declared(answer)

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` and return how many bytes came; less than its size only near the end, 0 at it."""
        try:
            count = self._answer.readinto(buffer)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except http.client.IncompleteRead as error:
            raise httpx.RemoteProtocolError("the answer broke off") from error
        except http.client.HTTPException as error:  # a line of the framing that has no end
            raise httpx.RemoteProtocolError(f"the answer is garbled: {error}") from error
        except (OSError, ValueError) as error:
            raise httpx.ReadError(_reason(error)) from error
        self.received += count
        if count == 0:
            self._check_length()
            self._done = True
        return count

    def _check_length(self) -> None:
        if self.length is not None and self.received != self.length:
            raise httpx.RemoteProtocolError(f"it ended after {self.received} of {self.length} bytes")

    def __iter__(self) -> Iterator[bytes]:
        buffer = bytearray(_CHUNK)
        while count := self.readinto(buffer):
            yield bytes(memoryview(buffer)[:count])

    def close(self) -> None:
        """Give the connection back when the body was read to its end, else close it."""
        self._drain()
        ended, self.ended = self.ended, _nobody
        ended()
        # First this, then the connection: another thread may take it at once.
        self._answer.close()
        if self._done and not self._answer.will_close:
            self._pool.give_back(self._connection)
        else:
            self._pool.discard(self._connection)

    def _drain(self) -> None:
        if self._done or self.length is None or self.length - self.received > _WORTH_DRAINING:
            return
        scratch = bytearray(max(1, self.length - self.received))
        try:
            while self.readinto(scratch):
                pass
        except httpx.TransportError:
            self._done = False


class PooledTransport(httpx.BaseTransport):
    """Sends requests over pooled connections to addresses that the guard lets through.

    A request with a body gets a new connection and is sent once: on an idle one that breaks, nobody
    could say whether it was acted upon.

    Thread-safe. The bounds come as `request.extensions["patience"]`, a `Patience`; without it,
    httpx's own `timeout` extension counts. Redirects, retries and turns are not its business.
    Raises subclasses of `httpx.TransportError`, and `SourceError` from the guard.
    """

    def __init__(
        self,
        guard: Guard | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._pool = Pool(guard or Guard(), tls=tls, monotonic=monotonic)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read the head of its answer; the body follows through `response.stream`."""
        origin = origin_of(request.url)
        patience = request.extensions.get("patience") or self._default_patience(request)
        connection = self._pool.lease(origin, patience, fresh=request.method != "GET")
        reused = connection.used
        try:
            answer = self._exchange(connection, request)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if not reused:
                raise
            # The server gave up the idle connection just as we took it: no fault, one fresh try.
            connection = self._pool.lease(origin, patience, fresh=True)
            answer = self._exchange(connection, request)
        return self._response(connection, answer)

    def close(self) -> None:
        """Close every connection; transfers under way fail."""
        self._pool.close()

    def _default_patience(self, request: httpx.Request) -> Patience:
        timeout = request.extensions.get("timeout", {})
        connect = timeout.get("connect") or _DEFAULT_SECONDS
        read = timeout.get("read") or _DEFAULT_SECONDS
        return Patience(connect, read, float("inf"), 0.0, _DEFAULT_SECONDS)

    def _exchange(self, connection: Connection, request: httpx.Request) -> http.client.HTTPResponse:
        try:
            return _converse(connection, request)
        except BaseException:
            self._pool.discard(connection)
            raise

    def _response(self, connection: Connection, answer: http.client.HTTPResponse) -> httpx.Response:
        try:
            body = Body(self._pool, connection, answer)
        except httpx.TransportError:
            self._pool.discard(connection)
            raise
        connection.wire.watch_rate()
        headers = [_raw(name, value) for name, value in answer.getheaders()]
        return httpx.Response(answer.status, headers=headers, stream=body)


def _converse(connection: Connection, request: httpx.Request) -> http.client.HTTPResponse:
    """Send a request and read the head of its final answer."""
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers.raw}
    body = request.read() or None
    try:
        connection.request(request.method, request.url.raw_path.decode("ascii"), body, headers)
    except OSError as error:
        raise httpx.WriteError(_reason(error)) from error
    try:
        return connection.getresponse()
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except http.client.RemoteDisconnected as error:
        raise httpx.ReadError("the connection was closed without an answer") from error
    except (http.client.HTTPException, ValueError) as error:
        raise httpx.RemoteProtocolError("the answer is not HTTP") from error
    except OSError as error:
        raise httpx.ReadError(_reason(error)) from error


def _declared(answer: http.client.HTTPResponse) -> int | None:
    """Read Content-Length strictly. Raises `httpx.RemoteProtocolError` on nonsense or contradictions."""
    if answer.status in {204, 304} or answer.status < 200:
        return 0
    if answer.chunked:
        return None
    values = {value.strip() for value in answer.headers.get_all("content-length", [])}
    if not values:
        return None
    length = number(values.pop())
    if values or length is None:
        raise httpx.RemoteProtocolError("the answer declares no clear length")
    return length


def _raw(name: str, value: str) -> tuple[bytes, bytes]:
    # A folded field reaches us with its line break: "a\r\n b".
    line = " ".join(value.split()) if "\n" in value or "\r" in value else value
    return name.encode("latin-1", "replace"), line.encode("latin-1", "replace")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
