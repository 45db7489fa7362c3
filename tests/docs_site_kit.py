"""The documentation, read as Markdown by another parser than the site builder's, and built as a site."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from markdown_it.token import Token

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
CONFIG = ROOT / "mkdocs.yml"


@dataclass(frozen=True)
class Link:
    """A link or picture: what it leads to, and the line of the block that it stands in."""

    target: str
    line: int


def pages() -> list[Path]:
    return sorted(DOCS.glob("**/*.md"))


def nav() -> list[str]:
    """Give the pages of the menu, in its order."""
    return list(_entries(yaml.safe_load(CONFIG.read_text("utf-8"))["nav"]))


def _entries(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    else:
        for each in part.values() if isinstance(part, dict) else part:
            yield from _entries(each)


def links(text: str) -> list[Link]:
    """Give the links and pictures of a text; what stands in code is none."""
    return [
        Link(str(child.attrs.get("href", child.attrs.get("src"))), (block.map or [0])[0] + 1)
        for block in _parse(text)
        for child in block.children or []
        if child.type in {"link_open", "image"}
    ]


def headings(text: str, level: int | None = None) -> list[str]:
    """Give the headings as they are read: without the marks of code and emphasis."""
    tokens = _parse(text)
    return [
        "".join(child.content for child in inline.children or [])
        for opened, inline in pairwise(tokens)
        if opened.type == "heading_open" and level in {None, int(opened.tag[1:])}
    ]


def _parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def anchors(text: str) -> set[str]:
    """Give the anchors that lead to a heading both on the site and where Markdown is shown by a forge."""
    titles = headings(text)
    return set(_numbered(map(site_anchor, titles), "_")) & set(_numbered(map(forge_anchor, titles), "-"))


def site_anchor(title: str) -> str:
    """Make the anchor that Python-Markdown gives a heading: Latin letters alone, runs of hyphens as one."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


def forge_anchor(title: str) -> str:
    """Make the anchor that GitHub and GitLab give a heading: all letters, every space a hyphen."""
    return re.sub(r"[^\w -]", "", title.strip().lower()).replace(" ", "-")


def _numbered(names: Iterator[str], mark: str) -> Iterator[str]:
    """Tell the second heading of a name from the first, as `_1` or `-1`."""
    seen: Counter[str] = Counter()
    for name in names:
        yield f"{name}{mark}{seen[name]}" if seen[name] else name
        seen[name] += 1


def build(folder: Path, *, changed: tuple[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Build the site as `make docs-site` does, of a copy of the documents: into `folder`/build/site-docs.

    changed: a page, and what is put at its end first.
    """
    shutil.copytree(DOCS, folder / "docs", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copy(CONFIG, folder)
    if changed:
        with (folder / "docs" / changed[0]).open("a", encoding="utf-8") as page:
            page.write(changed[1])
    return subprocess.run(
        [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
