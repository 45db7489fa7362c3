"""What a page needs to look as it did: pictures, stylesheets, fonts, and the full pictures of galleries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from archiver_plugins.web.addresses import joined, owner
from archiver_plugins.web.charsets import decode
from archiver_plugins.web.page import Page

_MAX_FOUND: Final = 5_000
#: CSS beyond this is looked through no further, in characters.
_MAX_CSS: Final = 2 << 20
_PICTURE: Final = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|bmp|svg)(?:\?[^?]*)?\Z", re.IGNORECASE)
_CSS_ADDRESS: Final = re.compile(
    r"""url\(\s{0,9}(?:"([^"\n]{1,2000})"|'([^'\n]{1,2000})'|([^()"'\s]{1,2000}))\s{0,9}\)"""
    r"""|@import\s{1,9}(?:"([^"\n]{1,2000})"|'([^'\n]{1,2000})')""",
    re.IGNORECASE,
)
#: One that is not closed goes on to the end (CSS Syntax, 4.3.2): from each "/*" anew it would take hours.
_CSS_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
#: Pages that load pictures late name them here; WeChat uses data-src.
_LATE: Final = ("data-src", "data-original", "data-lazy-src", "data-actualsrc")


def of_page(page: Page) -> list[str]:
    """Give the addresses that a page needs, what is seen at once first, each once."""
    first = [*_attributes(page, ("//img/@src", *(f"//img/@{name}" for name in _LATE)))]
    first += _attributes(page, ("//video/@poster", "//input[@type='image']/@src", "//body/@background"))
    styles = [*_attributes(page, ("//link[contains(@rel, 'stylesheet')]/@href",))]
    icons = [*_attributes(page, ("//link[contains(@rel, 'icon')]/@href",))]
    inline = [str(text) for text in page.all("//style/text() | //@style")]
    drawn = [url for text in inline for url in in_css(text, page.base)]
    sizes = _sizes(page)
    galleries = [url for url in _attributes(page, ("//a[.//img]/@href",)) if _is_own_picture(page, url)]
    return _distinct([*styles, *first, *drawn, *icons, *galleries, *sizes])


def of_stylesheet(content: bytes, content_type: str, url: str) -> list[str]:
    """Give the addresses that a stylesheet needs."""
    return _distinct(in_css(decode(content, content_type), url))


def in_css(text: str, base: str) -> Iterator[str]:
    """Yield the addresses in CSS: `url(…)` and `@import "…"`."""
    plain = _CSS_COMMENT.sub(" ", text[:_MAX_CSS])
    for match in _CSS_ADDRESS.finditer(plain):
        link = next(group for group in match.groups() if group)
        if not link.startswith(("data:", "#")):
            yield joined(base, link)


def _attributes(page: Page, xpaths: Iterable[str]) -> Iterator[str]:
    for xpath in xpaths:
        for value in page.all(xpath)[:_MAX_FOUND]:
            # Late pictures have a drawn one in the place of their own: src="data:image/gif;base64,…".
            if not str(value).startswith("data:"):
                yield joined(page.base, str(value))


def _sizes(page: Page) -> Iterator[str]:
    """Yield the other sizes of pictures; a browser chooses among them by its window."""
    for value in page.all("//img/@srcset | //img/@data-srcset | //picture/source/@srcset")[:_MAX_FOUND]:
        for candidate in re.split(r",\s+", str(value))[:20]:
            words = candidate.split()
            if words and not words[0].startswith("data:"):
                yield joined(page.base, words[0].rstrip(","))


def _is_own_picture(page: Page, url: str) -> bool:
    return bool(_PICTURE.search(url)) and owner(url) == owner(page.url)


def _distinct(found: Iterable[str]) -> list[str]:
    return [url for url in dict.fromkeys(found) if url][:_MAX_FOUND]
