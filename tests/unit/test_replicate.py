"""Sinks that missed something are given it by those that have it."""

from __future__ import annotations

import itertools
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archiver import derive, seal
from archiver.config import ArchiveSettings
from archiver.ledger import State
from archiver.model import Event, Kind
from archiver.report import Report
from archiver_plugins.disk import DiskSink
from line_kit import A, Item, World, failing_at


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every transition have a time of its own, as in real nights."""
    seconds = itertools.count()
    start = datetime(2012, 9, 16, tzinfo=UTC)
    now = lambda: f"{start + timedelta(seconds=next(seconds)):%Y-%m-%dT%H:%M:%SZ}"  # noqa: E731  # short
    monkeypatch.setattr("archiver.ready.now", now)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, sinks=("one", "two"))
    made.up.put(*(Item(name) for name in "xyz"))
    made.run()
    return made


def without(world: World, sink: str, **options: Any) -> Report:
    """Do a run in which a sink does not answer."""
    world.troubles = {sink: failing_at("check")}
    report = world.run(**options)
    world.troubles = {}
    return report


def file_of(world: World, name: str, sink: str, event: str = "a") -> Path:
    head = world.head(sink)
    (file,) = world.record(name, event, sink=sink).files
    return world.folder / sink / head.object(event).locate(file.path)


def equal(world: World) -> bool:
    names = world.sinks
    return all(world.states(name) == world.states(names[0]) for name in names) and all(
        world.records(name) == world.records(names[0]) for name in names
    )


def test_down_on_monday_down_on_tuesday_equal_on_wednesday(world: World) -> None:
    world.up.put(Item("monday"), Item("b-monday", event="b"))
    world.up.change("x", data=(b"x of monday",), revision="monday")
    assert without(world, "two").exit_code() == 3
    del world.up.items["monday"], world.up.items["b-monday"]
    world.up.put(Item("tuesday", data=(b"one", b"two")))
    world.up.change("y", data=(b"y of tuesday",), revision="tuesday")
    assert without(world, "one").exit_code() == 3
    assert not equal(world)
    fetched = list(world.up.fetched)
    report = world.run()
    assert report.exit_code() == 0
    assert world.up.fetched == fetched, "what a sink has is not fetched from upstream"
    assert equal(world)
    assert {name: each.copied for name, each in report.sinks.items()} == {"one": 3, "two": 2}
    before = {name: world.versions(name) for name in world.sinks}
    world.run()
    assert {name: world.versions(name) for name in world.sinks} == before


def test_both_editions_are_kept_when_each_sink_took_another(world: World) -> None:
    world.up.change("x", data=(b"of monday",), revision="2")
    without(world, "two")
    world.up.change("x", data=(b"of tuesday",), revision="3")
    without(world, "one")
    world.run()
    assert equal(world)
    record = world.record("x", sink="one")
    assert world.stored("x", sink="one") == [b"of tuesday"]
    assert len(record.earlier) == 2
    assert world.run().exit_code() == 0
    assert world.record("x", sink="one") == record


def test_what_one_sink_stored_is_not_pending_since_the_other_could_not(world: World) -> None:
    world.up.put(Item("new"))
    without(world, "two")
    world.up.change("new", fails=ValueError("broken today"))
    without(world, "one")
    assert world.record("new", sink="two").state is State.PENDING
    world.run()
    assert equal(world)
    assert world.record("new", sink="two").files
    assert world.record("new", sink="two").state is State.STORED


def test_three_sinks_and_an_event_that_is_not_configured_any_more(tmp_path: Path) -> None:
    world = World(tmp_path, sinks=("one", "two", "three"))
    world.up.put(Item("x"))
    world.run()
    world.up.put(Item("y", event="b"))
    without(world, "three")
    world.events = (replace(A, title="Stop A, renamed"), Event("c", "Stop C"))
    world.up.items.clear()
    report = world.run(accept_shrink=frozenset({"src"}))
    assert not any(each.error for each in report.sinks.values())
    assert equal(world)
    assert "b" in world.versions("three")
    assert "metadata/event.json" in world.states("three")["b"]


def test_damaged_bytes_are_named_and_the_next_sink_is_asked(tmp_path: Path) -> None:
    world = World(tmp_path, sinks=("one", "two", "three"))
    world.up.put(Item("x"))
    world.run()
    world.up.put(Item("y", data=(b"the bytes of y",)))
    without(world, "three")
    file_of(world, "y", "one").write_bytes(b"THE BYTES OF Y")
    report = world.run()
    assert report.exit_code() == 4
    assert "does not have the SHA-256" in report.sinks["one"].damage
    assert not report.sinks["two"].damage
    assert world.stored("y", sink="three") == [b"the bytes of y"]
    assert not report.sinks["three"].note


def test_a_lost_file_is_taken_from_the_other_sink(tmp_path: Path) -> None:
    world = World(tmp_path, sinks=("one", "two", "three"))
    world.up.put(Item("x"))
    world.run()
    world.up.put(Item("y", data=(b"the bytes of y",)))
    without(world, "three")
    file_of(world, "y", "one").unlink()
    report = world.run()
    assert report.exit_code() == 4
    assert "missing" in report.sinks["one"].damage
    assert world.stored("y", sink="three") == [b"the bytes of y"]


@pytest.mark.parametrize("size", [100, 9 << 20])
def test_small_and_large_files(world: World, size: int) -> None:
    world.up.put(Item("big", data=(b"\x00\x01" * (size // 2),)))
    without(world, "two")
    assert world.run().exit_code() == 0
    assert equal(world)
    assert len(world.stored("big", sink="two")[0]) == size
    assert list((world.folder / "two/tmp").iterdir()) == []


class FarSink(DiskSink):
    """A directory that says nothing of lying on this machine."""

    @property
    def local_root(self) -> None:
        return None


def test_large_files_between_two_far_sinks_wait_on_disk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("line_kit.BrittleSink.local_root", property(lambda _: None))
    monkeypatch.setattr("line_kit.DiskSink", FarSink)
    staging = world.folder / "staging"
    world.settings = ArchiveSettings("A tour", staging=staging)
    world.up.put(Item("big", data=(b"\x00\x01" * (9 << 19),)), Item("bigger", data=(b"\x02" * (10 << 20),)))
    without(world, "two")
    world.settings = ArchiveSettings("A tour", staging=staging, staging_limit=(9 << 20) + 1)
    report = world.run()
    assert world.stored("big", sink="two")
    assert list(staging.iterdir()) == []
    # The larger one does not fit: that is told, with the next step.
    assert report.sinks["two"].copied == 1
    assert "`staging_limit` allows" in report.sinks["two"].note
    assert "lacks the files of 1 material" in report.sinks["two"].note
    world.settings = ArchiveSettings("A tour", staging=staging)
    world.run()
    assert equal(world)


def test_a_budget_spreads_a_long_way_over_several_runs(world: World) -> None:
    world.up.put(*(Item(f"more{number}", data=(b"%d" % number * 10,)) for number in range(6)))
    without(world, "two")
    world.settings = ArchiveSettings("A tour", catch_up_limit=25)
    copied = []
    for _ in range(3):
        report = world.run()
        assert report.exit_code() == 0
        copied.append(report.sinks["two"].copied)
    assert copied == [2, 2, 2]
    assert equal(world)
    assert not report.sinks["two"].note


def test_a_file_larger_than_the_budget_is_copied_alone(world: World) -> None:
    world.up.put(Item("p"), Item("q"))
    without(world, "two")
    world.settings = ArchiveSettings("A tour", catch_up_limit=1)
    assert [world.run().sinks["two"].copied for _ in range(3)] == [1, 1, 0]
    assert equal(world)


def test_too_few_whole_copies_are_a_fault(world: World) -> None:
    world.up.put(Item("p"), Item("q"))
    without(world, "two")
    world.settings = ArchiveSettings("A tour", catch_up_limit=1, min_copies=2)
    report = world.run()
    assert report.exit_code() == 3
    assert "lacks the files of 1 material" in report.sinks["two"].error
    assert "min_copies is 2" in report.sinks["two"].error
    assert world.run().exit_code() == 0


def test_text_comes_along(world: World) -> None:
    page = b"<html><body><p>OpenStack on tour</p></body></html>" * 20
    world.up.put(Item("report", data=(page,), kind=Kind.REPORT))
    without(world, "two")
    (file,) = world.record("report", sink="one").files
    path = derive.path(file.sha256)
    assert (world.folder / "one" / path).exists()
    world.run()
    for each in (path, seal.of(path)):
        assert (world.folder / "two" / each).read_bytes() == (world.folder / "one" / each).read_bytes()


def test_damaged_text_stays_where_it_is(world: World) -> None:
    page = b"<html><body><p>OpenStack on tour</p></body></html>" * 20
    world.up.put(Item("report", data=(page,), kind=Kind.REPORT))
    without(world, "two")
    (file,) = world.record("report", sink="one").files
    path = world.folder / "one" / derive.path(file.sha256)
    path.write_bytes(path.read_bytes().upper())
    world.run()
    assert not (world.folder / "two" / derive.path(file.sha256)).exists()
    assert equal(world)


def test_the_target_failing_on_the_way(world: World) -> None:
    world.up.put(*(Item(f"more{number}") for number in range(6)))
    without(world, "two")
    world.troubles["two"] = failing_at("v2/content/other")
    report = world.run()
    assert report.exit_code() == 3
    assert "the disk broke" in report.sinks["two"].error
    world.troubles.clear()
    assert world.run().exit_code() == 0
    assert equal(world)


def test_stopped_on_the_way_it_goes_on(world: World) -> None:
    world.up.put(*(Item(f"more{number}") for number in range(20)))
    without(world, "two")
    run = world.prepared(jobs=1)

    class Impatient:
        def said(self, what: str, /, **_: Any) -> None:
            if what == "copy.moved":
                run.stop.set()

        def moved(self, *_: Any) -> None: ...

    run.watcher = Impatient()
    report = run.execute()
    assert report.exit_code() == 130
    first = report.sinks["two"].copied
    assert 0 < first < 20
    assert len(world.records("two")) == 3 + first
    report = world.run()
    assert report.sinks["two"].copied == 20 - first
    assert equal(world)


#: Runs a world of two sinks until something has happened seven times, and is killed then.
KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from pathlib import Path
from line_kit import Item, World, failing_at
from archiver.report import Silent
troubles = {{"two": failing_at("check")}} if {away!r} else {{}}
world = World(Path({folder!r}), sinks=("one", "two"), troubles=troubles)
world.up.put(*(Item(name) for name in "xyz"))
world.up.put(*(Item(f"more{{number}}") for number in range(20)))
run = world.prepared(jobs=2)
class Watcher(Silent):
    seen = 0
    def said(self, what, /, **_):
        Watcher.seen += what == {event!r}
        if Watcher.seen == 7:
            os.kill(os.getpid(), signal.SIGKILL)
run.watcher = Watcher()
run.execute()
"""


