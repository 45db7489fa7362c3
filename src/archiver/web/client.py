"""What a source calls: `get` for pages, `post` to ask for something, `download` for files."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from archiver.contracts import Downloaded, Progress, Response
from archiver.errors import TransientError
from archiver.web.exchange import Answer, Call, Exchanger
from archiver.web.guard import Guard
from archiver.web.headers import RANGE_FIELDS, checked, credential
from archiver.web.limits import Budget, Clock, Limits, Politeness
from archiver.web.page import read_page
from archiver.web.passage import Passage, RawAnswer, passable
from archiver.web.posting import encode_body
from archiver.web.retry import Retrier
from archiver.web.statuses import check_status
from archiver.web.transfer import Expected, Transfer, describe, part_file
from archiver.web.transport import Transport
from archiver.web.urls import parse_url
from archiver.web.watching import Seen, WatchedTransport

#: Names the program, as RFC 9309 asks of robots.
USER_AGENT = "event-archiver/0.1"
_PAGE_BYTES = Limits().page_bytes


def _no_progress(done: int, total: int | None = None) -> None:
    del done, total


class PoliteClient:
    """The `Http` of one configured source. Thread-safe; close it to end what is under way.

    `hosts_allowed` are origins such as `http://127.0.0.1:8080` that the configuration names (see
    `origins_of`): they may have private addresses. Clients that share a `politeness` are one visitor
    to the hosts they meet at. `progress` hears of every byte that comes, from any thread; `watch` of
    every request, once it is over.
    """

    def __init__(
        self,
        *,
        hosts_allowed: Iterable[str] = (),
        user_agent: str = USER_AGENT,
        limits: Limits | None = None,
        progress: Progress = _no_progress,
        politeness: Politeness | None = None,
        clock: Clock | None = None,
        guard: Guard | None = None,
        tls: ssl.SSLContext | None = None,
        watch: Callable[[Seen], None] | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._progress = progress
        self._clock = clock or Clock()
        self._closing = threading.Event()
        self._fields = checked({"user-agent": user_agent, "accept": "*/*"})
        guard = guard or Guard(hosts_allowed)
        politeness = politeness or Politeness(self._clock)
        sleep = (clock and clock.sleep) or self._sleep
        self._transport = Transport(guard, tls=tls, monotonic=self._clock.monotonic)
        if watch is not None:
            self._transport = WatchedTransport(guard, watch, tls=tls, monotonic=self._clock.monotonic)
        self._exchanger = Exchanger(self._transport, guard, self._limits, politeness, self._clock, sleep)
        self._retrier = Retrier(self._limits, politeness, self._clock, sleep)
        self._passage = Passage(self._transport, self._limits, politeness, self._clock, progress)

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Iterable[int] = (),
        max_bytes: int = _PAGE_BYTES,
    ) -> Response:
        """Get a page or an API answer into memory; see `Http.get`.

        `Response.url` is where redirects ended, secrets included: store it only redacted.
        """
        return self._page(
            self._call(url, params, checked(headers), accept, self._limits.page_seconds), max_bytes
        )

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        accept: Iterable[int] = (),
        max_bytes: int = _PAGE_BYTES,
    ) -> Response:
        """Post a form or JSON, and get the answer into memory; see `Http.post`."""
        body, described = encode_body(form, json)
        fields = {**described, **checked(headers, reserved=RANGE_FIELDS)}
        return self._page(self._call(url, None, fields, accept, self._limits.page_seconds, body), max_bytes)

    def download(
        self,
        url: str,
        path: Path,
        *,
        headers: Mapping[str, str] | None = None,
        size: int | None = None,
        sha256: str = "",
        max_bytes: int | None = None,
    ) -> Downloaded:
        """Get a file onto disk, whole and hashed; see `Http.download`.

        It grows under another name in the same directory and appears at `path` when it is proven.
        Raises `FatalError` when the disk cannot take it.
        """
        fields = checked(headers, reserved=RANGE_FIELDS)
        call = self._call(url, None, fields, (), self._limits.file_seconds)
        limit = self._limits.file_bytes if max_bytes is None else max_bytes
        with part_file(path, call) as (file, finish):
            transfer = Transfer(call, file, Expected(size, sha256, limit), self._progress)
            answer = self._retrier.run(call, lambda: self._attempt(transfer), progressed=transfer.progressed)
            finish()
        return describe(path, transfer, answer)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float | None = None,
    ) -> RawAnswer:
        """Send one request for a library that speaks HTTP itself; see `Http.send`."""
        plain = parse_url(url)
        fields = {
            **credential(plain.login),
            **passable(headers or {}),
        }  # not ours: the library says who it is
        call = Call(plain, fields, frozenset(), Budget(self._limits.file_seconds), body)
        return self._retrier.run(call, lambda: self._passage.send(method, call, seconds))

    def close(self) -> None:
        """End every call under way with `TransientError`, and close all connections."""
        self._closing.set()
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _page(self, call: Call, max_bytes: int) -> Response:
        # A part of a packed page could not be unpacked.
        coding = {"accept-encoding": "identity" if "range" in call.headers else "gzip"}

        def attempt() -> Response:
            with self._exchanger.open(call, coding) as answer:
                check_status(answer, call.accept, self._clock.wall())
                page = read_page(answer, max_bytes)
                self._progress(answer.body.received, answer.body.length)
                return page

        return self._retrier.run(call, attempt)

    def _attempt(self, transfer: Transfer) -> Answer:
        return transfer.attempt(self._exchanger, self._clock.wall())

    def _call(
        self,
        url: str,
        params: Mapping[str, str] | None,
        fields: dict[str, str],
        accept: Iterable[int],
        seconds: float,
        body: bytes | None = None,
    ) -> Call:
        parsed = parse_url(url, params)
        headers = {**self._fields, **credential(parsed.login), **fields}
        return Call(parsed, headers, frozenset(accept), Budget(seconds), body)

    def _sleep(self, seconds: float) -> None:
        if self._closing.wait(seconds):
            raise TransientError("The client was closed while it waited", hint="Run again to go on.")
