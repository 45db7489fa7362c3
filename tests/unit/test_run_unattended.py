"""Runs that nobody watches: limits end them cleanly, the next one goes on, their reports say how it was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archiver.allowance import TIME, Limits
from archiver.cli.summary import lines
from archiver.errors import BlockedError, LeaseHeldError, SourceError, TransientError
from archiver.lease import Lease
from archiver.model import Kind, Material
from archiver.route import Filters
from line_kit import A, Item, Upstream, World
from media_samples import pdf


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, events=(A,))
    made.up.put(*(Item(name, (name.encode() * 100,)) for name in ("x", "y", "z")))
    return made


def stored(world: World) -> set[str]:
    return {record.material.id for record in world.records().values() if record.files}


def test_the_time_is_over_while_something_is_fetched(world: World) -> None:
    run = world.prepared(jobs=1, limits=Limits(seconds=3600))
    # The time is over while the second one is fetched.
    world.up.during_fetch = lambda name: run._allowance._over(TIME) if name == "y" else None
    report = run.execute()
    assert (report.stopped, report.interrupted, report.exit_code()) == ("time-limit", False, 0)
    assert stored(world) == {"x"}
    assert report.remaining == 2
    world.up.during_fetch = lambda _: None
    again = world.run()
    assert (again.stopped, again.remaining, again.total("new")) == ("", 0, 2)
    assert stored(world) == {"x", "y", "z"}


def test_a_listing_that_takes_the_night_is_told_of_and_the_others_are_fetched(tmp_path: Path) -> None:
    world = World(tmp_path, events=(A,), upstreams={"hangs": Upstream(), "good": Upstream()})
    world.upstreams["good"].put(Item("x"))
    never = threading.Event()
    world.upstreams["hangs"].items = _Hanging(never)
    report = world.run(limits=Limits(seconds=2))
    never.set()
    assert {record.material.id for record in world.records().values() if record.files} == {"x"}
    assert "cut off" in report.sources["hangs"].error
    assert report.sources["good"].error == ""
    assert report.exit_code() == 1


class _Hanging(dict[str, Item]):
    """What an upstream has that never answers."""

    def __init__(self, never: threading.Event) -> None:
        super().__init__()
        self._never = never

    def values(self) -> Any:
        self._never.wait(60)
        return super().values()


def test_bytes_run_out_and_the_next_runs_take_the_rest(world: World) -> None:
    reports = [world.run(jobs=1, limits=Limits(bytes=150)) for _ in range(3)]
    assert [report.total("new") for report in reports] == [1, 1, 1]
    assert [report.stopped for report in reports] == ["byte-limit", "byte-limit", ""]
    assert [report.remaining for report in reports] == [2, 1, 0]
    assert all(report.exit_code() == 0 for report in reports)
    assert [report.received for report in reports] == [100, 100, 100]


def test_what_is_larger_than_the_limit_does_not_hold_up_the_rest(world: World) -> None:
    world.up.items = {"huge": Item("huge", (b"h" * 1000,)), **world.up.items}
    report = world.run(jobs=1, limits=Limits(bytes=500))
    assert stored(world) == {"x", "y", "z"}
    assert (report.stopped, report.remaining) == ("byte-limit", 1)


def test_a_limit_does_not_hide_what_went_wrong(world: World) -> None:
    world.up.change("x", fails=BlockedError("a captcha"))
    report = world.run(jobs=1, limits=Limits(bytes=200))
    assert report.stopped == "byte-limit"
    assert report.exit_code() == 1


def test_a_signal_after_a_limit_is_no_interruption(world: World) -> None:
    run = world.prepared(jobs=1, limits=Limits(bytes=1))
    run._allowance.came(5)
    run.stop.set()
    report = run.execute()
    assert (report.stopped, report.interrupted) == ("byte-limit", False)


def test_a_stop_before_a_limit_is_one(world: World) -> None:
    run = world.prepared(jobs=1, limits=Limits(bytes=100))
    run.stop.set()
    report = run.execute()
    assert (report.stopped, report.interrupted, report.exit_code()) == ("", True, 130)


class TestCoverage:
    def test_the_report_says_what_is_here_and_what_is_not(self, world: World) -> None:
        first = world.run()
        assert first.coverage is not None
        assert first.coverage.have < first.coverage.wanted
        lacking = {(each.talk, each.kind) for each in first.coverage.lacking}
        assert ("chef", "slides") in lacking
        world.up.put(
            Item("deck", (pdf(["x"]),), talk="chef", kind=Kind.SLIDES, title="Deploy OpenStack with Chef")
        )
        second = world.run()
        assert second.coverage is not None
        assert second.coverage.have == first.coverage.have + 1
        assert ("chef", "slides") not in {(each.talk, each.kind) for each in second.coverage.lacking}
        assert len(second.coverage.lacking) == second.coverage.wanted - second.coverage.have

    def test_it_is_in_the_stored_report(self, world: World) -> None:
        report = world.run()
        assert world.head().report["coverage"] == report.to_json()["coverage"]

    def test_a_dry_run_has_none(self, world: World) -> None:
        assert world.run(dry_run=True).coverage is None


class TestKnownTrouble:
    """What is blocked for ever does not keep a nightly job red."""

    def broken(self, world: World, error: BaseException) -> None:
        world.up.breaks_after, world.up.error = 0, error

    def codes(self, report: Any) -> tuple[int, int]:
        return report.exit_code("any"), report.exit_code("new")

    def test_a_source_that_stays_blocked(self, world: World) -> None:
        self.broken(world, BlockedError("no datacenter may list this"))
        assert [self.codes(world.run()) for _ in range(3)] == [(1, 1), (1, 0), (1, 0)]

    def test_another_reason_is_news(self, world: World) -> None:
        self.broken(world, BlockedError("no datacenter may list this"))
        world.run()
        self.broken(world, SourceError("it broke"))
        assert self.codes(world.run()) == (1, 1)

    def test_so_is_the_same_after_a_good_night(self, world: World) -> None:
        self.broken(world, BlockedError("blocked"))
        world.run()
        world.up.breaks_after = None
        assert self.codes(world.run()) == (0, 0)
        self.broken(world, BlockedError("blocked"))
        assert self.codes(world.run()) == (1, 1)

    def test_an_item_that_stays_blocked(self, world: World) -> None:
        world.up.change("x", fails=BlockedError("a captcha"))
        assert [self.codes(world.run()) for _ in range(3)] == [(1, 1), (1, 0), (1, 0)]

    def test_an_outage_is_news_once_though_it_shows_by_the_items_first(self, world: World) -> None:
        for name in "xyz":
            world.up.change(name, fails=TransientError("connection refused"))
        codes = [self.codes(world.run())]
        self.broken(world, TransientError("connection refused"))
        codes += [self.codes(world.run()) for _ in range(2)]
        assert codes == [(1, 1), (1, 0), (1, 0)]

    def test_and_though_it_shows_by_the_listing_first(self, world: World) -> None:
        self.broken(world, TransientError("connection refused"))
        codes = [self.codes(world.run())]
        world.up.breaks_after = None
        world.up.change("x", fails=TransientError("connection refused"))
        codes += [self.codes(world.run()) for _ in range(2)]
        assert codes == [(1, 1), (1, 0), (1, 0)]

    def test_another_reason_of_the_listing_is_news(self, world: World) -> None:
        world.up.change("x", fails=TransientError("connection refused"))
        world.run()
        self.broken(world, BlockedError("no datacenter may list this"))
        assert self.codes(world.run()) == (1, 1)

    def test_one_item_that_is_blocked_for_ever_excuses_no_listing(self, world: World) -> None:
        world.up.change("x", fails=BlockedError("a captcha"))
        assert [self.codes(world.run()) for _ in range(2)] == [(1, 1), (1, 0)]
        self.broken(world, BlockedError("no datacenter may list this"))
        assert self.codes(world.run()) == (1, 1)

    def test_an_alarm_is_never_passed_over(self, world: World) -> None:
        world.up.put(*(Item(str(number)) for number in range(20)))
        world.run()
        world.up.items = dict(list(world.up.items.items())[:2])
        assert [self.codes(world.run()) for _ in range(2)] == [(1, 1), (1, 1)]


class TestWaiting:
    def test_a_run_waits_for_another_to_end(self, world: World) -> None:
        other = Lease(world.head().sink, "20120916T100000Z-aaaaaa")
        (world.folder / "local").mkdir(exist_ok=True)
        other.acquire()
        with pytest.raises(LeaseHeldError):
            world.prepared().execute()
        threading.Timer(0.2, other.release).start()
        report = world.prepared(wait=60.0).execute()
        assert report.total("new") == 3

    def test_and_gives_up_when_the_time_is_over(self, world: World) -> None:
        other = Lease(world.head().sink, "20120916T100000Z-aaaaaa")
        (world.folder / "local").mkdir(exist_ok=True)
        other.acquire()
        try:
            with pytest.raises(LeaseHeldError):
                world.prepared(wait=0.1).execute()
        finally:
            other.release()


class TestWhatRemains:
    """What was never listed nobody can count, and no report says that it is nothing."""

    def told(self, report: Any) -> str:
        *_, last = lines(report, {})
        return str(last)

    def test_a_stop_while_listing(self, world: World) -> None:
        run = world.prepared(limits=Limits(requests=1))
        world.up.items["y"] = _Telling("y", told=lambda: run._allowance.asked(None))
        report = run.execute()
        assert (report.stopped, report.remaining, report.unlisted) == ("request-limit", 1, ["src"])
        assert "1 remains (src was not listed to the end: there may be more)" in self.told(report)
        assert world.head().report["sources"]["src"]["cut"] is True

    def test_a_stop_before_anything_was_listed(self, world: World) -> None:
        run = world.prepared(limits=Limits(requests=1))
        run._allowance.asked(None)
        report = run.execute()
        assert (report.remaining, report.unlisted) == (0, ["src"])
        assert "how much remains is not known (src was not listed to the end" in self.told(report)

    def test_a_limit_of_items(self, world: World) -> None:
        report = world.run(filters=Filters(limit=2))
        assert (report.total("new"), report.remaining, report.unlisted) == (2, 0, ["src"])
        assert self.told(report).endswith(
            "How much remains is not known (src was not listed to the end: there may be more)."
        )
        again = world.run(filters=Filters(limit=2))
        assert (again.total("new"), again.remaining, again.unlisted) == (1, 0, [])
        assert "remain" not in self.told(again)

    def test_what_was_listed_above_the_limit_is_counted(self, tmp_path: Path) -> None:
        world = World(tmp_path, events=(A,), upstreams={"one": Upstream(), "two": Upstream()})
        for name, each in world.upstreams.items():
            each.put(Item(f"{name}-x"), Item(f"{name}-y"))
        report = world.run(filters=Filters(limit=2))
        assert (report.total("new"), report.remaining, report.unlisted) == (2, 2, [])
        assert self.told(report).endswith("2 remain.")

    def test_a_stop_after_the_listing(self, world: World) -> None:
        run = world.prepared(jobs=1, limits=Limits(seconds=3600))
        world.up.during_fetch = lambda name: run._allowance._over(TIME)
        report = run.execute()
        assert (report.remaining, report.unlisted) == (3, [])
        assert self.told(report).endswith("3 remain for the next run.")

    def test_a_whole_run_leaves_nothing(self, world: World) -> None:
        report = world.run()
        assert (report.remaining, report.unlisted) == (0, [])


@dataclass
class _Telling(Item):
    """A material that says when it is listed."""

    told: Callable[[], object] = lambda: None

    @property
    def material(self) -> Material:
        self.told()
        return super().material
