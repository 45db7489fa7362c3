"""The documentation as a site: all pages are in the menu, links lead somewhere, no other host is asked."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

import docs_site_kit as kit

PAGES = [*kit.pages(), *sorted(kit.ROOT.glob("*.md"))]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(kit.ROOT).as_posix())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = kit.build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build/site-docs"


def test_every_page_stands_in_the_menu_once() -> None:
    there = {page.relative_to(kit.DOCS).as_posix() for page in kit.pages()}
    named = Counter(kit.nav())
    assert sorted(there - set(named)) == [], "these pages belong into `nav` of mkdocs.yml"
    assert sorted(set(named) - there) == [], "`nav` of mkdocs.yml names pages that do not exist"
    assert [name for name, times in named.items() if times > 1] == []


def test_the_map_leads_to_both_tutorials_and_to_a_page_of_every_kind() -> None:
    targets = {link.target.split("#")[0] for link in kit.links((kit.DOCS / "index.md").read_text("utf-8"))}
    assert {"tutorial/first-archive.md", "tutorial/first-source.md", "format.md"} <= targets
    assert {target.split("/")[0] for target in targets} >= {"tutorial", "how-to", "reference", "explanation"}


@pytest.mark.parametrize("page", kit.pages(), ids=lambda page: page.relative_to(kit.DOCS).as_posix())
def test_every_page_has_one_title_which_comes_first(page: Path) -> None:
    text = page.read_text("utf-8")
    titles = kit.headings(text, 1)
    assert len(titles) == 1
    assert kit.headings(text)[0] == titles[0]


@EVERY_PAGE
def test_every_link_leads_somewhere(page: Path) -> None:
    wrong = [
        f"{page.relative_to(kit.ROOT)}:{link.line}: {link.target}: {why}"
        for link in kit.links(page.read_text("utf-8"))
        if (why := _trouble(page, link.target))
    ]
    assert wrong == []


def _trouble(page: Path, target: str) -> str:
    parts = urlsplit(target)
    if parts.scheme == "mailto":
        return "" if parts.path.endswith("@example.org") else "the mail address of somebody"
    if parts.scheme or parts.netloc:
        return _trouble_afar(target)
    file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not file.exists():
        return "no such file"
    if page.is_relative_to(kit.DOCS) and not file.is_relative_to(kit.DOCS):
        return "outside of docs/, so it is not on the site"
    if parts.fragment and parts.fragment not in kit.anchors(file.read_text("utf-8")):
        return "no such heading (on the site, or where a forge shows the Markdown)"
    return ""


def _trouble_afar(target: str) -> str:
    """Look at the form of an address alone: nothing is asked."""
    parts = urlsplit(target)
    if parts.scheme not in {"https", "http"}:
        return "not a web address"
    if not re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", parts.netloc):
        return "no plain host name"
    return "" if re.fullmatch(r"[!-~…]+", target) else "characters that an address has not"


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("format.md", ""),
        ("format.md#objects-and-versions", ""),
        ("format.md#no-such", "no such heading"),
        ("no-such.md", "no such file"),
        ("../README.md", "outside"),
        ("https://ocfl.io/1.1/spec/", ""),
        ("https://ocfl/spec", "host"),
        ("https://me:secret@ocfl.io/", "host"),
        ("https://ocfl.io/a b", "characters"),
        ("ftp://ocfl.io/", "not a web address"),
        ("//ocfl.io/", "not a web address"),
        ("mailto:slides@example.org", ""),
        ("mailto:me@ocfl.io", "somebody"),
    ],
)
def test_what_counts_as_a_link_that_leads_nowhere(target: str, why: str) -> None:
    found = _trouble(kit.DOCS / "index.md", target)
    assert why in found
    assert bool(found) == bool(why)


def test_links_are_read_where_they_are_links() -> None:
    text = "# One\n\n`[no](a.md)` [yes](b.md) ![picture](c.png)\n\n```\n[no](d.md)\n```\n\n"
    text += "| a |\n|-|\n| [x](e.md) |\n"
    assert [link.target for link in kit.links(text)] == ["b.md", "c.png", "e.md"]
    assert [link.line for link in kit.links(text)][:2] == [3, 3]


def test_anchors_are_those_that_work_in_both_places() -> None:
    text = "# One `two`\n\n## A – b\n\n## Same\n\n## Same\n\n## 云\n"
    # "A – b" is a-b on the site and a--b elsewhere; the second "Same" is same_1 here and same-1 there.
    assert kit.anchors(text) == {"one-two", "same"}


@given(st.text(max_size=40))
def test_an_anchor_needs_no_escape(title: str) -> None:
    assert re.fullmatch(r"[a-z0-9_-]*", kit.site_anchor(title))


@pytest.mark.parametrize(
    ("line", "said"),
    [("\n[x](no-such.md)\n", "page does not exist"), ("\n[x](format.md#no-such)\n", "anchor does not exist")],
)
def test_a_broken_link_ends_the_build(tmp_path: Path, line: str, said: str) -> None:
    done = kit.build(tmp_path, changed=("index.md", line))
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def test_every_page_is_built_and_nothing_but_pages(site: Path) -> None:
    built = {file.relative_to(site).with_suffix(".md").as_posix() for file in site.glob("**/*.html")}
    assert built == {*kit.nav(), "404.md"}
    assert not list(site.glob("**/*.py"))


def test_every_block_of_code_is_one(site: Path) -> None:
    """A fence that the builder does not understand would show its marks as text."""
    shown = {file.name: html.fromstring(file.read_bytes()).text_content() for file in site.glob("**/*.html")}
    assert [name for name, text in shown.items() if "```" in text] == []


def test_the_pages_load_nothing_from_other_hosts(site: Path) -> None:
    loading = (
        "//script/@src | //img/@src | //iframe/@src | //source/@src | //link[not(@rel='canonical')]/@href"
    )
    for file in site.glob("**/*.html"):
        found = [str(each) for each in html.fromstring(file.read_bytes()).xpath(loading)]
        assert found
        assert [each for each in found if urlsplit(each).netloc] == []
    for file in site.glob("**/*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", file.read_text("utf-8"))


def test_the_index_of_the_search_holds_the_words_of_every_page(site: Path) -> None:
    index = (site / "search.json").read_text("utf-8")
    assert [page for page in kit.nav() if page.replace(".md", ".html") not in index] == []
    assert "陈俊强" in index or "云计算" in index
