"""What the addresses in a schedule lead to: a file, a recording or a deck elsewhere, or neither."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from archiver import api

_ENDINGS: Final = {
    **dict.fromkeys(("pdf", "ppt", "pptx", "pptm", "pps", "ppsx", "odp", "key"), api.Kind.SLIDES),
    **dict.fromkeys(("mp4", "m4v", "webm", "mkv", "mov", "avi", "mp3", "ogg", "opus", "m4a"), api.Kind.VIDEO),
    **dict.fromkeys(("jpg", "jpeg", "png", "gif", "webp", "heic"), api.Kind.PHOTO),
    **dict.fromkeys(("txt", "md", "doc", "docx", "odt", "rtf"), api.Kind.REPORT),
    **dict.fromkeys(("zip", "gz", "xz", "7z", "tgz", "ipynb", "csv", "json"), api.Kind.OTHER),
}
#: Hosts whose pages show one thing, with the kind and the type of source that takes it.
_PAGES: Final = (
    (r"(?:www\.|m\.)?youtube\.com|youtu\.be", api.Kind.VIDEO, "video"),
    (r"(?:www\.|player\.)?vimeo\.com", api.Kind.VIDEO, "video"),
    (r"media\.ccc\.de|(?:www\.)?bilibili\.com|v\.youku\.com|(?:www\.)?twitch\.tv", api.Kind.VIDEO, "video"),
    (r"(?:[a-z]+\.)?slideshare\.net", api.Kind.SLIDES, "slideshare"),
    (r"(?:www\.)?speakerdeck\.com", api.Kind.SLIDES, "speakerdeck"),
)


def file_kind(url: str) -> api.Kind | None:
    """Tell the kind of a file from its address; None when it names none that is known."""
    _, dot, ending = file_name(url).rpartition(".")
    return _ENDINGS.get(ending.lower()) if dot else None


def file_name(url: str) -> str:
    """Give the last part of an address's path, unescaped."""
    return unquote(urlsplit(url).path.rpartition("/")[2])


def page_of(url: str) -> tuple[api.Kind, str] | None:
    """Say what a page elsewhere shows, and which type of source takes it; None for any other page."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if len(parts.path) < 2 and not parts.query:
        return None  # the service as such, not one thing at it
    return next((found[1:] for found in _PAGES if re.fullmatch(found[0], host)), None)
