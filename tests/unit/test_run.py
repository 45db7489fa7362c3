"""Runs night after night, over an upstream in memory and a real disk sink."""

from __future__ import annotations

import json
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from archiver import instances
from archiver.config import ArchiveSettings
from archiver.contracts import Options, Source
from archiver.errors import (
    BlockedError,
    FatalError,
    GoneError,
    InvalidError,
    SinkError,
    TransientError,
)
from archiver.hooks import hookimpl
from archiver.journal import Entry, Journal
from archiver.ledger import State
from archiver.model import Event, Kind
from archiver.pool import Crew
from archiver.route import Filters
from line_kit import A, B, Item, Upstream, World, counts, failing_at


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def two_sinks(world: World) -> World:
    world.sinks = ("one", "two")
    return world


# One night after the other


def test_what_is_new_is_stored_and_the_second_night_is_idle(world: World) -> None:
    world.up.put(Item("x"), Item("y", data=(b"1", b"2"), event="b"))
    first = world.run()
    assert first.exit_code() == 0
    assert counts(first) == {"new": 1}
    assert counts(first, "b") == {"new": 1}
    assert (first.files, first.bytes, first.remaining) == (3, len(b"some bytes") + 2, 0)
    assert world.stored("y", "b") == [b"1", b"2"]
    before = world.versions()
    second = world.run()
    assert counts(second) == {"same": 1}
    assert world.versions() == before
    assert (second.files, second.bytes) == (0, 0)
    assert sorted(world.up.fetched) == ["x", "y"]


def test_changed_bytes_keep_the_old_files_and_put_only_what_changed(world: World) -> None:
    world.up.put(Item("x", data=(b"cover", b"page one")))
    world.run()
    world.up.change("x", data=(b"cover", b"page one, mended"), revision="2")
    assert counts(world.run()) == {"changed": 1}
    record = world.record("x")
    assert world.stored("x") == [b"cover", b"page one, mended"]
    assert [file.size for edition in record.earlier for file in edition.files] == [5, 8]
    added = {path for path in world.head().object("a").files if path.startswith("v2/content/other/")}
    assert len(added) == 1


def test_bytes_that_change_back_are_not_stored_again(world: World) -> None:
    world.up.put(Item("x", data=(b"one",)))
    world.run()
    world.up.change("x", data=(b"two",), revision="2")
    world.run()
    world.up.change("x", data=(b"one",), revision="3")
    world.run()
    assert world.stored("x") == [b"one"]
    content = [path for path in world.head().object("a").files if "/content/other/" in path]
    assert len(content) == 2
    assert len(world.record("x").earlier) == 2


def test_a_new_revision_of_the_same_bytes_makes_no_version_and_is_fetched_once(world: World) -> None:
    world.up.put(Item("x"))
    world.run()
    before = world.versions()
    world.up.change("x", revision="touched")
    assert counts(world.run()) == {"same": 1}
    assert counts(world.run()) == {"same": 1}
    assert world.up.fetched == ["x", "x"]
    assert world.versions() == before


def test_withdrawn_is_what_a_complete_listing_does_not_name_and_it_may_return(world: World) -> None:
    world.up.put(*(Item(name) for name in "xyz"))
    world.run()
    gone = world.up.items.pop("x")
    assert counts(world.run()) == {"same": 2, "withdrawn": 1}
    assert world.record("x").state is State.WITHDRAWN
    assert world.stored("x") == [b"some bytes"]
    before = world.versions()
    assert counts(world.run()) == {"same": 2}
    assert world.versions() == before
    world.up.put(gone)
    assert counts(world.run()) == {"same": 2, "returned": 1}
    assert world.record("x").state is State.STORED
    assert world.up.fetched.count("x") == 1


def test_what_returns_with_a_new_revision_of_the_same_bytes_is_stored_at_once(world: World) -> None:
    world.up.put(*(Item(name) for name in "xyz"))
    world.run()
    gone = world.up.items.pop("x")
    world.run()
    world.up.put(gone)
    world.up.change("x", revision="2")
    world.run()
    assert world.record("x").state is State.STORED
    assert world.record("x").earlier == ()


@pytest.mark.parametrize(
    "options",
    [
        {"filters": Filters(events=frozenset("a"))},
        {"filters": Filters(kinds=frozenset({Kind.OTHER}))},
        {"filters": Filters(sources=frozenset({"src"}))},
        {"filters": Filters(limit=10)},
    ],
)
def test_a_part_of_a_listing_withdraws_nothing_and_moves_no_cursor(
    world: World, options: dict[str, Any]
) -> None:
    world.up.put(*(Item(name) for name in "xyz"))
    world.up.cursor = "c1"
    first = world.run()
    del world.up.items["x"]
    world.up.cursor = "c2"
    report = world.run(**options)
    assert world.record("x").state is State.STORED
    assert report.sources["src"].cursor == "c1"
    assert report.sources["src"].baseline == first.sources["src"].baseline
    assert world.up.cursors == ["", ""]


