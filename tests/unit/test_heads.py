"""A whole event that is gone, or is an old copy, is missed: by verify, by status, and by runs."""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import heads
from archiver.api import Context
from archiver.archive import COMMON, new_run
from archiver.errors import SinkError
from archiver.heads import Newest, Noted
from archiver.journal import Journal
from archiver.ocfl import blob, is_object_name
from archiver.ready import now
from archiver.shelf import Shelf
from archiver.testing.sinks_memory import MemoryOptions, MemorySink
from line_kit import Item, World
from verify_kit import Bench, bench, build, damage

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
NEWEST = st.builds(Newest, st.integers(1, 10**6), st.from_regex(r"[0-9a-f]{64}", fullmatch=True))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture
def made(tmp_path: Path, built: Path) -> Bench:
    return bench(tmp_path / "bench", built)


@pytest.fixture
def alone(tmp_path: Path) -> World:
    """An archive in one sink, whose event `a` has two versions."""
    world = World(tmp_path)
    world.up.put(Item("x", (b"bytes of x",)), Item("y", (b"bytes of y",), event="b"))
    assert world.run().exit_code() == 0
    shutil.copytree(world.folder / "local/ocfl/a", world.folder / "old")
    world.up.put(Item("z", (b"bytes of z",)))
    assert world.run().exit_code() == 0
    return world


def memory() -> MemorySink:
    http: Any = None
    name = secrets.token_hex(8)
    return MemorySink(MemoryOptions(name=name), Context(name, Path(), http))


