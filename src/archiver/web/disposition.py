"""What a downloaded file is called by whoever sent it (RFC 6266)."""

from __future__ import annotations

import re
import unicodedata
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any

#: Characters of the field that are looked at, and of the name that are kept.
_MAX_FIELD = 4096
MAX_NAME = 200
#: Charsets that an extended value may name; RFC 8187 asks for UTF-8 and allows others.
_CHARSETS = frozenset({"utf-8", "utf8", "iso-8859-1", "gbk", "gb2312", "gb18030", "big5"})


def file_name(value: str) -> str:
    """Give the name in a Content-Disposition field, read as Latin-1: a label, never a path; "" for none.

    `filename*` counts before `filename` (RFC 6266, 4.3). Folders, controls and what turns text around
    are left out; at most 200 characters are kept.
    """
    if not value:
        return ""
    message = Message()
    message["content-disposition"] = value[:_MAX_FIELD].replace("\r", " ").replace("\n", " ")
    # An extended value is (charset, language, text) instead of a text.
    params: Any = message.get_params([], "content-disposition")  # pairs with more than text, see below
    found = [given for name, given in params if name == "filename"]
    extended = next((given for given in found if isinstance(given, tuple)), None)
    if extended is not None:
        return _label(_extended(extended))
    return _label(_readable(found[0])) if found else ""


def _extended(value: tuple[str | None, str | None, str]) -> str:
    charset = (value[0] or "").lower()
    return collapse_rfc2231_value((charset if charset in _CHARSETS else "utf-8", value[1], value[2]))


def _readable(value: str) -> str:
    """Decode what is no ASCII: browsers take UTF-8 for granted, so servers send it as raw bytes."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _label(name: str) -> str:
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(char if char.isprintable() else " " for char in last)
    return unicodedata.normalize("NFC", " ".join(visible.split()))[:MAX_NAME].strip(" .")
