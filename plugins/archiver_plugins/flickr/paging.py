"""Turn the pages of a list, trusting neither its count nor its order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from archiver_plugins.flickr.answers import Page, Photo

PER_PAGE: Final = 500
#: Pages above this one repeat it (seen in 2015), so there is no use in asking for them.
MAX_PAGES: Final = 10_000

Ask = Callable[[int], Page]


@dataclass
class Tally:
    """What a list said of itself, and what it gave."""

    seen: set[str] = field(default_factory=set)
    totals: set[int] = field(default_factory=set)

    def fresh(self, page: Page) -> list[Photo]:
        """Take a page; give what no page before it had."""
        self.totals.add(page.total or 0)
        found = {photo.id: photo for photo in page.photo if photo.id not in self.seen}
        self.seen |= found.keys()
        return list(found.values())

    @property
    def enough(self) -> bool:
        """Say whether at least as much came as was ever announced."""
        return len(self.seen) >= max(self.totals, default=0)

    @property
    def complete(self) -> bool:
        """Say whether nothing speaks against having seen everything.

        A total that changes on the way means that items moved between pages, and some may have
        slipped through. One that is never reached may count hidden items: rather not complete then.
        """
        return self.enough and len(self.totals) <= 1


def turn(ask: Ask, tally: Tally, first: Page | None = None, *, believing: bool = True) -> Iterator[Photo]:
    """Yield the photos of all pages, each id once, until a page adds nothing or the list ends.

    `first` is the first page when it was asked for already. A list ends where it says so, unless it
    contradicts itself there: behind a full page there may be another one. When just as many came as
    were announced that is enough, for who is `believing`.
    """
    for number in range(1, MAX_PAGES + 1):
        page = first if number == 1 and first is not None else ask(number)
        fresh = tally.fresh(page)
        yield from fresh
        is_short = len(page.photo) < PER_PAGE
        is_exact = believing and len(tally.seen) == page.total
        if not fresh or (number >= (page.pages or 0) and (is_short or is_exact)):
            return
