"""Names of mailboxes on the wire: modified UTF-7 (RFC 3501, 5.1.3)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

_SHIFTED: Final = re.compile(r"&([^-&]*)-")
_FOREIGN: Final = re.compile(r"[^\x20-\x7e]+")


def encode(name: str) -> str:
    """Write a name for the wire: "收件箱" is "&ZTZO9nux-"."""
    return _FOREIGN.sub(_shift, name.replace("&", "&-"))


def _shift(match: re.Match[str]) -> str:
    packed = base64.b64encode(match[0].encode("utf-16-be", "surrogatepass")).decode("ascii")
    return f"&{packed.rstrip('=').replace('/', ',')}-"


def decode(wire: str) -> str:
    """Read a name from the wire; what is not encoded rightly stays as it is."""
    return _SHIFTED.sub(_unshift, wire)


def _unshift(match: re.Match[str]) -> str:
    if not match[1]:
        return "&"
    packed = match[1].replace(",", "/")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError):
        return match[0]
