"""What the decks of the demo are and what stands on their pages.

The texts live in `decks.yaml` and `topics.yaml`. The services publish them as transcripts; the
media were drawn from the same texts, so that what is searched is what is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import yaml

#: Upload time of decks from stops whose date is not known: it must not look like one.
AFTER_THE_TOUR = "2012-12-30 08:00:00 UTC"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: `layout` is title, list, or the kind of a diagram; `items` are its lines or boxes."""

    layout: str
    heading: str
    items: tuple[str, ...]

    @property
    def text(self) -> str:
        """Read the page from top to bottom, one line each."""
        return "\n".join((self.heading, *self.items))


@dataclass(frozen=True, slots=True)
class DemoDeck:
    """One deck. `host` is slideshare, speakerdeck, file or mail; `address` is its place there.

    `created` is the upload time, "YYYY-MM-DD HH:MM:SS UTC". `download` says that Speaker Deck
    offers the PDF too.
    """

    id: str
    topic: str
    stop: str
    title: str
    author: str
    host: str
    address: str
    created: str
    tags: tuple[str, ...] = ()
    download: bool = False

    @property
    def pages(self) -> tuple[Page, ...]:
        """Compose the pages: title, agenda, diagram, points."""
        topic = _topics()[self.topic]
        diagram, points = topic["diagram"], topic["points"]
        return (
            Page("title", self.title, (self.author, self.stop, "2012")),
            Page("list", "Agenda · 内容", tuple(topic["agenda"])),
            Page(diagram["kind"], diagram["heading"], tuple(diagram["items"])),
            Page("list", points["heading"], tuple(points["lines"])),
        )

    @property
    def description(self) -> str:
        """Sum the deck up in one line, as an uploader would."""
        return f"{self.stop}: {', '.join(_topics()[self.topic]['agenda'])}"


def media() -> Traversable:
    """Find the folder of the demo's media."""
    return resources.files("archiver.demo") / "media"


def page_images(deck: DemoDeck) -> tuple[bytes, ...]:
    """Read the page images of a deck that a slide service publishes: WebP, 960 by 540 pixels."""
    folder = media() / "decks" / deck.id
    return tuple((folder / f"{n}.webp").read_bytes() for n in range(1, len(deck.pages) + 1))


def download(deck: DemoDeck) -> bytes | None:
    """Read the PDF that Speaker Deck offers for a deck, when it does."""
    return (media() / "decks" / deck.id / "deck.pdf").read_bytes() if deck.download else None


@cache
def decks() -> tuple[DemoDeck, ...]:
    """Load every deck of the demo, in the order of the tour."""
    return tuple(_deck(key, entry) for key, entry in load("decks.yaml").items())


def _deck(key: str, entry: dict[str, Any]) -> DemoDeck:
    host = next(name for name in ("slideshare", "speakerdeck", "file", "mail") if name in entry)
    return DemoDeck(
        id=key,
        topic=entry["topic"],
        stop=entry["stop"],
        title=entry["title"],
        author=entry["author"],
        host=host,
        address=entry[host],
        created=entry.get("created", AFTER_THE_TOUR),
        tags=tuple(entry.get("tags", ())),
        download="download" in entry,
    )


@cache
def _topics() -> dict[str, Any]:
    topics: dict[str, Any] = load("topics.yaml")
    return topics


def load(name: str) -> Any:
    """Read one of the demo's YAML files; every value in it is text."""
    text = (resources.files("archiver.demo") / name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  # strings only, our own file
