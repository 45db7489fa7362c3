"""The requests of yt-dlp, sent through the core: one guard for every address that a site names.

yt-dlp asks request handlers for whatever its extractors and downloaders want (`yt_dlp.networking`).
An instance of ours has this handler and no other, so nothing of it reaches the network elsewhere.
"""

from __future__ import annotations

import io
import re
import urllib.request
import weakref
import zlib
from collections.abc import Iterable, Iterator
from email.message import Message
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from yt_dlp.networking.common import Request, RequestHandler, Response
from yt_dlp.networking.exceptions import HTTPError, RequestError, TransportError

from archiver import api

MAX_REDIRECTS: Final = 20
#: What is read into memory at once: pages, lists, API answers, but no media.
MAX_PAGE: Final = 64 << 20
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CREDENTIALS: Final = frozenset({"authorization", "cookie"})
_BODY_FIELDS: Final = frozenset({"content-type", "content-length"})


class Meter:
    """Counts the bytes of one fetch, and ends it at a limit.

    `login` is where a page asked for a password, if one did. `failed` is the last request's error, None
    when it went well: after its last retry yt-dlp tells no more than that it gave up.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.count = 0
        self.login = ""
        self.failed: RequestError | None = None

    def begin(self) -> None:
        """Forget the fetch before."""
        self.limit, self.count, self.login, self.failed = None, 0, "", None

    def add(self, count: int) -> None:
        """Count bytes that came. Raises `InvalidError` beyond the limit."""
        self.count += count
        if self.limit is not None and self.count > self.limit:
            raise api.InvalidError(
                f"The recording is larger than {self.limit:,} bytes, the most that may be fetched",
                hint="Raise max_size of the source, or lower max_height.",
            )


def _measure(meter: Meter, count: int) -> None:
    try:
        meter.add(count)
    except api.InvalidError as error:
        # For this one yt-dlp closes its files; its few further tries end here at once.
        meter.failed = TransportError(error.message, cause=error)
        raise meter.failed from error


class _Raw(io.RawIOBase):
    """The body of an answer as a file; errors are those that yt-dlp knows how to take."""

    def __init__(self, answer: api.RawResponse, meter: Meter) -> None:
        self._answer = answer
        self._meter = meter
        length = dict(answer.headers).get("content-length", "")
        self._left = int(length) if length.isdecimal() and len(length) < 20 else -1

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some of the body."""
        try:
            count = self._answer.readinto(buffer)
            self._left -= count
            if self._left == 0:
                # yt-dlp stops here, without a look at the end: give the connection back for the next.
                self._answer.readinto(bytearray(1))
                self._answer.close()
        except api.TransientError as error:
            self._meter.failed = TransportError(error.message, cause=error)
            raise self._meter.failed from error
        _measure(self._meter, count)
        return count

    def close(self) -> None:
        """Let go of the connection."""
        if not self.closed:
            self._answer.close()
        super().close()


#: Bytes of an answer in which a login form is looked for; a page comes in two parts.
_LOOKED_AT: Final = 256 << 10
_PASSWORD: Final = re.compile(rb"""<input[^>]{0,500}type=["']?password""", re.IGNORECASE)


