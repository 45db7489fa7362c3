"""A page with what it needs, gathered into one web archive, within bounds of number, size and time."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from archiver import api
from archiver_plugins.web import requisites, wacz
from archiver_plugins.web.addresses import origin
from archiver_plugins.web.page import Page
from archiver_plugins.web.visitor import Visit, Visitor
from archiver_plugins.web.warc import SOFTWARE, WarcFile

_MAX_FILE: Final = 16 << 20
#: Stylesheets name stylesheets; deeper than this nobody draws anything.
_MAX_DEPTH: Final = 3
#: Seconds that the files of one page may take; what is missing then is said to be.
_MAX_SECONDS: Final = 900.0
#: A host that failed so often is asked for nothing more of this page.
_MAX_FAILURES: Final = 3
#: Other answers than files: kept too, because a page may show them on purpose.
_ABSENT: Final = (404, 410)


@dataclass(slots=True)
class Gathered:
    """What came of gathering: how many files are kept, and the addresses of those that are not."""

    kept: int = 0
    missing: list[str] = field(default_factory=list)
    failed_here: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many files and bytes the archive of one page may have."""

    files: int
    size: int


class Capture:
    """Gathers one page into `into`."""

    def __init__(self, visitor: Visitor, bounds: Bounds, into: Path) -> None:
        self._visitor = visitor
        self._bounds = bounds
        self._into = into
        self._failures: Counter[str] = Counter()
        self._until = visitor.pace.now() + _MAX_SECONDS

    def keep(self, page: Page, visit: Visit, text: str) -> tuple[Path, Gathered]:
        """Write the archive, and say what is in it.

        Raises `TransientError` when the page's own site fails so often that it is in trouble.
        """
        about = {
            "software": SOFTWARE,
            "format": "WARC File Format 1.1",
            "robots": "obey",
            "conformsTo": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        }
        scratch = self._into / "data.warc.gz"
        with WarcFile(scratch, about=about, at=visit.exchanges[0].at) as warc:
            for exchange in visit.exchanges:
                warc.add(exchange)
            gathered = self._gather(page, visit, warc)
        self._check_site(page, gathered)
        last = visit.last
        front = wacz.Front(visit.asked, visit.exchanges[0].at, page.title, text, len(last.response.content))
        target = self._into / "page.wacz"
        wacz.pack(target, scratch, warc.entries, front)
        scratch.unlink()
        return target, gathered

    def _gather(self, page: Page, visit: Visit, warc: WarcFile) -> Gathered:
        done = {exchange.url for exchange in visit.exchanges}
        waiting = deque((url, 0) for url in requisites.of_page(page))
        gathered = Gathered()
        while waiting:
            url, depth = waiting.popleft()
            if url in done:
                continue
            done.add(url)
            found = self._one(url, page, gathered, warc)
            if found is None:
                gathered.missing.append(url)
                continue
            if found.last.response.status in _ABSENT:
                gathered.missing.append(url)
            else:
                gathered.kept += 1
            for exchange in found.exchanges:
                if exchange.url == url or exchange.url not in done:
                    warc.add(exchange)
                done.add(exchange.url)
            if depth < _MAX_DEPTH:
                # Next, before the pictures: what a stylesheet draws is part of the frame.
                waiting.extendleft((more, depth + 1) for more in reversed(_needs(found)))
        return gathered

    def _one(self, url: str, page: Page, gathered: Gathered, warc: WarcFile) -> Visit | None:
        """Visit one file; None for one that cannot be had, is not allowed, or is too much."""
        room = min(_MAX_FILE, self._bounds.size - warc.size)
        place = origin(url)
        full = gathered.kept >= self._bounds.files or room <= 0 or self._visitor.pace.now() > self._until
        if full or self._failures[place] >= _MAX_FAILURES:
            return None
        try:
            return self._visitor.visit(url, max_bytes=room, accept=_ABSENT)
        except api.TransientError:
            self._failures[place] += 1
            gathered.failed_here += place == origin(page.url)
        except (api.BlockedError, api.GoneError, api.InvalidError):
            pass
        return None

    def _check_site(self, page: Page, gathered: Gathered) -> None:
        if gathered.failed_here > gathered.kept:
            raise api.TransientError(
                f"{page.url} came, but {gathered.failed_here} of its own pictures and styles did not",
                hint="The site is in trouble just now; the next run tries again.",
            )


def _needs(visit: Visit) -> list[str]:
    response = visit.last.response
    content_type = response.headers.get("content-type", "")
    if response.status in _ABSENT or not content_type.strip().lower().startswith("text/css"):
        return []
    return requisites.of_stylesheet(response.content, content_type, visit.last.url)