def test_an_incomplete_listing_withdraws_nothing(world: World) -> None:
    world.up.put(*(Item(name) for name in "xyz"))
    world.run()
    world.up.complete = False
    del world.up.items["x"]
    assert world.run().exit_code() == 0
    assert {record.state for record in world.records().values()} == {State.STORED}


def test_a_source_that_is_not_sure_of_all_and_lost_the_most_is_an_alarm(world: World) -> None:
    world.up.put(*(Item(name) for name in "xyz"))
    world.run()
    world.up.complete = False
    world.up.items.clear()
    report = world.run()
    assert report.exit_code() == 1
    assert report.sources["src"].alarm
    assert {record.state for record in world.records().values()} == {State.STORED}
    # Believed once, it is what the next nights are compared with.
    assert world.run(accept_shrink=frozenset(["src"])).exit_code() == 0
    assert world.run().exit_code() == 0


def test_a_listing_that_breaks_off_changes_nothing_known_and_still_brings_what_is_new(world: World) -> None:
    world.up.put(*(Item(name) for name in "xyz"))
    world.up.cursor = "c1"
    world.run()
    before = world.records()
    world.up.change("x", revision="2", data=(b"a placeholder",))
    world.up.change("y", listed_as=GoneError("not here"))
    world.up.put(Item("fresh"), Item("never seen"))
    world.up.breaks_after = 4
    world.up.cursor = "c2"
    report = world.run()
    assert report.exit_code() == 1
    assert "broke off" in report.sources["src"].error
    assert report.sources["src"].cursor == "c1"
    after = world.records()
    assert {key: after[key] for key in before} == before
    assert after.keys() - before.keys() == {("a", "src", "fresh")}


def test_a_listing_that_shrinks_by_more_than_half_is_an_alarm_until_it_is_accepted(world: World) -> None:
    world.up.put(*(Item(f"{number}") for number in range(5)))
    world.up.cursor = "c1"
    world.run()
    for name in "234":
        del world.up.items[name]
    world.up.cursor = "c2"
    world.up.change("0", revision="2", data=(b"a placeholder",))
    before = world.records()
    for _ in range(2):
        report = world.run()
        assert report.exit_code() == 1
        assert "--accept-shrink" in report.sources["src"].alarm
        assert report.sources["src"].cursor == "c1"
        assert world.records() == before
    report = world.run(accept_shrink=frozenset({"src"}))
    assert report.exit_code() == 0
    assert counts(report) == {"changed": 1, "same": 1, "withdrawn": 3}
    assert world.run().exit_code() == 0


def test_a_listing_that_calls_more_than_half_gone_is_the_same_alarm(world: World) -> None:
    world.up.put(*(Item(f"{number}") for number in range(5)))
    world.run()
    for name in "234":
        world.up.change(name, listed_as=GoneError("410"))
    assert world.run().sources["src"].alarm
    assert {record.state for record in world.records().values()} == {State.STORED}


def test_a_listing_of_half_is_no_alarm(world: World) -> None:
    world.up.put(*(Item(f"{number}") for number in range(4)))
    world.run()
    del world.up.items["0"], world.up.items["1"]
    assert counts(world.run()) == {"same": 2, "withdrawn": 2}


def test_the_alarm_holds_when_an_event_was_added_the_same_night(world: World) -> None:
    world.up.put(*(Item(f"{number}") for number in range(5)))
    world.run()
    world.up.items.clear()
    world.up.put(Item("new", event="c"))
    world.events = (*world.events, Event("c", "Stop C"))
    assert world.run().sources["src"].alarm
    assert {record.state for record in world.records().values()} == {State.STORED}
    assert world.record("new", "c").files


# The configuration changes


def test_what_a_removed_entry_listed_is_out_of_scope_not_withdrawn(world: World) -> None:
    world.albums["src"] = ((A, "one"), (A, "two"), (B, ""))
    world.up.put(Item("x"), Item("y"), Item("z", event="b"))
    world.run()
    world.albums["src"] = ((A, "one"), (B, ""))
    gone = world.up.items.pop("y")
    assert counts(world.run()) == {"same": 1, "out-of-scope": 1}
    assert world.record("y").state is State.STORED
    for _ in range(2):
        before = world.versions()
        assert counts(world.run()) == {"same": 1}
        assert world.versions() == before
    # Asked for again, it can be lost upstream again.
    world.albums["src"] = ((A, "one"), (A, "two"), (B, ""))
    world.up.put(gone)
    assert counts(world.run()) == {"same": 1, "returned": 1}
    del world.up.items["y"]
    assert counts(world.run()) == {"same": 1, "withdrawn": 1}


