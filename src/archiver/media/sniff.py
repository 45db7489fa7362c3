"""What a file is, told by its content and never by its name."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from pathlib import Path
from typing import Final

from archiver.errors import InvalidError
from archiver.media import ebml, ole, sound, text, types, zips

# Magic numbers as registered or documented by each format's owner; RIFF, ISO media, EBML, ZIP and OLE
# files are looked into further below.
_MAGIC: Final = (
    (b"%PDF-", types.PDF),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-wmv"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"\0\0\x01\xb3", "video/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"{\\rtf", types.RTF),
)
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
# Brands of ISO/IEC 14496-12 files; whatever else has a file type box is a film.
_BRANDS: Final = {
    b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4",
    b"heic": "image/heic", b"heix": "image/heic", b"heim": "image/heic", b"mif1": "image/heic",
    b"msf1": "image/heic", b"hevc": "image/heic", b"avif": "image/avif", b"avis": "image/avif",
    b"crx ": "image/x-canon-cr3",
}  # fmt: skip
# Old QuickTime files begin without a file type box.
_QUICKTIME: Final = frozenset({b"moov", b"mdat", b"wide", b"skip", b"pnot"})
# What a page may begin with once white space and comments are gone (WHATWG MIME Sniffing, 7.1).
_HTML: Final = re.compile(
    r"<(?:!doctype html|html|head|body|script|iframe|h1|div|font|table|a|style|title|b|br|p|meta|link)[\s>/]",
    re.IGNORECASE,
)
_COMMENT: Final = re.compile(r"\s*(?:<!--.*?-->|<\?xml[^>]*\?>|<!DOCTYPE(?! html\b)[^>\[]*>)", re.DOTALL)
_SUBTITLE: Final = re.compile(r"\s*\d+[ \t]*\r?\n\d{1,2}:\d\d:\d\d[,.]\d{1,3} +-->")
_JSON_LIMIT: Final = 4 << 20


def identify(path: Path) -> str:
    """Tell the media type of a file, "application/octet-stream" when nothing fits.

    Reads the head, and the directory of ZIP and old Office files; damaged ones keep the type of
    their container.
    """
    head = text.head(path)
    return _by_magic(path, head) or _text(path, head) or _late(head) or types.UNKNOWN


def _by_magic(path: Path, head: bytes) -> str:
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "image/bmp"
    if head[:4] in {b"RIFF", b"RF64"}:
        return _RIFF.get(head[8:12], "")
    return _iso(head) or _container(path, head) or sound.identify(head)


def _iso(head: bytes) -> str:
    kind = head[4:8]
    if kind == b"ftyp":
        brand = head[8:12]
        return "video/3gpp" if brand.startswith(b"3g") else _BRANDS.get(brand, "video/mp4")
    return "video/quicktime" if kind in _QUICKTIME else ""


def _container(path: Path, head: bytes) -> str:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return zips.identify(path)
    if head.startswith(ole.MAGIC):
        return ole.identify(path)
    if head.startswith(ebml.MAGIC):
        return ebml.identify(head)
    return _gzip(path) if head.startswith(b"\x1f\x8b") else ""


def _gzip(path: Path) -> str:
    try:
        with gzip.open(path) as stream:
            return types.WARC if stream.read(6) == b"WARC/1" else types.GZIP
    except (OSError, EOFError, zlib.error):
        return types.GZIP


def _text(path: Path, head: bytes) -> str:
    size = path.stat().st_size
    name = text.encoding(head, whole=size <= len(head))
    if name is None or not head:
        return ""
    start = head.decode(name, "replace").removeprefix("\ufeff")
    return _markup(start) or _plain(path, start, size)


def _markup(start: str) -> str:
    rest = start.lstrip()
    if not rest.startswith("<"):
        return ""
    declared = rest.startswith("<?xml")
    while comment := _COMMENT.match(rest):
        rest = rest[comment.end() :].lstrip()
    if _HTML.match(rest):
        return types.HTML
    if re.match(r"<(?:\w+:)?svg[\s>]", rest):
        return types.SVG
    return types.XML if declared else ""


def _plain(path: Path, start: str, size: int) -> str:
    if start.startswith("WEBVTT"):
        return types.VTT
    if start.startswith("WARC/1."):
        return types.WARC
    if _SUBTITLE.match(start):
        return types.SRT
    if start.lstrip()[:1] in {"{", "["} and size <= _JSON_LIMIT and _is_json(path):
        return types.JSON
    return types.PLAIN


def _is_json(path: Path) -> bool:
    try:
        json.loads(text.decode(path.read_bytes()))
    except (ValueError, RecursionError):
        return False
    return True


def _late(head: bytes) -> str:
    # Some writers put a line before the header; readers look through the first 1,024 bytes
    # (ISO 32000-1, annex H, implementation note 13).
    return types.PDF if b"%PDF-" in head[:1024] else ""


def refuse_unknown(path: Path) -> None:
    """Say more about a file of no known type. Raises `InvalidError` when it holds only zero bytes."""
    head = text.head(path)
    if head and not head.strip(b"\0"):
        raise InvalidError(
            "The file holds only zero bytes: its content was lost while it was copied or saved.",
            hint="copy it again from where it came from",
        )
