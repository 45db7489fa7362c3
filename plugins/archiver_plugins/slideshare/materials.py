"""What the pages of SlideShare mean to the archive: materials, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from archiver import api
from archiver_plugins.slideshare.options import PUBLIC, native_id
from archiver_plugins.slideshare.page import Card, Deck, OEmbed


@dataclass(frozen=True, slots=True)
class Look:
    """What came of looking at a deck's page.

    `path` is the best that is known of its address. Without a `deck`, `problem` says why; `bare`
    that the page came without its data, so that another path may still lead to the images.
    """

    path: str
    deck: Deck | None = None
    problem: api.SourceError | None = None
    bare: bool = False

    @property
    def url(self) -> str:
        """Give the public address."""
        return PUBLIC + self.path


def judged(here: str, deck: Deck | None) -> Look:
    """Judge a page that came with its data."""
    problem: api.SourceError
    if deck is None:
        problem = api.InvalidError(
            f"{PUBLIC}{here} is not the page of a deck",
            hint="Open it in a browser and copy the address of the deck itself.",
        )
        return Look(here, problem=problem)
    # A number in the address that we asked for counts; else the page's own word.
    same = native_id(deck.path) == native_id(here)
    path = deck.path if deck.path and (same or not native_id(here).isdigit()) else here
    if deck.is_private or not deck.is_viewable:
        state = "private" if deck.is_private else "not viewable"
        problem = api.BlockedError(
            f"The deck {deck.title!r} at {PUBLIC}{path} is {state}",
            hint="Ask its author to make it public, or to hand the file over.",
        )
        return Look(path, problem=problem)
    return Look(path, deck)


def deleted(path: str, status: int) -> api.GoneError:
    """Say that a deck is not there (404), or no longer (410)."""
    word = "was deleted" if status == 410 else "does not exist"
    return api.GoneError(f"The deck {PUBLIC}{path} {word} (status {status})")


def turned_away(url: str) -> api.BlockedError:
    """Say that a page came without its data. Never a reason to count the deck as gone."""
    return api.BlockedError(
        f"{url} came without its data: the service takes this program for a robot",
        hint="Nothing is lost; try again later, or from another network.",
    )


def of_deck(look: Look, deck: Deck) -> api.Material:
    """Make a material of a deck's own page."""
    return api.Material(
        id=native_id(look.path),
        kind=api.Kind.SLIDES,
        title=deck.title,
        url=look.url,
        revision=deck.revision,
        authors=(deck.author,) if deck.author else (),
        date=deck.date,
        description=deck.description,
        tags=tuple(category.name for category in deck.categories if category.name),
    )


def of_oembed(look: Look, embedded: OEmbed) -> api.Material:
    """Make a material of the embedding API's answer."""
    # No revision: it says too little to tell whether a deck that we hold has changed.
    return api.Material(
        id=str(embedded.slideshow_id),
        kind=api.Kind.SLIDES,
        title=embedded.title,
        url=look.url,
        authors=(embedded.author_name,) if embedded.author_name else (),
    )


def of_card(card: Card) -> api.Material:
    """Make a material of a deck in a listing, which tells neither date nor description."""
    return api.Material(
        id=native_id(card.path),
        kind=api.Kind.SLIDES,
        title=card.title,
        url=PUBLIC + card.path,
        revision=f"{card.pages} pages" if card.pages else "",
        authors=(card.author,) if card.author else (),
    )
