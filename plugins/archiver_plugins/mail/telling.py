"""What may be written down of a message: no address of anybody, and no secret of a link."""

from __future__ import annotations

import hashlib
import re
from typing import Final
from urllib.parse import unquote, unquote_plus, urlsplit, urlunsplit

from archiver import api

_HOST: Final = r"([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[\w-]+(?:\.[\w-]+)+)"
#: "wang@example.org", also in "(wang@example.org)请查收" and with the wide ＠; not "Stop @ Beijing".
_ADDRESS: Final = re.compile(rf"(?<=[^\s@＠(<\[,;:])[@＠]{_HOST}")
_ADDRESS_IN_PATH: Final = re.compile(rf"(?<=[^/@])(?:@|%40){_HOST}")
#: What looks like the end of a host's name in "deck@2x.png" and in "wang@example.org.pdf".
_ENDINGS: Final = frozenset({
    "pdf", "ppt", "pptx", "pptm", "pps", "ppsx", "odp", "key", "jpg", "jpeg", "png", "gif", "webp",
    "tif", "tiff", "bmp", "heic", "heif", "avif", "mp4", "m4v", "mov", "webm", "mkv", "avi", "flv",
    "wmv", "mpg", "mpeg", "mp3", "m4a", "wav", "flac", "ogg", "aac", "doc", "docx", "odt", "rtf",
    "txt", "md", "xls", "xlsx", "ods", "csv", "epub", "zip", "rar", "7z", "tgz", "gz", "tar", "eml",
    "html", "htm", "xml", "json", "dat", "bin",
})  # fmt: skip
#: What makes a word one with an address in it, brackets and quotes and all: "Bob (bob@example.org)".
_INNER_AT: Final = re.compile(r"[^@＠][@＠][^@＠]")


def without_addresses(text: str) -> str:
    """Keep of each mail address what stands before the @: "wang@example.org" becomes "wang@…"."""
    return _ADDRESS.sub(lambda match: _masked(match, "…"), text) if "@" in text or "＠" in text else text


def _masked(match: re.Match[str], mark: str) -> str:
    host, _, last = match[1].rpartition(".")
    if last.lower() in _ENDINGS:  # "deck@2x.png" is no address
        return f"@{mark}.{last}" if "." in host else match[0]
    return f"@{mark}" if last[0].isalpha() else match[0]  # "talk@2.0" is none either


def own_name(name: str) -> str:
    """Give a person's name without words that hold an address, "" when nothing is left."""
    if "@" not in name and "＠" not in name:
        return name
    return " ".join(word for word in name.split() if not _INNER_AT.search(word)).strip(" ()<>[]\"',;-")


def is_address(text: str) -> bool:
    """Say whether there is a mail address in a text."""
    return without_addresses(text) != text


def public(url: str) -> str:
    """Give what the archive writes down of a link: no login, no secret parameter, no mail address.

    A long opaque value under a harmless name may be a secret as well as the very name of a file: twelve
    digits of its SHA-256 stand for it. What nothing has to be taken from comes back as it is.
    """
    parts = urlsplit(url)
    pairs = [kept for pair in parts.query.split("&") if (kept := _told(pair))]
    netloc = parts.netloc.rpartition("@")[2]
    path = _ADDRESS_IN_PATH.sub(lambda match: _masked(match, "..."), parts.path)
    return urlunsplit(parts._replace(netloc=netloc, path=path, query="&".join(pairs)))


def _told(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if api.is_secret_name(name) or is_address(unquote_plus(pair)) or is_address(unquote(unquote(value))):
        return ""
    if api.redact(f"?{pair}") == f"?{pair}":
        return pair
    return f"{name}{equals}~{hashlib.sha256(value.encode()).hexdigest()[:12]}"
