"""What browsers are told of an object: its type, whether to open it, how long to keep it."""

from __future__ import annotations

import re
from urllib.parse import quote

#: Types that browsers only show; whatever is not here is offered for download.
_SHOWN = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
    "ogv": "video/ogg",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "txt": "text/plain; charset=utf-8",
    "md": "text/plain; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "srt": "text/plain; charset=utf-8",
    "csv": "text/plain; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/json",
    "sha256": "text/plain; charset=utf-8",
}
#: Types that may run something in the browser: only the pages that this program makes itself.
_PAGES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "xml": "application/xml",
    "wasm": "application/wasm",
    "woff2": "font/woff2",
    "webmanifest": "application/manifest+json",
}
_DOWNLOADED = "application/octet-stream"
_FOREVER = "public, max-age=31536000, immutable"
_ASCII_NAME = re.compile(r"[^A-Za-z0-9._-]+")
#: Files of events, which never change: ocfl/beijing/v1/content/slides/deck.pdf, derived/3f9a…/text/1.txt
_CONTENT = re.compile(r"ocfl/[^/]+/v\d+/content/|derived/")
#: What is read in every run and must not lie in cold storage.
_RECORD = re.compile(r"ocfl/[^/]+/v\d+/content/metadata/")


def headers_for(path: str) -> dict[str, str]:
    """Give ContentType, CacheControl and, for what is not to be opened, ContentDisposition."""
    name = path.rpartition("/")[2]
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    page = path == "index.html" or path.startswith("site/")
    kind = _SHOWN.get(extension) or (_PAGES.get(extension) if page else None)
    told = {"ContentType": kind or _DOWNLOADED, "CacheControl": _FOREVER if is_content(path) else "no-cache"}
    if kind is None:
        told["ContentDisposition"] = _attachment(name)
    return told


def is_content(path: str) -> bool:
    """Say whether what lies under a path never changes."""
    return _CONTENT.match(path) is not None


def is_material(path: str) -> bool:
    """Say whether a path holds a file of an event, and not a record or what is made of it."""
    return path.startswith("ocfl/") and is_content(path) and not _RECORD.match(path)


def _attachment(name: str) -> str:
    # Two forms, RFC 6266: the plain one for old programs, the other one for everybody else.
    plain = _ASCII_NAME.sub("_", name)[:100] or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
