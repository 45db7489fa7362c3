"""Pages from a sitemap (sitemaps.org protocol 0.9): files, packed files, and indexes of them."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from archiver import api
from archiver_plugins.web.addresses import is_root, joined, origin
from archiver_plugins.web.materials import PARTIAL, Listed, post_at
from archiver_plugins.web.options import WebEntry
from archiver_plugins.web.page import clean, iso
from archiver_plugins.web.visitor import Visitor

#: The protocol allows 50,000 addresses and 50 MB a file.
_MAX_BYTES: Final = 50 << 20
_MAX_ADDRESSES: Final = 50_000
_MAX_FILES: Final = 500
_MAX_TEXT: Final = 4_000
_GZIP: Final = b"\x1f\x8b"
_USUAL: Final = ("/sitemap.xml", "/wp-sitemap.xml", "/sitemap_index.xml")


@dataclass(frozen=True, slots=True)
class Row:
    """One address of a sitemap; `index` when another sitemap lies there."""

    url: str
    changed: str
    index: bool


def list_sitemap(visitor: Visitor, options: WebEntry) -> Iterator[Listed]:
    """List the pages under `prefix` that the sitemaps name; whole when every sitemap could be read."""
    waiting = deque(_entrances(visitor, options.sitemap))
    prefix = options.prefix or f"{origin(options.sitemap)}/"
    seen, read = set(waiting), 0
    while waiting and read < _MAX_FILES:
        url = waiting.popleft()
        read += 1
        for count, row in enumerate(_rows(visitor, url), 1):
            if count > _MAX_ADDRESSES:
                yield PARTIAL
                break
            if row.index and row.url not in seen:
                seen.add(row.url)
                waiting.append(row.url)
            elif not row.index and row.url.startswith(prefix) and not is_root(row.url):
                yield replace(post_at(row.url), revision=row.changed)
    if waiting:
        yield PARTIAL


def _entrances(visitor: Visitor, url: str) -> list[str]:
    """Find the sitemaps of a site that is named by its root: in robots.txt, or where they usually are."""
    if not is_root(url):
        return [url]
    named = list(visitor.robots.rules(url).sitemaps)
    if named:
        return [joined(url, visitor.site.known_as(one)) for one in named]
    for path in _USUAL:
        if visitor.get(joined(url, path), accept=(404, 410)).status not in {404, 410}:
            return [joined(url, path)]
    raise api.InvalidError(
        f"{url} has no sitemap, neither in its robots.txt nor in the usual places",
        hint="Give the address of the sitemap itself, or use feed, wordpress or pages.",
    )


def _rows(visitor: Visitor, url: str) -> Iterator[Row]:
    content = unpacked(visitor.get(url, max_bytes=_MAX_BYTES).content, url)
    count = 0
    for row in parse(content, url):
        count += 1
        yield row
    if not count and not _is_sitemap(content):
        raise api.InvalidError(
            f"{url} is not a sitemap", hint="Open it in a browser; it should hold <urlset> or <sitemapindex>."
        )


def unpacked(content: bytes, url: str) -> bytes:
    """Undo gzip (`sitemap.xml.gz`), within the size that the protocol allows. Raises `InvalidError`."""
    if not content.startswith(_GZIP):
        return content
    inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = inflate.decompress(content, _MAX_BYTES)
    except zlib.error as error:
        raise api.InvalidError(f"The sitemap {url} is damaged: {error}") from error
    if inflate.unconsumed_tail or not inflate.eof:
        what = f"unpacks to more than {_MAX_BYTES:,} bytes" if inflate.unconsumed_tail else "is cut off"
        raise api.InvalidError(f"The sitemap {url} {what}", hint="Use feed, wordpress or pages.")
    return plain


def parse(content: bytes, url: str) -> Iterator[Row]:
    """Read the addresses of a sitemap one by one; what is malformed ends it. No entities, no network."""
    from io import BytesIO

    from lxml import etree

    events = etree.iterparse(
        BytesIO(content),
        events=("end",),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        recover=True,
    )
    try:
        for _, node in events:
            name = _name(node)
            if name in {"url", "sitemap"}:
                row = _row(node, url, index=name == "sitemap")
                if row is not None:
                    yield row
                node.clear()
                while node.getprevious() is not None:
                    del node.getparent()[0]
    except (etree.LxmlError, ValueError):
        return


def _row(node: Any, url: str, *, index: bool) -> Row | None:
    texts = {_name(child): (child.text or "").strip()[:_MAX_TEXT] for child in node}
    address = joined(url, texts.get("loc", "")) if texts.get("loc") else ""
    changed = clean(texts.get("lastmod", ""))
    return Row(address, iso(changed) or changed[:40], index) if address else None


def _name(node: Any) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _is_sitemap(content: bytes) -> bool:
    head = content[:2048].lower()
    return b"<urlset" in head or b"<sitemapindex" in head