def test_a_scope_change_is_remembered_until_a_listing_is_complete(world: World) -> None:
    world.albums["src"] = ((A, "one"), (A, "two"))
    world.up.put(Item("x"), Item("y"))
    world.run()
    world.albums["src"] = ((A, "one"),)
    del world.up.items["y"]
    world.up.complete = False
    world.run()
    world.up.complete = True
    assert counts(world.run()) == {"same": 1, "out-of-scope": 1}


def test_another_folder_for_a_source_is_another_scope(world: World) -> None:
    class Place(Options):
        path: str
        base_url: str = ""

    world.source_options["src"] = Place(path="/old", base_url="http://127.0.0.1:1")
    world.up.put(Item("x"), Item("y"), Item("z"))
    world.up.cursor = "c1"
    world.run()
    world.source_options["src"] = Place(path="/old", base_url="http://127.0.0.1:2")
    world.run()
    assert world.up.cursors == ["", "c1"]
    world.source_options["src"] = Place(path="/new")
    del world.up.items["x"]
    world.run()
    assert world.up.cursors[-1] == ""
    assert world.record("x").state is State.STORED


def test_an_event_that_left_the_configuration_keeps_what_it_has(world: World) -> None:
    world.up.put(Item("x"), Item("y", event="b"), Item("z", event="b", fails=InvalidError("half")))
    world.run()
    before = world.records()
    world.events = (A,)
    world.up.complete = False
    del world.up.items["y"], world.up.items["z"]
    report = world.run()
    assert report.exit_code() == 0
    assert world.records() == before
    assert world.versions()["b"] == 1


def test_an_unrouted_material_waits_and_goes_where_it_belongs_later(world: World) -> None:
    world.up.put(Item("x", event="", date="2012-09-16"))
    report = world.run()
    assert report.exit_code() == 0
    assert counts(report, "") == {"unrouted": 1}
    assert world.up.fetched == []
    assert counts(world.run(), "") == {"unrouted": 1}
    world.events = (Event("a", "Stop A", date="2012-09-16"), B)
    assert counts(world.run()) == {"new": 1}
    assert set(world.records()) == {("a", "src", "x")}
    # And it stays there when nothing says so any more.
    world.events = (A, B)
    assert counts(world.run()) == {"same": 1}


def test_a_material_that_moves_to_another_event_is_kept_in_both_and_withdrawn_in_none(world: World) -> None:
    world.up.put(Item("x"), Item("y"))
    world.run()
    world.up.change("x", event="b")
    report = world.run()
    assert counts(report, "b") == {"new": 1}
    assert counts(report) == {"same": 1, "out-of-scope": 1}
    assert world.record("x", "a").state is world.record("x", "b").state is State.STORED
    before = world.versions()
    world.run()
    assert world.versions() == before


def test_a_failed_material_that_moves_leaves_no_ghost(world: World) -> None:
    world.up.put(Item("x", fails=InvalidError("half a file")))
    world.run()
    world.up.change("x", event="b", fails=None)
    world.run()
    assert set(world.records()) == {("b", "src", "x")}


def test_talks_that_come_later_are_matched_then(world: World) -> None:
    world.events = (Event("a", "Stop A"), B)
    world.up.put(Item("x", kind=Kind.OTHER, title="Deploy OpenStack with Chef"))
    world.run()
    assert world.record("x").match.talk == ""
    world.events = (A, B)
    world.up.complete = False
    del world.up.items["x"]  # nobody lists it tonight
    world.run()
    assert world.record("x").match.talk == "chef"
    before = world.versions()
    world.run()
    assert world.versions() == before


# Sources that fail


def test_gone_for_what_we_hold_is_withdrawn_with_its_files(world: World) -> None:
    world.up.put(*(Item(name) for name in "xyz"))
    world.run()
    world.up.change("x", listed_as=GoneError("deleted by its author"))
    world.up.change("y", revision="2", fails=GoneError("404"))
    report = world.run()
    assert counts(report) == {"same": 1, "withdrawn": 2}
    assert report.exit_code() == 0
    for name in "xy":
        assert world.record(name).state is State.WITHDRAWN
        assert world.stored(name) == [b"some bytes"]
    before = world.versions()
    assert world.run().exit_code() == 0
    assert world.versions() == before


