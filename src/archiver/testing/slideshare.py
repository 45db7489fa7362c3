"""A SlideShare-like service with the habits of the real one, on loopback.

    deck = Deck(id=14567001, user="cosug", title="云计算的思考", author="Shake Chen",
                created="2012-09-16 07:59:29 UTC", tags=("2012osac",),
                pages=(page1_jpeg, page2_png), transcript=("云计算的思考", "Page two"))
    with SlideShareDouble([deck]) as service:
        ...  # deck.path, deck.url, service.url

What it imitates: the deck page with its data as JSON (both shapes of the transcript), pages as
`{quality}/{title}-{n}-{width}.jpg` whose 2048 variant is WebP, empty image titles of Chinese decks,
the old, mobile, embed and secret addresses, user pages, search, oEmbed, 410, 404, private decks, and
the page without data that programs get which do not look like a desktop browser.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from archiver.testing.messages import Reply, Request
from archiver.testing.pictures import rendered
from archiver.testing.service import Routes, Service

PUBLIC = "https://www.slideshare.net"

#: Quality, width in pixels, declared format: what the pages list.
SIZES = ((85, 320, "jpg"), (85, 638, "jpg"), (75, 2048, "webp"))
#: Not listed, yet there for most decks; oEmbed points at it.
UNLISTED_SIZE = (95, 1024)


def _ascii_slug(title: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))


@dataclass(frozen=True)
class Deck:
    """One deck. Needed are `id` (the number in its address), `user`, `title` and `pages`.

    `pages` are whole image files (JPEG, PNG or WebP), one per page; other sizes are made from them
    when asked for, never larger than they are. A WebP page of at most 2048 pixels is served as it
    is, which is the quickest. `transcript` has one text per page, or none at all.

    `created` is written like `2012-09-16 07:59:29 UTC`. `slug` and `image_title` are made from the
    title; a title without Latin letters gives `ss-{id}` and an empty image title. `shape` is that
    of the transcript in the page. States: `private` (owner only), `viewable=False` (taken out of
    view), `gone` (deleted: 410), `secret` (unlisted: reached by `/secret/{key}` alone), `blocked`
    (the page never has data; oEmbed still answers). `missing` lists (page, width) of images that
    answer 404. `data` is laid over the page's own data, for tests of hostile or broken pages; a
    value of `...` takes the key away.
    """

    id: int
    user: str
    title: str
    pages: Sequence[bytes]
    author: str = ""
    slug: str = ""
    description: str = ""
    created: str = "2012-09-30 08:00:00 UTC"
    tags: Sequence[str] = ()
    transcript: Sequence[str] = ()
    shape: Literal["list", "html"] = "list"
    private: bool = False
    viewable: bool = True
    gone: bool = False
    secret: bool = False
    blocked: bool = False
    conversion_version: int = 2
    sizes: Sequence[tuple[int, int, str]] = SIZES
    missing: frozenset[tuple[int, int]] = frozenset()
    views: int = 1234
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Give the slug of the address."""
        return self.slug or _ascii_slug(self.title) or f"ss-{self.id}"

    @property
    def image_title(self) -> str:
        """Give the title part of image names: empty when the title has no Latin letter."""
        return _ascii_slug(self.title)

    @property
    def key(self) -> str:
        """Give the key of embed and secret addresses."""
        return hashlib.sha256(f"deck {self.id}".encode()).hexdigest()[:14]

    @property
    def path(self) -> str:
        """Give the canonical path."""
        return f"/secret/{self.key}" if self.secret else f"/slideshow/{quote(self.name)}/{self.id}"

    @property
    def url(self) -> str:
        """Give the canonical public address: what belongs in a configuration and in a ledger."""
        return PUBLIC + self.path

    @property
    def old_path(self) -> str:
        """Give the path that was canonical until about 2020."""
        return f"/{quote(self.user)}/{quote(self.name)}"

    @property
    def location(self) -> str:
        """Give the folder of the images on the image host."""
        return f"{self.image_title or 'ss'}-{re.sub('[^0-9]', '', self.created)[:14]}-{self.id}"

    @property
    def readable(self) -> bool:
        """Say whether a visitor sees the pages."""
        return self.viewable and not self.private and not self.gone


