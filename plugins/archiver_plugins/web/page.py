"""What a page says of itself, parsed under bounds. No network here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cached_property
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final

from archiver import api
from archiver_plugins.web.addresses import identity, is_root, joined, owner
from archiver_plugins.web.charsets import decode

#: Bytes of a page, and its tags: parsed, each takes a hundred times as much memory as its sign.
MAX_PAGE: Final = 4 << 20
MAX_TAGS: Final = 150_000
_MAX_DATA: Final = 256 << 10
_MAX_NODES: Final = 2_000
_MAX_NAMES: Final = 50
_MAX_TEXT: Final = 2_000
_ARTICLES: Final = re.compile(r"Article|BlogPosting|Report|WebPage|Event", re.IGNORECASE)
#: Day in an address: /2012/09/16/ or /20120916/ or /2012-09-16.
_DAY: Final = re.compile(r"/((?:19|20)\d\d)[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?![0-9])")
#: Where sites write the time of publication: Open Graph, weblogs, Weibo (Sina, Sohu), Dublin Core.
_PUBLISHED: Final = (
    "article:published_time",
    "og:article:published_time",
    "weibo: article:create_at",
    "weibo:article:create_at",
    "pubdate",
    "publishdate",
    "publish_time",
    "date",
    "dc.date",
    "dcterms.created",
)
_MODIFIED: Final = (
    "article:modified_time",
    "og:updated_time",
    "weibo: article:update_at",
    "dcterms.modified",
)
_NOT_SHOWN: Final = "ancestor::script or ancestor::style or ancestor::noscript or ancestor::template"


def is_html(response: api.Response) -> bool:
    """Say whether an answer is a web page, by what it begins with where its type does not say."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in {"text/html", "application/xhtml+xml"}:
        return not response.content.startswith(b"%PDF-")
    head = response.content[:1024].lstrip(b"\xef\xbb\xbf\r\n\t ").lower()
    return kind in {"", "text/plain", "application/octet-stream"} and head.startswith(
        (b"<!doctype html", b"<html", b"<head")
    )


def check_size(url: str, response: api.Response) -> None:
    """Raise `InvalidError` on a page that no reader would bear."""
    size, tags = len(response.content), response.content.count(b"<")
    if size > MAX_PAGE or tags > MAX_TAGS:
        raise api.InvalidError(
            f"{url} is too large for a page: {size:,} bytes with {tags:,} tags",
            hint=f"Up to {MAX_PAGE:,} bytes and {MAX_TAGS:,} tags are read; name its parts under pages.",
        )


