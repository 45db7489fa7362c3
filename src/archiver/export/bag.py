"""The files around the payload of a BagIt 1.0 bag. Facts: RFC 8493."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archiver import __version__

#: The payload's directory.
PAYLOAD = "data/"
_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


@dataclass(frozen=True, slots=True)
class Sum:
    """A file of the bag: its path, size in bytes, lower-case hex SHA-256."""

    path: str
    size: int
    sha256: str


def tag_files(
    payload: Iterable[Sum], event: Mapping[str, Any], archive: Mapping[str, Any]
) -> dict[str, bytes]:
    """Give the tag files in the order in which they are written: the one that makes it a bag comes last.

    `payload` are all files below `data/`; `event` and `archive` are what `event.json` and `archive.json` say.
    """
    files = sorted(payload, key=lambda each: each.path)
    tags = {"manifest-sha256.txt": _manifest(files), "bag-info.txt": _info(files, event, archive)}
    listed = {**tags, "bagit.txt": _DECLARATION}
    sums = [Sum(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in sorted(listed.items())]
    return {**tags, "tagmanifest-sha256.txt": _manifest(sums), "bagit.txt": _DECLARATION}


def encoded(path: str) -> str:
    """Write a path for a manifest: CR, LF and `%`, and only those, are percent-encoded (section 2.1.3)."""
    return path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _manifest(files: Iterable[Sum]) -> bytes:
    return "".join(f"{each.sha256}  {encoded(each.path)}\n" for each in files).encode()


def _info(files: list[Sum], event: Mapping[str, Any], archive: Mapping[str, Any]) -> bytes:
    """Describe the bag. There is no Bagging-Date: equal content is to give equal bytes."""
    lines = {
        "Source-Organization": archive.get("organizer"),
        "External-Description": event.get("title"),
        "External-Identifier": f"urn:x-event-archive:{event.get('id')}",
        "Bag-Group-Identifier": archive.get("title"),
        "Payload-Oxum": f"{sum(each.size for each in files)}.{len(files)}",
        "Bag-Software-Agent": f"event-archiver {__version__}",
    }
    return "".join(f"{label}: {_line(text)}\n" for label, text in lines.items() if _line(text)).encode()


def _line(value: Any) -> str:
    # A line break in a title would forge a label of its own.
    text = " ".join(str(value or "").split())
    return "".join(char for char in text if char.isprintable())
