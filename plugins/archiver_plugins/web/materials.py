"""How a post becomes a material, from whichever list it was found in."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from archiver import api
from archiver_plugins.web.addresses import identity, untracked
from archiver_plugins.web.links import as_json, find_links
from archiver_plugins.web.page import Page, clean
from archiver_plugins.web.visitor import Visit
from archiver_plugins.web.words import main_text

Listed = api.Material | api.Unavailable | api.Checkpoint
#: Yielded by a listing that may not have seen everything.
PARTIAL = api.Checkpoint(complete=False)


def post_at(url: str, title: str = "") -> api.Material:
    """Make the material of a tidy address of which nothing else is known."""
    return api.Material(identity(url), api.Kind.REPORT, title=clean(title), url=untracked(url))


def named_by_address(url: str) -> str:
    """Make a title of an address, where nothing else gives one."""
    path = unquote(urlsplit(url).path).strip("/")
    return clean(path.rpartition("/")[2].rpartition(".")[0] or path or urlsplit(url).netloc)


def of_page(page: Page, visit: Visit) -> api.Material:
    """Make the material of a page that was looked at, under the address that it names as its own."""
    text, _ = main_text(page)
    extra = {} if visit.asked == untracked(page.canonical) else {"address": visit.asked}
    found = replace(post_at(page.canonical), extra=extra, revision=page.modified or digest(text))
    return described(found, page)


def of_file(visit: Visit) -> api.Material:
    """Make the material of an address that gives a document in place of a page."""
    headers = visit.last.response.headers
    revision = headers.get("etag") or headers.get("last-modified") or ""
    revision = revision[:500] or digest(visit.last.response.content)
    return replace(post_at(visit.asked, named_by_address(visit.asked)), revision=revision)


def described(material: api.Material, page: Page) -> api.Material:
    """Fill in what the page says and the list did not."""
    return replace(
        material,
        title=material.title or page.title or named_by_address(page.url),
        authors=material.authors or page.authors,
        date=material.date or page.date,
        description=material.description or page.description,
        language=material.language or page.language,
        licence=material.licence or page.licence,
        tags=material.tags or page.tags,
    )


def with_findings(material: api.Material, page: Page, facts: dict[str, str]) -> api.Material:
    """Add what only the fetch could tell: the links, and how the text was made."""
    found = {**facts, "links": as_json(find_links(page))}
    return replace(material, extra={**material.extra, **{key: text for key, text in found.items() if text}})


def digest(content: str | bytes) -> str:
    """Name a content by itself; nothing for nothing."""
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    return f"sha256:{hashlib.sha256(data).hexdigest()}" if data else ""


def address_of(material: api.Material) -> str:
    """Give the address to fetch."""
    return material.extra.get("address", "") or material.url
