"""`archive copy`: a new sink gets everything that another has."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from archiver.config import ArchiveSettings
from archiver.copying import Copied, Copying
from archiver.errors import LeaseHeldError, SinkError
from archiver.journal import unfinished
from archiver.lease import Lease
from archiver.report import Silent
from line_kit import Item, World, check_head, failing_at
from ocfl_checks import assert_valid


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, sinks=("one",))
    made.up.put(
        Item("x"), Item("y", (b"bytes of y alone",)), Item("z"), Item("b1", event="b", data=(b"one", b"two"))
    )
    made.up.cursor = "page 7"
    made.run()
    made.up.change("x", data=(b"the second edition",), revision="2")
    made.run()
    made.sinks = ("one", "two")
    return made


def copying(world: World, origin: str = "one", target: str = "two", **more: Any) -> Copying:
    return Copying(world.config, world.registry(), origin, target, **more)


def copy(world: World, origin: str = "one", target: str = "two") -> Copied:
    done = copying(world, origin, target).execute()
    check_head(world.head(target))
    return done


def test_a_new_sink_gets_everything(world: World) -> None:
    done = copy(world)
    assert done.exit_code == 0
    assert (done.files, done.lacking, done.left) == (6, 0, {})
    assert set(done.versions) == {"_archive", "a", "b"}
    assert world.states("two") == world.states("one")
    assert world.records("two") == world.records("one")
    assert len(world.record("x", sink="two").earlier) == 1
    assert_valid(world.folder / "two")
    assert (world.folder / "two/catalog.sqlite").exists()


def test_the_next_run_takes_it_for_one_of_its_own(world: World) -> None:
    copy(world)
    before = world.versions("one"), world.versions("two")
    fetched = list(world.up.fetched)
    report = world.run()
    assert report.exit_code() == 0
    assert not any(each.note for each in report.sinks.values())
    assert (world.versions("one"), world.versions("two")) == before
    assert world.up.fetched == fetched


def test_the_copy_alone_goes_on_with_the_same_cursors(world: World) -> None:
    copy(world)
    shutil.rmtree(world.folder / "one")
    world.sinks = ("two",)
    fetched = list(world.up.fetched)
    assert world.run().exit_code() == 0
    assert world.up.cursors[-1] == "page 7"
    assert world.up.fetched == fetched


def test_no_later_run_looks_for_what_the_copy_left(world: World) -> None:
    copy(world)
    head = world.head("two")
    assert list(unfinished(head.sink, head.runs)) == []
    assert head.report["sources"] == world.head("one").report["sources"]
    assert head.report["sinks"]["two"]["copied"] == 6


def test_twice_is_nothing_more(world: World) -> None:
    copy(world)
    files = {path: path.stat().st_mtime_ns for path in (world.folder / "two/ocfl").rglob("*")}
    done = copy(world)
    assert (done.files, done.versions, done.exit_code) == (0, {}, 0)
    assert {path: path.stat().st_mtime_ns for path in (world.folder / "two/ocfl").rglob("*")} == files


def test_the_origin_is_only_read(world: World) -> None:
    before = {path: path.stat().st_mtime_ns for path in (world.folder / "one").rglob("*")}
    copy(world)
    assert {path: path.stat().st_mtime_ns for path in (world.folder / "one").rglob("*")} == before


def test_an_origin_that_nobody_can_write_to(world: World) -> None:
    world.troubles["one"] = failing_at("")  # whatever is written, and the check whether it can be
    copy(world)


def test_the_copy_of_another_archive_is_no_target(world: World) -> None:
    other = World(world.folder / "other", settings=ArchiveSettings("Another", site=False), sinks=("two",))
    other.up.put(Item("q"))
    other.run()
    (world.folder / "other" / "two").rename(world.folder / "two")
    with pytest.raises(SinkError, match="different archives"):
        copy(world)


def test_an_origin_without_an_archive(world: World) -> None:
    with pytest.raises(SinkError, match="holds no archive") as told:
        copy(world, "two", "one")
    assert "--from" in told.value.hint
    assert not (world.folder / "two").exists()


def test_a_target_in_use(world: World) -> None:
    other = Lease(copying_sink(world, "two"), "another")
    other.acquire()
    try:
        with pytest.raises(LeaseHeldError):
            copying(world).execute()
    finally:
        other.release()


def copying_sink(world: World, name: str) -> Any:
    return world.head(name).sink


def test_damaged_bytes_are_named_and_the_rest_is_copied(world: World) -> None:
    head = world.head("one")
    (file,) = world.record("y", sink="one").files
    (world.folder / "one" / head.object("a").locate(file.path)).write_bytes(b"SOME BYTES")
    done = copying(world).execute()
    assert done.exit_code == 4
    assert file.path in done.damage[0]
    assert list(done.left) == [f"a/{file.path}"]
    assert done.lacking == 1
    assert set(world.records("two")) == {("a", "src", "x"), ("a", "src", "z"), ("b", "src", "b1")}
    check_head(world.head("two"))
    # What is not whole does not go on with the other's cursors: its sources are listed in full.
    assert not world.head("two").runs


def test_a_lost_file_is_named(world: World) -> None:
    head = world.head("one")
    (file,) = world.record("y", sink="one").files
    (world.folder / "one" / head.object("a").locate(file.path)).unlink()
    done = copying(world).execute()
    assert done.exit_code == 4
    assert "missing" in done.damage[0]
    assert done.lacking == 1


@pytest.mark.parametrize("lost", [False, True])
def test_bytes_that_are_whole_in_another_place_of_the_sink_are_taken_from_there(
    world: World, lost: bool
) -> None:
    world.up.put(Item("twin", (b"bytes of y alone",), event="b"))
    world.sinks = ("one",)
    world.run()
    world.sinks = ("one", "two")
    (file,) = world.record("y", sink="one").files
    path = world.folder / "one" / world.head("one").object("a").locate(file.path)
    path.unlink() if lost else path.write_bytes(b"BYTES OF Y ALONE")
    done = copying(world).execute()
    assert done.exit_code == 4  # the origin is damaged all the same, and that is told
    assert file.path in done.damage[0]
    assert (done.left, done.lacking) == ({}, 0)
    assert world.stored("y", sink="two") == [b"bytes of y alone"]
    check_head(world.head("two"))


def test_the_target_fails_on_the_way(world: World) -> None:
    world.troubles["two"] = failing_at("ocfl/b/v1/content")
    done = copying(world).execute()
    assert done.exit_code == 3
    assert "the disk broke" in done.error
    world.troubles.clear()
    assert copy(world).exit_code == 0
    assert world.states("two") == world.states("one")


def test_a_stop_commits_what_came_and_the_next_goes_on(world: World) -> None:
    prepared = copying(world, jobs=1)

    class Impatient(Silent):
        def said(self, what: str, /, **_: Any) -> None:
            if what == "copy.moved":
                prepared.stop.set()

    prepared.watcher = Impatient()
    done = prepared.execute()
    assert done.exit_code == 130
    assert 0 < done.files < 6
    check_head(world.head("two"))
    more = copy(world)
    assert more.files == 6 - done.files
    assert world.states("two") == world.states("one")


KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from pathlib import Path
from line_kit import World
from archiver.copying import Copying
from archiver.report import Silent
world = World(Path({folder!r}), sinks=("one", "two"))
class Watcher(Silent):
    seen = 0
    def said(self, what, /, **_):
        Watcher.seen += what == "copy.moved"
        if Watcher.seen == 3:
            os.kill(os.getpid(), signal.SIGKILL)
Copying(world.config, world.registry(), "one", "two", jobs=1, watcher=Watcher()).execute()
"""