class SlideShareDouble(Service):
    """The service: `SlideShareDouble(decks)`, then `add` and `remove` while it runs.

    `page_size` is the number of decks on one page of a listing. With `repeats_last` a listing
    shows its last page again for every page number beyond the end. `blocked` gives everybody the
    page without data, and oEmbed answers 403.
    """

    def __init__(
        self, decks: Iterable[Deck] = (), *, port: int = 0, page_size: int = 12, repeats_last: bool = False
    ) -> None:
        super().__init__(port=port)
        self.page_size = page_size
        self.repeats_last = repeats_last
        self.blocked = False
        self._decks: dict[int, Deck] = {}
        self.add(*decks)

    def add(self, *decks: Deck) -> None:
        """Publish decks; one with a known id takes the place of the other."""
        self._decks |= {deck.id: deck for deck in decks}

    def remove(self, deck_id: int) -> None:
        """Forget a deck as if it had never been: 404. Raises `KeyError` when there is none."""
        del self._decks[deck_id]

    @property
    def decks(self) -> tuple[Deck, ...]:
        """Give the decks in the order of their publication here."""
        return tuple(self._decks.values())

    def routes(self) -> Routes:
        """List the addresses of the service."""
        return {
            "/api/oembed/2": self.oembed,
            "/search": self.search,
            "/secret/{key}": self._page_of(lambda deck, args: deck.secret and deck.key == args["key"]),
            "/slideshow/embed_code/key/{key}": self.embed,
            "/slideshow/{slug}/{id:int}": self._page_of(
                lambda deck, args: not deck.secret and str(deck.id) == args["id"]
            ),
            "/mobile/{user}/{slug}": self.mobile,
            "/{user}/presentations/{n:int}": self.user_page,
            "/{location}/{quality:int}/{name}.jpg": self.image,
            "/{user}/{slug}": self.old_address,
            "/{user}": self.user_page,
        }

    def _find(self, wanted: Callable[[Deck], bool]) -> Deck | None:
        return next(filter(wanted, self.decks), None)

    def _by_old_address(self, args: Mapping[str, str]) -> Deck | None:
        wanted = (args["user"], args["slug"])
        return self._find(lambda deck: not deck.secret and (deck.user, deck.name) == wanted)

    def _page_of(self, wanted: Callable[[Deck, Mapping[str, str]], bool]) -> Callable[[Request], Reply]:
        def answer(request: Request) -> Reply:
            deck = self._find(lambda deck: wanted(deck, request.args))
            if deck is None:
                return Reply.missing()
            if deck.gone:
                return Reply.missing(410)
            if deck.blocked or self._turned_away(request):
                return self._bare_page(deck)
            return self._deck_page(deck)

        return answer

    def _turned_away(self, request: Request) -> bool:
        agent = request.headers.get("user-agent", "")
        return self.blocked or not agent.startswith("Mozilla/5.0") or "Mobile" in agent

    def _bare_page(self, deck: Deck | None = None) -> Reply:
        link = f'<link rel="canonical" href="{escape(deck.url)}">' if deck else ""
        return Reply.html(
            f"<!doctype html><html><head><title>SlideShare</title>{link}</head><body></body></html>"
        )

    def _deck_page(self, deck: Deck) -> Reply:
        others = [other for other in self.decks if other.id != deck.id and other.readable][:4]
        head = (
            f'<link rel="canonical" href="{escape(deck.url)}">'
            '<meta name="twitter:card" content="player">'
            f'<meta property="og:title" content="{escape(deck.title)}">'
        )
        # Thumbnails of recommended decks: who collects image addresses from the page gets these too.
        body = f"<h1>{escape(deck.title)}</h1>" + "".join(
            f'<a href="{escape(other.url)}"><img src="{self._image_url(other, 1, SIZES[0])}"></a>'
            for other in others
        )
        props = {"slideshow": self._data(deck, others)}
        return _next_page(deck.title, head, body, "/slideshow", props)

    def _data(self, deck: Deck, others: Sequence[Deck]) -> dict[str, Any]:
        data: dict[str, Any] = {
            "title": deck.title,
            "strippedTitle": deck.name,
            "description": deck.description,
            "username": deck.user,
            "user": {"id": str(deck.id % 1000), "login": deck.user, "name": deck.author or deck.user},
            "canonicalUrl": deck.url,
            "createdAt": deck.created,
            "views": deck.views,
            "likes": deck.views // 100,
            "totalSlides": len(deck.pages),
            "type": "presentation",
            "isPrivate": deck.private,
            "isViewable": deck.viewable,
            "thumbnail": self._image_url(deck, 1, SIZES[0]),
            "categories": [{"name": tag} for tag in deck.tags],
            "recommendationsByLocation": {
                "right-rail": [
                    {"title": o.title, "thumbnail": self._image_url(o, 1, SIZES[0])} for o in others
                ]
            },
        }
        if deck.readable:
            data |= {"transcript": _transcript(deck), "slides": self._slides(deck)}
        return {key: value for key, value in {**data, **deck.data}.items() if value is not ...}

    def _slides(self, deck: Deck) -> dict[str, Any]:
        sizes = [{"quality": q, "width": width, "format": form} for q, width, form in deck.sizes]
        return {
            "host": self.url,
            "imageLocation": deck.location,
            "title": deck.image_title,
            "imageSizes": sizes,
        }

    def _image_url(self, deck: Deck, page: int, size: tuple[int, int, str]) -> str:
        return f"{self.url}/{deck.location}/{size[0]}/{deck.image_title}-{page}-{size[1]}.jpg"

    def image(self, request: Request) -> Reply:
        """Answer with one page in one size, under a name that always ends in .jpg."""
        deck = self._find(lambda deck: deck.location == request.args["location"])
        title, _, numbers = request.args["name"].rpartition("-")
        title, _, page = title.rpartition("-")
        size = (int(request.args["quality"]), int(numbers) if numbers.isdecimal() else 0)
        number = int(page) if page.isdecimal() else 0
        if deck is None or not deck.readable or not 1 <= number <= len(deck.pages):
            return Reply.missing()
        forms = {(quality, width): form for quality, width, form in deck.sizes} | {UNLISTED_SIZE: "jpg"}
        titles = {deck.image_title} | (_oembed_titles(deck) if size == UNLISTED_SIZE else set())
        if size not in forms or (number, size[1]) in deck.missing or title not in titles:
            return Reply.missing()
        form = "WEBP" if forms[size] == "webp" else "JPEG"
        content = rendered(deck.pages[number - 1], size[1], size[0], form)
        return Reply.file(content, "image/jpeg")

    def old_address(self, request: Request) -> Reply:
        """Redirect `/{user}/{slug}` to the canonical address."""
        deck = self._by_old_address(request.args)
        return Reply.redirect(deck.path) if deck else Reply.missing()

    def mobile(self, request: Request) -> Reply:
        """Answer with the mobile page: no data, but a link to the canonical address."""
        deck = self._by_old_address(request.args)
        return self._bare_page(deck) if deck else Reply.missing()

    def embed(self, request: Request) -> Reply:
        """Answer with the player for other sites: likewise without data."""
        deck = self._find(lambda deck: deck.key == request.args["key"])
        return self._bare_page(deck) if deck else Reply.missing()

    def user_page(self, request: Request) -> Reply:
        """List the decks of a user; `?page=n`, or the older `/presentations/{n}`."""
        user = request.args["user"]
        if all(deck.user != user for deck in self.decks):
            return Reply.missing()
        number = request.args.get("n") or request.query.get("page", "1")
        return self._listing(request, user, [deck for deck in self.decks if deck.user == user], number)

    def search(self, request: Request) -> Reply:
        """List the decks that hold every word of `q` in title, tags, description or names."""
        words = request.query.get("q", "").casefold().split()
        found = [deck for deck in self.decks if all(word in _haystack(deck) for word in words)]
        return self._listing(request, "Search", found, request.query.get("page", "1"))

    def _listing(self, request: Request, title: str, decks: Sequence[Deck], page: str) -> Reply:
        if self._turned_away(request):
            return self._bare_page()
        listed = [deck for deck in decks if deck.readable and not deck.secret]
        last = max(1, -(-len(listed) // self.page_size))
        number = int(page) if page.isdecimal() else 1
        start = ((min(number, last) if self.repeats_last else number) - 1) * self.page_size
        cards = "".join(map(_card, listed[start : start + self.page_size]))
        head = '<meta name="twitter:card" content="summary">'
        return _next_page(title, head, f"<main>{cards}</main>", "/search", {"query": title})

    def oembed(self, request: Request) -> Reply:
        """Answer the embedding API: 501 for a format other than JSON, 404 for an unknown deck."""
        if self.blocked:
            return Reply.missing(403)
        if request.query.get("format", "json") != "json":
            return Reply(b"not implemented", 501, "text/plain")
        path = urlsplit(request.query.get("url", "")).path
        deck = self._find(lambda deck: path in (deck.path, deck.old_path))
        if deck is None or not deck.readable:
            return Reply.missing()
        base, suffix = self._oembed_base(deck)
        src = f"{PUBLIC}/slideshow/embed_code/key/{deck.key}"
        return Reply.json(
            {
                "version": "1.0",
                "type": "rich",
                "title": deck.title,
                "author_name": deck.author or deck.user,
                "author_url": f"{PUBLIC}/{deck.user}",
                "provider_name": "SlideShare",
                "provider_url": PUBLIC,
                "html": f'<iframe src="{src}" width="427" height="356"></iframe>',
                "width": 425,
                "height": 355,
                "thumbnail": self._image_url(deck, 1, SIZES[0]),
                "thumbnail_url": self._image_url(deck, 1, SIZES[0]),
                "total_slides": len(deck.pages),
                "conversion_version": deck.conversion_version,
                "slide_image_baseurl": base,
                "slide_image_baseurl_suffix": suffix,
                "version_no": "1",
                "slideshow_id": deck.id,
            }
        )

    def _oembed_base(self, deck: Deck) -> tuple[str, str]:
        """Give the first and last part of image addresses, scheme-relative as in the real answer."""
        folder = f"{self.url.removeprefix('http:')}/{deck.location}/{UNLISTED_SIZE[0]}/"
        name = "slide-" if deck.conversion_version == 2 else deck.image_title
        return folder + name, f"-{UNLISTED_SIZE[1]}.jpg"


def _oembed_titles(deck: Deck) -> set[str]:
    return {"slide"} if deck.conversion_version == 2 else {f"{deck.image_title}-slide"}


def _haystack(deck: Deck) -> str:
    return " ".join((deck.title, deck.description, deck.author, deck.user, *deck.tags)).casefold()


def _transcript(deck: Deck) -> list[str] | dict[str, list[str]]:
    """Escape the texts; the older shape wraps each in a list item with a link to its page."""
    texts = [escape(text) for text in deck.transcript]
    if deck.shape == "list":
        return texts
    return {"html": [f'<li> <a href="#{n}">{n}.</a> {text} </li>' for n, text in enumerate(texts, 1)]}


def _card(deck: Deck) -> str:
    label = (
        f"{deck.title} by {deck.author or deck.user}, has {len(deck.pages)} slides with {deck.views:,} views."
    )
    return (
        f'<article><a data-cy="slideshow-card-link" href="{escape(deck.url)}" aria-label="{escape(label)}">'
        f"{escape(deck.title)}</a></article>"
    )


def _next_page(title: str, head: str, body: str, page: str, props: Mapping[str, Any]) -> Reply:
    data = {"props": {"pageProps": props, "__N_SSP": True}, "page": page, "query": {}}
    # "<" is written as an escape, so that no text can end the script element.
    script = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return Reply.html(
        f"<!doctype html><html><head><title>{escape(title)}</title>{head}</head><body>{body}"
        f'<script id="__NEXT_DATA__" type="application/json">{script}</script></body></html>'
    )