class Page:
    """One web page under its public address. What it does not say is empty; nothing here raises."""

    def __init__(self, url: str, response: api.Response) -> None:
        self.url = url
        self.html = decode(response.content[:MAX_PAGE], response.headers.get("content-type", ""))
        self.tree = parse_html(self.html)

    @cached_property
    def base(self) -> str:
        """Give the address that relative links start from."""
        href = self.first("//base[@href]/@href")
        return (joined(self.url, href) if href else "") or self.url

    @cached_property
    def name(self) -> str:
        """Give the title in the head of the page."""
        return clean("".join(self.all("//title[1]//text()")))

    @cached_property
    def title(self) -> str:
        """Give the title of the report, rather than that of the site around it."""
        headline = next((_plain(found.get("headline")) for found in self._articles), "")
        alone = [clean(found.text_content()) for found in self.all("//h1")]
        return self.meta("og:title") or headline or (alone[0] if len(alone) == 1 else "") or self.name

    @cached_property
    def canonical(self) -> str:
        """Give the address that the page names as its own, where it can be believed; else its own.

        Sites name their front page on every page, or the page of somebody else.
        """
        for href in (self.first(_rel("canonical")), self.meta("og:url")):
            found = joined(self.base, href) if href else ""
            if found and owner(found) == owner(self.url) and (not is_root(found) or is_root(self.url)):
                return found
        return self.url

    @cached_property
    def authors(self) -> tuple[str, ...]:
        """Give who wrote it."""
        named = [name for found in self._articles for name in _names(found.get("author"))]
        named = named or [self.meta("author"), self.meta("article:author")]
        named = [name for name in named if name and not name.startswith(("http:", "https:"))]
        found = named or [clean(link.text_content()) for link in self.all("//a[@rel='author']")[:_MAX_NAMES]]
        return tuple(dict.fromkeys(name for name in found if name))[:_MAX_NAMES]

    @cached_property
    def date(self) -> str:
        """Give when it was published, ISO 8601; from the address where nothing else says it."""
        said = [self.meta(name) for name in _PUBLISHED]
        said += [_plain(found.get("datePublished")) for found in self._articles]
        said += [
            str(value) for value in self.all("//article//time/@datetime | //time[@pubdate]/@datetime")[:1]
        ]
        in_address = _DAY.search(self.url)
        said += ["-".join(in_address.groups())] if in_address else []
        return next((found for found in map(iso, said) if found), "")

    @cached_property
    def modified(self) -> str:
        """Give when it was changed last, as the page says it."""
        said = [self.meta(name) for name in _MODIFIED]
        said += [_plain(found.get("dateModified")) for found in self._articles]
        return next((found for found in map(iso, said) if found), "")

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Give the words that the author filed it under."""
        marked = [str(value) for value in self.all("//meta[@property='article:tag']/@content")]
        marked += [link.text_content() for link in self.all("//a[contains(concat(' ', @rel, ' '), ' tag ')]")]
        return tuple(dict.fromkeys(tag for tag in map(clean, marked[:200]) if tag))

    @property
    def description(self) -> str:
        """Give the summary."""
        return (self.meta("og:description") or self.meta("description"))[:_MAX_TEXT]

    @property
    def language(self) -> str:
        """Give the language, like `zh-CN`."""
        found = self.first("//html/@lang") or self.first("//html/@*[local-name()='lang']")
        return found if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}", found) else ""

    @property
    def licence(self) -> str:
        """Give the address of the licence that the page names."""
        href = self.first(_rel("license"))
        return joined(self.base, href) if href else ""

    @cached_property
    def shown(self) -> str:
        """Give all words that a reader would see, menus included."""
        return " ".join(" ".join(self.all(f"//body//text()[not({_NOT_SHOWN})]")).split())

    def feeds(self) -> list[str]:
        """Give the addresses of the feeds that the page names."""
        kinds = " or ".join(f"@type='application/{form}+xml'" for form in ("rss", "atom"))
        return [joined(self.base, str(href)) for href in self.all(f"//link[{kinds}]/@href")]

    def meta(self, name: str) -> str:
        """Give what a `meta` of that name or property says."""
        return clean(self._metas.get(name, ""))

    @cached_property
    def _metas(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for node in self.all("//meta[@content]")[:_MAX_NODES]:
            for key in (node.get("property"), node.get("name"), node.get("itemprop")):
                if key:
                    found.setdefault(key.strip().lower(), node.get("content", ""))
        return found

    @cached_property
    def _articles(self) -> list[dict[str, Any]]:
        """Give what the page says in JSON-LD (schema.org) of itself."""
        found: list[dict[str, Any]] = []
        for text in self.all("//script[@type='application/ld+json']/text()")[:20]:
            found += [node for node in _nodes(str(text)) if _ARTICLES.search(str(node.get("@type", "")))]
        return found

    def first(self, xpath: str) -> str:
        """Give the first text that an XPath finds."""
        found = self.all(xpath)
        return str(found[0]).strip() if found else ""

    def all(self, xpath: str) -> list[Any]:
        """Give all that an XPath finds."""
        return [] if self.tree is None else list(self.tree.xpath(xpath))


def own_name(url: str) -> str:
    """Name a page by its address, "" when that is none."""
    try:
        return identity(url)
    except ValueError:
        return ""


def parse_html(text: str) -> Any:
    """Parse HTML; None for a page that is empty, or too large."""
    from lxml import etree, html

    if text.count("<") > MAX_TAGS:
        return None
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        return html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        return None


def clean(text: str) -> str:
    """Make one line of printable characters, cut to a bearable length."""
    flat = " ".join(str(text)[: 4 * _MAX_TEXT].split())
    return "".join(char for char in flat if char.isprintable())[:_MAX_TEXT]


def iso(text: str) -> str:
    """Keep a time in ISO 8601, also with a blank or slashes in it; drop anything else.

    "2012-09-17 10:00:00" and "2012/09/17" become "2012-09-17T10:00:00" and "2012-09-17".
    """
    plain = re.sub(r"\A(\d{4})[/.](\d\d?)[/.](\d\d?)", r"\1-\2-\3", text.strip()[:40])
    try:
        day = date.fromisoformat(plain)
    except ValueError:
        try:
            moment = datetime.fromisoformat(plain)
        except ValueError:
            return ""
        return moment.isoformat(timespec="seconds") if moment.year > 1 else ""
    return day.isoformat() if day.year > 1 else ""


def _rel(name: str) -> str:
    lower = f"translate(@rel, '{ascii_uppercase}', '{ascii_lowercase}')"
    return f"//link[contains(concat(' ', {lower}, ' '), ' {name} ')]/@href"


def _nodes(text: str) -> Iterator[dict[str, Any]]:
    try:
        waiting: list[Any] = [json.loads(text)] if len(text) <= _MAX_DATA else []
    except (ValueError, RecursionError):
        return
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        node = waiting.pop(0)
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            yield node
            waiting += [node["@graph"]] if "@graph" in node else []


def _names(value: Any) -> list[str]:
    people = value if isinstance(value, list) else [value]
    return [_plain(one.get("name") if isinstance(one, dict) else one) for one in people[:_MAX_NAMES]]


def _plain(value: Any) -> str:
    return clean(value) if isinstance(value, str) else ""