def test_blocked_changes_nothing_of_what_we_hold(world: World) -> None:
    world.up.put(Item("x"), Item("y", listed_as=BlockedError("log in first")))
    first = world.run()
    assert first.exit_code() == 1
    assert counts(first) == {"new": 1, "blocked": 1}
    before = world.records(), world.versions()
    world.up.change("x", listed_as=BlockedError("log in first"))
    second = world.run()
    assert counts(second) == {"same": 1, "blocked": 1}
    assert (world.records(), world.versions()) == before
    assert second.exit_code("new") == 0
    assert second.exit_code("any") == 1


def test_what_failed_is_tried_again_also_when_the_listing_does_not_name_it(world: World) -> None:
    world.up.put(Item("x", fails=InvalidError("a login page")), Item("y", fails=GoneError("404")))
    world.up.cursor = "c1"
    world.run()
    assert world.record("x").state is State.PENDING
    item = world.up.items["x"]
    world.up.complete = False
    world.up.extra, world.up.items = [], {"x": item, "y": world.up.items["y"]}
    listed = world.up.source()

    class Quiet(listed):  # type: ignore[misc, valid-type]  # made for this upstream
        def discover(self, scope: Any, cursor: str) -> Any:
            from archiver.model import Checkpoint

            yield Checkpoint("c2")

    world.up.change("x", fails=None)
    assert counts(world.run(sources={"src": Quiet})) == {"new": 1}
    assert world.up.fetched.count("y") == 1  # upstream said that it is gone: nobody asks again


def test_a_transient_failure_gets_a_second_round_in_the_same_run(world: World) -> None:
    answers: list[BaseException | None] = [TransientError("503"), None]
    world.up.put(Item("x", fails=lambda: answers.pop(0)), Item("y", fails=TransientError("503")))
    report = world.run()
    assert counts(report) == {"new": 1, "failed": 1}
    assert world.up.fetched.count("y") == 2
    assert report.exit_code() == 1
    assert [item.known for item in report.problems] == [False]
    again = world.run()
    assert [item.known for item in again.problems] == [True]
    assert again.exit_code("new") == 0


def test_a_service_that_asks_for_a_long_pause_is_left_alone(world: World) -> None:
    world.up.put(Item("x", fails=TransientError("429", retry_after=3600)))
    world.run()
    assert world.up.fetched == ["x"]


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), ConnectionResetError(104, "reset")]
)
def test_whatever_a_plugin_raises_costs_its_item_only(world: World, error: BaseException) -> None:
    world.up.put(Item("x", fails=error), Item("y"))
    report = world.run()
    assert counts(report) == {"failed": 1, "new": 1}
    assert type(error).__name__ in report.problems[0].detail
    assert report.exit_code() == 1
    assert not report.interrupted


def test_an_os_error_of_a_source_does_not_stop_a_sink(world: World) -> None:
    world.up.put(Item("x", fails=PermissionError(13, "denied", "/somewhere/deck.pdf")), Item("y"))
    report = world.run()
    assert counts(report) == {"failed": 1, "new": 1}
    assert not report.sinks["local"].error


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), ValueError("no JSON")])
def test_whatever_a_listing_raises_costs_its_source_only(world: World, error: BaseException) -> None:
    world.upstreams["other"] = Upstream()
    world.upstreams["other"].put(Item("y"))
    world.up.error, world.up.breaks_after = error, 0
    world.up.put(Item("x"))
    report = world.run()
    assert report.exit_code() == 1
    assert type(error).__name__ in report.sources["src"].error
    assert counts(report, source="other") == {"new": 1}


@pytest.mark.parametrize("garbage", ["text", None, 7, Item("x").material.__class__(id="", kind=Kind.OTHER)])
def test_garbage_in_a_listing_is_named_as_the_plugins_fault(world: World, garbage: Any) -> None:
    world.up.put(Item("x"))
    world.up.extra = [garbage]
    report = world.run()
    assert report.exit_code() == 1
    assert "plugin" in report.sources["src"].error
    assert counts(report) == {"new": 1}


def test_a_source_that_cannot_be_made_costs_itself_only(world: World) -> None:
    class Broken(Source[Options, Options]):
        type_name = "memory"

        def __init__(self, options: Options, context: Any) -> None:
            raise RuntimeError("no such codec")

        def discover(self, scope: Any, cursor: str) -> Any: ...
        def fetch(self, material: Any, into: Path) -> Any: ...

    world.upstreams["other"] = Upstream()
    world.upstreams["other"].put(Item("y"))
    report = world.run(sources={"src": Broken})
    assert "no such codec" in report.sources["src"].error
    assert counts(report, source="other") == {"new": 1}
    assert report.exit_code() == 1


