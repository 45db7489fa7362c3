from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archiver import journal, seal
from archiver.contracts import Blob, Sink, Stat
from archiver.journal import Entry, Journal
from archiver.ledger import StoredFile
from archiver.model import Kind, Material
from archiver.ocfl import blob
from archiver.sinks.guarded import Guarded
from archiver.sinks.wrapper import Wrapper
from archiver.testing.sinks import paths, read
from ocfl_checks import make_sink

RUN = "20120916T100000Z-aaaaaa"
#: A segment that is full, and the digest beside it.
SEALED = [[f"{number}.jsonl", f"{number}.jsonl.sha256"] for number in (1, 2, 3)]
FILE = StoredFile("slides/a-3f9a2c41d07b.pdf", 7, "a" * 64)


def entry(number: int = 1, **changes: Any) -> Entry:
    material = Material(f"deck-{number}", Kind.SLIDES, title="云计算 \udc80", event="beijing", revision="r1")
    made = Entry("beijing", "decks", "slideshare", material, "ocfl/beijing/v1/content/", (FILE,))
    return replace(made, **changes)


class Watched(Wrapper):
    """Notes the order of writes and flushes; says that small writes cost something."""

    def __init__(self, inner: Sink[Any], batch: int) -> None:
        super().__init__(inner)
        self.journal_batch = batch  # type: ignore[misc]  # a ClassVar of the contract
        self.calls: list[str] = []

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        self.calls.append(path.removeprefix(f"journal/{RUN}/"))
        return super().replace(path, blob, expected=expected)

    def flush(self) -> None:
        self.calls.append("flush")
        super().flush()


@pytest.fixture
def sink(tmp_path: Path) -> Sink[Any]:
    return Guarded(make_sink(tmp_path))


def left(sink: Sink[Any], *finished: str) -> list[Entry]:
    return list(journal.unfinished(sink, finished))


def test_what_is_noted_is_read_back(sink: Sink[Any]) -> None:
    notes = Journal(sink, RUN)
    entries = [entry(number) for number in range(3)]
    for each in entries:
        notes.add(each)
        assert left(sink)[-1] == each  # at once: a killed process loses nothing
    notes.close_segment()
    notes.add(entry(9))
    assert left(sink) == [*entries, entry(9)]
    # A segment that is full is sealed.
    names = ["1.jsonl", "1.jsonl.sha256", "2.jsonl"]
    assert paths(sink, "journal/") == [f"journal/{RUN}/{name}" for name in names]
    digest = hashlib.sha256(read(sink, f"journal/{RUN}/1.jsonl")).hexdigest()
    assert seal.read_seal(sink, f"journal/{RUN}/1.jsonl") == (digest,)


def test_a_finished_run_has_nothing_left(sink: Sink[Any]) -> None:
    Journal(sink, RUN).add(entry())
    assert left(sink, RUN) == []
    assert left(sink, "20120101T000000Z-bbbbbb") == [entry()]


def test_a_sink_where_writes_cost_gets_one_per_segment(sink: Sink[Any]) -> None:
    watched = Watched(sink, batch=64)
    notes = Journal(watched, RUN, clock=lambda: 0.0)
    for number in range(2 * journal.SEGMENT + 1):
        notes.add(entry(number))
    assert watched.calls == ["flush", *SEALED[0], "flush", *SEALED[1]]
    notes.close_segment()
    assert watched.calls[6:] == ["flush", *SEALED[2]]
    assert len(left(sink)) == 2 * journal.SEGMENT + 1


def test_or_one_every_thirty_seconds(sink: Sink[Any]) -> None:
    watched, now = Watched(sink, batch=64), [0.0]
    notes = Journal(watched, RUN, clock=lambda: now[0])
    notes.add(entry(1))
    now[0] = journal.SECONDS + 1
    notes.add(entry(2))
    notes.add(entry(3))
    assert watched.calls == ["flush", *SEALED[0]]


def test_files_are_safe_before_the_journal_says_so(sink: Sink[Any]) -> None:
    watched = Watched(sink, batch=1)
    notes = Journal(watched, RUN, clock=lambda: 0.0)
    notes.add(entry(1))
    notes.close_segment()
    assert watched.calls == ["1.jsonl", "flush", *SEALED[0]]


def test_nothing_to_close(sink: Sink[Any]) -> None:
    Journal(sink, RUN).close_segment()
    assert paths(sink, "journal/") == []


def line(**changes: Any) -> bytes:
    return json.dumps({**entry().to_json(), **changes}).encode()


FILE_JSON = {"path": FILE.path, "size": 7, "sha256": FILE.sha256}
DAMAGED: dict[str, bytes] = {
    "nothing": b"",
    "zeros": b"\0" * 400,
    "half a line": line()[:-40],
    "no object": b"[]",
    "a number": b"7",
    "too deep": b"[" * 100_000,
    "no UTF-8": b"\xff",
    "an event that is a list": line(event=["beijing"]),
    "a source that is an object": line(source={}),
    "no files": line(files=[]),
    "files that are a text": line(files="x"),
    "a file that leads out": line(files=[{**FILE_JSON, "path": "../../../x"}]),
    "content that leads out": line(content="ocfl/../../"),
    "content that is absolute": line(content="/etc/"),
    "content that is a number": line(content=7),
    "a digest that is none": line(files=[{**FILE_JSON, "sha256": "x"}]),
    "a size that is none": line(files=[{**FILE_JSON, "size": None}]),
    "a material that is a list": line(material=[1]),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_lines_are_passed_over(sink: Sink[Any], data: bytes) -> None:
    sink.create(f"journal/{RUN}/1.jsonl", blob(line() + b"\n" + data + b"\n" + line() + b"\n"))
    assert [each.material.id for each in left(sink)] == ["deck-1", "deck-1"]


def test_a_huge_segment_is_passed_over(sink: Sink[Any], tmp_path: Path) -> None:
    sink.create(f"journal/{RUN}/1.jsonl", blob(line()))
    huge = tmp_path / f"archive/journal/{RUN}/2.jsonl"
    huge.touch()
    with huge.open("r+b") as stream:
        stream.truncate(1 << 40)
    assert len(left(sink)) == 1


def test_no_secret_of_the_reader_is_needed(sink: Sink[Any]) -> None:
    """The journal is plain text, one material a line."""
    Journal(sink, RUN).add(entry())
    assert "云计算".encode() in read(sink, f"journal/{RUN}/1.jsonl")
