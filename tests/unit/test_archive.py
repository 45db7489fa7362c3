from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archiver import archive, ledger, ocfl
from archiver.archive import ABOUT, COMMON, LEDGERS, open_archive
from archiver.contracts import Sink
from archiver.errors import DamageError, FormatError, SinkError
from archiver.ledger import Record, State, Transition
from archiver.model import Kind, Material
from archiver.ocfl import OcflObject, blob
from archiver.sinks.guarded import Guarded
from ocfl_checks import make_sink

ONE, TWO = "20120916T100000Z-aaaaaa", "20120917T100000Z-bbbbbb"


def record(event: str = "beijing", number: str = "1", at: str = "2012-09-16T10:00:00Z") -> Record:
    return Record(
        "decks",
        "slideshare",
        Material(number, Kind.SLIDES, event=event),
        State.STORED,
        history=(Transition(at, State.STORED),),
    )


def write(sink: Sink[Any], name: str, documents: dict[str, bytes]) -> None:
    each = ocfl.load(sink).get(name) or OcflObject(sink, name)
    ocfl.commit(each, [], documents, created="2012-09-16T10:00:00Z", message="m")


def fill(sink: Sink[Any], *records: Record, number: Any = 1) -> None:
    write(sink, COMMON, {ABOUT: json.dumps({"format": number, "title": "Tour"}).encode()})
    for event in {each.material.event for each in records}:
        rows = [each for each in records if each.material.event == event]
        write(sink, event or COMMON, {f"{LEDGERS}decks.jsonl": ledger.dump(rows)})


def report(sink: Sink[Any], run: str, data: bytes | None = None) -> None:
    sink.create(f"runs/{run}.json", blob(json.dumps({"run": run}).encode() if data is None else data))


@pytest.fixture
def sink(tmp_path: Path) -> Sink[Any]:
    return Guarded(make_sink(tmp_path))


def test_an_empty_sink(sink: Sink[Any]) -> None:
    head = archive.look("local", sink)
    assert head.empty
    assert (head.records, head.runs, head.report, head.digests) == ({}, (), {}, {})
    assert head.object("beijing").head == 0


def test_what_a_sink_holds(sink: Sink[Any]) -> None:
    fill(sink, record(), record("shanghai", "2"), record("", "3"))
    report(sink, ONE)
    report(sink, TWO)
    head = archive.look("local", sink)
    assert not head.empty
    assert set(head.records) == {("beijing", "decks", "1"), ("shanghai", "decks", "2"), ("", "decks", "3")}
    assert head.runs == (ONE, TWO)
    assert head.report == {"run": TWO}
    assert set(head.digests) == {COMMON, "beijing", "shanghai"}


def test_a_copy_that_somebody_made_of_an_object_does_not_count(sink: Sink[Any]) -> None:
    fill(sink, record(at="2012-09-16T10:00:00Z"))
    write(sink, "beijing-old", {f"{LEDGERS}decks.jsonl": ledger.dump([record(at="2099-01-01T00:00:00Z")])})
    assert archive.look("local", sink).records == {("beijing", "decks", "1"): record()}


@pytest.mark.parametrize("data", [b"", b"\0" * 90, b"[" * 100_000, b"[]", b"\xff", b"7"])
def test_a_torn_report_costs_its_cursors_only(sink: Sink[Any], data: bytes) -> None:
    fill(sink, record())
    report(sink, ONE, data)
    head = archive.look("local", sink)
    assert head.report == {}
    assert head.runs == (ONE,)


def test_a_huge_report(sink: Sink[Any], tmp_path: Path) -> None:
    report(sink, ONE)
    with (tmp_path / f"archive/runs/{ONE}.json").open("r+b") as stream:
        stream.truncate(1 << 40)
    assert archive.look("local", sink).report == {}


@pytest.mark.parametrize("name", ["zzz", "latest", f"{TWO}.bak", "99991231T235959Z", f"old/{TWO}"])
def test_other_files_beside_the_reports(sink: Sink[Any], name: str) -> None:
    report(sink, ONE)
    report(sink, name)
    assert archive.look("local", sink).runs == (ONE,)


@pytest.mark.parametrize("number", [2, 99, "2", 1e9])
def test_a_newer_format(sink: Sink[Any], number: Any) -> None:
    fill(sink, number=number)
    with pytest.raises(FormatError, match="update the program"):
        archive.look("local", sink)


@pytest.mark.parametrize(
    "about",
    [b"", b"[]", b"{}", b'{"format": null}', b'{"format": Infinity}', b'{"format": []}', b"[" * 100_000],
)
def test_a_damaged_format(sink: Sink[Any], about: bytes) -> None:
    write(sink, COMMON, {ABOUT: about})
    with pytest.raises(DamageError, match="cannot be read") as caught:
        archive.look("local", sink)
    assert caught.value.hint


def break_ledger(folder: Path) -> None:
    (folder / "archive/ocfl/beijing/v1/content/metadata/ledger/decks.jsonl").write_bytes(b"changed")


def break_inventories(folder: Path) -> None:
    for path in ("inventory.json", "v1/inventory.json"):
        (folder / "archive/ocfl/beijing" / path).write_bytes(b"changed")


class TestSeveral:
    @pytest.fixture
    def other(self, tmp_path: Path) -> Sink[Any]:
        return Guarded(make_sink(tmp_path / "other"))

    def test_the_union_of_the_ledgers_and_the_newest_report(self, sink: Sink[Any], other: Sink[Any]) -> None:
        late = record(at="2012-09-18T00:00:00Z")
        fill(sink, late, record("shanghai", "2"))
        fill(other, record(), record("xian", "3"))
        report(sink, ONE)
        report(other, TWO)
        found = open_archive([("one", lambda: sink), ("two", lambda: other)])
        assert {key[0] for key in found.records} == {"beijing", "shanghai", "xian"}
        assert found.records["beijing", "decks", "1"] == late
        assert found.report == {"run": TWO}
        assert found.best.name == "two"

    @pytest.mark.parametrize("damage", [break_ledger, break_inventories])
    def test_a_damaged_sink_is_noted_and_the_other_serves(
        self, sink: Sink[Any], other: Sink[Any], tmp_path: Path, damage: Callable[[Path], None]
    ) -> None:
        fill(sink, record())
        fill(other, record())
        damage(tmp_path)
        found = open_archive([("one", lambda: sink), ("two", lambda: other)])
        assert list(found.heads) == ["two"]
        assert "sink one is damaged" in found.errors["one"].message
        assert found.errors["one"].hint

    def test_a_sink_that_cannot_be_made(self, other: Sink[Any]) -> None:
        def fail() -> Sink[Any]:
            raise SinkError("no network")

        found = open_archive([("one", fail), ("two", lambda: other)])
        assert str(found.errors["one"]) == "no network"
        with pytest.raises(SinkError, match="no network"):
            _ = open_archive([("one", fail)]).best

    def test_a_newer_format_is_never_passed_over(self, sink: Sink[Any], other: Sink[Any]) -> None:
        fill(sink, number=2)
        with pytest.raises(FormatError):
            open_archive([("two", lambda: other), ("one", lambda: sink)])
