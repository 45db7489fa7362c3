from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archiver import ledger
from archiver.errors import DamageError
from archiver.ledger import Edition, Match, Problem, Record, State, StoredFile, Transition
from archiver.model import Grade, Kind, Material, Role

TEXT = st.text(st.characters(), max_size=12)  # lone surrogates too: names of files that are no UTF-8
NAME = st.text(st.characters(), min_size=1, max_size=12)
SHA256 = st.text("0123456789abcdef", min_size=64, max_size=64)
FILES = st.builds(
    StoredFile,
    path=st.sampled_from(["slides/a.pdf", "photo/云.jpg", "_unclaimed/v1/x"]),
    size=st.integers(0, 2**50),
    sha256=SHA256,
    role=st.sampled_from(Role),
    grade=st.sampled_from(Grade),
    label=TEXT,
    media_type=TEXT,
)
MATERIALS = st.builds(
    Material,
    id=NAME,
    kind=st.sampled_from(Kind),
    **dict.fromkeys(("title", "url", "revision", "event", "talk", "date", "description", "licence"), TEXT),
    language=TEXT,
    authors=st.lists(TEXT, max_size=3).map(tuple),
    tags=st.lists(TEXT, max_size=3).map(tuple),
    size=st.none() | st.integers(0, 2**60),
    extra=st.dictionaries(TEXT, TEXT.filter(bool), max_size=3),
)
TRANSITIONS = st.builds(Transition, at=NAME, state=st.sampled_from(State), run=TEXT, reason=TEXT)
RECORDS = st.builds(
    Record,
    source=NAME,
    type_name=NAME,
    material=MATERIALS,
    state=st.sampled_from(State),
    match=st.builds(
        Match, talk=TEXT, method=NAME, score=st.none() | st.floats(0, 1, allow_nan=False), why=TEXT
    ),
    files=st.lists(FILES, max_size=3).map(tuple),
    problem=st.none() | st.builds(Problem, reason=NAME, detail=TEXT, revision=TEXT),
    earlier=st.lists(
        st.builds(Edition, until=NAME, revision=TEXT, files=st.lists(FILES, max_size=2).map(tuple)),
        max_size=2,
    ).map(tuple),
    history=st.lists(TRANSITIONS, max_size=3).map(tuple),
)

A = "a" * 64
MATERIAL = Material("42", Kind.SLIDES, title="Deploy OpenStack with Chef", event="beijing")
RECORD = Record(
    "decks",
    "slideshare",
    MATERIAL,
    State.STORED,
    files=(StoredFile("slides/deploy-3f9a2c41d07b.pdf", 7, A),),
    history=(Transition("2012-09-16T10:00:00Z", State.STORED, "run-1", "stored"),),
)


@given(st.lists(RECORDS, max_size=4))
def test_what_is_written_is_read_back(records: list[Record]) -> None:
    data = ledger.dump(records)
    read = list(ledger.load(data, "here"))
    assert len(read) == len(records)
    assert all(read.count(record) == records.count(record) for record in records)
    assert ledger.dump(read) == data


@given(st.lists(RECORDS, max_size=5), st.randoms())
def test_equal_content_is_equal_bytes(records: list[Record], chooser: Any) -> None:
    shuffled = list(records)
    chooser.shuffle(shuffled)
    swapped = [
        replace(
            each,
            material=replace(each.material, extra=dict(sorted(each.material.extra.items(), reverse=True))),
        )
        for each in shuffled
    ]
    assert ledger.dump(swapped) == ledger.dump(records)


@given(RECORDS)
def test_every_line_is_plain_json_in_utf8(record: Record) -> None:
    data = ledger.dump([record])
    assert data.count(b"\n") == 1
    assert json.loads(data.decode("utf-8"))["material"]["id"] == record.material.id


