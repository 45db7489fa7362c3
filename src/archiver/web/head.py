"""Heads of messages (RFC 9112): the one that is sent, and the one that comes back."""

from __future__ import annotations

import http.client
import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO

from archiver.errors import InvalidError
from archiver.web import chunks
from archiver.web.breaks import Broken
from archiver.web.fields import number
from archiver.web.urls import Url

if TYPE_CHECKING:
    from archiver.web.wire import Wire

#: A line of a head that is longer than this, and more lines than this, are refused.
_LINE = 65_536
_LINES = 100
_MAX_INTERIM = 8
#: Lines of fields as almost all are: a name, a colon and a value, none of them folded.
_PLAIN = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\x00]*\r?\n)*")
_FIELD = re.compile(r"([^:\n]+):[ \t]*([^\r\n]*)\r?\n")
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_TARGET = re.compile(r"[\x21-\x7e]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
#: Methods that say how long their body is even when they have none (RFC 9110, 8.6).
_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})

Fields = list[tuple[str, str]]


def request_head(method: str, url: Url, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Write the head of a request. Raises `InvalidError` for what no head may hold, without repeating it."""
    lines = [f"{method} {url.target} HTTP/1.1", f"host: {url.origin.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None or method in _WITH_BODY:
        lines.append(f"content-length: {len(body or b'')}")
    # All of it was checked where it came from; a line break here would be a request of somebody else's.
    if not _TARGET.fullmatch(url.target) or not all(map(_VALUE.fullmatch, lines)):
        raise InvalidError(
            "A field of the request holds what cannot be sent",
            hint="Look for odd characters in the options of this source.",
        )
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class HttpAnswer(http.client.HTTPResponse):
    """An answer read by `http.client`, but for its fields: that takes three times as long as all the rest.

    `fields` are in order, names in lower case, repeated ones repeated. Interim answers (RFC 9110, 15.2) are
    skipped, of which `http.client` knows only 100 Continue. `surplus` is what came beyond the declared
    length.
    """

    fields: Fields
    surplus: bytes = b""

    def __init__(self, wire: Wire, method: str) -> None:
        super().__init__(wire, method=method)  # type: ignore[arg-type]  # all that it uses of a socket
        self._wire = wire
        self._without_body = method == "HEAD"

    def begin(self) -> None:
        """Read the head. Raises `Broken`, `http.client.HTTPException` and `OSError`."""
        version, self.status, self.reason = self._final_status()
        self.version = 10 if version == "HTTP/1.0" else 11
        self.fields = read_fields(self.fp)
        first = dict(reversed(self.fields))
        coding = joined(self.fields).get("transfer-encoding", "identity").lower()
        if coding not in {"chunked", "identity"}:  # RFC 9112, 6.1: nobody could say where the body ends
            raise Broken("the answer has a transfer coding that was not asked for")
        self.chunked = coding == "chunked"
        self.chunk_left = None
        self.length = self._length(first)
        self.will_close = self._closes(first) or not (self.chunked or self.length is not None)

    def _final_status(self) -> tuple[str, int, str]:
        for _ in range(_MAX_INTERIM):
            version, status, reason = self._read_status()  # type: ignore[attr-defined]  # not in its stubs
            if not version.startswith("HTTP/1."):
                raise http.client.UnknownProtocol(version)
            if not 100 <= status < 200 or status == 101:
                return version, status, reason.strip()
            read_fields(self.fp)
        raise Broken(f"more than {_MAX_INTERIM - 1} interim answers came, and no final one")

    def _length(self, first: Mapping[str, str]) -> int | None:
        if self.status in {101, 204, 304} or self._without_body:
            return 0
        return None if self.chunked else number(first.get("content-length", ""))

    def _closes(self, first: Mapping[str, str]) -> bool:
        """Say whether the connection ends with this answer (RFC 9112, 9.3)."""
        if self.status == 101 or (self.status == 204 and first.get("content-length", "0") != "0"):
            return True  # what follows is no answer to anything
        said = first.get("connection", "").lower()
        if self.version == 11:
            return "close" in said
        return "keep-alive" not in said and "keep-alive" not in first

    def _close_conn(self) -> None:
        # As soon as the declared length has come, `http.client` drops what it has read ahead.
        if self.length == 0 and isinstance(self.fp, io.BufferedReader):
            self._wire.end_answer()
            self.surplus = self.fp.peek()
        super()._close_conn()  # type: ignore[misc]  # not in its stubs

    def _get_chunk_left(self) -> int | None:
        """Say how much of a chunk is to come, None behind the last; `http.client` takes any nonsense."""
        if not self.chunk_left:
            if self.chunk_left is not None:
                chunks.end_chunk(self.fp)
            self.chunk_left = chunks.read_size(self.fp) or None
            if self.chunk_left is None:
                chunks.pass_trailers(self.fp)
                self._close_conn()
        return self.chunk_left


def read_fields(file: BinaryIO) -> Fields:
    """Read the fields of a head up to the empty line behind them: names in lower case, values as text.

    They are UTF-8 when all of them together are, else Latin-1. Raises `Broken`.
    """
    head = b"".join(_lines(file))
    if not _PLAIN.fullmatch(head):
        return _odd_fields(head)
    return [(name.lower(), value.rstrip(" \t")) for name, value in _FIELD.findall(_text(head))]


def _lines(file: BinaryIO) -> list[bytes]:
    lines: list[bytes] = []
    while (line := file.readline(_LINE + 1)) not in {b"\r\n", b"\n"}:
        if not line:  # without its end nobody knows whether the length of the body was still to come
            raise Broken("the head of the answer broke off")
        if len(line) > _LINE:
            raise Broken(f"the head of the answer has a line of more than {_LINE} bytes")
        lines.append(line)
        if len(lines) > _LINES:
            raise _too_many()
    return lines


def _odd_fields(head: bytes) -> Fields:
    """Read what is folded onto a second line, has lone line ends, or lines that are no fields at all."""
    if head.count(b"\r") + head.count(b"\n") > 2 * _LINES:  # a lone CR ends a line there
        raise _too_many()
    found = http.client.parse_headers(io.BytesIO(head + b"\r\n"))
    text = "\n".join(f"{name}:{_FOLD.sub(' ', value)}" for name, value in found.items())
    lines = _text(text.encode("latin-1", "replace")).split("\n")
    parts = [line.partition(":") for line in lines if line]
    return [(name.lower(), value.strip(" \t")) for name, _, value in parts]


def _too_many() -> Broken:
    return Broken(f"the head of the answer has more than {_LINES} fields")


def _text(head: bytes) -> str:
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError:
        return head.decode("latin-1")


def joined(fields: Fields) -> dict[str, str]:
    """Make one value of those that share a name, as RFC 9110 (5.2) allows."""
    found: dict[str, str] = {}
    for name, value in fields:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