def killed(world: World, event: str, *, away: bool = False) -> None:
    """Run in a process of its own, to be killed at the seventh `event`; perhaps with sink two away."""
    code = KILLED.format(path=sys.path, folder=str(world.folder), event=event, away=away)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_killed_on_the_way_nothing_is_copied_twice(world: World) -> None:
    world.up.put(*(Item(f"more{number}") for number in range(20)))
    without(world, "two")
    killed(world, "copy.moved")
    there = set((world.folder / "two/ocfl/a/v2/content/other").iterdir())
    assert len(there) >= 7
    inodes = {path: path.stat().st_ino for path in there}
    assert world.run().exit_code() == 0
    assert equal(world)
    assert {path: path.stat().st_ino for path in there} == inodes


def test_killed_on_the_way_it_is_known_even_without_the_other_sink(world: World) -> None:
    """The journal names what came, so that it is not fetched again when the origin is away the next time."""
    world.up.put(*(Item(f"more{number}") for number in range(20)))
    without(world, "two")
    killed(world, "copy.moved")
    world.up.fetched.clear()
    report = without(world, "one")
    resumed = report.counts["a"]["src"]["resumed"]
    assert resumed >= 7
    assert len(world.up.fetched) == 20 - resumed
    world.run()
    assert equal(world)


