"""A web archive in one file: WACZ 1.1.1 (webrecorder/specs), written in a fixed order."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from archiver_plugins.web.warc import SOFTWARE, Entry

_WARC: Final = "archive/data.warc.gz"
_CHUNK: Final = 1 << 20
#: The ZIP format begins in 1980.
_FIRST_YEAR: Final = 1980


@dataclass(frozen=True, slots=True)
class Front:
    """The page that an archive opens with: its address, when it was visited, and its words."""

    url: str
    at: datetime
    title: str
    text: str
    size: int

    @property
    def ts(self) -> str:
        """Write the time as RFC 3339 wants it."""
        return f"{self.at:%Y-%m-%dT%H:%M:%S}Z"


def pack(path: Path, warc: Path, entries: Sequence[Entry], front: Front) -> None:
    """Write the archive of a finished WARC. The same WARC gives the same bytes."""
    members = {
        "indexes/index.cdx": _index(entries),
        "pages/pages.jsonl": _pages(front),
    }
    description = _description(front, warc, members)
    members["datapackage.json"] = description
    members["datapackage-digest.json"] = _json({"path": "datapackage.json", "hash": _hash(description)})
    with zipfile.ZipFile(path, "w") as archive:
        # Stored, not packed again: readers go to a record by its offset.
        with warc.open("rb") as source, archive.open(_info(_WARC, front, warc.stat().st_size), "w") as target:
            while chunk := source.read(_CHUNK):
                target.write(chunk)
        for name, content in members.items():
            archive.writestr(_info(name, front, len(content)), content, zipfile.ZIP_DEFLATED)


def _info(name: str, front: Front, size: int) -> zipfile.ZipInfo:
    at = front.at
    when = (max(at.year, _FIRST_YEAR), at.month, at.day, at.hour, at.minute, at.second)
    info = zipfile.ZipInfo(name, when)
    info.external_attr = 0o644 << 16
    info.create_system = 3
    info.file_size = size
    return info


def _index(entries: Sequence[Entry]) -> bytes:
    lines = sorted(entry.line(Path(_WARC).name).encode() for entry in entries)
    return b"".join(lines)


def _pages(front: Front) -> bytes:
    head = {"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}
    page = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{front.url} {front.ts}")),
        "url": front.url,
        "ts": front.ts,
        "title": front.title,
        "text": front.text,
        "size": front.size,
    }
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in (head, page))


def _description(front: Front, warc: Path, members: dict[str, bytes]) -> bytes:
    with warc.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    rows = [_resource(_WARC, f"sha256:{digest}", warc.stat().st_size)]
    rows += [_resource(name, _hash(content), len(content)) for name, content in members.items()]
    return _json(
        {
            "profile": "data-package",
            "wacz_version": "1.1.1",
            "title": front.title or front.url,
            "software": SOFTWARE,
            "created": front.ts,
            "modified": front.ts,
            "mainPageUrl": front.url,
            "mainPageDate": front.ts,
            "resources": rows,
        }
    )


def _resource(path: str, digest: str, size: int) -> dict[str, Any]:
    return {"name": Path(path).name, "path": path, "hash": digest, "bytes": size}


def _hash(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(value: Any) -> bytes:
    text = io.StringIO()
    json.dump(value, text, ensure_ascii=False, indent=2)
    return text.getvalue().encode() + b"\n"