class _Answer(Response):  # type: ignore[misc]  # yt-dlp has no types
    """An answer for yt-dlp: read in parts as a file, or whole in bounded memory."""

    def __init__(self, *arguments: Any, meter: Meter, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._meter = meter
        self._seen = bytearray()

    def read(self, amt: int | None = None) -> bytes:
        """Read up to `amt` bytes, or all."""
        return self._some(amt) if amt is not None and amt >= 0 else self._whole()

    def _some(self, amount: int) -> bytes:
        data: bytes = b"" if self.fp.closed else self.fp.read(amount) or b""
        if len(self._seen) < _LOOKED_AT:
            self._seen += data[:_LOOKED_AT]
        return data

    def _whole(self) -> bytes:
        data = bytearray()
        while part := self._some(256 << 10):
            data += part
            if len(data) > MAX_PAGE:
                raise RequestError(f"the answer of {api.redact(self.url)} has more than {MAX_PAGE:,} bytes")
        self.close()
        if _PASSWORD.search(self._seen):
            self._meter.login = self.url
        return bytes(data)


class GuardedRH(RequestHandler):  # type: ignore[misc]  # yt-dlp has no types
    """Sends what yt-dlp asks for through `http`; keeps cookies, follows redirects as browsers do.

    Proxies, client certificates and browser impersonation are not supported, whoever asks for them.
    """

    _SUPPORTED_URL_SCHEMES = ("http", "https")
    _SUPPORTED_PROXY_SCHEMES = ()
    _SUPPORTED_FEATURES = ()
    RH_NAME = "archiver"

    def __init__(self, *, http: api.Http, meter: Meter, **options: Any) -> None:
        super().__init__(**options)
        self._http = http
        self._meter = meter
        self._given: weakref.WeakSet[_Answer] = weakref.WeakSet()

    def close(self) -> None:
        """Let go of what yt-dlp left open."""
        for answer in list(self._given):
            answer.close()

    def _check_extensions(self, extensions: dict[str, Any]) -> None:
        super()._check_extensions(extensions)
        for known in ("cookiejar", "timeout", "legacy_ssl", "keep_header_casing"):
            extensions.pop(known, None)

    def _send(self, request: Request) -> Response:
        try:
            answer = self._final(request)
        except RequestError as error:
            self._meter.failed = error
            raise
        self._meter.failed = None
        return answer

    def _final(self, request: Request) -> Response:
        trail = _Trail(request, dict(self._merge_headers(request.headers)))
        cookies = self._get_cookiejar(request)
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._hop(trail, cookies, self._calculate_timeout(request))
            target = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not target:
                return _judged(answer)
            answer.close()
            trail.follow(answer.status, target)
        raise HTTPError(answer, redirect_loop=True)

    def _hop(self, trail: _Trail, cookies: Any, seconds: float) -> _Answer:
        headers = dict(trail.headers)
        cookie = cookies.get_cookie_header(trail.url)
        if cookie and not any(name.lower() == "cookie" for name in headers):
            headers["cookie"] = cookie
        try:
            raw = self._http.send(trail.method, trail.url, headers=headers, body=trail.body, seconds=seconds)
        except api.SourceError as error:
            # After a pause that a site asked for the core has tried often enough.
            if isinstance(error, api.TransientError) and error.retry_after is None:
                raise TransportError(error.message, cause=error) from error
            raise _refused(trail.url, error) from error
        answer = _Answer(_unpacked(raw, self._meter), trail.url, {}, raw.status, meter=self._meter)
        self._given.add(answer)
        for name, value in raw.headers:
            answer.headers.add_header(name, value)
        cookies.extract_cookies(_Headers(answer.headers), urllib.request.Request(trail.url))  # noqa: S310  # a web address: the core has just taken it
        return answer


class _Headers:
    """What `http.cookiejar` wants of an answer."""

    def __init__(self, headers: Message) -> None:
        self._headers = headers

    def info(self) -> Message:
        return self._headers


class _Trail:
    """The way from the address that was asked for to the one that answers."""

    def __init__(self, request: Request, headers: dict[str, str]) -> None:
        self.url: str = request.url
        self.method: str = request.method
        self.headers = headers
        self.body = _body(request.data)

    def follow(self, status: int, target: str) -> None:
        """Go where a redirect points (RFC 9110, 15.4; POST becomes GET as in the Fetch standard)."""
        old = urlsplit(self.url)
        self.url = Request(urljoin(self.url, target)).url
        new = urlsplit(self.url)
        dropped = {"cookie"}  # the jar gives those of the new address
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            dropped |= _CREDENTIALS
        if (status == 303 and self.method != "HEAD") or (status in {301, 302} and self.method == "POST"):
            self.method, self.body = "GET", None
            dropped |= _BODY_FIELDS
        self.headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}


def _body(data: Any) -> bytes | None:
    if data is None or isinstance(data, bytes):
        return data
    if hasattr(data, "read"):
        return bytes(data.read(MAX_PAGE))
    return b"".join(data) if isinstance(data, Iterable) else None


def _refused(url: str, error: api.SourceError) -> HTTPError:
    """Let what shall not be asked again look like a refusal: yt-dlp closes its files then."""
    refusal = HTTPError(Response(io.BytesIO(), url, {}, 403, reason="not to be asked again"))
    refusal.cause = error
    return refusal


def _judged(answer: _Answer) -> _Answer:
    if 200 <= answer.status < 300:
        return answer
    raise HTTPError(answer)


def _unpacked(raw: api.RawResponse, meter: Meter) -> io.IOBase:
    """Give the body as a file. It was asked for unpacked; some servers pack it all the same."""
    coding = dict(raw.headers).get("content-encoding", "").strip().lower()
    if coding in {"", "identity"}:
        return _Raw(raw, meter)
    if coding in {"gzip", "x-gzip", "deflate"}:
        return _Inflated(_Raw(raw, Meter()), meter)
    raw.close()
    raise TransportError(f"the answer is packed in an unknown way: {coding[:40]!a}")


class _Inflated(io.RawIOBase):
    """Unpacks gzip and deflate (RFC 9110, 8.4.1) while it is read: memory does not depend on the size."""

    def __init__(self, packed: _Raw, meter: Meter) -> None:
        self._packed = packed
        self._meter = meter
        self._parts = self._unpack()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                self._rest = next(self._parts)
            except StopIteration:
                return 0
            except zlib.error as error:
                raise TransportError("the packed answer is damaged", cause=error) from error
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        _measure(self._meter, count)
        return count

    def close(self) -> None:
        self._packed.close()
        super().close()

    def _unpack(self) -> Iterator[bytes]:
        # 47: gzip or zlib, whichever the header says.
        machine = zlib.decompressobj(47)
        while packed := self._packed.read(16 << 10):
            while packed:
                yield machine.decompress(packed, 64 << 10)
                packed = machine.unconsumed_tail
        if not machine.eof:
            raise TransportError("the packed answer broke off")
