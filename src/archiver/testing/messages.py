"""What goes in and out of a loopback service: requests, replies, files in parts, the log."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request as a handler sees it.

    `path` is percent-decoded and without the query; `query` keeps the last value of each name;
    `headers` has lower-case names; `args` holds what the placeholders of the route matched. `target` is
    path and query as they came, for whoever passes a request on.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    args: Mapping[str, str] = field(default_factory=dict)
    target: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers: bytes, or a file that is streamed from disk.

    With an `etag` the reply is a file: ranges and conditional requests are honoured for it.
    """

    body: bytes | Path = b""
    status: int = 200
    media_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    modified: str = ""

    @classmethod
    def html(cls, text: str, status: int = 200) -> Self:
        """Answer with a web page."""
        return cls(text.encode(), status)

    @classmethod
    def json(cls, data: Any, status: int = 200) -> Self:
        """Answer with JSON."""
        return cls(json.dumps(data, ensure_ascii=False).encode(), status, "application/json; charset=utf-8")

    @classmethod
    def redirect(cls, location: str, status: int = 301) -> Self:
        """Send the client elsewhere; `location` may be relative and must be percent-encoded."""
        return cls(b"", status, headers={"Location": location})

    @classmethod
    def missing(cls, status: int = 404) -> Self:
        """Say that nothing is there (404), or no longer (410)."""
        return cls.html(f"<!doctype html><title>{status}</title><h1>Page not found</h1>", status)

    @classmethod
    def file(cls, body: bytes | Path, media_type: str = "application/octet-stream") -> Self:
        """Answer with a file: strong ETag, Last-Modified, ranges."""
        if isinstance(body, bytes):
            return cls(body, media_type=media_type, etag=f'"{hashlib.sha256(body).hexdigest()[:20]}"')
        stat = body.stat()
        etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
        return cls(body, media_type=media_type, etag=etag, modified=formatdate(stat.st_mtime, usegmt=True))

    @property
    def size(self) -> int:
        """Count the bytes of the whole body."""
        return len(self.body) if isinstance(self.body, bytes) else self.body.stat().st_size


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply settled for one request: final status and headers, bytes `start` to `stop` of the body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | Path
    start: int
    stop: int

    @property
    def length(self) -> int:
        """Count the bytes that are to be sent."""
        return self.stop - self.start

    def read(self, start: int = 0, stop: int | None = None, chunk: int = CHUNK) -> Iterator[bytes]:
        """Yield the bytes to send, from `start` to `stop` of them, in pieces of at most `chunk`."""
        first = self.start + start
        last = self.stop if stop is None else min(self.start + stop, self.stop)
        if isinstance(self.body, bytes):
            yield from (self.body[at : min(at + chunk, last)] for at in range(first, last, chunk))
            return
        with self.body.open("rb") as file:
            file.seek(first)
            while first < last and (data := file.read(min(chunk, last - first))):
                first += len(data)
                yield data


def settle(request: Request, reply: Reply) -> Answer:
    """Work out what is sent: conditions first, then the range (RFC 9110, sections 13 and 14)."""
    size = reply.size
    headers = [("Content-Type", reply.media_type), *reply.headers.items()]
    if reply.status != 200 or not reply.etag:
        return Answer(reply.status, tuple(headers), reply.body, 0, size)
    headers += [("ETag", reply.etag), ("Accept-Ranges", "bytes")]
    headers += [("Last-Modified", reply.modified)] if reply.modified else []
    if _matches(request.headers.get("if-none-match", ""), reply.etag):
        return Answer(304, tuple(headers), b"", 0, 0)
    span = _span(request, reply, size)
    if span is None:
        return Answer(200, tuple(headers), reply.body, 0, size)
    if not span:
        headers.append(("Content-Range", f"bytes */{size}"))
        return Answer(416, tuple(headers), b"", 0, 0)
    headers.append(("Content-Range", f"bytes {span.start}-{span.stop - 1}/{size}"))
    return Answer(206, tuple(headers), reply.body, span.start, span.stop)


def _matches(condition: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in condition.split(",")}
    return "*" in tags or etag in tags


def _span(request: Request, reply: Reply, size: int) -> range | None:
    """Find the wanted bytes: None for all of them, an empty range for what cannot be had."""
    unit, _, wanted = request.headers.get("range", "").partition("=")
    validator = request.headers.get("if-range", "")
    if unit.strip() != "bytes" or (validator and validator not in (reply.etag, reply.modified)):
        return None
    first, dash, last = wanted.strip().partition("-")
    # Several ranges ("0-1,5-9") and nonsense get the whole file, as the RFC allows.
    if not dash or not (first + last).isascii() or not (first + last).isdigit():
        return None
    if not first:
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return range(min(int(first), size), min(int(last) + 1, size) if last else size)


@dataclass(frozen=True, slots=True)
class Logged:
    """One answered request: `status` is what was sent, `headers` are the client's."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status: int


class RequestLog:
    """The requests a service has answered, in order; safe to read while it runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Logged] = []

    def add(self, entry: Logged) -> None:
        """Write down one request."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Forget everything so far."""
        with self._lock:
            self._entries.clear()

    def matching(self, pattern: str = "*", *, method: str = "", status: int | None = None) -> list[Logged]:
        """Pick by shell pattern over the path (`/*.jpg`), by method and by status."""
        return [
            entry
            for entry in self
            if fnmatchcase(entry.path, pattern)
            and method in ("", entry.method)
            and status in (None, entry.status)
        ]

    def count(self, pattern: str = "*", *, method: str = "", status: int | None = None) -> int:
        """Count what `matching` would pick."""
        return len(self.matching(pattern, method=method, status=status))

    def by_path(self) -> Counter[str]:
        """Count the requests of each path."""
        return Counter(entry.path for entry in self)

    def __iter__(self) -> Iterator[Logged]:
        with self._lock:
            return iter(tuple(self._entries))

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)
