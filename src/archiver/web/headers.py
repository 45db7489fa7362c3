"""Header fields that a source adds to its requests."""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Mapping
from urllib.parse import unquote

from archiver.errors import InvalidError
from archiver.redact import is_secret_name

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e]*\Z")
#: These frame the message or choose the connection; the client sets them.
_RESERVED = frozenset(
    [
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
#: A download sets these itself when it resumes.
RANGE_FIELDS = frozenset({"range", "if-range"})


def checked(headers: Mapping[str, str] | None, *, reserved: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the fields with lower-case names. Raises `InvalidError` on one that may not be sent.

    Line breaks would let a title from upstream add fields of its own. Values are never repeated in the
    message: they may be secret.
    """
    found = {}
    for name, value in (headers or {}).items():
        if not _is_free(name) or name.lower() in reserved:
            raise InvalidError(
                f"A source may not send a header field called {name[:80]!a}",
                hint="Report this to the author of the source.",
            )
        if not _VALUE.match(value):
            raise InvalidError(
                f"The value of the header field {name} holds a line break or other than ASCII characters",
                hint="Look for a stray line end in the option or file that this value comes from.",
            )
        found[name.lower()] = value
    return found


@functools.lru_cache(maxsize=256)
def _is_free(name: str) -> bool:
    """Say whether a source may send a field of this name; nearly all requests send the same few."""
    return _NAME.match(name) is not None and name.lower() not in _RESERVED


def credential(login: str) -> dict[str, str]:
    """Make a Basic credential (RFC 7617) of what stood before the `@` of an address, if anything did."""
    if not login:
        return {}
    pair = unquote(login)
    token = base64.b64encode((pair if ":" in pair else f"{pair}:").encode())
    return {"authorization": f"Basic {token.decode('ascii')}"}


def without_credentials(headers: Mapping[str, str]) -> dict[str, str]:
    """Leave out every field that proves who we are: it belongs to one origin alone."""
    return {name: value for name, value in headers.items() if not is_secret_name(name)}
