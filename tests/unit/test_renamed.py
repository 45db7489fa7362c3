"""A source that gets another name in the configuration keeps what it has brought."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archiver.ledger import Edition, Key, Record, State, StoredFile, Transition
from archiver.model import Kind, Material
from archiver.renamed import follow, renamed
from archiver.report import Report
from archiver.route import Found
from line_kit import Item, Upstream, World, counts

FILE = StoredFile("other/x.bin", 1, "0" * 64)
NIGHT = "2012-09-17T00:00:00Z"


def record(source: str = "old", name: str = "x", event: str = "a", **more: object) -> Record:
    material = Material(name, Kind.OTHER, event=event)
    history = (Transition("2012-09-16T00:00:00Z", State.STORED),)
    made = Record(source, "t", material, State.STORED, files=(FILE,), history=history)
    return replace(made, **more)  # type: ignore[arg-type]  # fields of a record


def found(source: str = "new", name: str = "x", event: str = "a", type_name: str = "t") -> Found:
    return Found(source, type_name, Material(name, Kind.OTHER, event=event), "entry")


def after(
    *records: Record, listed: tuple[Found, ...] = (found(),), names: set[str] | None = None
) -> set[Key]:
    known = {each.key: each for each in records}
    renamed(listed, known, names or {"new"}, NIGHT, "run").apply(known)
    return set(known)


class TestWhichRecordsMove:
    def test_the_record_moves_with_its_files_and_history(self) -> None:
        before = record(earlier=(Edition("2012-09-15", "1", (FILE,)),))
        moved = renamed([found()], {before.key: before}, {"new"}, NIGHT, "run")
        (entered,) = moved.entered
        assert (moved.dropped, entered.key) == ([before.key], ("a", "new", "x"))
        assert (entered.files, entered.earlier, entered.state) == ((FILE,), before.earlier, State.STORED)
        assert entered.history[:-1] == before.history
        assert entered.history[-1].reason == "source old is called new now"

    def test_a_takedown_stays_one(self) -> None:
        before = record(state=State.TAKEN_DOWN)
        (entered,) = renamed([found()], {before.key: before}, {"new"}, NIGHT, "run").entered
        assert entered.state is State.TAKEN_DOWN

    def test_what_was_listed_for_no_event_finds_its_events(self) -> None:
        both = after(record(), record(event="b"), listed=(found(event=""),))
        assert both == {("a", "new", "x"), ("b", "new", "x")}

    @pytest.mark.parametrize(
        "listed",
        [found(name="y"), found(event="b"), found(type_name="u")],
        ids=["another id", "another event", "another plugin"],
    )
    def test_other_things_stay(self, listed: Found) -> None:
        assert after(record(), listed=(listed,)) == {("a", "old", "x")}

    def test_a_source_that_is_still_configured_keeps_its_own(self) -> None:
        assert after(record(), names={"old", "new"}) == {("a", "old", "x")}

    def test_of_two_sources_that_list_it_the_first_takes_it(self) -> None:
        listed = (found(), found("other"))
        assert after(record(), listed=listed, names={"new", "other"}) == {("a", "new", "x")}

    def test_of_two_old_names_one_moves_and_the_other_is_dropped_in_the_next_run(self) -> None:
        first = after(record(), record("older"))
        assert len(first) == 2
        assert ("a", "new", "x") in first
        assert after(record("new"), record("older")) == {("a", "new", "x")}

    def test_what_another_sink_brings_back_goes_only_when_all_its_files_are_held(self) -> None:
        other = replace(FILE, sha256="1" * 64)
        assert after(record("new"), record(), listed=()) == {("a", "new", "x")}
        assert len(after(record("new"), record(files=(other,)), listed=())) == 2


def test_revisions_follow() -> None:
    before = record()
    known = {before.key: before}
    revisions = {"a/old/x": "2", "a/old/y": "3"}
    follow(revisions, renamed([found()], known, {"new"}, NIGHT, "run"))
    assert revisions == {"a/new/x": "2", "a/old/y": "3"}


class TestRuns:
    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        return World(tmp_path)

    def rename(self, world: World, name: str = "renamed") -> None:
        world.upstreams = {name: world.up}

    def test_nothing_is_fetched_or_counted_twice(self, world: World) -> None:
        world.up.put(Item("x"), Item("y", event="b", data=(b"1", b"2")))
        world.run()
        self.rename(world)
        dry = world.run(dry_run=True)
        assert counts(dry, source="renamed") == {"same": 1}
        assert world.record("x").source == "src"
        report = world.run()
        for event in "ab":
            assert (counts(report, event), counts(report, event, "renamed")) == ({}, {"same": 1})
        assert sorted(world.up.fetched) == ["x", "y"]
        assert {(each.source, each.material.id) for each in world.head().records.values()} == {
            ("renamed", "x"),
            ("renamed", "y"),
        }
        record = world.record("y", "b", "renamed")
        assert [file.size for file in record.files] == [1, 1]
        before = world.versions()
        assert counts(world.run(), source="renamed") == {"same": 1}
        assert world.versions() == before

    def test_what_is_lost_upstream_afterwards_is_withdrawn(self, world: World) -> None:
        world.up.put(*(Item(name) for name in "uvwxyz"))
        world.run()
        self.rename(world)
        world.run()
        world.up.items.pop("x")
        assert counts(world.run(), source="renamed")["withdrawn"] == 1
        assert world.record("x", source="renamed").state is State.WITHDRAWN

    def test_a_sink_that_was_away_is_no_way_back(self, world: World) -> None:
        world.sinks = ("one", "two")
        world.up.put(Item("x"))
        world.run()
        world.sinks = ("one",)
        self.rename(world)
        world.run()
        world.sinks = ("one", "two")
        world.run()
        for name in world.sinks:
            assert [each.source for each in world.head(name).records.values()] == ["renamed"]
        assert world.up.fetched == ["x"]

    def test_two_sources_at_once_stay_two(self, world: World) -> None:
        world.up.put(Item("x"))
        world.upstreams["other"] = Upstream()
        world.upstreams["other"].put(Item("x"))
        report = world.run()
        assert isinstance(report, Report)
        assert len(world.head().records) == 2
