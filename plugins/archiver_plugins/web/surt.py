"""Keys of the index: addresses written so that a site's own sort together.

There is no standard for them, only what readers look up (pywb 2.10, py-wacz 0.6): host reversed, without
`www`, port and path kept, all in lower case, one way of escaping, no slash at the end of the path,
parameters in order. `https://www.Example.org/A/?b=2&a=1` becomes `org,example)/a?a=1&b=2`.
"""

from __future__ import annotations

import re
from string import printable
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

#: What is left as it is: all that can be seen but the signs of escapes and fragments.
_PLAIN: Final = "".join(char for char in printable if char.isprintable() and char not in " %#")
_WWW: Final = re.compile(r"www\d*\.")
#: Escapes of escapes are undone so often.
_MAX_ROUNDS: Final = 5
_PORTS: Final = {"http": 80, "https": 443}


def surt(url: str) -> str:
    """Make the key of a tidy address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    named = _WWW.sub("", host, count=1) if _WWW.match(host) else host
    labels = [named] if ":" in named else named.split(".")
    port = "" if parts.port in {None, _PORTS.get(parts.scheme)} else f":{parts.port}"
    path = _resolved(_escaped(parts.path))
    query = "&".join(sorted(_escaped(parts.query).split("&")))
    return f"{','.join(reversed(labels))}{port}){path}{'?' if query else ''}{query}".lower()


def _resolved(path: str) -> str:
    """Undo `.`, `..` and empty parts."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in {"", "."}:
            kept.append(part)
    return "/" + "/".join(kept)


def _escaped(text: str) -> str:
    raw = text.encode()
    for _ in range(_MAX_ROUNDS):
        plain = unquote_to_bytes(raw)
        if plain == raw:
            break
        raw = plain
    return quote(raw, safe=_PLAIN)