def test_all_sources_fail(world: World) -> None:
    world.up.breaks_after, world.up.error = 0, BlockedError("the account is closed")
    world.up.put(Item("x"))
    report = world.run()
    assert report.exit_code() == 1
    assert report.counts == {}
    assert list(world.versions()) == ["_archive"]


@pytest.mark.parametrize("number", [0, -1, "8", None])
def test_an_odd_number_of_fetches_stops_nothing(world: World, number: Any) -> None:
    source = type("Odd", (world.up.source(),), {"max_fetches": number})
    world.up.put(*(Item(name) for name in "xyz"))
    assert counts(world.run(sources={"src": source})) == {"new": 3}


def test_an_earlier_error_is_not_this_runs(world: World) -> None:
    world.upstreams["other"] = Upstream()
    world.upstreams["other"].put(Item("y"))
    world.up.put(Item("x"))
    world.up.breaks_after = 0
    assert world.run().exit_code() == 1
    report = world.run(filters=Filters(sources=frozenset({"other"})))
    assert report.exit_code() == 0
    assert not report.sources["src"].error
    del world.upstreams["src"]
    assert world.run().exit_code() == 0


# Duplicates and namesakes


def test_two_sources_with_the_same_native_id_are_two_materials(world: World) -> None:
    world.upstreams["other"] = Upstream()
    for upstream in world.upstreams.values():
        upstream.put(Item("1"))
    world.run()
    assert set(world.records()) == {("a", "src", "1"), ("a", "other", "1")}
    assert world.versions() == {"_archive": 1, "a": 1}


def test_one_material_of_two_events_is_in_both(world: World) -> None:
    world.up.extra = [Item("x", event=event).material for event in "ab"]
    world.up.put(Item("x"))
    report = world.run()
    assert counts(report) == counts(report, "b") == {"new": 1}
    del world.up.items["x"]
    world.up.extra = [Item("x", event="b").material]
    world.run()


def test_duplicates_in_a_listing_are_fetched_once(world: World) -> None:
    world.up.put(Item("x", listed_as=BlockedError("members only")))
    world.up.extra = [Item("x").material, Item("x", talk="chef").material, Item("x").material]
    report = world.run()
    assert counts(report) == {"new": 1}
    assert report.exit_code() == 0
    assert world.record("x").match.talk == "chef"


def test_a_limit_counts_what_is_not_here_yet(world: World) -> None:
    world.up.put(*(Item(name) for name in "uvwxyz"))
    for expected in (2, 4, 6):
        world.run(filters=Filters(limit=2))
        assert len(world.records()) == expected
    assert len(world.up.fetched) == 6


# Cursors


def test_a_cursor_goes_on_and_a_change_of_scope_resets_it(world: World) -> None:
    world.up.put(Item("x"))
    world.up.complete, world.up.cursor = False, "c1"
    world.run()
    world.up.cursor = "c2"
    world.run()
    world.events = (*world.events, Event("c", "Stop C"))
    world.run()
    world.run()
    assert world.up.cursors == ["", "c1", "", "c2"]


def test_a_cursor_passes_what_is_pending(world: World) -> None:
    world.up.put(Item("x", fails=InvalidError("half a file")))
    world.up.cursor = "c1"
    assert world.run().sources["src"].cursor == "c1"


def test_a_cursor_that_the_service_forgot_does_not_break_the_source(world: World) -> None:
    world.up.put(Item("x"))
    world.up.cursor = "c1"
    world.run()

    class Forgetful(world.up.source()):  # type: ignore[misc]  # made for this upstream
        def discover(self, scope: Any, cursor: str) -> Any:
            if cursor:
                raise InvalidError("unknown sync token")
            yield from super().discover(scope, cursor)

    report = world.run(sources={"src": Forgetful})
    assert report.exit_code() == 0
    assert counts(report) == {"same": 1}


def test_a_cursor_of_an_old_scope_is_not_kept_for_a_new_one_when_a_sink_fails(world: World) -> None:
    two_sinks(world)
    world.up.put(Item("x"))
    world.up.complete, world.up.cursor = False, "c1"
    world.run()
    world.events = (*world.events, Event("c", "Stop C"))
    world.up.put(Item("y"))
    world.up.cursor = "c2"
    world.troubles["two"] = failing_at("content/")
    assert world.run().exit_code() == 3
    world.troubles.clear()
    world.run()
    assert world.up.cursors == ["", "", ""]


# Sinks


