"""Posts from a feed: RSS and Atom in all their forms, with the pages that lead further back (RFC 5005)."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from archiver import api
from archiver_plugins.web.addresses import joined
from archiver_plugins.web.charsets import decode
from archiver_plugins.web.materials import PARTIAL, Listed, digest, post_at
from archiver_plugins.web.options import WebEntry
from archiver_plugins.web.page import Page, clean, is_html, parse_html
from archiver_plugins.web.visitor import Visitor

MAX_PAGES: Final = 100
#: feedparser needs many times as much memory.
_MAX_FEED: Final = 8 << 20
_MAX_POSTS: Final = 5_000
_MAX_SUMMARY: Final = 2_000
#: Attacks define entities; feeds need none but those that XML and HTML have.
_ENTITY: Final = re.compile(r"<!ENTITY\b")


def list_feed(visitor: Visitor, options: WebEntry) -> Iterator[Listed]:
    """List the posts of a feed, newest pages first. What it no longer holds says nothing."""
    url, seen = options.feed, set[str]()
    for _ in range(MAX_PAGES):
        seen.add(url)
        feed = _read(visitor, url)
        posts = [post for post in (_post(entry, url) for entry in feed.entries[:_MAX_POSTS]) if post]
        yield from (
            post for post in posts if options.covers(post.date) and post.url.startswith(options.prefix)
        )
        older = [link.get("href", "") for link in feed.feed.get("links", []) if link.get("rel") == "next"]
        following = joined(url, older[0]) if older else ""
        if not following or following in seen or not posts or _is_past(posts, options):
            break
        url = following
    yield PARTIAL


def _is_past(posts: list[api.Material], options: WebEntry) -> bool:
    """Say whether all posts of a page are older than what is wanted: those that follow are older still."""
    return bool(options.since) and all(post.date and post.date[:10] < str(options.since) for post in posts)


def _read(visitor: Visitor, url: str) -> Any:
    """Get and parse a feed, or the one that a page names. Raises `SourceError`."""
    response = visitor.get(url, max_bytes=_MAX_FEED)
    if is_html(response):
        feeds = [found for found in Page(url, response).feeds() if found and found != url]
        if not feeds:
            raise api.InvalidError(
                f"{url} is a web page that names no feed",
                hint="Give the address of the feed itself, or list the posts under pages.",
            )
        response = visitor.get(feeds[0], max_bytes=_MAX_FEED)
    feed = parse(response)
    if not feed.entries and (feed.get("bozo") or not feed.get("version")):
        raise api.InvalidError(
            f"{url} is not a feed that can be read",
            hint="Open it in a browser; it should begin with <rss or <feed.",
        )
    return feed


def parse(response: api.Response) -> Any:
    """Parse a feed by feedparser, never by its own network access. Raises `InvalidError` on entities."""
    import feedparser

    text = decode(response.content, response.headers.get("content-type", ""))
    if _ENTITY.search(text):
        raise api.InvalidError(
            f"The feed {response.url} defines entities of its own, as feeds that attack their readers do",
            hint="Tell whoever runs the site; until then list the posts under pages.",
        )
    # The header outranks the declaration inside, which no longer fits.
    header = {"content-type": "application/xml; charset=utf-8", "content-location": response.url}
    return feedparser.parse(
        text.encode("utf-8", "replace"),
        response_headers=header,
        sanitize_html=False,
        resolve_relative_uris=False,
    )


def _post(entry: Any, base: str) -> api.Material | None:
    link = str(entry.get("link", ""))
    url = joined(base, link) if link else ""
    if not url:
        return None
    summary = str(entry.get("summary", ""))
    content = "".join(str(part.get("value", "")) for part in entry.get("content", []))
    changed = _time(entry, "updated")
    people = [clean(one.get("name", "")) for one in entry.get("authors", []) if isinstance(one, dict)]
    names = [name for name in [*people, clean(entry.get("author", ""))] if name]
    return replace(
        post_at(url, _words(str(entry.get("title", "")))),
        date=_time(entry, "published") or changed,
        revision=changed or digest("\n".join([str(entry.get("title", "")), summary, content])),
        authors=tuple(dict.fromkeys(names))[:20],
        tags=tuple(
            dict.fromkeys(clean(tag.get("term") or "") for tag in entry.get("tags", []) if tag.get("term"))
        ),
        description=_words(summary[: 4 * _MAX_SUMMARY]),
    )


def _time(entry: Any, name: str) -> str:
    """Give a time in UTC, from RFC 822, ISO 8601 and others; one without a zone counts as UTC."""
    # Asked by `in`: feedparser answers "updated" with "published", and warns, when there is none.
    found = dict.get(entry, f"{name}_parsed")
    try:
        return datetime.fromtimestamp(timegm(found), UTC).isoformat() if found else ""
    except (ValueError, OverflowError, OSError, TypeError):
        return ""


def _words(text: str) -> str:
    """Take the markup out of a title or a summary."""
    if not re.search(r"[<&]", text):
        return clean(text)[:_MAX_SUMMARY]
    tree = parse_html(f"<body>{text}")
    return clean("" if tree is None else tree.text_content())[:_MAX_SUMMARY]