def test_a_person_can_read_it() -> None:
    text = ledger.dump([replace(RECORD, material=replace(MATERIAL, title="云计算"))]).decode()
    assert '"title": "云计算"' in text
    assert "null" not in text
    assert '""' not in text


def test_odd_values_of_a_plugin_are_written_so_that_they_can_be_read() -> None:
    odd: dict[str, Any] = {
        "title": None,
        "date": date(2012, 9, 16),
        "authors": ["a", 7],
        "tags": {"x"},
        "size": 3.5,
        "extra": {"page": 7, "ok": True},
    }
    (read,) = ledger.load(ledger.dump([replace(RECORD, material=replace(MATERIAL, **odd))]), "here")
    assert read.material == replace(
        MATERIAL,
        title="",
        date="2012-09-16",
        authors=("a", "7"),
        tags=("x",),
        extra={"page": "7", "ok": "True"},
    )


def changed(**changes: Any) -> dict[str, Any]:
    return {**ledger.to_json(RECORD), **changes}


FILE = {"path": "slides/a.pdf", "size": 1, "sha256": A}
DAMAGED: dict[str, Any] = {
    "no object": [],
    "no source": {key: value for key, value in changed().items() if key != "source"},
    "a source that is a list": changed(source=["x"]),
    "an unknown state": changed(state="lost"),
    "a state that is a list": changed(state=[]),
    "a material that is a list": changed(material=[]),
    "a material without kind": changed(material={"id": "1"}),
    "a material without id": changed(material={"kind": "slides"}),
    "an id that is a number": changed(material={"kind": "slides", "id": 1}),
    "an event that is a list": changed(material={"kind": "slides", "id": "1", "event": ["x"]}),
    "an unknown kind": changed(material={"kind": "sides", "id": "1"}),
    "authors that are numbers": changed(material={"kind": "slides", "id": "1", "authors": [1]}),
    "extra that is a text": changed(material={"kind": "slides", "id": "1", "extra": "x"}),
    "extra of lists": changed(material={"kind": "slides", "id": "1", "extra": {"a": []}}),
    "a size below nothing": changed(material={"kind": "slides", "id": "1", "size": -1}),
    "a size that is true": changed(files=[{**FILE, "size": True}]),
    "a size that is a text": changed(files=[{**FILE, "size": "1"}]),
    "a file without path": changed(files=[{"size": 1, "sha256": A}]),
    "a path that leads out": changed(files=[{**FILE, "path": "../../etc/passwd"}]),
    "an absolute path": changed(files=[{**FILE, "path": "/etc/passwd"}]),
    "a path with an escape code": changed(files=[{**FILE, "path": "\x1b[2J"}]),
    "a digest that is none": changed(files=[{**FILE, "sha256": "abc"}]),
    "an unknown role": changed(files=[{**FILE, "role": "x"}]),
    "an unknown grade": changed(files=[{**FILE, "grade": 1}]),
    "files that are an object": changed(files={"a": 1}),
    "a file that is a text": changed(files=["slides/a.pdf"]),
    "a match that is a text": changed(match="x"),
    "a score that is a text": changed(match={"score": "1"}),
    "a talk that is a number": changed(match={"talk": 1}),
    "a problem that is a text": changed(problem="failed"),
    "a problem without reason": changed(problem={"detail": "x"}),
    "a history that is a number": changed(history=7),
    "a transition without time": changed(history=[{"state": "stored"}]),
    "a transition of no state": changed(history=[{"at": "x"}]),
    "a time that is a number": changed(history=[{"at": 7, "state": "stored"}]),
    "an edition without files": changed(earlier=[{"until": "x"}]),
    "an edition with a bad file": changed(earlier=[{"until": "x", "files": [{**FILE, "path": ".."}]}]),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_damage_is_named_with_its_line(data: Any) -> None:
    lines = ledger.dump([RECORD]) + json.dumps(data).encode() + b"\n"
    with pytest.raises(DamageError, match=r"decks\.jsonl, line 2") as caught:
        list(ledger.load(lines, "ocfl/beijing/metadata/ledger/decks.jsonl"))
    assert str(caught.value).isprintable()
    assert caught.value.hint


@pytest.mark.parametrize(
    "line", [b"\xff", b"{", b"\0" * 100, b"[" * 100_000, b'{"a":' * 100_000, b"null", b"7" * 9999, b"NaN"]
)
def test_hostile_lines(line: bytes) -> None:
    with pytest.raises(DamageError):
        list(ledger.load(line, "here"))


def test_what_a_later_version_added_is_passed_over() -> None:
    data = changed(
        colour="red",
        match={"talk": "t", "method": "title", "certain": True},
        material={"kind": "slides", "id": "42", "event": "beijing", "weight": 7},
        files=[{**FILE, "mood": []}],
        problem={"reason": "failed", "x": 1},
        history=[{"at": "x", "state": "stored", "who": 7}],
    )
    (record,) = ledger.load(json.dumps(data).encode(), "here")
    assert record.match.talk == "t"
    assert record.files == (StoredFile("slides/a.pdf", 1, A),)


def test_separators_of_other_alphabets_do_not_end_a_line() -> None:
    record = replace(RECORD, material=replace(MATERIAL, title="a\u2028b\u2029c\x85d\x0be\x1cf"))
    assert list(ledger.load(ledger.dump([record]), "here")) == [record]


class TestNewest:
    OLD = RECORD.moved(State.WITHDRAWN, "2012-09-17T00:00:00Z", "run-2")
    NEW = RECORD.moved(State.PENDING, "2012-09-18T00:00:00Z", "run-3")
    DOWN = RECORD.moved(State.TAKEN_DOWN, "2012-09-16T12:00:00Z", "run-1b")
    TWICE = NEW.moved(State.STORED, "2012-09-18T00:00:00Z", "run-3")

    @pytest.mark.parametrize(
        ("one", "other", "wins"),
        [(OLD, NEW, NEW), (NEW, DOWN, DOWN), (NEW, TWICE, TWICE), (OLD, RECORD, OLD)],
    )
    def test_whatever_the_order(self, one: Record, other: Record, wins: Record) -> None:
        assert ledger.newest(one, other) is wins
        assert ledger.newest(other, one) is wins

    def test_union(self) -> None:
        elsewhere = replace(RECORD, material=replace(MATERIAL, id="43"))
        merged = ledger.union(
            [{self.OLD.key: self.OLD}, {self.NEW.key: self.NEW, elsewhere.key: elsewhere}, {}]
        )
        assert merged == {self.NEW.key: self.NEW, elsewhere.key: elsewhere}


def test_moving() -> None:
    moved = RECORD.moved(State.WITHDRAWN, "2012-09-20T00:00:00Z", "run-9", "no longer listed")
    assert (moved.state, moved.changed_at, len(moved.history)) == (State.WITHDRAWN, "2012-09-20T00:00:00Z", 2)
    assert moved.files == RECORD.files
    assert moved.key == ("beijing", "decks", "42")
    assert replace(RECORD, history=()).changed_at == ""


def _named(record: Record) -> set[tuple[str, str]]:
    files = [*record.files, *(file for edition in record.earlier for file in edition.files)]
    return {(file.path, file.sha256) for file in files}


@given(RECORDS, RECORDS)
def test_two_sinks_records_merged_name_every_file_of_both(one: Record, other: Record) -> None:
    assume(one.history and other.history)
    both = ledger.merged(one, other)
    assert ledger.merged(other, one) == both
    assert _named(both) == _named(one) | _named(other)
    for each in (one, other, both):
        assert ledger.merged(both, each) == both
        assert ledger.merged(each, both) == both
    if State.TAKEN_DOWN in {one.state, other.state}:
        assert both.state is State.TAKEN_DOWN
    elif one.files or other.files:
        assert both.files
