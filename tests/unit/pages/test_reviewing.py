"""The review: what it counts, how it says it in two languages, and that no title becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import lxml.html
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from archiver import logbook
from archiver.amend import amending
from archiver.asked import NOBODY_ASKED
from archiver.cli import execute
from archiver.ledger import Record
from archiver.model import Event, Kind, Talk
from archiver.pages import markdown, places
from archiver.pages.reviewing import Review, Saying, of_head
from archiver.pages.words import Words
from archiver.waivers import Waiver
from line_kit import World
from site_kit import EVIL, Rich, built, deck, hostile, tour

ZH, EN = Words("zh"), Words("en")
READER = MarkdownIt("commonmark", {"html": True}).enable("table")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return tour(tmp_path_factory.mktemp("tour"))


def review(world: World) -> Review:
    return of_head(world.head(), world.config, NOBODY_ASKED)


def test_it_says_what_is_known_and_no_more(world: World) -> None:
    told = Saying(review(world), EN)
    assert told.introduction() == [
        "2012 Tour was organized by COSUG.",
        "There were 2 stops with 3 talks; the only known date is 16 September 2012.",
        "The date of 1 stop is not known.",
        "The organizers state: 1,060 enrolled.",
        "The archive holds 2 decks of slides, 1 report and 5 photos.",
        "Of 9 things that are expected, 4 are here (44 %).",
    ]


def test_it_says_the_same_in_chinese(world: World) -> None:
    told = Saying(review(world), ZH)
    assert "".join(told.introduction()) == (
        "2012 Tour 由 COSUG 主办。共 2 站、3 场演讲，已知日期仅2012年9月16日。其中 1 站日期不详。"
        "据主办方统计，报名 1,060 人。资料库现收录幻灯片 2 份、报道 1 篇、照片 5 张。"
        "应有资料 9 项，已有 4 项（44%）。"
    )
    assert told.holdings() == [
        ("幻灯片", "2 站全部都有；部分尚缺：北京站 Beijing"),
        ("视频", "2 站均无"),
        ("报道", "2 站中有 1 站；尚缺：Nanjing"),
        ("照片", "2 站中有 1 站；尚缺：Nanjing"),
    ]
    assert [(stop.title, words) for stop, words in told.missing()] == [
        ("北京站 Beijing", "1 场演讲的幻灯片、视频"),
        ("Nanjing", "视频、照片、报道"),
    ]
    assert told.again() == [("Juju – Make Your Life Easier", "北京站 Beijing、Nanjing")]


def test_what_is_waived_is_told_with_its_reason(tmp_path: Path) -> None:
    world = tour(tmp_path, "en", things=[])
    line = Waiver("nanjing", Kind.VIDEO, why="nobody <b>filmed</b>", at=logbook.now()).line()
    with amending(world.config, world.registry()) as desk:
        desk.write(logbook.WAIVERS, [line], "waived")
    told = Saying(review(world), EN)
    assert told.waived() == [("Nanjing, Videos", "nobody <b>filmed</b>")]
    assert ("Videos", "none from the only stop; not expected any more from Nanjing") in told.holdings()
    written = markdown.markdown(review(world), EN, lambda _: "")
    assert "- Nanjing, Videos: nobody &lt;b&gt;filmed&lt;/b&gt;" in written
    built(world)
    pages = [(tmp_path / "local" / page).read_text() for page in (places.COVERAGE, places.REVIEW)]
    assert all("nobody &lt;b&gt;filmed&lt;/b&gt;" in page for page in pages)


def test_events_without_talks_stand_beside_the_stops_unless_all_are_so(tmp_path: Path) -> None:
    stop = Event("a", "Stop", talks=(Talk("t", "Talk"),))
    meetup = Event("m", "Meetup", "2012-08-10")
    world = World(tmp_path, events=(meetup, stop))
    world.up.put(Rich("d", (deck("x"),), event="m", kind=Kind.SLIDES, title="A deck", authors=("Ann",)))
    world.run()
    told = review(world)
    assert [each.title for each in told.stops] == ["Stop"]
    ((topic,),) = [each.topics for each in told.others]
    assert (topic.title, topic.speakers, len(topic.slides)) == ("A deck", ("Ann",), 1)
    world.events = (meetup, replace(stop, talks=()))
    assert [each.number for each in review(world).stops] == [1, 2]


def test_the_page_shows_what_the_markdown_says(world: World) -> None:
    built(world)
    page = (world.folder / "local" / places.REVIEW).read_text()
    told = Saying(review(world), ZH)
    for sentence in told.introduction():
        assert sentence in page
    tree = lxml.html.fromstring(page)
    assert len(tree.xpath("//table/tbody/tr")) == 2
    assert tree.xpath("//nav/a[@aria-current='page']/@href") == ["review.html"]


def plain(html: str) -> str:
    return " ".join(str(lxml.html.fromstring(f"<div>{html}</div>").text_content()).split())


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=60))
@example("# no heading")
@example("1. no list")
@example("2012. Tour")
@example("- no [link](javascript:alert(1)) ![x](y)")
@example("a | b `c` *d* _e_ ~~f~~ <b>g</b> &lt; &#60; &copy; \\")
@example("<!-- gone -->")
@example("===")
@example("    code")
@example("> quote")
@example("[x]: https://evil.example")
@example("https://evil.example www.evil.example mailto:a@b.example")
@example("R&D with <script>alert(1)</script>")
def test_any_text_stays_that_text(words: str) -> None:
    written = markdown.text(words)
    wanted = " ".join(words.split())
    for frame, tags in (
        ("{}", {"p"}),
        ("- {}", {"ul", "li"}),
        ("### {}", {"h3"}),
        ("| a |\n| --- |\n| {} |", {"table"}),
    ):
        html = READER.render(frame.format(written))
        shown = plain(html)
        assert shown == wanted or shown == f"a {wanted}".strip(), (frame, html)
        found = set(re.findall(r"<([a-z0-9]+)", html))
        assert found <= tags | {"thead", "tbody", "tr", "th", "td", "p"}, (frame, html)


@given(st.text(max_size=40), st.text(max_size=40))
@example("x", "https://example.org/a?b=1&copy;=2>)")
@example("](y", "a b\\c<d>")
def test_a_link_is_one_link_whatever_it_holds(words: str, target: str) -> None:
    html = READER.render(markdown.link(words, target.encode("utf-8", "replace").decode()))
    assert html.count("<a ") == bool(target)
    assert "<img" not in html


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    world = hostile(tmp_path)
    written = markdown.markdown(review(world), EN, lambda item: item.url)
    html = READER.render(written)
    tree = lxml.html.fromstring(html)
    assert not tree.xpath("//script | //img | //@onerror")
    assert not [link for link in tree.xpath("//a/@href") if not link.startswith("https://")]
    assert html.count("pwned") > 5
    assert EVIL.split("<")[0] in tree.text_content()


def test_the_command_prints_writes_and_links(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/deck.pdf").write_bytes(deck("one"))
    config = tmp_path / "archive.yaml"
    config.write_text(
        "archive: {title: Tour, language: en}\nsinks: {local: {type: disk, path: ./archive}}\n"
        "events: [{id: a, title: Stop, expect: [slides], sources: [{type: folder, path: ./in}]}]\n"
    )
    assert execute(["run", "-c", str(config)]) == 0
    capsys.readouterr()
    target = tmp_path / "told" / "review.md"
    target.parent.mkdir()
    assert execute(["review", "-c", str(config), "--to", str(target)]) == 0
    (path,) = re.findall(r"\[Slides\]\(<(.*)>\)", target.read_text())
    assert (target.parent / path).is_file()
    capsys.readouterr()
    assert execute(["review", "-c", str(config), "--url", "https://x.example/", "--language", "zh"]) == 0
    out = capsys.readouterr().out
    assert "# Tour 回顾" in out
    assert "[幻灯片](<https://x.example/site/" in out
    assert execute(["review", "-c", str(config), "--url", "x"]) == 2
    assert execute(["review", "-c", str(config), "--to", str(tmp_path / "no/where.md")]) == 2
    assert "name a file in a folder" in capsys.readouterr().err


def test_a_record_taken_down_is_not_told(world: World) -> None:
    from archiver.ledger import State

    head = world.head()
    for key, record in list(head.records.items()):
        assert isinstance(record, Record)
        head.records[key] = replace(record, state=State.TAKEN_DOWN)
    told = of_head(head, world.config, NOBODY_ASKED)
    assert told.site.totals == {}
    assert Saying(told, EN).introduction()[-2] == "The archive holds nothing of it yet."
