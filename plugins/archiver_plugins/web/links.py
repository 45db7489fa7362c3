"""Decks, photos and videos that a report links to or shows, found as data for other sources.

The core hands them over: it asks the other sources of the archive which of them takes an address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from archiver import api
from archiver_plugins.web.addresses import is_root, joined, origin
from archiver_plugins.web.page import Page, clean

#: Links of one report that are kept, and the characters that they may have together.
MAX_LINKS: Final = 100
#: Of these, links that only another source may recognise: pictures in full size, sites of one's own.
MAX_FURTHER: Final = 40
_MAX_CHARACTERS: Final = 30_000
_MAX_LOOKED_AT: Final = 5_000
_MAX_TITLE: Final = 200
_SLIDES, _PHOTO, _VIDEO = api.Kind.SLIDES, api.Kind.PHOTO, api.Kind.VIDEO


@dataclass(frozen=True, slots=True)
class Link:
    """One thing found: `source` is the type of the source that fetches such addresses.

    Without a `kind` it is something only where another source recognises it.
    """

    kind: api.Kind | None
    source: str
    url: str
    title: str = ""


#: Players and short forms → the address that the service shows to people.
_PLAYERS: Final = (
    (r"(?:www\.)?youtube(?:-nocookie)?\.com/(?:embed|v)/([\w-]{11})", "https://www.youtube.com/watch?v={}"),
    (r"youtu\.be/([\w-]{11})", "https://www.youtube.com/watch?v={}"),
    (r"player\.vimeo\.com/video/(\d+)", "https://vimeo.com/{}"),
    (r"player\.youku\.com/embed/([\w=]+)", "https://v.youku.com/v_show/id_{}.html"),
    (
        r"player\.youku\.com/player\.php/(?:[^?]{0,80}/)?sid/([\w=]+)/v\.swf",
        "https://v.youku.com/v_show/id_{}.html",
    ),
    (
        r"player\.bilibili\.com/player\.html\?(?:[^#]{0,200}&)?bvid=(BV\w{10})",
        "https://www.bilibili.com/video/{}",
    ),
)
#: Host and path → what it is, and which source fetches it.
_KNOWN: Final = (
    (r"(?:[\w-]+\.)?slideshare\.net/(?:slideshow/|slideshow/embed_code/|[^/]+/)[^/]", _SLIDES, "slideshare"),
    (r"speakerdeck\.com/[^/]+/[^/]", _SLIDES, "speakerdeck"),
    (r"docs\.google\.com/presentation/d/", _SLIDES, "links"),
    (r"(?:www\.)?flickr\.com/(?:photos|gp|groups)/[^/]", _PHOTO, "flickr"),
    (r"flic\.kr/[ps]/", _PHOTO, "flickr"),
    (r"(?:www\.)?youtube\.com/(?:watch\?|playlist\?|live/)", _VIDEO, "video"),
    (r"vimeo\.com/(?:\d|channels/|showcase/)", _VIDEO, "video"),
    (r"v\.youku\.com/v_show/", _VIDEO, "video"),
    (r"(?:www\.)?bilibili\.com/video/", _VIDEO, "video"),
    (r"v\.qq\.com/", _VIDEO, "video"),
    (r"(?:www\.)?tudou\.com/(?:programs|listplay|albumplay)/", _VIDEO, "video"),
    (r"media\.ccc\.de/v/", _VIDEO, "video"),
)
_FILES: Final = (
    (r"\.(?:pdf|pptx?|ppsx?|pptm|odp|key)\Z", _SLIDES),
    (r"\.(?:mp4|m4v|mov|webm|mkv|avi|wmv|flv)\Z", _VIDEO),
)
_STREAM: Final = ".m3u8"
_PICTURE: Final = re.compile(r"\.(?:jpe?g|webp|heic|tiff?)\Z")
#: Menus and frames link to accounts, not to what the report is about.
_FRAME: Final = (
    "ancestor::nav or ancestor::footer or ancestor::aside or (ancestor::header and not(ancestor::article))"
)


def find_links(page: Page) -> list[Link]:
    """Find what a page links to or shows, each address once: what it surely is first, then what it may be."""
    found: dict[str, Link] = {}
    further: dict[str, Link] = {}
    for address, title in _addresses(page):
        link = recognise(address, title)
        if link is not None and link.url not in found:
            found[link.url] = link
        elif link is None and len(further) < MAX_FURTHER and (perhaps := _perhaps(address, title, page)):
            further.setdefault(address, perhaps)
        if len(found) == MAX_LINKS:
            break
    return [*found.values(), *further.values()][:MAX_LINKS]


def _perhaps(address: str, title: str, page: Page) -> Link | None:
    """Keep what only another source can tell: a picture in full size, a page of another site."""
    if _PICTURE.search(unquote(urlsplit(address).path).lower()):
        return Link(None, "links", address, title)
    elsewhere = origin(address).partition(":")[2] != origin(page.url).partition(":")[2]
    return Link(None, "", address, title) if elsewhere and not is_root(address) else None


def as_json(links: list[Link]) -> str:
    """Write links for the ledger, as many as there is room for; nothing when there are none."""
    rows = [
        {"kind": one.kind or "", "source": one.source, "url": one.url, "title": one.title} for one in links
    ]
    while rows:
        text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        if len(text) <= _MAX_CHARACTERS:
            return text
        rows.pop()
    return ""


def recognise(address: str, title: str = "") -> Link | None:
    """Tell what an address leads to; None for what no source fetches."""
    parts = urlsplit(address)
    where = f"{(parts.hostname or '').lower()}{parts.path}" + (f"?{parts.query}" if parts.query else "")
    for pattern, form in _PLAYERS:
        if match := re.match(pattern, where):
            return Link(_VIDEO, "video", form.format(match[1]), title)
    for pattern, kind, source in _KNOWN:
        if re.match(pattern, where):
            return Link(kind, source, address, title)
    name = unquote(parts.path).lower()
    if name.endswith(_STREAM):
        return Link(_VIDEO, "video", address, title)
    kind_of_file = next((kind for pattern, kind in _FILES if re.search(pattern, name)), None)
    return Link(kind_of_file, "links", address, title) if kind_of_file else None


def _addresses(page: Page) -> Iterator[tuple[str, str]]:
    shown = "//iframe/@src | //embed/@src | //object/@data | //video/@src | //video/source/@src"
    linked = f"//a[@href and not({_FRAME})]/@href"
    for value in page.all(f"{linked} | {shown}")[:_MAX_LOOKED_AT]:
        address = joined(page.base, str(value))
        if address:
            node = value.getparent()
            yield address, clean(node.get("title") or node.text_content())[:_MAX_TITLE]