def test_a_killed_copy_goes_on(world: World) -> None:
    code = KILLED.format(path=sys.path, folder=str(world.folder))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    there = {path: path.stat().st_ino for path in (world.folder / "two/ocfl").rglob("*") if path.is_file()}
    assert len(there) >= 3
    # A run in between leaves it alone: it holds no archive yet.
    assert "archive copy" in world.run().sinks["two"].note
    assert copy(world).exit_code == 0
    assert world.states("two") == world.states("one")
    assert {path: path.stat().st_ino for path in there} == there


def test_what_the_target_alone_has_stays(world: World) -> None:
    copy(world)
    world.sinks = ("two",)
    world.up.put(Item("later"))
    world.run()
    world.sinks = ("one", "two")
    assert copy(world).files == 0
    assert ("a", "src", "later") in world.records("two")
    done = copy(world, "two", "one")
    assert (done.files, done.exit_code) == (1, 0)
    assert world.states("two") == world.states("one")


def test_the_result_as_data(world: World) -> None:
    data = json.loads(json.dumps(copy(world).to_json()))
    assert (data["from"], data["to"], data["files"]) == ("one", "two", 6)
    own = (b"some bytes", b"some bytes", b"bytes of y alone", b"the second edition", b"onetwo")
    assert data["bytes"] == sum(map(len, own))
