"""What a site's robots.txt allows (RFC 9309). There is no option to ignore it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from archiver import api
from archiver_plugins.web.addresses import Site, origin, tidy

if TYPE_CHECKING:
    from protego import Protego

#: The name under which sites can address this program.
AGENT: Final = "event-archiver"
#: RFC 9309, 2.5: at least 500 KiB must be read; what comes after this much is not.
_PARSED: Final = 512 << 10
_MAX_BYTES: Final = 4 << 20
#: RFC 9309, 2.3.1.3: a client error means that there are no rules. Busy answers are not among them.
_NO_RULES: Final = tuple(status for status in range(400, 500) if status not in {408, 425, 429})
#: A longer gap between requests would take days for a page with its pictures.
_MAX_DELAY: Final = 60.0
#: Patterns with more wildcards cost time and mean nothing.
_MAX_STARS: Final = 10
_MAX_SITEMAPS: Final = 100
_BY_HAND: Final = "Ask whoever runs the site, or save the page yourself and hand it over with `archive add`."


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one origin; `delay` is in seconds, `sitemaps` are tidy addresses."""

    parser: Protego
    delay: float
    sitemaps: tuple[str, ...]

    def allow(self, url: str) -> bool:
        """Say whether this program may ask for an address."""
        return bool(self.parser.can_fetch(url, AGENT))


class Robots:
    """Reads the robots.txt of each origin once in a run. Thread-safe."""

    def __init__(self, http: api.Http, site: Site) -> None:
        self._http = http
        self._site = site
        self._lock = threading.Lock()
        self._known: dict[str, Rules | api.SourceError] = {}
        self._locks: dict[str, threading.Lock] = {}

    def rules(self, url: str) -> Rules:
        """Give the rules of a public address. Raises `SourceError` when they could not be learnt."""
        place = origin(url)
        with self._lock:
            lock = self._locks.setdefault(place, threading.Lock())
        with lock:
            if place not in self._known:
                self._known[place] = _attempt(lambda: self._read(place))
            found = self._known[place]
        if isinstance(found, api.SourceError):
            raise found
        return found

    def check(self, url: str) -> Rules:
        """Give the rules when they let an address be asked for. Raises `BlockedError`."""
        rules = self.rules(url)
        if not rules.allow(url):
            raise api.BlockedError(
                f"The robots.txt of {origin(url)} does not allow {url} to be fetched",
                hint=_BY_HAND,
            )
        if rules.delay > _MAX_DELAY:
            raise api.BlockedError(
                f"The robots.txt of {origin(url)} asks for {rules.delay:,.0f} seconds between two requests",
                hint=_BY_HAND,
            )
        return rules

    def _read(self, place: str) -> Rules:
        try:
            with self._site.spoken_of():
                response = self._http.get(
                    self._site.wire(f"{place}/robots.txt"), accept=_NO_RULES, max_bytes=_MAX_BYTES
                )
        except api.TransientError as error:
            # RFC 9309, 2.3.1.4: who cannot be asked has not allowed anything.
            raise api.TransientError(
                f"What {place} allows robots could not be learnt, so nothing is asked of it: {error.message}",
                hint="The next run tries again.",
            ) from error
        return parse(response.content if response.status not in _NO_RULES else b"")


def _attempt(read: Callable[[], Rules]) -> Rules | api.SourceError:
    try:
        return read()
    except api.SourceError as error:
        return error


def parse(content: bytes) -> Rules:
    """Parse a robots.txt, whatever it holds."""
    from protego import Protego

    text = content[:_PARSED].decode("utf-8-sig", "replace")
    lines = (line for line in text.splitlines() if line.count("*") <= _MAX_STARS)
    parser = Protego.parse("\n".join(lines))
    delay = parser.crawl_delay(AGENT) or 0.0
    rate = parser.request_rate(AGENT)
    if rate is not None and rate.requests > 0:
        delay = max(delay, rate.seconds / rate.requests)
    named = [_tidy(url) for url in list(parser.sitemaps)[:_MAX_SITEMAPS]]
    return Rules(parser, max(0.0, delay), tuple(url for url in dict.fromkeys(named) if url))


def _tidy(url: str) -> str:
    try:
        return tidy(url)
    except ValueError:
        return ""
