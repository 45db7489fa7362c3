"""Digests over real runs: what came, what went wrong, what is missing, and how that changed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.archive import Archive
from archiver.bundle import Bundle, Refused
from archiver.coverage import coverage
from archiver.digest import Digest, Reports, failure, gather, markdown, subject, text
from archiver.digest.model import Figure, Trouble
from archiver.digest.model import Item as Told
from archiver.errors import BlockedError, ConfigError
from archiver.model import Kind
from archiver.route import Filters
from line_kit import A, Item, World
from media_samples import pdf


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, events=(A,))
    made.up.put(Item("x"), Item("y"))
    return made


def digest(world: World, run: str = "", since: str = "") -> Digest:
    archive = Archive({"local": world.head()}, {})
    reports = Reports(archive.heads.values())
    chosen = reports.find(run) if run else reports.ids[-1]
    records = archive.records.values()
    now = coverage(world.events, records)
    return gather(world.config, reports, records, now, run=chosen, since=reports.since(since, chosen))


def ids(items: tuple[Any, ...]) -> list[str]:
    return [item.id for item in items]


def test_what_came_in_each_run(world: World) -> None:
    world.run()
    first = digest(world)
    assert (ids(first.new), ids(first.changed), first.since) == (["x", "y"], [], "")
    world.up.put(Item("z"), Item("x", (b"other bytes",), "2"))
    world.run()
    second = digest(world)
    assert (ids(second.new), ids(second.changed)) == (["z"], ["x"])
    assert second.since == first.run
    world.run()
    assert not digest(world).has_changes
    # An earlier run is told as it was, whatever came later.
    assert ids(digest(world, first.run).new) == ["x", "y"]


def test_what_went_and_came_back(world: World) -> None:
    world.run()
    kept = world.up.items.pop("x")
    world.run()
    assert ids(digest(world).withdrawn) == ["x"]
    world.up.put(kept)
    world.run()
    found = digest(world)
    assert ids(found.returned) == ["x"]
    assert found.withdrawn == ()


def test_coverage_and_what_it_is_made_of(world: World) -> None:
    world.run()
    before = digest(world)
    assert before.coverage is not None
    assert {(place.talk, place.kind) for place in before.missing} >= {("chef", "slides")}
    world.up.put(Item("d", (pdf(["x"]),), talk="chef", kind=Kind.SLIDES, title="Deploy OpenStack with Chef"))
    world.run()
    after = digest(world)
    assert after.coverage == Figure(before.coverage.have + 1, before.coverage.wanted)
    assert after.before == before.coverage
    assert [(place.talk, place.talk_title) for place in after.arrived] == [
        ("chef", "Deploy OpenStack with Chef")
    ]
    assert len(after.missing) == len(before.missing) - 1
    assert "Not missing any more (1)" in text(after)


def test_troubles_and_whether_they_are_news(world: World) -> None:
    world.up.change("x", fails=BlockedError("a captcha"))
    world.run()
    first = digest(world)
    assert [(each.id, each.reason, each.known) for each in first.problems] == [("x", "blocked", False)]
    assert first.exit_code == 1
    assert first.has_news_of_problems
    assert "A person has to act first" in text(first)
    world.run()
    assert [each.known for each in digest(world).problems] == [True]
    assert not digest(world).has_news_of_problems
    # Over both runs it is news.
    assert [each.known for each in digest(world, since="2000-01-01").problems] == [False]


def test_a_source_that_cannot_be_listed(world: World) -> None:
    world.up.breaks_after, world.up.error = 0, BlockedError("log in first")
    world.run()
    (trouble,) = digest(world).sources
    assert (trouble.name, trouble.reason, trouble.known) == ("src", "blocked", False)
    assert "log in first" in trouble.error
    world.run()
    assert digest(world).sources[0].known


def test_what_a_bundle_left_alone_is_no_listing_that_failed(world: World) -> None:
    left = Refused("elsewhere", "folder", "blocked")
    world.run(bundle=Bundle(listings=(left,)))
    told = digest(world)
    (trouble,) = told.sources
    assert (trouble.name, trouble.reason) == ("elsewhere", "left-alone")
    shown = text(told)
    assert "Sources that could not be listed" not in shown
    assert "Left alone of the bundle (1):\n  elsewhere (new): its listing left alone: no source of" in shown
    assert "the next run tries again" not in shown
    assert "run over the bundle again" in shown
    assert told.exit_code == 1


def test_what_remains_is_told_as_far_as_it_is_known(world: World) -> None:
    world.run(filters=Filters(limit=1))
    told = digest(world)
    assert (told.remaining, told.unlisted) == (0, ("src",))
    assert "How much remains is not known, and not listed to the end: src. There may be more" in text(told)
    world.run()
    assert digest(world).unlisted == ()
    assert "not known" not in text(digest(world))


def test_over_several_runs(world: World) -> None:
    runs = [world.run().run]
    for name in ("p", "q"):
        world.up.put(Item(name))
        runs.append(world.run().run)
    assert ids(digest(world, since=runs[0]).new) == ["p", "q"]
    assert digest(world, since=runs[0]).runs == tuple(runs[1:])
    assert ids(digest(world, since=runs[1]).new) == ["q"]
    day = f"{runs[0][:4]}-{runs[0][4:6]}-{runs[0][6:8]}"
    assert ids(digest(world, since=day).new) == ["p", "q", "x", "y"]
    assert "3 runs, the last one" in text(digest(world, since=day))


def test_since_the_last_that_came_to_its_end(world: World) -> None:
    whole = world.run().run
    world.up.put(Item("p"), Item("q"))
    cut = world.prepared(jobs=1)
    world.up.during_fetch = lambda _: cut.stop.set()
    assert cut.execute().interrupted
    world.up.during_fetch = lambda _: None
    world.run()
    assert digest(world, since="last").since == whole
    assert digest(world).since == cut.id
    assert ids(digest(world, since="last").new) == ["p", "q"]


@pytest.mark.parametrize("typed", ["nonsense", "1999", "../x", "19990101"])
def test_no_such_run(world: World, typed: str) -> None:
    world.run()
    with pytest.raises(ConfigError, match="there is no report of a run") as caught:
        digest(world, typed)
    assert "the newest is" in caught.value.hint


def test_too_little_was_typed(world: World) -> None:
    run = world.run().run
    world.run()
    with pytest.raises(ConfigError, match="2 runs begin with"):
        digest(world, run[:8])
    with pytest.raises(ConfigError, match="is not earlier than"):
        digest(world, run, since=run)


def test_a_torn_report_costs_only_itself(world: World) -> None:
    world.run()
    world.up.put(Item("z"))
    (world.folder / "local/runs" / f"{world.run().run}.json").write_text("{torn")
    found = digest(world)
    assert (found.coverage, found.exit_code) == (None, 0)
    assert ids(found.new) == ["z"]


def test_a_report_of_strange_shapes(world: World) -> None:
    run = world.run().run
    odd = {"run": run, "problems": [1, {"id": 7}], "sources": [], "sinks": {"x": 3}, "coverage": "much"}
    (world.folder / "local/runs" / f"{run}.json").write_text(json.dumps(odd))
    assert text(digest(world)).startswith("A tour\n")


def test_no_run_at_all(world: World) -> None:
    found = failure(world.config, "20121202T093000Z-3f9a2c", "2012-12-02T09:30:00Z", "no disk", 3)
    assert "could not begin: no disk" in text(found)
    assert subject(found) == "A tour: the run could not begin"
    assert found.has_news_of_problems


def test_json_is_plain(world: World) -> None:
    world.run()
    data = digest(world).to_json()
    assert json.loads(json.dumps(data))["coverage"]["percent"] == data["coverage"]["percent"]


TITLES = st.text(max_size=60)


@given(TITLES, TITLES)
def test_no_title_steers_a_terminal_or_makes_markup(title: str, detail: str) -> None:
    item = Told("a", "Stop", "s", "1", "slides", title, "https://example.org/a?b=1")
    trouble = Trouble("a", "Stop", "s", "1", title, "failed", detail, "", known=False, is_open=True)
    told = Digest("T", "r", new=(item,), problems=(trouble,))
    for line in text(told).split("\n"):
        assert line.isprintable()
    made = markdown(told)
    assert not re.search(r"(?<!\\)<(?!https://example\.org/a\?b=1>)", made)
    assert sum(line.startswith("#") for line in made.splitlines()) == 3
    assert made.count("\n- ") == 2


def test_long_lists_are_cut_and_counted() -> None:
    items = tuple(Told("a", "Stop", "s", str(number), "photo", f"p{number}") for number in range(45))
    told = Digest("T", "r", new=items)
    assert "New (45):" in text(told)
    assert "… and 25 more" in text(told)
    assert "- … and 25 more" in markdown(told)
