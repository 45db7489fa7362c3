"""Whether a file has changed, asked without fetching it."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from archiver import api

#: A server that knows neither conditions nor ranges answers with the whole file; this much is borne.
MAX_BYTES: Final = 1 << 20
#: Questions at a time, and how many may have been asked before their answers are needed.
THREADS, AHEAD = 8, 64
#: A host that answered within so many seconds is near by: there more threads would only wait for each other.
NEAR, NEAR_THREADS = 0.002, 2
#: Of so many last answers the quickest counts: a host that begins to stall is not near any more.
LATELY: Final = 8
#: An entity tag that can be sent back (RFC 9110, 8.8.3); some servers forget the quotes.
_TAG: Final = re.compile(r"[\x21-\x7e]{1,300}")
_TOTAL: Final = re.compile(r"bytes (?:[0-9]+-[0-9]+|\*)/([0-9]{1,18})")

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the head of an answer says of a file; `size` in bytes."""

    revision: str
    size: int | None = None
    media_type: str = ""


def revision(etag: str, modified: str, size: int | None) -> str:
    """Tell one state of a file from another: by entity tag, else time of change, else size."""
    if _TAG.fullmatch(etag):
        return f"etag {etag}"
    if modified.strip():
        return f"modified {modified.strip()[:100]}"
    return "" if size is None else f"size {size}"


def look(http: api.Http, url: str) -> Seen:
    """Ask for the state of a file. Raises `SourceError` as `Http.get` does.

    `If-None-Match: *` asks for the file unless there is one (RFC 9110, 13.1.2): the answer is 304 with
    the entity tag, and no body. A server that does not know it gives one byte, or what is missing in its
    304 is asked for so.
    """
    one_byte = {"range": "bytes=0-0"}
    seen = _seen(_ask(http, url, {**one_byte, "if-none-match": "*"}))
    return seen if seen.revision else _seen(_ask(http, url, one_byte))


def _ask(http: api.Http, url: str, headers: Mapping[str, str]) -> api.Response:
    # 412 comes from servers that take `*` for a condition of writing; 416 for a file of no bytes.
    return http.get(url, headers=headers, accept=(304, 412, 416), max_bytes=MAX_BYTES)


def _seen(response: api.Response) -> Seen:
    headers = response.headers
    size = _size(response)
    found = revision(headers.get("etag", ""), headers.get("last-modified", ""), size)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    # Only what carries (a part of) the file speaks of its type: a 412 has a page of its own.
    return Seen(found, size, media_type if response.status in {200, 206} else "")


def _size(response: api.Response) -> int | None:
    if response.status == 200:
        return len(response.content)
    total = _TOTAL.fullmatch(response.headers.get("content-range", ""))
    return int(total[1]) if total else None


class Ahead(Generic[T, R]):
    """Calls a function for some of many things, several at a time, and keeps their order.

    Use it as a context manager: at the end nothing more is begun.
    """

    def __init__(self, function: Callable[[T], R], host: Callable[[T], str]) -> None:
        self._function = function
        self._host = host
        self._far = ThreadPoolExecutor(THREADS, thread_name_prefix="links")
        self._near = ThreadPoolExecutor(NEAR_THREADS, thread_name_prefix="links-near")
        #: Seconds that the last answers of each host took.
        self._lately: dict[str, tuple[float, ...]] = {}

    def __enter__(self) -> Ahead[T, R]:
        return self

    def __exit__(self, *error: object) -> None:
        for pool in (self._far, self._near):
            pool.shutdown(wait=False, cancel_futures=True)

    def map(self, things: Iterable[tuple[T, bool]]) -> Iterator[tuple[T, Future[R] | None]]:
        """Yield each thing with the call for it, which is done; `None` where it is not wanted."""
        waiting: deque[tuple[T, Future[R] | None]] = deque()
        for thing, wanted in things:
            waiting.append((thing, self._begin(thing) if wanted else None))
            while waiting and (len(waiting) > AHEAD or waiting[0][1] is None):
                yield waiting.popleft()
        yield from waiting

    def _begin(self, thing: T) -> Future[R]:
        host = self._host(thing)
        # The quickest of a few: with many threads at once most of them wait for each other.
        pool = self._near if min(self._lately.get(host, (NEAR,))) < NEAR else self._far
        return pool.submit(self._timed, thing, host)

    def _timed(self, thing: T, host: str) -> R:
        begun = time.monotonic()
        result = self._function(thing)
        if not isinstance(result, Exception):  # a failure may never have left this machine
            seconds = time.monotonic() - begun
            self._lately[host] = (*self._lately.get(host, ()), seconds)[-LATELY:]
        return result
