"""The body of a POST: a form or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from archiver.errors import InvalidError

#: Header fields that describe a body, and go where it goes (RFC 9110, 15.4).
BODY_FIELDS = frozenset({"content-type", "content-encoding", "content-language", "content-location"})


def encode_body(form: Mapping[str, str] | None, data: Any) -> tuple[bytes, dict[str, str]]:
    """Give the bytes of a body and its Content-Type; an empty one for neither form nor JSON.

    Raises `InvalidError` when both are given or JSON cannot hold the data; it never repeats them.
    """
    if form is not None and data is not None:
        raise _fault("both a form and JSON")
    if form is not None:
        return urlencode(form).encode("ascii"), {"content-type": "application/x-www-form-urlencoded"}
    if data is None:
        return b"", {}
    try:
        text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise _fault("something that JSON cannot hold") from None
    return text.encode("ascii"), {"content-type": "application/json"}


def without_body_fields(headers: Mapping[str, str]) -> dict[str, str]:
    """Leave out what described a body that is not sent any more."""
    return {name: value for name, value in headers.items() if name not in BODY_FIELDS}


def _fault(what: str) -> InvalidError:
    return InvalidError(f"A source wants to post {what}", hint="Report this to the author of the source.")
