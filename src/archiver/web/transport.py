"""One request and its answer: several times less work than with httpx's own client.

The body goes from the socket into the caller's buffer without a copy in between, and nothing is made for
a request but its head; the comparison is in benchmarks/transport.py.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archiver.web.breaks import Broken, ConnectionFault
from archiver.web.fields import number
from archiver.web.guard import Guard
from archiver.web.head import Fields, HttpAnswer, request_head
from archiver.web.limits import Patience
from archiver.web.pool import Connection, Pool
from archiver.web.urls import Url

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: A body that nobody wants is read to its end when it is this small: that saves a new connection.
_WORTH_DRAINING = 64 << 10
#: Seconds for which a connection that ends with its answer is watched for more than was declared.
_AFTERWARDS = 0.05
#: Answers without a body, whatever they declare (RFC 9112, 6.3); 101 ends what is HTTP.
_BODILESS = frozenset({101, 204, 304})


def _nobody() -> None:
    """Hear of nothing."""


class Body:
    """The body of one answer, to be read into a buffer.

    `length` is the declared one in bytes; `None` when the framing itself marks the end (chunks) or
    nothing does. `begins_at` is where it lies in the whole that it is a part of. Reading raises
    `ConnectionFault`, which is `Broken` when less or more came than was declared. `ended` is called once,
    when it is closed.
    """

    begins_at = 0

    ended: Callable[[], None] = staticmethod(_nobody)

    def __init__(self, pool: Pool, connection: Connection, answer: HttpAnswer) -> None:
        self._pool = pool
        self._connection = connection
        self._answer = answer
        self.received = 0
        self.length = _declared(answer)
        self._done = self.length == 0
        self._is_bodiless = answer.status in _BODILESS

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` and return how many bytes came; less than its size only near the end, 0 at it."""
        if self._is_bodiless:
            return 0
        try:
            count = self._answer.readinto(buffer)
        except TimeoutError as error:
            raise ConnectionFault(str(error)) from error
        except http.client.IncompleteRead as error:
            raise Broken("the answer broke off") from error
        except (OSError, ValueError) as error:
            raise Broken(_reason(error)) from error
        self.received += count
        if count == 0:
            self._check_end()
            self._check_surplus()
            self._done = True
        return count

    def _check_end(self) -> None:
        if self.length is None:
            if not self._answer.chunked and self._connection.wire.ragged:
                raise Broken("the connection was cut: it ended without the farewell that TLS has for its end")
        elif self.received != self.length:
            came, whole = self.begins_at + self.received, self.begins_at + self.length
            raise Broken(f"it ended after {came} of {whole} bytes")

    def _check_surplus(self) -> None:
        """Raise `Broken` when more follows than was declared: then the length is wrong, and a part came."""
        if self.length is None:
            return
        # Nothing else can come, as no further answer was asked for; what is awaited is the end alone.
        patience = _AFTERWARDS if self._answer.will_close else 0.0
        surplus = self._answer.surplus or self._connection.wire.goes_on(patience)
        if surplus.strip(b"\r\n"):  # an empty line behind a body was a habit once
            raise Broken("more came than was declared")

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
        except ConnectionFault:
            self._done = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose head has come; close its body."""

    status: int
    fields: Fields
    body: Body


class Transport:
    """Sends requests over pooled connections to addresses that the guard lets through.

    A request with a body gets a new connection and is sent once: on an idle one that breaks, nobody
    could say whether it was acted upon. Thread-safe. Redirects, retries and turns are not its business.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        tls: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = Pool(guard, tls=tls, monotonic=monotonic)

    def send(
        self, method: str, url: Url, headers: Mapping[str, str], body: bytes | None, patience: Patience
    ) -> Reply:
        """Send a request and read the head of its answer.

        Raises subclasses of `ConnectionFault`, `SourceError` from the guard, and `InvalidError` for
        fields that cannot be sent.
        """
        head = request_head(method, url, headers, body)
        connection = self._pool.lease(url.origin, patience, fresh=method != "GET")
        reused = connection.used
        try:
            return self._exchange(connection, method, head, body)
        except Broken:
            if not reused:
                raise
            # The server gave up the idle connection just as we took it: no fault, one fresh try.
            connection = self._pool.lease(url.origin, patience, fresh=True)
            return self._exchange(connection, method, head, body)

    def close(self) -> None:
        """Close every connection; transfers under way fail."""
        self._pool.close()

    def _exchange(self, connection: Connection, method: str, head: bytes, body: bytes | None) -> Reply:
        try:
            answer = _converse(connection, method, head, body)
            reply = Reply(answer.status, answer.fields, Body(self._pool, connection, answer))
        except BaseException:
            self._pool.discard(connection)
            raise
        connection.wire.watch_rate()
        return reply


def _converse(connection: Connection, method: str, head: bytes, body: bytes | None) -> HttpAnswer:
    """Send a request and read the head of its final answer."""
    try:
        connection.wire.sendall(head)
        if body:
            connection.wire.sendall(body)
    except OSError as error:
        raise Broken(_reason(error)) from error
    answer = HttpAnswer(connection.wire, method)
    try:
        answer.begin()
    except BaseException as error:
        answer.close()
        raise _told(error) from error
    return answer


def _told(error: BaseException) -> BaseException:
    """Tell why no head came; what is not about the other side stays what it is."""
    if isinstance(error, TimeoutError):
        return ConnectionFault(str(error))
    if isinstance(error, http.client.LineTooLong):
        return Broken("the head of the answer begins with too long a line")
    if isinstance(error, http.client.RemoteDisconnected):
        return Broken("the connection was closed without an answer")
    if isinstance(error, http.client.HTTPException | ValueError):
        return Broken("the answer is not HTTP")
    return Broken(_reason(error)) if isinstance(error, OSError) else error


def _declared(answer: HttpAnswer) -> int | None:
    """Read Content-Length strictly. Raises `Broken` on nonsense or contradictions."""
    if answer.status in _BODILESS:
        return 0
    if answer.chunked:
        return None
    values = {value.strip() for name, value in answer.fields if name == "content-length"}
    if not values:
        return None
    length = number(values.pop())
    if values or length is None:
        raise Broken("the answer declares no clear length")
    return length


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
