"""The site holds what the archive holds, changes when it changes, and leads nowhere that is not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import jsonschema
import lxml.html
import pytest

from archiver import ledger
from archiver.asked import Ask, Asks, Way
from archiver.errors import SinkError
from archiver.ledger import Match, State
from archiver.model import Kind, Talk
from archiver.pages import build, places, rendering
from archiver.pages.writing import STATE
from archiver.sinks.wrapper import Wrapper
from line_kit import World
from site_kit import EVIL, A, Rich, built, deck, hostile, items, jpeg, tour


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = tour(tmp_path_factory.mktemp("tour"))
    built(world, url="https://slides.example.org/")
    return world.folder / "local"


def pages(folder: Path) -> list[Path]:
    return [*(folder / "site").rglob("*.html"), folder / "index.html"]


def test_every_link_leads_to_a_file_and_every_resource_is_our_own(folder: Path) -> None:
    for page in pages(folder):
        tree = lxml.html.fromstring(page.read_bytes())
        for element, attribute, link, _ in tree.iterlinks():
            parts = urlsplit(link)
            if parts.scheme:
                assert (element.tag, attribute) == ("a", "href"), (page, link)
                continue
            target = page.parent / unquote(parts.path) if parts.path else page
            assert not parts.path.startswith("/"), link
            assert target.is_file(), (page, link)
            if parts.fragment and target.suffix == ".html":
                ids = lxml.html.fromstring(target.read_bytes()).xpath("//@id")
                assert parts.fragment in ids, (page, link)


def test_no_page_holds_a_script_or_a_style_of_its_own(folder: Path) -> None:
    for page in pages(folder):
        tree = lxml.html.fromstring(page.read_bytes())
        assert not tree.xpath("//style | //@style")
        inline = [each for each in tree.xpath("//script") if not each.get("src")]
        assert all(each.get("type") == "application/ld+json" for each in inline)
        assert not [name for each in tree.iter() for name in each.attrib if name.startswith("on")]
        assert "default-src 'none'" in tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]


def test_every_page_describes_itself_for_programs(folder: Path) -> None:
    for page in (folder / "site").rglob("*.html"):
        blocks = lxml.html.fromstring(page.read_bytes()).xpath("//script[@type='application/ld+json']/text()")
        assert json.loads(blocks[0])["@context"] == "https://schema.org", page


def test_the_catalog_is_as_its_schema_says(folder: Path) -> None:
    catalog = json.loads((folder / places.CATALOG).read_bytes())
    schema = json.loads((folder / places.CATALOG_SCHEMA).read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(catalog)
    held = [file for event in catalog["events"] for item in event["materials"] for file in item["files"]]
    assert len(held) == len(items())
    assert all((folder / file["path"]).stat().st_size == file["size"] for file in held)
    drawn = [p for e in catalog["events"] for i in e["materials"] for pic in i["pictures"] for p in pic]
    assert drawn
    assert all((folder / each["path"]).is_file() for each in drawn)


def test_the_feed_and_the_sitemap_name_pages_by_their_public_addresses(folder: Path) -> None:
    atom = "{http://www.w3.org/2005/Atom}"
    feed = ET.fromstring((folder / places.FEED).read_bytes())
    links = [each.find(f"{atom}link").get("href") for each in feed.iter(f"{atom}entry")]  # type: ignore[union-attr]
    assert len(links) == len(items())
    assert all(str(link).startswith("https://slides.example.org/site/") for link in links)
    listed = ET.fromstring((folder / places.SITEMAP).read_bytes())
    found = [
        unquote(each.text or "").removeprefix("https://slides.example.org/")
        for each in listed.iter()
        if each.text and each.text.strip()
    ]
    assert set(found) == {str(p.relative_to(folder)) for p in (folder / "site").rglob("*.html")}


def test_a_talk_names_the_other_stops_and_how_the_decks_differ(folder: Path) -> None:
    page = (folder / places.talk_page("beijing", "juju")).read_text()
    assert "../nanjing/juju.html" in page
    assert page.count("data-caption") == 3


def test_a_report_named_like_a_file_is_called_by_its_first_line(folder: Path) -> None:
    page = next((folder / "site/item/beijing").glob("*.html")).read_text()
    assert "<h1>北京站报道</h1>" in page
    assert "一百五十人" in page


def test_a_second_build_writes_nothing_and_one_more_deck_only_its_pages(tmp_path: Path) -> None:
    world = tour(tmp_path)
    first = built(world)
    assert first.written > 100
    assert built(world) == replace(first, written=0, drawn=0)
    before = {path: path.stat().st_mtime_ns for path in pages(tmp_path / "local")}
    world.up.put(
        Rich("chef", (deck("a", "b"),), event="beijing", kind=Kind.SLIDES, talk="chef", title="Chef")
    )
    world.run()
    assert built(world).drawn == 1
    local = tmp_path / "local"
    touched = {str(p.relative_to(local)) for p, when in before.items() if p.stat().st_mtime_ns != when}
    assert places.talk_page("beijing", "chef") in touched
    assert places.talk_page("beijing", "juju") not in touched
    assert places.wall_page("beijing") not in touched


def _renamed(world: World, at: int, **changes: Any) -> None:
    events = [
        replace(event, **changes) if number == at else event for number, event in enumerate(world.events)
    ]
    world.events = tuple(events)


def _upload(world: World, name: str, data: bytes, event: str, **more: Any) -> None:
    world.up.put(Rich(name, (data,), event=event, kind=Kind.SLIDES, **more))
    world.run()


def _lost(world: World) -> None:
    del world.up.items["deck"]
    world.run()


#: What may happen to an archive between two nights, each after the one before.
HAPPENINGS: dict[str, Callable[[World], None]] = {
    "a deck comes to another stop": lambda w: _upload(w, "x", deck("one", "three"), "nanjing", talk="juju"),
    "a stop gets a name": lambda w: _renamed(w, 1, title="Nanjing, at last"),
    "a stop gets a date": lambda w: _renamed(w, 1, date="2012-11-03"),
    "two stops change places": lambda w: setattr(w, "events", w.events[::-1]),
    "and change back": lambda w: setattr(w, "events", w.events[::-1]),
    "a talk gets a speaker": lambda w: _renamed(w, 1, talks=(Talk("juju", "Juju", ("侯正鹏",)),)),
    "a talk gets another title": lambda w: _renamed(w, 1, talks=(Talk("juju", "Quantum", ("侯正鹏",)),)),
    "a talk is called off": lambda w: _renamed(w, 0, talks=(A.talks[0], replace(A.talks[1], cancelled=True))),
    "a deck is moved to another talk": lambda w: _upload(w, "deck", deck("one"), "beijing", talk="chef"),
    "upstream loses a deck": _lost,
    "a stop leaves the programme": lambda w: setattr(w, "events", w.events[:1]),
    "the archive gets a name": lambda w: setattr(w, "settings", replace(w.settings, title="Another")),
    "the language changes": lambda w: setattr(w, "settings", replace(w.settings, language="en")),
}


def _at_once(world: World, **options: Any) -> int:
    """Render every page whatever it was made of; say how many are other than those that are there."""
    state = world.folder / "local" / STATE
    state.write_text(json.dumps({**json.loads(state.read_bytes()), "made_of": {}}))
    return built(world, **options).written


def test_what_is_built_bit_by_bit_is_what_is_built_at_once(tmp_path: Path) -> None:
    world = tour(tmp_path)
    when = "2012-10-01T00:00:00Z"
    ask = Ask("token", "beijing", ("chef",), "Junqiang Chen", "m@example.org", when, Way.SENT)
    built(world)
    for options in (
        {"asks": Asks({"token": ask}, {"m@example.org": ask})},
        {"url": "https://slides.example.org/"},
    ):
        assert built(world, **options).written, options
        assert _at_once(world, **options) == 0, options
    for what, happens in HAPPENINGS.items():
        happens(world)
        assert built(world).written, what
        assert _at_once(world) == 0, what


def test_a_page_made_of_the_same_is_not_even_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = tour(tmp_path)
    built(world)
    _upload(world, "chef", deck("a"), "beijing", talk="chef")
    rendered: list[str] = []
    render = rendering.render

    def watched(template: str, path: str, *arguments: Any) -> bytes:
        rendered.append(path)
        return render(template, path, *arguments)

    monkeypatch.setattr(rendering, "render", watched)
    built(world)
    assert places.talk_page("beijing", "chef") in rendered
    assert places.talk_page("nanjing", "juju") in rendered  # compared with one of Beijing
    assert places.event_page("nanjing") not in rendered
    rendered.clear()
    built(world)
    assert set(rendered) <= {places.HOME, places.ROOT_PAGE, places.SPEAKERS, places.PHOTOS, places.SEARCH,
                             places.COVERAGE, places.REVIEW}  # fmt: skip


def test_a_killed_build_leaves_nothing_that_the_next_one_takes_for_made(tmp_path: Path) -> None:
    world = tour(tmp_path)
    built(world)
    calm = {path: path.read_bytes() for path in pages(tmp_path / "local")}
    events = world.events
    _renamed(world, 0, title="Peking")
    head, left = world.head(), [7]
    replaces = head.sink.replace

    def dies(path: str, *arguments: Any, **options: Any) -> Any:
        if path.endswith(".html"):
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
        return replaces(path, *arguments, **options)

    head.sink.replace = dies  # type: ignore[method-assign]  # a process that is killed
    with pytest.raises(KeyboardInterrupt):
        build(head, world.config)
    world.events = events
    built(world)
    assert {path: path.read_bytes() for path in pages(tmp_path / "local")} == calm


def test_a_file_that_somebody_removed_is_written_again(tmp_path: Path) -> None:
    world = tour(tmp_path)
    built(world)
    page = tmp_path / "local" / places.COVERAGE
    page.unlink()
    assert built(world).written == 1
    assert page.is_file()


def test_what_is_taken_down_leaves_a_stub_and_nothing_else(tmp_path: Path) -> None:
    world = tour(tmp_path)
    built(world)
    head = world.head()
    record = head.records["beijing", "src", "report"]
    page = tmp_path / "local" / places.item_page("beijing", places.item_id(record))
    assert "一百五十人" in page.read_text()
    head.records[record.key] = record.moved(State.TAKEN_DOWN, "2026-01-01T00:00:00Z", "run")
    assert build(head, world.config).stubs == 1
    site = tmp_path / "local" / "site"
    assert "资料库" in page.read_text()
    assert not [path for path in site.rglob("*") if path.is_file() and "一百五十人" in path.read_text()]
    assert record.files[0].sha256 not in (tmp_path / "local" / places.CATALOG).read_text()


def test_a_picture_that_cannot_be_drawn_costs_itself_alone_and_is_not_tried_again(tmp_path: Path) -> None:
    broken = jpeg("broken")
    things = [*items(), Rich("bad", (broken,), event="beijing", kind=Kind.PHOTO, title="bad")]
    world = tour(tmp_path, things=things)
    [stored] = world.record("bad", "beijing").files
    path = tmp_path / "local" / world.head().object("beijing").locate(stored.path)
    path.chmod(0o644)
    path.write_bytes(broken[:40])
    done = built(world)
    assert done.undrawn == 1
    assert "undrawn" in (tmp_path / "local" / places.wall_page("beijing")).read_text()
    assert built(world).drawn == 0


def test_another_sink_gets_copies_of_the_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = tour(tmp_path, things=[])
    world.sinks = ("local", "other")
    for name in ("local", "other"):
        (tmp_path / name).mkdir(exist_ok=True)
    world = World(tmp_path / "two", events=world.events, settings=world.settings, sinks=("one", "two"))
    world.up.put(*items())
    world.run()
    one, two = world.head("one"), world.head("two")
    build(one, world.config)
    from archiver import examine

    monkeypatch.setattr(examine, "draw", lambda *_, **__: pytest.fail("drawn again"))
    build(two, world.config, lenders=[one])

    def trees(name: str) -> dict[str, bytes]:
        root = tmp_path / "two" / name
        return {
            str(p.relative_to(root)): p.read_bytes()
            for top in ("site", "derived") for p in (root / top).rglob("*")
            # What they were made of differs: one sink's version may be a second younger.
            if p.is_file() and not p.name.startswith(("stamp.json", "pages.json"))
        }  # fmt: skip

    assert trees("one") == trees("two")


class Remote(Wrapper):
    """The same store, as if it were on another machine."""

    @property
    def local_root(self) -> Path | None:
        return None


def test_a_sink_on_another_machine_gets_the_same_site(tmp_path: Path) -> None:
    world = tour(tmp_path)
    head = world.head()
    done = build(replace(head, sink=Remote(head.sink)), world.config)
    assert done.undrawn == 0
    assert built(world) == replace(done, written=0, drawn=0)
    assert built(world, anew=True) == replace(done, written=0)


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    world = hostile(tmp_path)
    built(world)
    seen = 0
    for page in pages(tmp_path / "local"):
        tree = lxml.html.fromstring(page.read_bytes())
        assert not tree.xpath("//img[@src='x'] | //@onerror | //@onclick"), page
        assert "\u202e" not in page.read_text()
        seen += tree.text_content().count("{{ 7*7 }}")
        assert not [a for a in tree.xpath("//a/@href") if urlsplit(a).scheme not in {"", "https"}]
    assert seen > 20


def test_a_stop_that_the_configuration_no_longer_names_keeps_its_page(tmp_path: Path) -> None:
    world = tour(tmp_path)
    world.events = world.events[:1]
    built(world)
    page = (tmp_path / "local" / places.event_page("nanjing")).read_text()
    assert "Juju - make your life easier" in page


def test_an_empty_archive_has_pages_too(tmp_path: Path) -> None:
    world = tour(tmp_path, "en", things=[])
    done = built(world)
    assert done.pages > 5
    assert "missing" in (tmp_path / "local" / places.COVERAGE).read_text()


def test_a_full_disk_is_the_sinks_error(tmp_path: Path) -> None:
    world = tour(tmp_path)
    head = world.head()

    def refuse(*_: object, **__: object) -> None:
        raise SinkError("the disk is full")

    head.sink.replace = refuse  # type: ignore[method-assign,assignment]  # a sink that fails
    with pytest.raises(SinkError, match="full"):
        build(head, world.config)


def test_a_torn_state_of_the_last_build_costs_time_only(tmp_path: Path) -> None:
    world = tour(tmp_path)
    first = built(world)
    for path in (tmp_path / "local/site/state").iterdir():
        path.write_bytes(b'{"torn')
    again = built(world)
    assert (again.written, again.drawn) == (first.written, first.drawn)


def test_data_blocks_cannot_be_left() -> None:
    text = str(rendering.data_block({"x": EVIL}))
    assert not {"<", ">", "&"} & set(text)
    assert json.loads(text) == {"x": EVIL}


def test_the_ledger_is_untouched(tmp_path: Path) -> None:
    world = tour(tmp_path)
    before = ledger.dump(world.records().values())
    built(world)
    assert ledger.dump(world.records().values()) == before


def test_what_a_person_rejected_is_on_no_page(tmp_path: Path) -> None:
    world = tour(tmp_path)
    built(world)
    head = world.head()
    record = head.records["beijing", "src", "report"]
    rejected = Match(method="decision", why="rejected: not ours")
    head.records[record.key] = replace(record, match=rejected)
    build(head, world.config)
    site = tmp_path / "local" / "site"
    assert not [path for path in site.rglob("*") if path.is_file() and "一百五十人" in path.read_text()]