def tree(folder: Path) -> dict[str, bytes]:
    """What lies in a sink; its lease is written by whoever looks."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lease")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def swap(folder: Path, other: Path | None) -> None:
    shutil.rmtree(folder)
    if other is not None:
        shutil.copytree(other, folder)


@given(st.dictionaries(NAMES, NEWEST))
def test_what_is_noted_is_read(newest: dict[str, Newest]) -> None:
    sink = memory()
    heads.note(sink, newest)
    assert heads.noted(sink) == Noted(newest)
    assert heads.losses(sink, newest, newest, ()) == []


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b'{"a": 3}', b'{"a": {"version": "x", "sha256": ""}}', b"[" * 100_000, b"\xff"],
)
def test_a_list_that_cannot_be_read_is_told(data: bytes) -> None:
    sink = memory()
    heads.note(sink, {"a": Newest(1, "0" * 64)})
    sink.replace(heads.PATH, blob(data))
    assert heads.noted(sink).newest == {}
    assert "so whether an event is gone is not known" in heads.noted(sink).trouble


def test_names_that_are_none_of_ours_are_left_out() -> None:
    sink = memory()
    names = ["a", "../a", "A", "\x1b[31m", COMMON]
    heads.note(sink, dict.fromkeys(names, Newest(1, "0" * 64)))
    assert (
        heads.noted(sink).newest.keys() == {each for each in names if is_object_name(each)} == {"a", COMMON}
    )


def test_a_list_that_its_digest_does_not_prove_says_nothing() -> None:
    sink = memory()
    assert heads.noted(sink) == Noted({})
    heads.note(sink, {"a": Newest(2, "0" * 64)})
    sink.replace(heads.PATH, blob(heads.dump({"a": Newest(3, "0" * 64)})))
    assert heads.noted(sink).newest == {}
    assert "is not what was written" in heads.noted(sink).trouble


def test_a_run_that_notes_something_meanwhile_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = memory()
    heads.note(sink, {"a": Newest(1, "0" * 64)})
    opened, left = sink.open, [{"a": Newest(2, "1" * 64)}]

    def meanwhile(path: str, start: int = 0) -> BinaryIO:
        if path == heads.PATH and left:  # its digest was read before
            heads.note(sink, left.pop())
        return opened(path, start)

    monkeypatch.setattr(sink, "open", meanwhile)
    assert heads.noted(sink) == Noted({"a": Newest(2, "1" * 64)})


def test_every_version_is_noted_when_it_is_made(alone: World) -> None:
    listed = json.loads((alone.folder / "local/heads.json").read_bytes())
    assert {name: each["version"] for name, each in listed.items()} == alone.versions()
    for name, each in listed.items():
        sidecar = (alone.folder / f"local/ocfl/{name}/inventory.json.sha256").read_text()
        assert sidecar.split()[0] == each["sha256"]


@pytest.mark.parametrize(
    ("other", "told"),
    [("", "event a is gone: version 2 of it"), ("old", "event a is an old copy: version 2")],
)
def test_what_one_sink_alone_held_is_waited_for(alone: World, other: str, told: str) -> None:
    sink, event = alone.folder / "local", alone.folder / "local/ocfl/a"
    shutil.copytree(event, alone.folder / "whole")
    swap(event, alone.folder / other if other else None)
    before = tree(sink)
    for options in ({}, {"dry_run": True}):
        with pytest.raises(SinkError, match=told) as raised:
            alone.run(**options)
        assert "archive verify --accept-loss a --sink local" in str(raised.value.hint)
    assert tree(sink) == before
    assert told in alone.head().damage
    swap(event, alone.folder / "whole") if other else shutil.copytree(alone.folder / "whole", event)
    assert alone.head().damage == ""
    report = alone.run()
    assert (report.exit_code(), alone.versions()["a"]) == (0, 2)


def test_another_copy_of_the_same_version_is_missed_too(alone: World, tmp_path: Path) -> None:
    twin = World(tmp_path / "twin")
    twin.up.put(Item("x", (b"bytes of x",)))
    assert twin.run().exit_code() == 0
    twin.up.put(Item("z", (b"other bytes of z",)))
    assert twin.run().exit_code() == 0
    swap(alone.folder / "local/ocfl/a", twin.folder / "local/ocfl/a")
    with pytest.raises(SinkError, match="event a is not what was stored here"):
        alone.run()


@pytest.mark.parametrize(("there", "place"), [("a", "b"), ("b", "a")], ids=["newer", "older"])
def test_another_event_is_not_taken_for_the_one_that_was_there(made: Bench, there: str, place: str) -> None:
    """Its files would become those of the event, and be copied to the other sink as well."""
    before = made.digests(made.two)
    swap(made.one / "ocfl" / place, made.one / "ocfl" / there)
    told = made.verify()
    assert f"ocfl/{place}/inventory.json" in damage(told.findings)
    assert f"move ocfl/{place}/ elsewhere" in told.findings[0].hint
    report = made.world.run()
    assert report.exit_code() == 3
    assert f"move ocfl/{place} of sink one elsewhere, then: archive run" in report.sinks["one"].error
    states = {path: digest for path, digest in made.digests(made.two).items() if path.startswith("ocfl/")}
    assert states == {path: digest for path, digest in before.items() if path.startswith("ocfl/")}
    assert damage(made.verify(repair=True).findings) == [f"ocfl/{place}/inventory.json"]
    shutil.rmtree(made.one / "ocfl" / place)
    assert made.verify(repair=True).exit_code() == 0
    assert made.world.run().exit_code() == 0
    assert made.world.states("one") == made.world.states("two")


def test_a_sink_whose_objects_are_all_gone_is_filled_again(made: Bench) -> None:
    shutil.rmtree(made.one / "ocfl")
    report = made.world.run()
    assert report.exit_code() == 4
    assert "filled again" in report.sinks["one"].damage
    assert made.world.states("one") == made.world.states("two")
    assert made.verify(sinks=frozenset()).findings == []


def test_an_archive_whose_objects_are_all_gone_is_not_begun_anew(alone: World) -> None:
    shutil.rmtree(alone.folder / "local/ocfl")
    with pytest.raises(SinkError, match="what belongs to no single event is gone"):
        alone.run()
    assert not (alone.folder / "local/ocfl").exists()


def test_an_archive_of_before_is_read_as_before_and_noted_by_the_next_run(alone: World) -> None:
    for path in ("heads.json", "heads.json.sha256"):
        (alone.folder / "local" / path).unlink()
    assert alone.head().damage == ""
    assert alone.run().exit_code() == 0
    assert heads.noted(alone.head().sink).newest == alone.head().newest


@pytest.mark.parametrize("versions", [0, 1])
def test_verify_finds_it_and_brings_it_back(made: Bench, versions: int) -> None:
    before = made.digests()
    if versions:
        for path in ("v2", "inventory.json", "inventory.json.sha256"):
            where = made.one / "ocfl/a" / path
            shutil.rmtree(where) if where.is_dir() else where.unlink()
        for path in ("inventory.json", "inventory.json.sha256"):
            shutil.copy(made.one / "ocfl/a/v1" / path, made.one / "ocfl/a" / path)
    else:
        shutil.rmtree(made.one / "ocfl/a")
    told = made.verify()
    assert told.exit_code() == 4
    assert damage(told.findings) == ["ocfl/a/inventory.json"]
    assert "version 2" in told.findings[0].detail
    assert damage(made.verify(events=frozenset(["b"])).findings) == []
    mended = made.verify(repair=True)
    assert (mended.exit_code(), mended.damage) == (0, [])
    after = made.digests()
    # Sinks commit one after the other, so their inventories may tell other seconds.
    content = [path for path in before if path.startswith("ocfl/a/") and "/content/" in path]
    assert len(content) > 4
    assert {path: after[path] for path in content} == {path: before[path] for path in content}
    assert made.verify().findings == []


def test_the_next_run_fills_it_again_and_tells_of_it(made: Bench) -> None:
    shutil.rmtree(made.one / "ocfl/a")
    report = made.world.run()
    assert report.exit_code() == 4
    assert "event a is gone" in report.sinks["one"].damage
    assert "filled again" in report.sinks["one"].damage
    assert made.world.states("one") == made.world.states("two")
    assert made.world.run().exit_code() == 0
    assert made.verify().findings == []


def test_what_is_gone_everywhere_is_not_repaired_from_another_loser(made: Bench) -> None:
    for sink in (made.one, made.two):
        shutil.rmtree(sink / "ocfl/a")
    mended = made.verify(sinks=frozenset(), repair=True)
    assert {(each.sink, each.path) for each in mended.damage} == {
        (sink, "ocfl/a/inventory.json") for sink in ("one", "two")
    }
    assert all("--accept-loss a" in each.hint for each in mended.damage)
    with pytest.raises(SinkError, match="has lost what was stored there"):
        made.world.run()


def test_a_loss_that_is_accepted_is_missed_no_longer(alone: World) -> None:
    for event in ("a", "b"):
        shutil.rmtree(alone.folder / f"local/ocfl/{event}")
    verified = Bench(alone).prepared(accepted=frozenset(["a", "c"])).execute()
    assert verified.sinks["local"].accepted == ["a"]
    assert damage(verified.findings) == ["ocfl/b/inventory.json"]
    with pytest.raises(SinkError, match="event b is gone"):
        alone.run()
    verified = Bench(alone).prepared(accepted=frozenset(["b"])).execute()
    assert (verified.findings, verified.exit_code()) == ([], 0)
    report = alone.run()
    assert report.exit_code() == 0
    assert alone.stored("x") == [b"bytes of x"]
    assert Bench(alone).prepared().execute().findings == []


def test_what_was_not_made_again_stays_missed(made: Bench) -> None:
    shutil.rmtree(made.one / "ocfl/a")
    shutil.rmtree(made.one / "ocfl/b")
    head = made.world.head("one")
    shelf = Shelf(head, Journal(head.sink, new_run()))
    committed = list(shelf.commit({"b": {"metadata/event.json": b"{}"}}, "a part", now))
    assert [name for each in committed for name in each] == []  # of b nothing was borrowed from the other
    shelf.borrow("b", "metadata/event.json", b"{}")
    assert [name for each in shelf.commit({}, "a part", now) for name in each] == ["b"]
    assert {loss.name for loss in made.world.head("one").losses} == {"a"}


@pytest.mark.parametrize("how", ["flipped", "gone"])
def test_a_spoiled_list_is_told_until_it_is_made_again(made: Bench, how: str) -> None:
    right = (made.one / heads.PATH).read_bytes()
    if how == "gone":
        (made.one / heads.PATH).unlink()
    else:
        (made.one / heads.PATH).write_bytes(right.replace(b": 2", b": 3"))
    assert "whether an event is gone is not known" in made.world.head("one").damage
    for _ in range(2):
        made.world.up.put(Item("new", (b"new bytes",)))
        report = made.world.run()
        assert report.exit_code() == 4
        assert heads.PATH in report.sinks["one"].damage
    assert damage(made.verify().findings) == [heads.PATH]
    mended = made.verify(repair=True)
    assert mended.damage == []
    assert "whether one was gone before is not known" in mended.findings[0].repaired
    assert heads.noted(made.world.head("one").sink).newest == made.world.head("one").newest
    assert made.world.run().exit_code() == 0


def test_a_spoiled_digest_leaves_the_list(made: Bench) -> None:
    (made.one / f"{heads.PATH}.sha256").write_bytes(b"spoiled")
    shutil.rmtree(made.one / "ocfl/a")
    assert [loss.name for loss in made.world.head("one").losses] == ["a"]