def test_killed_while_one_sink_was_away(world: World) -> None:
    """What the killed run had put in the other one is proven there, and copied from there."""
    killed(world, "item.done", away=True)
    world.up.put(*(Item(f"more{number}") for number in range(20)))
    world.up.fetched.clear()
    report = world.run()
    assert report.exit_code() == 0
    resumed = report.counts["a"]["src"]["resumed"]
    assert resumed >= 7
    assert len(world.up.fetched) == 20 - resumed
    assert report.sinks["two"].copied == resumed
    assert equal(world)
    assert world.versions("one") == world.versions("two")


def test_torn_bytes_of_a_killed_run_are_written_again(world: World) -> None:
    world.up.put(Item("new", data=(b"the new bytes",)))
    without(world, "two")
    there = file_of(world, "new", "one")
    torn = world.folder / "two/ocfl/a/v2/content/other" / there.name
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"the n")
    world.run()
    assert equal(world)
    assert world.stored("new", sink="two") == [b"the new bytes"]


def test_what_was_taken_down_is_not_spread(world: World) -> None:
    world.up.put(Item("private"))
    without(world, "two")
    run = world.prepared()
    original = run._record_plan

    def take_down(recorder: Any, planned: Any) -> None:
        original(recorder, planned)
        record = recorder.known["a", "src", "private"]
        recorder._enter(record.moved(State.TAKEN_DOWN, "2030-01-01T00:00:00Z", "run", "asked to"))

    run._record_plan = take_down  # type: ignore[method-assign]
    run.execute()
    assert world.record("private", sink="two").state is State.TAKEN_DOWN
    assert world.record("private", sink="two").files == ()
    assert not any("private" in path for path in world.states("two")["a"])