def test_a_sink_that_fails_on_the_way_is_not_lied_about(world: World) -> None:
    two_sinks(world)
    world.up.put(Item("x"), Item("y", event="b"))
    world.troubles["one"] = failing_at("ocfl/b/v1/content/other")
    report = world.run()
    assert report.exit_code() == 3
    assert "the disk broke" in report.sinks["one"].error
    assert report.sinks["one"].versions == {}
    assert not report.sinks["two"].error
    assert report.sinks["two"].versions == {"_archive": 1, "a": 1, "b": 1}
    assert set(world.records("two")) == {("a", "src", "x"), ("b", "src", "y")}
    assert world.records("one") == {}
    assert report.remaining == 0


def test_versions_made_before_a_sink_failed_are_told(world: World) -> None:
    two_sinks(world)
    world.up.put(Item("x"), Item("y", event="b"))
    world.troubles["one"] = failing_at("ocfl/b/v1/inventory.json")
    report = world.run()
    assert report.exit_code() == 3
    assert report.sinks["one"].versions == {"_archive": 1, "a": 1}


def test_a_sink_that_missed_a_version_is_given_it(world: World) -> None:
    two_sinks(world)
    world.up.put(*(Item(name) for name in "xyz"))
    world.run()
    world.troubles["two"] = failing_at("check")
    world.up.change("x", data=(b"the second edition",), revision="2")
    assert world.run().exit_code() == 3
    world.troubles.clear()
    del world.up.items["x"]
    fetched = len(world.up.fetched)
    report = world.run()
    assert report.exit_code() == 0
    assert len(world.up.fetched) == fetched
    assert [each.copied for each in report.sinks.values()] == [0, 1]
    assert world.stored("x", sink="two") == [b"the second edition"]
    assert len(world.record("x", sink="two").earlier) == 1
    assert world.record("x", sink="two").state is State.WITHDRAWN
    assert world.states("one") == world.states("two")
    world.sinks = ("two", "one")
    before = world.versions("one"), world.versions("two")
    world.run()
    assert (world.versions("one"), world.versions("two")) == before


def test_a_sink_that_cannot_be_given_what_it_missed_claims_nothing_it_lacks(world: World) -> None:
    two_sinks(world)
    world.up.put(*(Item(name) for name in "xyz"))
    world.run()
    world.troubles["two"] = failing_at("check")
    world.up.change("x", data=(b"the second edition",), revision="2")
    world.run()
    world.troubles.clear()
    (path,) = (file.path for file in world.record("x", sink="one").files)
    (world.folder / "one" / world.head("one").object("a").locate(path)).write_bytes(b"THE SECOND EDITION")
    kept = world.up.items.pop("x")
    report = world.run()
    assert report.exit_code() == 4
    assert "does not have the SHA-256" in report.sinks["one"].damage
    assert "lacks the files of 1 material that another sink has" in report.sinks["two"].note
    assert world.record("x", sink="one").state is State.WITHDRAWN
    assert world.stored("x", sink="two") == [b"some bytes"]
    assert world.record("x", sink="two").state is State.STORED
    world.up.put(kept)
    world.up.change("x", data=(b"the third",), revision="3")
    world.run()
    # The second sink has the first edition and the third; of the second it does not speak.
    assert [len(world.record("x", sink=sink).earlier) for sink in ("one", "two")] == [2, 1]
    assert world.stored("x", sink="two") == [b"the third"]


def test_what_needs_no_bytes_is_told_to_a_sink_that_missed_it(world: World) -> None:
    two_sinks(world)
    world.up.put(*(Item(name) for name in "xyz"))
    world.run()
    world.troubles["one"] = failing_at("check")
    del world.up.items["x"]
    world.run()
    assert world.record("x", sink="one").state is State.STORED
    world.troubles.clear()
    world.run()
    assert world.record("x", sink="one") == world.record("x", sink="two")
    assert world.record("x", sink="one").state is State.WITHDRAWN


def test_a_full_working_directory_stops_its_sink_only(world: World) -> None:
    two_sinks(world)
    (world.folder / "two").mkdir()
    tmp = world.folder / "two" / "tmp"

    def full(name: str) -> None:
        if any(tmp.glob("fetch-*")):
            raise OSError(28, "No space left on device", str(next(tmp.glob("fetch-*")) / "0"))

    world.up.put(*(Item(name) for name in "xyz"))
    world.up.during_fetch = full
    report = world.run(jobs=1)
    assert report.exit_code() == 3
    assert "No space left" in report.sinks["two"].error
    assert not report.sinks["one"].error
    assert counts(report) == {"new": 3}
    assert len(world.records("one")) == 3


