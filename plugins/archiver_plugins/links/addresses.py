"""Addresses: one form for each, and what of it may be told."""

from __future__ import annotations

import hashlib
import re
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from archiver import api

MAX_LENGTH: Final = 4_000
#: Addresses that are in their normal form already: there are lists of thousands of them.
_NORMAL: Final = re.compile(
    r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::(?!80/|443/)(?:[1-9][0-9]{1,3}|[1-5][0-9]{4}))?"
    r"/[A-Za-z0-9._~!$&'()*+,;=:@/-]*"
)
_PORTS: Final = {"http": 80, "https": 443}
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
#: All that RFC 3986 lets stand in a path or a query as it is, and the percent sign of what is escaped.
_PLAIN: Final = "%/:?@!$&'()*+,;=~-._"


def address(text: str) -> str:
    """Give the normal form of a web address, secrets included, without its fragment (RFC 3986, 6.2).

    Raises `ValueError` with what is wrong, without repeating what may be secret.
    """
    text = text.strip()
    if len(text) <= MAX_LENGTH and _NORMAL.fullmatch(text) and "/." not in text:
        return text
    if len(text) > MAX_LENGTH:
        raise ValueError(f"an address has at most {MAX_LENGTH:,} characters, this one {len(text):,}")
    _check_scheme(text)
    try:
        return _normal(urlsplit(text if text.isascii() else _in_ascii(text)))
    except ValueError as error:
        raise ValueError(f"{shown(text)!r} is not a web address: copy it from a browser") from error


def _in_ascii(text: str) -> str:
    """Bring names such as http://例子.cn into their ASCII form (RFC 5891). Raises `ValueError`."""
    import httpx  # here: it takes longer than all else that a command imports, and few addresses need it

    try:
        return str(httpx.URL(text))
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error


def _check_scheme(text: str) -> None:
    scheme = _SCHEME.match(text)
    if scheme is None or "://" not in text:
        raise ValueError(f"{shown(text)!r} is not a whole web address; it begins with https:// or http://")
    if scheme[1].lower() not in _PORTS:
        raise ValueError(
            f"links are http or https addresses, not {scheme[1].lower()}:// as in {shown(text)!r}; "
            "for files on a disk use a source of type folder"
        )


def _normal(parts: SplitResult) -> str:
    if not parts.hostname or re.search(r"[\s\\]", parts.netloc) or parts.port == 0:
        raise ValueError("no host")
    scheme = parts.scheme.lower()
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.rstrip(".")
    if not host:  # "https://./"
        raise ValueError("no host")
    port = "" if parts.port in {None, _PORTS[scheme]} else f":{parts.port}"
    login, at, _ = parts.netloc.rpartition("@")
    path, query = _escaped(_without_dots(parts.path) or "/"), _escaped(parts.query)
    return urlunsplit((scheme, f"{login}{at}{host}{port}", path, query, ""))


def _without_dots(path: str) -> str:
    """Take `.` and `..` out of a path, as every browser does before it asks (RFC 3986, 5.2.4)."""
    if "/." not in path:
        return path
    kept: list[str] = []
    *folders, last = path.removeprefix("/").split("/")
    for part in folders:
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
    if last == "..":
        del kept[-1:]
    return "/" + "/".join([*kept, "" if last in {".", ".."} else last])


def _escaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: match[0].upper(), quote(text, safe=_PLAIN))


def public(url: str) -> str:
    """Give what the archive writes down of a normal address: without login and secret parameters.

    `?key=` and its like are left out. A long opaque value under a harmless name may be a secret as well
    as the very name of a file (`?id=1a2B…`): twelve digits of its SHA-256 stand for it.
    """
    if "@" not in url and "?" not in url:
        return url
    parts = urlsplit(url)
    if "@" not in parts.netloc and not parts.query:
        return url
    pairs = [kept for pair in parts.query.split("&") if (kept := _told(pair))]
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="&".join(pairs)))


def _told(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if api.is_secret_name(name):
        return ""
    if api.redact(f"?{pair}") == f"?{pair}":
        return pair
    if api.redact(f"?{name}") != f"?{name}":  # such as `?//user:password@host`
        name, equals, value = "", "", pair
    return f"{name}{equals}~{hashlib.sha256(value.encode()).hexdigest()[:12]}"


def shown(text: str) -> str:
    """Give an address as it may stand in a message."""
    return api.redact(text)[:200]


def without_login(url: str) -> str:
    """Give a normal address as it is, but for user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
