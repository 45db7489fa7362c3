"""A Speaker Deck-like service with the habits of the real one, on loopback.

    deck = Deck(user="junqiang", title="Deploy OpenStack with Chef", author="Junqiang Chen",
                pages=(page1_jpeg, page2_jpeg), pdf=pdf_bytes)
    with SpeakerDeckDouble([deck]) as service:
        ...  # deck.path, deck.url, service.url

What it imitates: deck pages with a PDF link or without one, a transcript per slide, user pages, Atom
and RSS feeds that hold the newest decks only, oEmbed, the player with slides counted from 0, 404.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, urlsplit

from archiver.testing.messages import Reply, Request
from archiver.testing.pictures import rendered
from archiver.testing.service import Routes, Service

PUBLIC = "https://speakerdeck.com"


@dataclass(frozen=True)
class Deck:
    """One deck. Needed are `user`, `title` and `pages` (whole image files, one per slide).

    `pdf` is what the download link gives; None means that the author switched it off.
    `published` is an ISO 8601 date. `transcript` has one text per slide, or none at all. `gone`
    answers 404, as the real service does.
    """

    user: str
    title: str
    pages: Sequence[bytes]
    author: str = ""
    slug: str = ""
    description: str = ""
    published: str = "2012-09-30"
    transcript: Sequence[str] = ()
    pdf: bytes | None = None
    gone: bool = False

    @property
    def name(self) -> str:
        """Give the slug of the address."""
        latin = "-".join(re.findall(r"[a-z0-9]+", self.title.lower()))
        return self.slug or latin or hashlib.sha256(self.title.encode()).hexdigest()[:8]

    @property
    def id(self) -> str:
        """Give the 32 hexadecimal digits that name the deck on the file host."""
        return hashlib.sha256(f"{self.user}/{self.name}".encode()).hexdigest()[:32]

    @property
    def path(self) -> str:
        """Give the path of the deck page."""
        return f"/{quote(self.user)}/{quote(self.name)}"

    @property
    def url(self) -> str:
        """Give the public address: what belongs in a configuration and in a ledger."""
        return PUBLIC + self.path


class SpeakerDeckDouble(Service):
    """The service: `SpeakerDeckDouble(decks)`, then `add` while it runs.

    `page_size` is the number of decks on one user page, `feed_size` that of a feed.
    """

    def __init__(
        self, decks: Iterable[Deck] = (), *, port: int = 0, page_size: int = 18, feed_size: int = 20
    ) -> None:
        super().__init__(port=port)
        self.page_size = page_size
        self.feed_size = feed_size
        self._decks: dict[str, Deck] = {}
        self.add(*decks)

    def add(self, *decks: Deck) -> None:
        """Publish decks; one with a known address takes the place of the other."""
        self._decks |= {deck.path: deck for deck in decks}

    @property
    def decks(self) -> tuple[Deck, ...]:
        """Give the decks, newest first, as the service lists them."""
        return tuple(sorted(self._decks.values(), key=lambda deck: deck.published, reverse=True))

    def routes(self) -> Routes:
        """List the addresses of the service."""
        return {
            "/oembed.json": self.oembed,
            "/player/{id}": self.player,
            "/presentations/{id}/slide_{n:int}.jpg": self.slide,
            "/presentations/{id}/{name}.pdf": self.pdf,
            "/{user}.atom": self.atom,
            "/{user}.rss": self.rss,
            "/{user}/{slug}": self.deck_page,
            "/{user}": self.user_page,
        }

    def _find(self, wanted: Callable[[Deck], bool]) -> Deck | None:
        return next((deck for deck in self.decks if not deck.gone and wanted(deck)), None)

    def _of_user(self, user: str) -> list[Deck] | None:
        """List a user's decks; None for an unknown user."""
        theirs = [deck for deck in self.decks if deck.user == user]
        return [deck for deck in theirs if not deck.gone] if theirs else None

    def deck_page(self, request: Request) -> Reply:
        """Answer with the page of a deck."""
        wanted = (request.args["user"], request.args["slug"])
        deck = self._find(lambda deck: (deck.user, deck.name) == wanted)
        if deck is None:
            return Reply.missing()
        description = escape(deck.description)
        head = (
            '<meta name="stats-view_type" content="talk">'
            f'<link rel="canonical" href="{escape(deck.url)}">'
            f'<meta property="og:url" content="{escape(deck.url)}">'
            f'<meta property="og:title" content="{escape(deck.title)}">'
            f'<meta property="og:description" content="{description}">'
            f'<meta property="og:image" content="{self.url}/presentations/{deck.id}/preview_slide_0.jpg">'
        )
        texts = "".join(
            f'<div class="slide-transcript"><p>{escape(text)}</p></div>' for text in deck.transcript
        )
        return _page(deck.title, head, f"<h1>{escape(deck.title)}</h1>{self._pdf_link(deck)}{texts}")

    def _pdf_link(self, deck: Deck) -> str:
        if deck.pdf is None:
            return ""
        href = f"{self.url}/presentations/{deck.id}/{quote(deck.name)}.pdf"
        return f'<a title="Download PDF" href="{href}">Download</a>'

    def user_page(self, request: Request) -> Reply:
        """List the decks of a user, `?page=n`."""
        decks = self._of_user(request.args["user"])
        if decks is None:
            return Reply.missing()
        page = request.query.get("page", "1")
        start = ((int(page) if page.isdecimal() else 1) - 1) * self.page_size
        cards = "".join(
            f'<a class="deck-preview-link" href="{escape(deck.path)}" title="{escape(deck.title)}">'
            f"<div>{escape(deck.title)}</div></a>"
            for deck in decks[start : start + self.page_size]
        )
        return _page(request.args["user"], '<meta name="stats-view_type" content="user">', cards)

    def atom(self, request: Request) -> Reply:
        """Answer with the Atom feed of a user: the newest decks."""
        decks = self._of_user(request.args["user"])
        if decks is None:
            return Reply.missing()
        entries = "".join(
            f"<entry><id>tag:speakerdeck.com,2005:Talk/{deck.id}</id><title>{escape(deck.title)}</title>"
            f"<published>{deck.published}T00:00:00Z</published><updated>{deck.published}T00:00:00Z</updated>"
            f'<link rel="alternate" type="text/html" href="{escape(deck.url)}"/>'
            f'<content type="html">{escape(deck.description)}</content></entry>'
            for deck in decks[: self.feed_size]
        )
        feed = f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'
        return Reply(feed.encode(), media_type="application/atom+xml; charset=utf-8")

    def rss(self, request: Request) -> Reply:
        """Answer with the RSS feed of a user: the newest decks."""
        decks = self._of_user(request.args["user"])
        if decks is None:
            return Reply.missing()
        items = "".join(
            f"<item><title>{escape(deck.title)}</title><link>{escape(deck.url)}</link>"
            f"<pubDate>{deck.published}</pubDate></item>"
            for deck in decks[: self.feed_size]
        )
        feed = f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>{items}</channel></rss>'
        return Reply(feed.encode(), media_type="application/rss+xml; charset=utf-8")

    def oembed(self, request: Request) -> Reply:
        """Answer the embedding API; its HTML names the player, and so the id on the file host."""
        path = urlsplit(request.query.get("url", "")).path
        deck = self._find(lambda deck: deck.path == path)
        if deck is None:
            return Reply.missing()
        player = f"{self.url.removeprefix('http:')}/player/{deck.id}"
        return Reply.json(
            {
                "type": "rich",
                "version": "1.0",
                "provider_name": "Speaker Deck",
                "provider_url": PUBLIC,
                "title": deck.title,
                "author_name": deck.author or deck.user,
                "author_url": f"{PUBLIC}/{deck.user}",
                "html": f'<iframe src="{player}" width="710" height="463"></iframe>',
                "width": 710,
                "height": 463,
                "ratio": 1.5,
            }
        )

    def player(self, request: Request) -> Reply:
        """Answer with the player: one element per slide, counted from 0."""
        deck = self._find(lambda deck: deck.id == request.args["id"])
        if deck is None:
            return Reply.missing()
        folder = f"{self.url}/presentations/{deck.id}"
        slides = "".join(
            f'<div class="js-sd-slide slide" data-url="{folder}/slide_{n}.jpg"></div>'
            for n in range(len(deck.pages))
        )
        return _page(deck.title, "", slides)

    def slide(self, request: Request) -> Reply:
        """Answer with one slide as JPEG."""
        deck = self._find(lambda deck: deck.id == request.args["id"])
        number = int(request.args["n"])
        if deck is None or number >= len(deck.pages):
            return Reply.missing()
        return Reply.file(rendered(deck.pages[number], 2048, 90, "JPEG"), "image/jpeg")

    def pdf(self, request: Request) -> Reply:
        """Answer with the author's PDF."""
        deck = self._find(lambda deck: deck.id == request.args["id"])
        if deck is None or deck.pdf is None:
            return Reply.missing()
        return Reply.file(deck.pdf, "application/pdf")


def _page(title: str, head: str, body: str) -> Reply:
    return Reply.html(
        f"<!doctype html><html><head><title>{escape(title)}</title>{head}</head><body>{body}</body></html>"
    )
