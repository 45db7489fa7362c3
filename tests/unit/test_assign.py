"""Tasks out of plans, and what killed runs left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archiver.assign import adopt, tasks
from archiver.instances import Workshop
from archiver.journal import Entry, Journal
from archiver.ledger import StoredFile
from archiver.model import Kind, Material
from archiver.ocfl import blob
from archiver.plan import Work
from archiver.route import Found
from line_kit import Item, World

MATERIAL = Material("x", Kind.OTHER, event="a", revision="1")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, sinks=("one", "two"))


def planned(material: Material = MATERIAL) -> list[Work]:
    return [Work(Found("src", "memory", material, "entry"), "new")]


def journalled(
    world: World, sink: str, data: bytes = b"text", run: str = "killed", **more: Any
) -> StoredFile:
    """Put a file and note it, as a run does that is killed before its commit."""
    head = world.head(sink)
    made = blob(data)
    file = StoredFile(f"other/{made.sha256[:12]}.txt", made.size, made.sha256)
    content = head.object("a").next_content
    if more.pop("put", True):
        head.sink.create(content + file.path, made)
    material = more.pop("material", MATERIAL)
    files = more.pop("files", (file,))
    entry = Entry("a", "src", "memory", material, more.pop("content", content), files)
    Journal(head.sink, run).add(entry)
    return file


def adopted(world: World, material: Material = MATERIAL) -> list[tuple[tuple[StoredFile, ...], set[str]]]:
    """The files that are taken over, and the sinks in which they are proven."""
    heads = {name: world.head(name) for name in world.sinks}
    waiting = tasks(planned(material), Workshop("run", world.folder), heads, {})
    return [(outcome.files, set(outcome.stored)) for outcome in adopt(waiting, heads)]


def test_a_task_knows_what_each_sink_has(world: World) -> None:
    world.up.put(Item("x"))
    world.run()
    world.up.change("x", data=(b"second",), revision="2")
    world.run()
    heads = {name: world.head(name) for name in world.sinks}
    known = dict(heads["one"].records)
    (task,) = tasks(planned(), Workshop("run", world.folder), heads, known)
    assert {each.sink: (each.content, len(each.have)) for each in task.destinations} == dict.fromkeys(
        world.sinks, ("ocfl/a/v3/content/", 2)
    )
    assert len(task.known) == 2
    (stranger,) = tasks(planned(replace(MATERIAL, id="y")), task.workshop, heads, known)
    assert stranger.known == ()
    # What a ledger claims and the object does not hold is put again.
    lying = {
        key: replace(record, files=(StoredFile("other/x", 1, "0" * 64),)) for key, record in known.items()
    }
    (task,) = tasks(planned(), task.workshop, heads, lying)
    assert "other/x" not in task.destinations[0].have


def test_what_every_sink_has_is_adopted(world: World) -> None:
    files = {journalled(world, sink) for sink in world.sinks}
    assert adopted(world) == [(tuple(files), {"one", "two"})]


def test_the_later_of_two_killed_runs_counts(world: World) -> None:
    for sink in world.sinks:
        journalled(world, sink, b"first", run="killed-1")
        last = journalled(world, sink, b"second", run="killed-2")
    assert adopted(world) == [((last,), {"one", "two"})]


@pytest.mark.parametrize(
    "more",
    [
        {"put": False},
        {"files": ()},
        {"content": "ocfl/a/v9/content/"},
        {"material": replace(MATERIAL, revision="0")},
    ],
)
def test_what_is_proven_in_one_sink_is_not_fetched_again(world: World, more: dict[str, Any]) -> None:
    file = journalled(world, "one")
    journalled(world, "two", **more)
    assert adopted(world) == [((file,), {"one"})]


def test_one_of_two_that_differ_is_taken(world: World) -> None:
    journalled(world, "one")
    file = journalled(world, "two", b"other bytes")
    assert adopted(world) == [((file,), {"two"})]


@pytest.mark.parametrize("more", [{"put": False}, {"material": replace(MATERIAL, revision="0")}])
def test_what_is_proven_nowhere_is_fetched_again(world: World, more: dict[str, Any]) -> None:
    for sink in world.sinks:
        journalled(world, sink, **more)
    assert adopted(world) == []


def test_one_journal_is_enough(world: World) -> None:
    file = journalled(world, "one")
    assert adopted(world) == [((file,), {"one"})]


def test_damaged_bytes_are_not_adopted(world: World) -> None:
    for sink in world.sinks:
        file = journalled(world, sink)
    (world.folder / "two/ocfl/a/v1/content" / file.path).write_bytes(b"tex")
    assert adopted(world) == [((file,), {"one"})]


def test_a_damaged_journal_costs_only_itself(world: World) -> None:
    for sink in world.sinks:
        file = journalled(world, sink)
    (world.folder / "two/journal/killed/1.jsonl").write_bytes(b'\xff{}\n[]\n{"event": 3}\n')
    assert adopted(world) == [((file,), {"one"})]


def test_a_directory_in_the_place_of_a_file_is_not_adopted(world: World) -> None:
    for sink in world.sinks:
        file = journalled(world, sink)
    path = world.folder / "one/ocfl/a/v1/content" / file.path
    path.unlink()
    path.mkdir()
    assert adopted(world) == [((file,), {"two"})]
