"""What the pages of SlideShare say, parsed under bounds. No network here.

A deck page is a Next.js page: its data stand as JSON in `<script id="__NEXT_DATA__">`, the deck at
`props.pageProps.slideshow`. Addresses of images are made from that data alone: the HTML is full of the
thumbnails of other decks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from archiver import api
from archiver_plugins.slideshare.options import PUBLIC, deck_path

MAX_PAGES: Final = 2_000
#: Quality and width that most decks have although no page lists them.
UNLISTED: Final = (95, 1024)


ModelT = TypeVar("ModelT", bound=BaseModel)


class _Data(BaseModel):
    """Data of a page: camelCase names, null like absent, unknown keys ignored."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None}


class Size(_Data):
    """One size in which the pages exist; `width` in pixels."""

    quality: Annotated[int, Field(ge=0, le=100)]
    width: Annotated[int, Field(gt=0, le=20_000)]


class Slides(_Data):
    """Where the images are: `{host}/{image_location}/{quality}/{title}-{n}-{width}.jpg`, n from 1."""

    host: str = ""
    image_location: str = ""
    title: str = ""  # empty for Chinese decks: the names then begin with "-"
    image_sizes: Annotated[tuple[Size, ...], Field(max_length=20)] = ()

    def addresses(self, page: int) -> list[str]:
        """Give the addresses of one page, the largest width first. Raises `InvalidError`."""
        if not _is_address(self.host) or not self.image_location:
            raise api.InvalidError(f"The page names no usable image host: {self.host!r:.100}")
        folder = f"{self.host.rstrip('/')}/{quote(self.image_location.strip('/'))}"
        name = f"{quote(self.title, safe='')}-{page}"
        sizes = {(size.width, size.quality) for size in self.image_sizes} | {(UNLISTED[1], UNLISTED[0])}
        return [f"{folder}/{quality}/{name}-{width}.jpg" for width, quality in sorted(sizes, reverse=True)]


class _User(_Data):
    name: str = ""
    login: str = ""


class _Category(_Data):
    name: str = ""


class _Html(_Data):
    html: tuple[str | None, ...] = ()


class Deck(_Data):
    """A deck as its page describes it."""

    title: str = ""
    description: str = ""
    username: str = ""
    user: _User = _User()
    canonical_url: str = ""
    created_at: str = ""
    total_slides: int = 0
    is_private: bool = False
    is_viewable: bool = True
    categories: tuple[_Category, ...] = ()
    transcript: tuple[str | None, ...] | _Html = ()  # a list now, {"html": […]} on older pages
    slides: Slides = Slides()

    @property
    def author(self) -> str:
        """Give the author's name, else the login."""
        return self.user.name or self.user.login or self.username

    @property
    def date(self) -> str:
        """Give the time of upload in ISO 8601, or nothing when it is written in another way."""
        match = re.match(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)", self.created_at)
        try:
            return f"{datetime.fromisoformat('T'.join(match.groups())).isoformat()}Z" if match else ""
        except ValueError:
            return ""

    @property
    def revision(self) -> str:
        """Name what changes when the deck is uploaded again, and not when it is looked at."""
        return f"{self.created_at} {self.total_slides} {self.slides.image_location}".strip()

    @property
    def path(self) -> str:
        """Give the canonical path, or nothing when the page does not name one."""
        return _path(self.canonical_url)

    def texts(self) -> list[str]:
        """Give the text of each page, without markup and entities."""
        if isinstance(self.transcript, _Html):
            return [_text_of(text or "") for text in self.transcript.html]
        return [_clean(unescape(text or "")) for text in self.transcript]


class OEmbed(BaseModel):
    """The embedding API's answer: the second path to the images, in one size.

    `slide_image_baseurl` has no scheme: `//image.slidesharecdn.com/{location}/95/slide-`.
    """

    title: str = ""
    author_name: str = ""
    total_slides: int
    conversion_version: int = 2
    slide_image_baseurl: str
    slide_image_baseurl_suffix: str
    slideshow_id: Annotated[int, Field(ge=0, lt=10**15)]

    def address(self, page: int, scheme: str) -> str:
        """Give the address of one page; `scheme` counts when the answer had none. Raises `InvalidError`."""
        middle = "" if self.conversion_version == 2 else "-slide-"
        address = f"{self.slide_image_baseurl}{middle}{page}{self.slide_image_baseurl_suffix}"
        if address.startswith("//"):
            address = f"{scheme}:{address}"
        if not _is_address(address):
            raise api.InvalidError(f"oEmbed names no usable image host: {address!r:.100}")
        return address