def test_an_empty_second_sink_is_left_alone_and_min_copies_decides(world: World) -> None:
    world.sinks = ("one",)
    world.up.put(Item("x"))
    world.run()
    two_sinks(world)
    world.up.put(Item("y"))
    report = world.run()
    assert report.exit_code() == 0
    assert "left alone" in report.sinks["two"].note
    assert world.versions("two") == {}
    world.settings = ArchiveSettings("A tour", min_copies=2)
    report = world.run()
    assert report.exit_code() == 3
    assert "min_copies is 2" in report.sinks["two"].error


def test_a_broken_sink_alone_raises_with_the_next_step(world: World) -> None:
    world.troubles["local"] = failing_at("check")
    with pytest.raises(SinkError, match="the disk broke"):
        world.prepared().execute()


def test_a_catalog_that_cannot_be_made_costs_no_report(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("a page with no end")

    monkeypatch.setattr("archiver.index.build_from", broken)
    world.up.put(Item("x"))
    report = world.run()
    assert report.exit_code() == 0
    assert "a page with no end" in report.sinks["local"].note
    assert world.head().report["run"] == report.run


def test_a_journal_that_cannot_be_written_stops_the_sink_before_the_ledger(world: World) -> None:
    world.up.put(Item("x"))
    world.troubles["local"] = failing_at("journal/")
    report = world.run()
    assert report.exit_code() == 3
    assert world.records() == {}


# Journals


def killed(world: World, after: int) -> None:
    """Run until so many materials are journalled, then lose the process without a goodbye."""

    class Killed(BaseException):
        pass

    written = 0
    add = Journal.add

    def one_by_one(journal: Journal, *entries: Entry) -> None:
        nonlocal written
        for entry in entries:
            if written == after:
                raise Killed
            add(journal, entry)
            written += 1

    run = world.prepared(jobs=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "add", one_by_one)
        with pytest.raises(Killed):
            run.execute()


def test_journals_of_several_killed_runs_are_adopted(world: World) -> None:
    world.up.put(*(Item(name, data=(name.encode(),)) for name in "uvwxyz"))
    killed(world, 2)
    killed(world, 4)
    fetched = len(world.up.fetched)
    report = world.run()
    assert sum(counts(report).values()) == 6
    assert counts(report)["resumed"] >= 4
    assert len(world.up.fetched) - fetched == 6 - counts(report)["resumed"]
    assert {name: world.stored(name) for name in "uvwxyz"} == {n: [n.encode()] for n in "uvwxyz"}


def test_adoption_believes_no_damaged_bytes(world: World) -> None:
    world.up.put(*(Item(name, data=(name.encode(),)) for name in "xyz"))
    killed(world, 2)
    content = sorted((world.folder / "local/ocfl/a/v1/content/other").iterdir())
    content[0].write_bytes(b"rotten")
    report = world.run()
    assert report.exit_code() == 0
    assert {name: world.stored(name) for name in "xyz"} == {n: [n.encode()] for n in "xyz"}


def test_adoption_does_not_take_what_upstream_changed_meanwhile(world: World) -> None:
    world.up.put(*(Item(name) for name in "xyz"))
    killed(world, 2)
    world.up.change("x", data=(b"mended",), revision="2")
    world.run()
    assert world.stored("x") == [b"mended"]


# Ctrl-C


def test_a_stop_while_listing(world: World) -> None:
    world.up.put(*(Item(name) for name in "wxyz"))
    run = world.prepared()
    world.up.cursor = "c1"
    listed = world.up.source()

    class Stopping(listed):  # type: ignore[misc, valid-type]  # made for this upstream
        def discover(self, scope: Any, cursor: str) -> Any:
            for number, item in enumerate(super().discover(scope, cursor)):
                if number == 1:
                    run.stop.set()
                yield item

    run.registry = world.registry(src=Stopping)
    report = run.execute()
    assert report.interrupted
    assert report.exit_code() == 130
    assert report.sources["src"].cursor == ""
    assert report.remaining == 1
    assert world.up.fetched == []
    assert counts(world.run()) == {"new": 4}


def test_a_stop_while_working(world: World) -> None:
    world.up.put(*(Item(f"{number}") for number in range(9)))
    world.up.cursor = "c1"
    run = world.prepared(jobs=1)
    world.up.during_fetch = lambda name: run.stop.set() if name == "3" else None
    report = run.execute()
    assert report.exit_code() == 130
    assert counts(report) == {"new": 3}
    assert report.remaining == 6
    assert len(world.records()) == 3
    assert report.sources["src"].cursor == ""
    world.up.during_fetch = lambda _: None
    assert counts(world.run()) == {"same": 3, "new": 6}


def test_a_fetch_that_hangs_at_a_stop_is_left_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    world.up.put(Item("x"), Item("y"))
    run = world.prepared(jobs=2)
    monkeypatch.setattr("archiver.foreman.Crew", partial(Crew, grace=0.1))

    def hang(name: str) -> None:
        if name == "y":
            run.stop.set()
            never.wait(60)

    world.up.during_fetch = hang
    began = time.monotonic()
    report = run.execute()
    assert time.monotonic() - began < 30
    assert report.exit_code() == 130
    assert report.remaining >= 1
    never.set()


def test_a_stop_during_the_commit_ends_with_everything_recorded(world: World) -> None:
    world.up.put(Item("x"))
    run = world.prepared()

    def trouble(path: str) -> None:
        if path.endswith("v1/inventory.json"):
            run.stop.set()

    world.troubles["local"] = trouble
    run.registry = world.registry()
    report = run.execute()
    assert report.exit_code() == 0
    assert world.record("x").files
    assert world.head().report["run"] == report.run


# Reports, hooks, secrets


class Listener:
    def __init__(self) -> None:
        self.stored: list[tuple[str, str]] = []
        self.reports: list[dict[str, Any]] = []

    @hookimpl
    def archiver_stored(self, event: str, source: str, material: Any, paths: Any) -> None:
        self.stored.append((event, material.id))

    @hookimpl
    def archiver_run_finished(self, report: dict[str, Any]) -> None:
        self.reports.append(report)


class Raising:
    @hookimpl
    def archiver_stored(self, event: str, source: str, material: Any, paths: Any) -> None:
        raise SystemExit(1)

    @hookimpl
    def archiver_run_finished(self, report: dict[str, Any]) -> None:
        raise ValueError("no mail server")


def test_hooks_hear_what_every_sink_has_and_may_fail(world: World) -> None:
    two_sinks(world)
    listener = Listener()
    world.hooks = [Raising(), listener, Raising()]
    world.up.put(Item("x"), Item("y", fails=InvalidError("half")))
    report = world.run()
    assert listener.stored == [("a", "x")]
    assert [each["run"] for each in listener.reports] == [report.run]
    world.run()
    assert listener.stored == [("a", "x")]


def test_hooks_hear_nothing_of_what_no_sink_committed(world: World) -> None:
    listener = Listener()
    world.hooks = [listener]
    world.up.put(Item("x"))
    world.troubles["local"] = failing_at("inventory.json")
    assert world.run().exit_code() == 3
    assert listener.stored == []


def test_secrets_stand_in_no_report_and_no_ledger(world: World) -> None:
    class Login(Options):
        password: SecretStr

    secret = "correct horse/battery"
    world.source_options["src"] = Login(password=SecretStr(secret))
    world.up.put(
        Item("x", fails=InvalidError(f"login with {secret!r} failed")),
        Item("y", fails=RuntimeError("http://host/?p=correct%20horse%2Fbattery")),
        Item("z", listed_as=BlockedError(f"no: {secret}", hint=f"change {secret}")),
    )
    world.up.error, world.up.breaks_after = FatalError(f"and {secret} at last"), 3
    world.up.extra = [Item("never listed").material]
    report = world.run()
    assert report.sources["src"].error
    assert len(report.problems) == 3
    told = json.dumps(report.to_json())
    for form in (secret, "correct%20horse", "correct+horse"):
        assert form not in told
        for path in (world.folder / "local").rglob("*"):
            assert not path.is_file() or form.encode() not in path.read_bytes(), path


def test_a_message_without_end_is_cut(world: World) -> None:
    world.up.put(Item("x", fails=InvalidError("<html>" * 100_000)))
    assert len(world.run().problems[0].detail) < 3_000


def test_a_dry_run_tells_the_same_and_changes_nothing(world: World) -> None:
    world.up.put(*(Item(name) for name in "xyz"))
    report = world.run(dry_run=True)
    assert counts(report) == {"new": 3}
    assert report.bytes == 30
    assert not (world.folder / "local").exists()
    world.run()
    world.up.change("x", revision="2")
    del world.up.items["y"]
    before = world.records()
    assert counts(world.run(dry_run=True)) == {"changed": 1, "withdrawn": 1, "same": 1}
    assert world.records() == before


def test_run_ids_of_one_second_are_in_order(world: World) -> None:
    ids = []
    for _ in range(3):
        ids.append(world.prepared().id)
        time.sleep(0.002)
    assert ids == sorted(ids)


def test_nothing_is_shared_after_a_run(world: World) -> None:
    world.up.put(Item("x"))
    world.run()
    assert instances._SHARED == {}
    assert not any(
        thread.name.startswith(("lease-", "fetch-", "discover-")) and thread.is_alive()
        for thread in threading.enumerate()
        if not thread.daemon
    )
