"""What the pages of Speaker Deck say, parsed under bounds. No network here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote, urljoin, urlsplit

from pydantic import BaseModel, ValidationError

from archiver import api
from archiver_plugins.speakerdeck.options import PUBLIC, deck_path

MAX_PAGES: Final = 2_000
#: The id on the file host: https://files.speakerdeck.com/presentations/{32 hex digits}/slide_0.jpg
_FILE_ID: Final = re.compile(r"/(?:presentations|player)/([0-9a-f]{32})\b")
_ATOM: Final = "{http://www.w3.org/2005/Atom}"


class OEmbed(BaseModel):
    """The embedding API's answer; `html` has `src="//speakerdeck.com/player/{32 hex digits}"`."""

    title: str = ""
    author_name: str = ""
    html: str = ""

    @property
    def file_id(self) -> str:
        """Give the id on the file host, or nothing."""
        return _file_id(self.html)


class Page:
    """One web page of the service. What it does not say is empty; nothing here raises."""

    def __init__(self, response: api.Response) -> None:
        self.url = response.url
        self._tree = _tree(response.content)

    @property
    def view_type(self) -> str:
        """Give what the page shows: `talk` is a deck; nothing when the page is not a proper one."""
        return self._first("//meta[@name='stats-view_type']/@content")

    @property
    def title(self) -> str:
        """Give the title of the deck."""
        return clean(self._first("//meta[@property='og:title']/@content"))

    @property
    def description(self) -> str:
        """Give the description of the deck."""
        return clean(self._first("//meta[@property='og:description']/@content"))

    @property
    def path(self) -> str:
        """Give the path that the page names as its proper one, or nothing."""
        try:
            return deck_path(self._first("//link[@rel='canonical']/@href"))
        except ValueError:
            return ""

    @property
    def pdf(self) -> str:
        """Give the address of the author's PDF; empty when the author switched the download off."""
        href = self._first("//a[@title='Download PDF']/@href")
        return _joined(self.url, href) if href else ""

    @property
    def file_id(self) -> str:
        """Give the id on the file host, from the PDF link or the preview image, or nothing."""
        return _file_id(self.pdf) or _file_id(self._first("//meta[@property='og:image']/@content"))

    def texts(self) -> list[str]:
        """Give the text of each slide."""
        return [
            clean(element.text_content())
            for element in self._all("//*[@class]")
            if _is(element, "slide-transcript")
        ]

    def slides(self) -> list[str]:
        """Give the addresses of the slide images of a player page. Raises `InvalidError`."""
        marked = (element for element in self._all("//*[@data-url]") if _is(element, "js-sd-slide"))
        found = [_joined(self.url, element.get("data-url", "")) for element in marked]
        if not 1 <= len(found) <= MAX_PAGES or not all(found):
            raise api.InvalidError(
                f"The player {self.url} shows {len(found):,} slides, or some without address",
                hint=f"A deck has 1 to {MAX_PAGES:,}; look at it in a browser.",
            )
        return found

    def decks_of(self, user: str) -> Iterator[tuple[str, str]]:
        """Yield path and title of every deck of `user` that the page links to."""
        for link in self._all("//a[@href]"):
            path = _own_path(link.get("href", ""))
            if path and unquote(path).split("/")[1].lower() == user.lower():
                yield path, clean(link.get("title") or link.text_content())

    def _first(self, xpath: str) -> str:
        found = self._all(xpath)
        return str(found[0]).strip() if found else ""

    def _all(self, xpath: str) -> list[Any]:
        return [] if self._tree is None else list(self._tree.xpath(xpath))


def read_feed(response: api.Response) -> dict[str, api.Material]:
    """Read the decks of an Atom feed by path; what is not one gives nothing."""
    from lxml import etree

    # No entities and no network: a feed needs neither, and an attack both.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        feed = etree.fromstring(response.content, parser)
    except (etree.LxmlError, ValueError):
        return {}
    materials = map(_of_entry, feed.iter(f"{_ATOM}entry"))
    return {path: material for path, material in materials if path}


def read_oembed(response: api.Response) -> OEmbed:
    """Parse an answer of the embedding API. Raises `InvalidError`."""
    try:
        return OEmbed.model_validate(response.json())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise api.InvalidError(
            f"{response.url}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from error


def material_at(path: str, title: str = "") -> api.Material:
    """Make the material of an address of which nothing else is known."""
    return api.Material(unquote(path).lstrip("/"), api.Kind.SLIDES, title=title, url=PUBLIC + path)


def clean(text: str) -> str:
    """Take control characters out; one space where there was white space, line ends stay."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    plain = "\n".join(line for line in lines if line)
    return "".join(char for char in plain if char == "\n" or char.isprintable())


def _of_entry(entry: Any) -> tuple[str, api.Material]:
    def text(name: str) -> str:
        return clean(entry.findtext(f"{_ATOM}{name}") or "")

    links = [
        link.get("href", "") for link in entry.iter(f"{_ATOM}link") if link.get("rel") in (None, "alternate")
    ]
    path = _own_path(links[0]) if links else ""
    material = replace(
        material_at(path, text("title")), revision=text("updated"), date=_date(text("published"))
    )
    return path, material


def _date(text: str) -> str:
    """Keep an ISO 8601 time as it is, and drop anything else."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return ""
    return text


def _own_path(href: str) -> str:
    """Give the path of a deck from an absolute or a relative link, or nothing."""
    try:
        return deck_path(urljoin(PUBLIC, href))  # raises for "//[" as well
    except ValueError:
        return ""


def _joined(page: str, href: str) -> str:
    """Make a link absolute; what cannot be an address becomes nothing."""
    try:
        address = urljoin(page, href)
        return address if urlsplit(address).scheme in {"http", "https"} else ""
    except ValueError:
        return ""


def _file_id(text: str) -> str:
    match = _FILE_ID.search(text)
    return match[1] if match else ""


def _is(element: Any, name: str) -> bool:
    return name in element.get("class", "").split()


def _tree(content: bytes) -> Any:
    """Parse HTML; None for a page that is empty."""
    from lxml import etree, html

    try:
        return html.document_fromstring(content, parser=html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError):
        return None
