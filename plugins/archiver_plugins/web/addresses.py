"""Addresses of pages: one form for each, and where a site really answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from archiver import api

#: Longer addresses are traps; the core takes 2,000 characters as an id.
MAX_ADDRESS: Final = 1_900
_PORTS: Final = {"http": 80, "https": 443}
#: Parameters that say where a reader came from, not what is shown.
_TRACKING: Final = re.compile(
    r"(?:utm_\w*|fbclid|gclid|msclkid|mc_[ce]id|spm|from|isappinstalled)\Z", re.IGNORECASE
)
#: All that may stand in an address as it is (RFC 3986), and "%", which is there already.
_SAFE: Final = "%/:=&?~#+!$,;'@()*[]|"
_CONTROLS: Final = re.compile(r"[\x00-\x20\x7f]")
#: Second levels under which names are given: what lies before them tells whose a host is.
_SHARED: Final = frozenset({"com", "net", "org", "edu", "gov", "co", "ac", "or", "ne", "go"})
_DOUBLE: Final = 2
_COUNTRY: Final = 2


def tidy(url: str) -> str:
    """Write an http or https address in one form: host lower-case, no fragment, the rest encoded.

    Raises `ValueError` for anything else, for one with a password, and for one that is too long.
    """
    parts = urlsplit(_CONTROLS.sub(lambda match: quote(match[0]), url.strip()))
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _PORTS or not host:
        raise ValueError(f"{url[:200]!r} is not the address of a web page, like https://example.org/news")
    if parts.username is not None:
        raise ValueError("an address of a page must not hold a user name or password")
    ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    shown = f"[{ascii_host}]" if ":" in ascii_host else ascii_host
    port = "" if parts.port in {None, _PORTS[parts.scheme]} else f":{parts.port}"
    resolved = urlsplit(urljoin("https://host/", parts.path)).path if "/." in parts.path else parts.path
    path, query = quote(resolved or "/", safe=_SAFE), quote(parts.query, safe=_SAFE)
    found = urlunsplit((parts.scheme, shown + port, path, query, ""))
    if len(found) > MAX_ADDRESS:
        raise ValueError(f"the address {found[:80]}… is longer than {MAX_ADDRESS:,} characters")
    return found


def identity(url: str) -> str:
    """Name what an address shows: without tracking parameters, the others in order, always https.

    A site that moves from http to https keeps the names of its pages. Raises `ValueError`.
    """
    parts = urlsplit(untracked(tidy(url)))
    return urlunsplit(("https", parts.netloc, parts.path, "&".join(sorted(parts.query.split("&"))), ""))


def untracked(url: str) -> str:
    """Take the parameters out of a tidy address that say where a reader came from."""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and not _TRACKING.match(pair.partition("=")[0])]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "&".join(kept), ""))


def joined(base: str, link: str) -> str:
    """Make a link absolute and tidy; what cannot be the address of a page becomes nothing."""
    try:
        return tidy(urljoin(base, link.strip()))
    except ValueError:  # "//[" and other schemes
        return ""


def origin(url: str) -> str:
    """Give scheme, host and port: `https://example.org`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def owner(url: str) -> str:
    """Tell whose host it is, nearly as the public suffix list would: `example.org`, `example.com.cn`."""
    host = urlsplit(url).hostname or ""
    labels = host.split(".")
    if host.replace(".", "").isdigit() or ":" in host:
        return host
    short = len(labels) > _DOUBLE and labels[-2] in _SHARED and len(labels[-1]) == _COUNTRY
    return ".".join(labels[-3:] if short else labels[-2:])


def is_root(url: str) -> bool:
    """Say whether an address is that of a whole site."""
    parts: SplitResult = urlsplit(url)
    return parts.path in {"", "/"} and not parts.query


@dataclass(frozen=True, slots=True)
class Site:
    """A site's public address, and the one where it is asked: a mirror, a proxy, a test double.

    Without a `base` both are the same.
    """

    public: str = ""
    base: str = ""

    def wire(self, url: str) -> str:
        """Give the address to ask for a public one."""
        return _moved(url, self.public, self.base)

    def known_as(self, url: str) -> str:
        """Give the public address of one that was asked for, or that stood in an answer."""
        return _moved(url, self.base, self.public)

    @contextmanager
    def spoken_of(self) -> Iterator[None]:
        """Let errors name the public address: what they say goes into ledgers."""
        try:
            yield
        except api.SourceError as error:
            if self.base and self.public:
                said = error.message.replace(self.base, self.public)
                error.message = said.replace(urlsplit(self.base).netloc, urlsplit(self.public).netloc)
            raise


def _moved(url: str, source: str, target: str) -> str:
    if not source or not target:
        return url
    parts = urlsplit(url)
    # A page of an http site links to itself by https, and the other way round.
    if parts.netloc.lower() != urlsplit(source).netloc.lower():
        return url
    return target + urlunsplit(("", "", parts.path or "/", parts.query, parts.fragment))
