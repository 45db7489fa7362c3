"""What the tests of the source `web` share: entries, listings, fetches, a reader of its archives."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator

from archiver import api
from archiver_plugins.web import Web, WebEntry
from plugins.source_kit import BEIJING, listed, the_error

TEXT = (
    "2012 OpenStack China Tour 北京站在盛大创新院举行，一百五十人参加，"
    "大家讨论了用 Chef 部署 OpenStack 的经验。"
)
ARTICLE = "".join(f"<p>{TEXT}第{number}段。</p>" for number in range(1, 8))


def entry(event: api.Event = BEIJING, **options: Any) -> api.ScopeEntry[WebEntry]:
    return api.ScopeEntry(event, WebEntry(**options))


def materials(source: Web, **options: Any) -> tuple[list[api.Material], bool]:
    items, last = listed(source, entry(**options))
    assert all(isinstance(item, api.Material) for item in items)
    return [item for item in items if isinstance(item, api.Material)], last.complete


def one(source: Web, url: str, **options: Any) -> api.Material:
    items, _ = listed(source, entry(page=url, **options))
    assert len(items) == 1
    assert isinstance(items[0], api.Material), items[0]
    return items[0]


def problem(source: Web, url: str) -> api.SourceError:
    (item,), _ = listed(source, entry(page=url))
    return the_error(item)


def replayed(path: Path) -> dict[str, tuple[int, bytes]]:
    """Read an archive by its own index, as a reader would; every digest is checked on the way."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        warc = archive.read("archive/data.warc.gz")
        for line in archive.read("indexes/index.cdx").decode().splitlines():
            row = json.loads(line.split(" ", 2)[2])
            found[row["url"]] = _read(warc, int(row["offset"]), row)
    return found


def _read(warc: bytes, start: int, row: dict[str, str]) -> tuple[int, bytes]:
    stream = io.BytesIO(warc[start : start + int(row["length"])])
    for record in ArchiveIterator(stream, check_digests="raise"):
        assert record.rec_headers.get_header("WARC-Target-URI") == row["url"]
        assert record.rec_headers.protocol == "WARC/1.1"
        assert record.http_headers.get_statuscode() == row["status"]
        return int(row["status"]), record.content_stream().read()
    raise AssertionError(f"no record at {start}")