def test_a_sink_whose_reading_fails_is_stopped_and_the_next_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, sinks=("one", "two", "three"))
    world.up.put(Item("x"))
    world.run()
    world.up.put(Item("y", data=(b"the bytes of y",)))
    without(world, "three")
    opened = DiskSink.open

    def broken(self: DiskSink, path: str, start: int = 0) -> Any:
        if self.context.name == "one" and "v2/content/other" in path:
            raise OSError(5, "Input/output error")
        return opened(self, path, start)

    monkeypatch.setattr(DiskSink, "open", broken)
    report = world.run()
    assert report.exit_code() == 3
    assert "Input/output error" in report.sinks["one"].error
    assert world.stored("y", sink="three") == [b"the bytes of y"]


def test_a_dry_run_copies_nothing(world: World) -> None:
    world.up.put(Item("new"))
    without(world, "two")
    before = world.states("two")
    report = world.prepared(dry_run=True).execute()
    assert report.exit_code() == 0
    assert world.states("two") == before


def test_files_that_no_ledger_names_come_along(world: World) -> None:
    """A late writer's file was taken in as unclaimed in one sink."""
    stranger = world.folder / "one/ocfl/a/v1/content/other/late.bin"
    stranger.write_bytes(b"written by a run whose lease had lapsed")
    world.up.put(Item("new"))
    world.run()
    assert "_unclaimed/v1/other/late.bin" in world.states("one")["a"]
    world.run()
    assert equal(world)


def test_an_unmounted_disk_is_not_filled(world: World) -> None:
    shutil.rmtree(world.folder / "two")
    report = world.run()
    assert "archive copy --from one --to two" in report.sinks["two"].note
    assert not (world.folder / "two").exists()
