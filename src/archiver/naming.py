"""Names that we give: readable, unique without coordination, safe on every file system and on S3."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from typing import Final

from archiver.errors import ConfigError

#: Bytes of title that a file name keeps; the rest of a path stays short enough for Windows.
TITLE_BYTES = 120
#: The most that common file systems take for one name.
NAME_BYTES = 255
#: The longest key that S3 takes.
PATH_BYTES = 1024

# Letters that show as nothing: U+115F and U+1160 are Hangul fillers, U+3164 and U+FFA0 likewise.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
# Marks that show as nothing, such as the U+FE0F after "❤": left out, not turned into a hyphen, because
# they stand inside words ("葛\U000e0100城"). They are Default_Ignorable_Code_Point in Unicode.
_BLANK_MARKS = re.compile("[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_NO_WORD = re.compile("[^a-z0-9]+")
# Controls, lone surrogates, the two line separators; backslash and colon mean something to Windows.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\\\:]")
# Names that Windows keeps for devices, with or without an ending: "nul", "com1.txt".
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)
# OCFL keeps this name in the storage root for itself (1.1, section 4.1).
_RESERVED = _DEVICES | {"extensions"}
_EVENT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_EXTENSION = re.compile(r"[a-z0-9]{1,10}")


def slug(text: str, max_bytes: int = 80) -> str:
    """Turn a title into a readable name part: letters and digits of any script, joined by hyphens.

    The result is NFC, lower case, at most `max_bytes` of UTF-8, and may be empty ("🎉" has no letter).
    """
    begin = text[: 4 * max_bytes]
    if begin.isascii():  # as most labels and many titles are: nothing to compose, no marks
        return _NO_WORD.sub("-", begin.lower()).strip("-")[:max_bytes].strip("-")
    return _slug_of_any_script(begin, max_bytes)


def _slug_of_any_script(text: str, max_bytes: int) -> str:
    visible = _BLANK_MARKS.sub("", text)
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", visible).lower())
    kept = "".join(char if _readable(char) else "-" for char in folded)
    return _clip(re.sub(r"-{2,}", "-", _grounded(kept)).strip("-"), max_bytes).strip("-")


def _grounded(text: str) -> str:
    """Drop accents that have no letter to stand on, after a hyphen or at the beginning."""
    kept = ["-"]
    for char in text:
        if kept[-1] != "-" or unicodedata.category(char)[0] != "M":
            kept.append(char)
    return "".join(kept)


def _readable(char: str) -> bool:
    # Letters, marks and numbers; no controls, bidi overrides, zero-widths, private use, punctuation.
    return unicodedata.category(char)[0] in "LMN" and char not in _BLANK_LETTERS


def _clip(text: str, max_bytes: int) -> str:
    # Cutting inside a character ("é" is two bytes) leaves a broken tail: ignore it. A cut between a
    # base and its accent could compose differently: normalise again.
    clipped = text.encode()[:max_bytes].decode(errors="ignore")
    return unicodedata.normalize("NFC", clipped)


def identity(type_name: str, native_id: str, role: str, sha256: str) -> str:
    """Give the 12 hex digits that make a name unique: the same file gets the same on any machine."""
    key = json.dumps([type_name, native_id, role, sha256], ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )
    return hashlib.sha256(key).hexdigest()[:12]


def file_name(title: str, label: str, ident: str, extension: str) -> str:
    """Name a stored file, as in `deploy-openstack-with-chef-p001-3f9a2c41d07b.webp`."""
    parts = [slug(title, TITLE_BYTES), slug(label, 40), ident]
    ending = f".{extension}" if _EXTENSION.fullmatch(extension) else ""
    return "-".join(part for part in parts if part) + ending


def check_event_id(event_id: str) -> None:
    """Refuse an event id that could not be a directory everywhere. Raises `ConfigError`."""
    if not _EVENT_ID.fullmatch(event_id):
        raise ConfigError(
            f"{event_id!r:.120} cannot be the id of an event",
            hint="use small letters a-z, digits and hyphens, beginning with a letter or digit",
        )
    if event_id in _RESERVED:
        raise ConfigError(
            f"{event_id!r} cannot be the id of an event: the name is reserved",
            hint="add something to it, such as the year",
        )


#: A path that is certainly safe: its parts begin with a letter or digit, all ASCII.
_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")


def check_path(path: str) -> str:
    """Return a sink path if it is safe, else raise `ValueError`.

    Safe: relative, `/`-separated, NFC, no empty, `.` or `..` part, no control character, no
    backslash or colon (Windows), each part at most 255 bytes, 1,024 bytes in all (S3).
    """
    # Nearly all paths are plain, and there are tens of thousands in an inventory.
    if isinstance(path, str) and len(path) <= NAME_BYTES and _PLAIN_PATH.fullmatch(path):
        return path
    # Characters come first: a lone surrogate cannot even be measured in bytes.
    if (
        not isinstance(path, str)
        or _UNSAFE.search(path)
        or len(path.encode()) > PATH_BYTES
        or any(part in {"", ".", ".."} or len(part.encode()) > NAME_BYTES for part in path.split("/"))
        or not unicodedata.is_normalized("NFC", path)
    ):
        raise ValueError(f"unsafe path: {path!r:.200}")
    return path
