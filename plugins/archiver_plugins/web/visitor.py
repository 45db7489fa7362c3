"""How pages are asked for: by the site's rules and pace, redirects followed by hand so that each is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from archiver import api
from archiver_plugins.web.addresses import Site, joined, origin
from archiver_plugins.web.pace import Pace
from archiver_plugins.web.robots import Robots

#: Bytes of an answer that is read into memory.
MAX_ANSWER: Final = 32 << 20
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_HOPS: Final = 10


def utc_now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answer, under its public address."""

    url: str
    at: datetime
    response: api.Response


@dataclass(frozen=True, slots=True)
class Visit:
    """The way to a page: redirects first, the page last. `asked` is where it began."""

    exchanges: tuple[Exchange, ...]

    @property
    def asked(self) -> str:
        """Give the address that was asked for."""
        return self.exchanges[0].url

    @property
    def last(self) -> Exchange:
        """Give the answer at the end of the way."""
        return self.exchanges[-1]


class Visitor:
    """Visits pages of one source. Thread-safe."""

    def __init__(
        self,
        http: api.Http,
        site: Site,
        *,
        pace: Pace | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.site = site
        self.robots = Robots(http, site)
        self.pace = pace or Pace()
        self._http = http
        self._clock = clock

    def visit(self, url: str, *, max_bytes: int = MAX_ANSWER, accept: tuple[int, ...] = ()) -> Visit:
        """Go to a public address. Raises `SourceError`, with `BlockedError` for what robots may not see."""
        way: list[Exchange] = []
        while True:
            way.append(self._ask(url, max_bytes, accept))
            if way[-1].response.status not in _REDIRECTS:
                return Visit(tuple(way))
            url = self._target(way)

    def get(self, url: str, *, max_bytes: int = MAX_ANSWER, accept: tuple[int, ...] = ()) -> api.Response:
        """Go to a public address for its last answer alone."""
        return self.visit(url, max_bytes=max_bytes, accept=accept).last.response

    def _ask(self, url: str, max_bytes: int, accept: tuple[int, ...]) -> Exchange:
        rules = self.robots.check(url)
        self.pace.wait(origin(url), rules.delay)
        statuses = {*_REDIRECTS, *accept}
        at = self._clock()
        with self.site.spoken_of():
            response = self._http.get(self.site.wire(url), accept=statuses, max_bytes=max_bytes)
        return Exchange(url, at, response)

    def _target(self, way: list[Exchange]) -> str:
        last = way[-1]
        wire = joined(self.site.wire(last.url), last.response.headers.get("location", ""))
        target = joined(last.url, self.site.known_as(wire)) if wire else ""
        problem = ""
        if not target:
            problem = "it was redirected to something that is not a web address"
        elif any(target == seen.url for seen in way):
            problem = "it leads in a circle, as sites do that want a login or cookies"
        elif len(way) > _MAX_HOPS:
            problem = f"it was redirected more than {_MAX_HOPS} times"
        elif last.url.startswith("https:") and wire.startswith("http:") and not self._mirrored(wire):
            problem = f"it leads from https down to {target}, which is not encrypted"
        if problem:
            raise api.InvalidError(
                f"{way[0].url} could not be fetched: {problem}",
                hint="Open it in a browser and put the address it ends at into the configuration.",
            )
        return target

    def _mirrored(self, wire: str) -> bool:
        return bool(self.site.base) and origin(wire) == origin(self.site.base)
