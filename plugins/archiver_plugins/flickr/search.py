"""The search, which gives no more than 4,000 results a query: later pages repeat earlier ones.

So a search with more is cut at a moment of upload into two, and these again, until each has less.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from archiver import api
from archiver_plugins.flickr.answers import Page, Photo
from archiver_plugins.flickr.paging import Tally, turn

#: Distinct results of one query, by the API's documentation and by what others measured.
CAP: Final = 4_000
#: The service began in February 2004: nothing was uploaded before.
FOUNDED: Final = 1_072_915_200
#: Queries for one search: a service that always announces more than it gives must not keep us for ever.
MAX_WINDOWS: Final = 20_000

PARTIAL: Final = api.Checkpoint(complete=False)

#: Asks for a page of a search with these parameters.
Query = Callable[[Mapping[str, str], int], Page]


@dataclass(frozen=True, slots=True)
class Window:
    """A span of upload times in seconds since 1970, both ends included; `last` None means until now."""

    first: int = FOUNDED
    last: int | None = None

    @property
    def params(self) -> dict[str, str]:
        """Give the parameters; none for all of time."""
        params = {} if self.first == FOUNDED else {"min_upload_date": str(self.first)}
        return params if self.last is None else params | {"max_upload_date": str(self.last)}

    def halves(self) -> tuple[Window, ...]:
        """Cut it in two; nothing when it is a single second."""
        last = int(time.time()) if self.last is None else self.last
        if self.first >= last:
            return ()
        middle = (self.first + last) // 2
        return Window(self.first, middle), Window(middle + 1, self.last)


def search(query: Query) -> Iterator[Photo | api.Checkpoint]:
    """Yield all results, some of them more than once; an incomplete `Checkpoint` when some may be missing."""
    waiting = [Window()]
    for _ in range(MAX_WINDOWS):
        if not waiting:
            return
        window = waiting.pop()
        first = query(_order(window), 1)
        # An announced crowd on an empty page is none: there is nothing to cut.
        if (first.total or 0) >= CAP and first.photo and (halves := window.halves()):
            yield from first.photo
        else:
            halves = yield from _listed(query, window, first)
        waiting += reversed(halves)
    yield PARTIAL


def _listed(
    query: Query, window: Window, first: Page
) -> Generator[Photo | api.Checkpoint, None, tuple[Window, ...]]:
    """List one window; return its halves when it held more than it announced."""
    tally = Tally()
    yield from turn(lambda number: query(_order(window), number), tally, first, believing=False)
    if len(tally.seen) >= CAP and (halves := window.halves()):
        return halves
    if not tally.enough:
        # Within small windows some results come twice and take the place of others. The other way
        # round the pages end elsewhere, and so do the repetitions.
        backward = Tally()
        yield from turn(lambda number: query(_order(window, "desc"), number), backward, believing=False)
        tally.seen |= backward.seen
        tally.totals |= backward.totals
    if not tally.complete:
        yield PARTIAL
    return ()


def _order(window: Window, order: str = "asc") -> dict[str, str]:
    return window.params | {"sort": f"date-posted-{order}"}
