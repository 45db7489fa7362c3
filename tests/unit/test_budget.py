"""Bytes that wait on disk stay within what was allowed."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archiver.budget import Budget
from archiver.config import ArchiveSettings
from archiver.errors import InvalidError, TransientError
from archiver.threads import Stopped
from line_kit import Item, World, counts

NEVER = threading.Event()


def test_without_a_limit_there_is_always_room() -> None:
    budget = Budget()
    with budget.room(1 << 60, NEVER) as one, budget.room(1 << 60, NEVER):
        one.grow(1 << 62, NEVER)
    assert budget.used == 0


def test_more_than_everything_is_refused_with_the_next_step() -> None:
    budget = Budget(100)
    with pytest.raises(InvalidError, match="101 bytes") as told, budget.room(101, NEVER):
        pass
    assert "staging_limit" in told.value.hint
    with budget.room(60, NEVER) as room, pytest.raises(InvalidError, match="101 bytes"):
        room.grow(101, NEVER)
    assert budget.used == 0


def test_one_waits_until_the_other_gives_back() -> None:
    budget, held, order = Budget(100), threading.Event(), []

    def second() -> None:
        held.wait(10)
        with budget.room(50, NEVER):
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        with budget.room(60, NEVER) as room:
            waiting = pool.submit(second)
            held.set()
            room.grow(90, NEVER)
            order.append("first")
        waiting.result(10)
    assert order == ["first", "second"]
    assert budget.used == 0


def test_a_stop_ends_the_waiting() -> None:
    budget, stop = Budget(100), threading.Event()
    with budget.room(100, NEVER):
        stop.set()
        with pytest.raises(Stopped), budget.room(1, stop):
            pass
    assert budget.used == 0


def test_two_that_wait_for_each_other_do_not_wait_for_ever() -> None:
    budget, both = Budget(100), threading.Barrier(2)

    def grow() -> str:
        try:
            with budget.room(50, NEVER) as room:
                both.wait(10)
                room.grow(80, NEVER)
        except TransientError:
            return "begin anew"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        ended = sorted(each.result(20) for each in [pool.submit(grow), pool.submit(grow)])
    assert ended == ["begin anew", "done"]
    assert budget.used == 0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def watched(world: World, limit: int, sizes: dict[str, int], **settings: Any) -> list[int]:
    """Set a limit; note how many bytes lie in the staging directory whenever a fetch begins."""
    staging = world.folder / "staging"
    world.settings = ArchiveSettings("A tour", staging=staging, staging_limit=limit, **settings)
    world.up.put(*(Item(name, data=(name.encode() * size,)) for name, size in sizes.items()))
    seen: list[int] = []

    def look(_: str) -> None:
        # os.walk passes over directories that another fetch has just taken away; Path.rglob does not.
        files = [Path(folder, name) for folder, _, names in os.walk(staging) for name in names]
        seen.append(sum(map(size, files)))

    world.up.during_fetch = look
    return seen


def size(path: Path) -> int:
    """Give the bytes of a file; 0 for what another fetch has just taken away."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def test_fetches_wait_for_room(world: World) -> None:
    seen = watched(world, 100, dict.fromkeys("abcdefgh", 40))
    report = world.run(jobs=8)
    assert report.exit_code() == 0
    assert counts(report) == {"new": 8}
    assert max(seen) <= 60  # two at a time, and one of them just begins


def test_a_file_larger_than_the_limit_is_named_and_the_others_come(world: World) -> None:
    watched(world, 100, {"a": 40, "b": 101, "c": 40})
    report = world.run(jobs=4)
    assert report.exit_code() == 1
    assert counts(report) == {"new": 2, "invalid": 1}
    (problem,) = report.problems
    assert problem.id == "b"
    assert "staging_limit" in problem.detail
    assert world.up.fetched.count("b") == 0
    world.settings = ArchiveSettings("A tour")
    assert counts(world.run()) == {"new": 1, "same": 2}


def test_what_tells_no_size_is_measured_as_it_comes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sizeless(monkeypatch)
    watched(world, 100, {"a": 30, "b": 60, "c": 101, "d": 10})
    report = world.run(jobs=4)
    assert counts(report) == {"new": 3, "invalid": 1}
    assert "takes 101 bytes" in report.problems[0].detail


def test_many_that_outgrow_their_share_all_come_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizeless(monkeypatch)
    watched(world, 100, dict.fromkeys("abcdefgh", 90))
    report = world.run(jobs=4)
    assert counts(report) == {"new": 8}
    assert report.exit_code() == 0


def sizeless(monkeypatch: pytest.MonkeyPatch) -> None:
    listed: Any = vars(Item)["material"]
    monkeypatch.setattr(Item, "material", property(lambda item: replace(listed.fget(item), size=None)))
