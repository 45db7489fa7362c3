"""One request for a library that speaks HTTP itself: through the guard, and judged by nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from archiver.contracts import Progress
from archiver.errors import InvalidError, TransientError
from archiver.redact import redact
from archiver.web.breaks import ConnectionFault
from archiver.web.exchange import Call, Fault, host_of
from archiver.web.head import joined
from archiver.web.limits import Clock, Limits, Patience, Politeness
from archiver.web.refusal import wants_none
from archiver.web.statuses import turned_away
from archiver.web.transport import Reply, Transport

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_METHOD = re.compile(r"[A-Z]{1,20}\Z")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
#: What frames the message or chooses the connection is ours to say.
_OURS = frozenset(
    {"accept-encoding", "connection", "content-length", "expect", "host", "keep-alive"}
    | {"proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)


class RawAnswer:
    """One answer with its body still to be read; a redirect and a refusal are answers too.

    `headers` are in order, names in lower case, repeated ones repeated. Close it, or its connection
    stays open.
    """

    def __init__(self, url: str, reply: Reply, progress: Progress, *, empty: bool) -> None:
        self.url = url
        self.status = reply.status
        self.headers: Sequence[tuple[str, str]] = tuple(reply.fields)
        self._body = reply.body
        self._progress = progress
        self._over = empty  # a HEAD announces a length that does not come
        self._closed = False

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` and return how many bytes came, 0 at the end.

        Raises `TransientError` when the body breaks off, stalls, or is shorter than announced.
        """
        if self._over or self._closed:
            return 0
        with _as_transient(self.url):
            count = self._body.readinto(buffer)
        self._progress(count)
        return count

    def close(self) -> None:
        """Give the connection back, or end it when there is more to come. Twice is once."""
        if not self._closed:
            self._closed = True
            self._body.close()


class Passage:
    """Sends single requests. Thread-safe, as its transport is."""

    def __init__(
        self,
        transport: Transport,
        limits: Limits,
        politeness: Politeness,
        clock: Clock,
        progress: Progress,
    ) -> None:
        self._transport = transport
        self._limits = limits
        self._politeness = politeness
        self._clock = clock
        self._progress = progress

    def send(self, method: str, call: Call, seconds: float | None) -> RawAnswer:
        """Send one request and read the head of its answer; see `Http.send`.

        Raises `Fault` where the other side turns it away for a while.
        """
        host = host_of(call.url.origin)
        if refused := self._politeness.refused(host):
            raise wants_none(host, refused)
        with _as_transient(str(call)):
            reply = self._transport.send(
                _method(method), call.url, call.headers, call.body, self._patience(seconds)
            )
        raw = RawAnswer(str(call.url), reply, self._progress, empty=method == "HEAD")
        wait = turned_away(raw.status, joined(reply.fields), self._clock.wall())
        if wait is not None:
            raw.close()
            raise Fault(f"it answered {raw.status}", host, wait=wait, untouched=True)
        return raw

    def _patience(self, seconds: float | None) -> Patience:
        limits = self._limits
        until = self._clock.monotonic() + limits.file_seconds
        patience = limits.patience(until)
        return patience if seconds is None else replace(patience, read=min(seconds, patience.read))


@contextmanager
def _as_transient(url: str) -> Iterator[None]:
    try:
        yield
    except ConnectionFault as error:
        raise TransientError(
            f"{redact(url)} could not be fetched: {error}", hint="The next run tries again."
        ) from error


def _method(method: str) -> str:
    if not _METHOD.match(method):
        raise InvalidError(f"{method[:20]!a} is not a method of HTTP")
    return method


def passable(headers: Mapping[str, str]) -> dict[str, str]:
    """Choose what a library may say in a request of its own.

    Raises `InvalidError` for what no field may hold; values are not repeated there: they may be secret.
    """
    fields = {"accept-encoding": "identity"}
    for name, value in headers.items():
        if not _NAME.match(name) or not _VALUE.match(value):
            raise InvalidError(f"The header field {name[:80]!a} may not be sent: it holds odd characters")
        if name.lower() not in _OURS:
            fields[name.lower()] = value
    return fields
