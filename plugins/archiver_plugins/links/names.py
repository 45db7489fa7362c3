"""What an address and a media type tell of a file: its kind, and a title."""

from __future__ import annotations

import functools
import mimetypes
import re
from typing import Final
from urllib.parse import unquote

from archiver import api

HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
#: How a file stands there that brings no name at all.
UNNAMED: Final = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-download"})

_SLIDES: Final = {"pdf", "ppt", "pptx", "pptm", "pps", "ppsx", "odp", "key"}
_REPORTS: Final = {"html", "htm", "xhtml", "txt", "md", "doc", "docx", "odt", "rtf", "epub", "wacz"}
_PHOTOS: Final = {"heic", "heif", "avif", "webp", "nef", "cr2", "cr3", "arw", "dng"}
_VIDEOS: Final = {"mkv", "webm", "flv", "wmv", "m4v", "mts", "m4a", "flac", "opus"}
_GRAPHICS: Final = {"png", "gif", "svg", "ico", "bmp"}
#: Lists of fragments, no files: audio/x-mpegurl and its like.
_PLAYLISTS: Final = {"m3u", "m3u8", "pls"}
_BY_ENDING: Final = {
    **dict.fromkeys(_SLIDES, api.Kind.SLIDES),
    **dict.fromkeys(_REPORTS, api.Kind.REPORT),
    **dict.fromkeys(_PHOTOS, api.Kind.PHOTO),
    **dict.fromkeys(_VIDEOS, api.Kind.VIDEO),
}
#: Media types by their beginning; the first that fits decides (IANA media types).
_BY_TYPE: Final = (
    ("image/", api.Kind.PHOTO),
    ("video/", api.Kind.VIDEO),
    ("audio/", api.Kind.VIDEO),
    ("application/pdf", api.Kind.SLIDES),
    ("application/vnd.ms-powerpoint", api.Kind.SLIDES),
    ("application/vnd.openxmlformats-officedocument.presentationml", api.Kind.SLIDES),
    ("application/vnd.oasis.opendocument.presentation", api.Kind.SLIDES),
    ("application/vnd.apple.keynote", api.Kind.SLIDES),
    ("application/msword", api.Kind.REPORT),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml", api.Kind.REPORT),
    ("application/vnd.oasis.opendocument.text", api.Kind.REPORT),
    ("application/rtf", api.Kind.REPORT),
    ("application/epub+zip", api.Kind.REPORT),
    ("application/xhtml+xml", api.Kind.REPORT),
    ("text/html", api.Kind.REPORT),
    ("text/plain", api.Kind.REPORT),
    ("text/markdown", api.Kind.REPORT),
)
#: The last part of an address that serves any number of files: …/download?id=7, …/files/get.php?n=7
_SAYS_NOTHING: Final = re.compile(
    r"(?:index|download|downloads|get|getfile|file|files|attachment|view|show|raw|content|export|index)?"
    r"(?:\.(?:php|aspx?|jsp|cgi|do))?"
)
_QUERY: Final = re.compile("[?#]")
# Controls, characters that turn or hide text, surrogates.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def last_part(url: str) -> str:
    """Give the last part of an address's path, unescaped; empty when it names no file."""
    # Not with `urlsplit`, which takes four times as long: there are lists of thousands.
    path = _QUERY.split(url.partition("://")[2].partition("/")[2], maxsplit=1)[0]
    name = unquote(path.rpartition("/")[2])
    return "" if _SAYS_NOTHING.fullmatch(name.lower()) else name


def ending(name: str) -> str:
    """Give the extension of a file's name in lower case, or nothing ("OpenStack 1.0" has none)."""
    _, dot, found = name.rpartition(".")
    return found.lower() if dot and re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9]{1,8}", found) else ""


def kind_of(name: str, media_type: str = "") -> api.Kind:
    """Tell the kind from a file's name, else from a media type, else it is `other`."""
    return _kind_of(ending(name), media_type)


@functools.lru_cache(maxsize=256)
def _kind_of(found: str, media_type: str) -> api.Kind:
    if found in _BY_ENDING:
        return _BY_ENDING[found]
    claimed = media_type if media_type not in UNNAMED else mimetypes.guess_type(f"x.{found}")[0] or ""
    guessed = [mimetypes.guess_type(f"x.{found}")[0] or "", claimed]
    for each in guessed:
        for beginning, kind in _BY_TYPE:
            if each.startswith(beginning):
                return kind
    return api.Kind.OTHER


def is_page(name: str) -> bool:
    """Say whether a name is that of a web page, or of nothing in particular."""
    return ending(name) in {"", "html", "htm", "xhtml", "php", "asp", "aspx", "jsp"}


def is_media(name: str) -> bool:
    """Say whether a name is certainly that of a deck, a recording or a photo.

    Drawings and screenshots are mostly PNG, GIF or SVG, so these are not taken for photos.
    """
    found = ending(name)
    if found in _GRAPHICS or found in _PLAYLISTS:
        return False
    return bool(found) and kind_of(name) in {api.Kind.SLIDES, api.Kind.VIDEO, api.Kind.PHOTO}


def title_of(name: str) -> str:
    """Make a title from a file's name: no extension, blanks for underscores, nothing that cannot be seen."""
    shown = _UNSEEN.sub(" ", name)
    found = ending(shown)
    stem = shown[: -len(found) - 1] if found else shown
    return " ".join(stem.replace("_", " ").split())[:300]