@dataclass(frozen=True, slots=True)
class Card:
    """One deck in a listing; `pages` is 0 when the card does not tell."""

    path: str
    title: str = ""
    author: str = ""
    pages: int = 0


class Document:
    """A web page of the service. Raises `InvalidError` when the data in it have a wrong form."""

    def __init__(self, response: api.Response) -> None:
        self.url = response.url
        self._tree = _tree(response.content)
        self._props = self._page_props()

    @property
    def has_data(self) -> bool:
        """Say whether the page brought its data; without them the service has turned us away."""
        return self._props is not None

    @property
    def canonical(self) -> str:
        """Give the path of the deck that the page itself links to as its proper address, or nothing."""
        found = self._tree.xpath("//link[@rel='canonical']/@href") if self._tree is not None else []
        return _path(str(found[0])) if found else ""

    def deck(self) -> Deck | None:
        """Give the deck, or None when this is the page of something else, such as a user's."""
        data = (self._props or {}).get("slideshow")
        if data is None:
            return None
        return _validated(Deck, data, self.url)

    def cards(self) -> Iterator[Card]:
        """Yield the decks of a listing."""
        for link in self._tree.xpath("//a[@data-cy='slideshow-card-link']") if self.has_data else ():
            path = _path(_absolute(link.get("href", "")))
            if path:
                yield _card(path, link.get("aria-label", ""), _clean(link.text_content()))

    def _page_props(self) -> dict[str, Any] | None:
        scripts = self._tree.xpath("//script[@id='__NEXT_DATA__']/text()") if self._tree is not None else []
        if not scripts:
            return None
        try:
            props = json.loads(scripts[0])["props"]["pageProps"]
        except (ValueError, RecursionError, KeyError, TypeError) as error:
            raise _misshapen(self.url, "its data cannot be read") from error
        if not isinstance(props, dict):
            raise _misshapen(self.url, "its data have no pageProps")
        return props


def read_oembed(response: api.Response) -> OEmbed:
    """Parse an answer of the embedding API. Raises `InvalidError`."""
    return _validated(OEmbed, response.json(), response.url)


def count_pages(total: int, url: str) -> int:
    """Check how many pages a deck claims to have. Raises `InvalidError` when none or too many."""
    if not 1 <= total <= MAX_PAGES:
        raise api.InvalidError(
            f"{url} claims to have {total:,} pages",
            hint=f"A deck has 1 to {MAX_PAGES:,}; look at it in a browser.",
        )
    return total


# "Juju – Make Your Life Easier by Zhengpeng Hou, has 28 slides with 1,234 views."
_LABEL: Final = re.compile(
    r"(?P<title>.*) by (?P<author>.*), has (?P<pages>[0-9,]{1,9}) slides?\b", re.DOTALL
)


#: Characters of a label that are taken apart: the time this takes grows faster than the label.
_MAX_LABEL: Final = 2_000


def _card(path: str, label: str, text: str) -> Card:
    match = _LABEL.match(label[:_MAX_LABEL])
    if match is None:
        return Card(path, text or label)
    return Card(path, match["title"], match["author"], int(match["pages"].replace(",", "") or 0))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # "http://["
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _absolute(href: str) -> str:
    return f"{PUBLIC}{href}" if href.startswith("/") else href


def _path(url: str) -> str:
    try:
        return deck_path(url)
    except ValueError:
        return ""


def _tree(content: bytes) -> Any:
    """Parse HTML; None for a page that is empty."""
    from lxml import etree, html

    try:
        return html.document_fromstring(content, parser=html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError):
        return None


def _text_of(fragment: str) -> str:
    # '<li> <a href="#1">1.</a> Deploy OpenStack &amp; Chef </li>': the link is the page's number.
    tree = _tree(f"<div>{fragment}</div>".encode())
    if tree is None:
        return ""
    return _clean(" ".join(tree.xpath("//text()[not(parent::a)]")))


def _clean(text: str) -> str:
    """Take control characters out; one space where there was white space, line ends stay."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    plain = "\n".join(line for line in lines if line)
    return "".join(char for char in plain if char == "\n" or char.isprintable())


def _validated(model: type[ModelT], data: Any, url: str) -> ModelT:
    try:
        return model.model_validate(data)
    except (ValidationError, RecursionError) as error:
        raise _misshapen(url, _reason(error)) from error


def _reason(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "its data are nested too deeply"
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _misshapen(url: str, reason: str) -> api.InvalidError:
    return api.InvalidError(
        f"{url} is not what a page of this service looked like: {reason}",
        hint="The service may have changed; look for a newer version of this program.",
    )
