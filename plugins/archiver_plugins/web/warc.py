"""The bytes of a visit as WARC 1.1 records (ISO 28500:2017), with an index entry for each (CDXJ).

A record holds the body as the site sent it, with its content coding undone: the client that the core lends
does that. The header fields that spoke of the coding are kept under `x-archive-orig-…`, as other archivers
do. Cookies are left out: they belong to the visit, not to the report.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self

from archiver_plugins.web.surt import surt
from archiver_plugins.web.visitor import Exchange

SOFTWARE: Final = "event-archiver"
_ORIGINAL: Final = "x-archive-orig-"
_OF_CODING: Final = frozenset({"content-encoding", "transfer-encoding", "content-length"})
_DROPPED: Final = frozenset({"set-cookie", "set-cookie2", "connection", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as the index names it: where it lies in the WARC, in bytes, and what it holds."""

    url: str
    at: datetime
    status: int
    mime: str
    digest: str
    offset: int
    length: int
    record_digest: str

    def line(self, filename: str) -> str:
        """Write the line of the index."""
        block = {
            "url": self.url,
            "digest": self.digest,
            "mime": self.mime,
            "filename": filename,
            # Existing tools write numbers as texts here.
            "offset": str(self.offset),
            "length": str(self.length),
            "status": str(self.status),
            "recordDigest": self.record_digest,
        }
        text = json.dumps(block, ensure_ascii=True)
        return f"{surt(self.url)} {self.at:%Y%m%d%H%M%S} {text}\n"


class WarcFile:
    """A WARC that grows record by record, each packed by itself so that it can be read by itself."""

    def __init__(self, path: Path, *, about: Mapping[str, str], at: datetime) -> None:
        from warcio.warcwriter import WARCWriter

        self.path = path
        self.entries: list[Entry] = []
        self._file = path.open("w+b")
        self._writer = WARCWriter(self._file, gzip=True, warc_version="WARC/1.1")
        self._describe(about, at)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def size(self) -> int:
        """Count the bytes written."""
        return self._file.tell()

    def add(self, exchange: Exchange) -> Entry:
        """Write one answer, and give its index entry."""
        content, response = exchange.response.content, exchange.response
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        record = self._writer.create_warc_record(
            exchange.url,
            "response",
            payload=io.BytesIO(content),
            length=len(content),
            http_headers=_http_headers(response.status, response.headers, len(content)),
            warc_headers_dict={
                "WARC-Date": _moment(exchange.at),
                "WARC-Record-ID": _record_id(exchange.url, exchange.at, digest),
                "WARC-Payload-Digest": digest,
            },
        )
        offset, length, record_digest = self._write(record)
        mime = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        entry = Entry(
            exchange.url,
            exchange.at,
            response.status,
            mime or "unk",
            digest,
            offset,
            length,
            record_digest,
        )
        self.entries.append(entry)
        return entry

    def _describe(self, about: Mapping[str, str], at: datetime) -> None:
        text = "".join(f"{name}: {value}\r\n" for name, value in about.items()).encode()
        record = self._writer.create_warc_record(
            "",
            "warcinfo",
            payload=io.BytesIO(text),
            length=len(text),
            warc_content_type="application/warc-fields",
            warc_headers_dict={
                "WARC-Date": _moment(at),
                "WARC-Record-ID": _record_id("warcinfo", at, hashlib.sha256(text).hexdigest()),
            },
        )
        self._write(record)

    def _write(self, record: Any) -> tuple[int, int, str]:
        offset = self._file.tell()
        self._writer.write_record(record)
        length = self._file.tell() - offset
        self._file.seek(offset)
        packed = self._file.read(length)
        return offset, length, f"sha256:{hashlib.sha256(packed).hexdigest()}"


def _http_headers(status: int, headers: Mapping[str, str], size: int) -> Any:
    from warcio.statusandheaders import StatusAndHeaders

    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return StatusAndHeaders(f"{status} {phrase}", list(_kept(headers, size)), protocol="HTTP/1.1")


def _kept(headers: Mapping[str, str], size: int) -> Iterator[tuple[str, str]]:
    coded = {"content-encoding", "transfer-encoding"} & headers.keys()
    for name, value in headers.items():
        if name in _DROPPED:
            continue
        if name in _OF_CODING and (coded or value != str(size)):
            yield _ORIGINAL + name, value
        elif name not in _OF_CODING:
            yield name, value
    yield "content-length", str(size)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def _record_id(url: str, at: datetime, digest: str) -> str:
    # The same visit gives the same names, so that nothing but time and content changes a WARC.
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{url} {at.isoformat()} {digest}')}>"
