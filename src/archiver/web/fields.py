"""Header fields that decide something: strict parsers, because whoever answers may lie."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

#: Numbers above 19 digits are no sizes, and parsing them costs time.
_NUMBER = re.compile(r"[0-9]{1,19}\Z")
_RANGE = re.compile(r"bytes\s+([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)\Z", re.IGNORECASE)
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"\Z')
#: A Last-Modified this many seconds before Date cannot hide a second change (RFC 9110, 8.8.2.2).
_SAFE_AGE = 60.0


def number(value: str) -> int | None:
    """Parse a count of bytes or seconds: digits alone, where `int` would take `1_0` and `+5`."""
    return int(value) if _NUMBER.match(value.strip()) else None


def http_date(value: str) -> float | None:
    """Parse an HTTP date in any of its three forms (RFC 9110, 5.6.7) into seconds since 1970."""
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None


def retry_after(value: str, now: float) -> float | None:
    """Parse Retry-After (RFC 9110, 10.2.3) into seconds from `now`, at least 0; None when it is neither
    a number nor a date.
    """
    seconds = number(value)
    if seconds is not None:
        return float(seconds)
    moment = http_date(value)
    return None if moment is None else max(0.0, moment - now)


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Which bytes a 206 brings: first and last position, and the whole length when it is told."""

    first: int
    last: int
    total: int | None


def content_range(value: str) -> ContentRange | None:
    """Parse Content-Range (RFC 9110, 14.4); None when it is malformed or contradicts itself."""
    match = _RANGE.match(value.strip())
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    total = None if match[3] == "*" else int(match[3])
    if last < first or (total is not None and last >= total):
        return None
    return ContentRange(first, last, total)


def strong_etag(value: str) -> str:
    """Return the entity tag when it is a strong one (RFC 9110, 8.8.3), else nothing."""
    return value if _STRONG_ETAG.match(value) else ""


def validator(headers: Mapping[str, str]) -> str:
    """Choose what If-Range can hold a later part against: a strong ETag, else a settled date."""
    etag = strong_etag(headers.get("etag", ""))
    if etag:
        return etag
    modified, now = headers.get("last-modified", ""), headers.get("date", "")
    changed, sent = http_date(modified), http_date(now)
    settled = changed is not None and sent is not None and sent - changed >= _SAFE_AGE
    # Dates with a comment behind them are read too, "… GMT (北京)", but could not all be sent back.
    return modified if settled and modified.isascii() and modified.isprintable() else ""


#: Names in Digest (RFC 3230) and Repr-Digest (RFC 9530), and what hashlib calls them.
_ALGORITHMS = {
    "sha-256": "sha256",
    "sha-512": "sha512",
    "sha": "sha1",
    "md5": "md5",
}
_DIGEST = re.compile(r"\s*([A-Za-z0-9-]+)\s*=\s*:?([A-Za-z0-9+/]+={0,2}):?\s*\Z")


def digests(headers: Mapping[str, str]) -> dict[str, bytes]:
    """Collect what the answer says about the digest of the whole file, by hashlib's names.

    Fields and values that are unknown or malformed are left out: they prove nothing.
    """
    found = {}
    for field in ("digest", "repr-digest"):
        for part in headers.get(field, "").split(","):
            found.update(_digest(part))
    found.update(_digest(f"md5={headers.get('content-md5', '')}"))
    return found


def _digest(part: str) -> dict[str, bytes]:
    match = _DIGEST.match(part)
    name = _ALGORITHMS.get(match[1].lower()) if match else None
    if match is None or name is None:
        return {}
    try:
        value = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        return {}
    right_size = len(value) == hashlib.new(name, usedforsecurity=False).digest_size
    return {name: value} if right_size else {}
