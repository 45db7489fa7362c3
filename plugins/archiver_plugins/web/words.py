"""The words of a report without the menus around them: what search finds it by."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from typing import Any, Final

from archiver_plugins.web.page import Page

#: Characters of HTML beyond which the careful way takes too long (it is worse than linear).
_CAREFUL: Final = 1 << 20
_MAX_ELEMENTS: Final = 20_000
_MAX_TEXT: Final = 2_000_000
_BLOCKS: Final = frozenset(
    {"address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "figcaption"}
    | {"figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p"}
    | {"pre", "section", "table", "td", "th", "tr", "ul"}
)
_HIDDEN: Final = frozenset(
    {"script", "style", "noscript", "template", "svg", "nav", "select", "button", "form", "head", "iframe"}
)


def main_text(page: Page) -> tuple[str, str]:
    """Extract the text of a report, and name what extracted it; both empty when there is none.

    trafilatura finds the report among the menus. Where it finds nothing, or the page is too large for it,
    all visible text is taken.
    """
    careful = _careful(page)
    if careful:
        return careful, _tool()
    plain = _plain(page)
    return plain, "all visible text" if plain else ""


@cache
def _tool() -> str:
    return f"trafilatura {version('trafilatura')}"


def _careful(page: Page) -> str:
    import trafilatura

    if len(page.html) > _CAREFUL or page.tree is None:
        return ""
    if sum(1 for _ in page.tree.iter()) > _MAX_ELEMENTS:
        return ""
    try:
        found = trafilatura.extract(
            page.html, output_format="txt", include_comments=False, include_tables=True
        )
    except Exception:  # noqa: BLE001  # it raises what the hostile page makes it raise; there is another way
        return ""
    return tidy(found or "")


def _plain(page: Page) -> str:
    """Walk a page in reading order, starting a line at every block; without recursion."""
    from lxml import etree

    if page.tree is None:
        return ""
    parts: list[str] = []
    hidden: Any = None
    for event, node in etree.iterwalk(page.tree, events=("start", "end")):
        if hidden is None and event == "start" and node.tag in _HIDDEN:
            hidden = node
        if hidden is None:
            parts.append("\n" if node.tag in _BLOCKS else "")
            parts.append(_flat(node.text if event == "start" else node.tail))
        elif event == "end" and node is hidden:
            hidden = None
            parts.append(_flat(node.tail))
    return tidy("".join(parts))


def _flat(words: str | None) -> str:
    return re.sub(r"\s+", " ", words or "")


def tidy(text: str) -> str:
    """Drop blank lines, control characters and what is too much."""
    lines = (" ".join(line.split()) for line in text[:_MAX_TEXT].splitlines())
    plain = "\n".join(line for line in lines if line)
    return "".join(char for char in plain if char == "\n" or char.isprintable())
