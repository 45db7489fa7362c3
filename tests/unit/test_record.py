"""The recorder: transitions, editions, and what each sink's ledger may say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archiver.archive import EVENT, look
from archiver.config import ArchiveSettings
from archiver.contracts import Context
from archiver.documents import documents
from archiver.errors import DamageError, SinkError
from archiver.journal import Journal
from archiver.ledger import Key, Match, Problem, Record, State, StoredFile
from archiver.model import Event, Grade, Kind, Material, Role, Talk
from archiver.ocfl import blob
from archiver.plan import Change
from archiver.record import Done, Recorder
from archiver.route import Found
from archiver.shelf import Shelf
from archiver_plugins.disk import DiskOptions
from line_kit import A, B, BrittleSink, failing_at

KEY: Key = ("a", "src", "x")
NOW = "2012-09-16T10:00:00Z"
MATERIAL = Material("x", Kind.SLIDES, title="Deploy OpenStack with Chef", event="a", revision="1")


class Bench:
    """A recorder over two real directories, with files put where a worker would put them."""

    def __init__(self, folder: Path, known: dict[Key, Record] | None = None, **troubles: Any) -> None:
        self.shelves = {name: self._shelf(folder, name, troubles.get(name)) for name in ("one", "two")}
        self.recorder = Recorder("run", {"a": A, "b": B}, known or {}, self.shelves, lambda: NOW)

    def _shelf(self, folder: Path, name: str, trouble: Callable[[str], None] | None) -> Shelf:
        kind = type("B", (BrittleSink,), {"trouble": staticmethod(trouble or (lambda _: None))})
        context = Context(name, folder, http=None)  # type: ignore[arg-type]  # a disk needs none
        head = look(name, kind(DiskOptions(path=Path(name)), context))
        return Shelf(head, Journal(head.sink, "run"))

    def file(self, data: bytes, *sinks: str) -> StoredFile:
        made = blob(data)
        path = f"slides/deck-{made.sha256[:12]}.pdf"
        for name in sinks:
            target = self.shelves[name].head.object("a")
            target.sink.create(target.next_content + path, made)
        return StoredFile(path, made.size, made.sha256)

    def done(self, *files: StoredFile, sinks: tuple[str, ...] = ("one", "two"), **more: Any) -> Record | None:
        given = Done(
            "src", "t", replace(MATERIAL, **more.pop("material", {})), files, sinks, more.get("problem")
        )
        return self.recorder.done(given)

    def commit(self) -> dict[str, dict[str, int]]:
        return self.recorder.commit(documents(ArchiveSettings("T"), [A, B]), "message")

    def at(self, sink: str) -> Record | None:
        return self.shelves[sink].head.records.get(KEY)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_first_bytes(bench: Bench, tmp_path: Path) -> None:
    record = bench.done(bench.file(b"1", "one", "two"))
    assert record is not None
    assert (record.state, record.match.talk, [step.reason for step in record.history]) == (
        State.STORED,
        "chef",
        ["stored"],
    )
    assert bench.commit() == {name: {"_archive": 1, "a": 1} for name in ("one", "two")}
    assert bench.recorder.committed == [record]
    again = Bench(tmp_path)
    assert again.at("one") == again.at("two") == record
    # Nothing is recorded twice, and nothing more is committed.
    again.recorder.known[KEY] = record
    assert again.done(*record.files) is None
    assert again.commit() == {"one": {}, "two": {}}


def test_a_file_is_recorded_only_where_it_was_proven(bench: Bench) -> None:
    bench.done(bench.file(b"1", "one"), sinks=("one",))
    assert bench.at("one") is not None
    assert bench.at("two") is None
    assert bench.recorder.committed == []


def test_new_bytes_keep_the_edition_before(bench: Bench) -> None:
    first, second = bench.file(b"1", "one", "two"), bench.file(b"2", "one", "two")
    bench.done(first)
    record = bench.done(second, material={"revision": "2"})
    assert record is not None
    assert [(edition.revision, edition.files) for edition in record.earlier] == [("1", (first,))]
    assert record.files == (second,)


def test_a_lesser_copy_does_not_take_the_place_of_a_better_one(bench: Bench, tmp_path: Path) -> None:
    deck = bench.file(b"deck", "one", "two")
    page = replace(bench.file(b"page 1", "one", "two"), grade=Grade.PAGES, label="p001")
    bench.done(deck)
    record = bench.done(page, material={"revision": "2"})
    assert record is not None
    assert (record.files, record.material.revision) == ((deck,), "2")
    assert [(edition.revision, edition.files) for edition in record.earlier] == [("2", (page,))]
    assert record.history[-1].reason == "a lesser copy"
    bench.commit()
    assert Bench(tmp_path).at("two") == record
    # Seen again, it is nothing new.
    assert bench.done(page, material={"revision": "3"}) is None
    assert bench.recorder.revisions == {"a/src/x": "3"}


def test_a_better_copy_takes_the_place_of_a_lesser_one(bench: Bench) -> None:
    page = replace(bench.file(b"page 1", "one", "two"), grade=Grade.PAGES, label="p001")
    made = replace(bench.file(b"made", "one", "two"), grade=Grade.PDF, role=Role.DERIVATIVE)
    given = replace(bench.file(b"given", "one", "two"), grade=Grade.PDF)
    bench.done(page, made)
    record = bench.done(given, material={"revision": "2"})
    assert record is not None
    assert record.files == (given,)
    assert [edition.files for edition in record.earlier] == [(page, made)]


def test_the_same_bytes_with_other_facts_are_an_update_without_an_edition(bench: Bench) -> None:
    file = bench.file(b"1", "one", "two")
    bench.done(file)
    bench.recorder.revisions["a/src/x"] = "old"
    record = bench.done(file, material={"title": "Deploy with Chef", "revision": "2"})
    assert record is not None
    assert record.earlier == ()
    assert record.material.title == "Deploy with Chef"
    assert bench.recorder.revisions == {}


def test_the_same_bytes_and_facts_are_a_revision_seen(bench: Bench) -> None:
    file = bench.file(b"1", "one", "two")
    bench.done(file)
    assert bench.done(file, material={"revision": "2"}) is None
    assert bench.recorder.revisions == {"a/src/x": "2"}


def test_a_talk_that_was_named_stays_named(bench: Bench) -> None:
    bench.done(bench.file(b"1", "one", "two"), material={"talk": "swift"})
    record = bench.done(bench.file(b"2", "one", "two"), material={"revision": "2"})
    assert record is not None
    assert record.match.talk == "swift"


def test_a_decision_about_a_talk_is_kept(bench: Bench) -> None:
    decided = Match("swift", "decision", 1.0)
    bench.recorder.known[KEY] = Record("src", "t", MATERIAL, State.PENDING, match=decided)
    record = bench.done(bench.file(b"1", "one", "two"))
    assert record is not None
    assert record.match == decided
    bench.recorder.rematch({KEY: "chef"})
    assert bench.recorder.known[KEY].match == decided


@pytest.mark.parametrize("reason", ["failed", "blocked", "invalid", "gone"])
def test_a_failure_is_recorded_once_everywhere(bench: Bench, reason: str) -> None:
    record = bench.done(problem=Problem(reason, "first"))
    assert record is not None
    assert record.state is State.PENDING
    assert bench.at("one") == bench.at("two") == record
    assert bench.done(problem=Problem(reason, "second")) is None


def test_a_failed_update_keeps_what_is_stored(bench: Bench) -> None:
    bench.done(bench.file(b"1", "one", "two"))
    record = bench.done(problem=Problem("invalid", "half"))
    assert record is not None
    assert (record.state, len(record.files)) == (State.STORED, 1)
    mended = bench.done(*record.files)
    assert mended is not None
    assert mended.problem is None


def test_gone_for_what_is_stored_is_withdrawn_once(bench: Bench) -> None:
    bench.done(bench.file(b"1", "one", "two"))
    record = bench.done(problem=Problem("gone", "404"))
    assert record is not None
    assert (record.state, record.problem, len(record.files)) == (State.WITHDRAWN, None, 1)
    assert bench.done(problem=Problem("gone", "404")) is None


def test_taken_down_wins(bench: Bench) -> None:
    bench.done(bench.file(b"1", "one", "two"))
    bench.recorder.change(Change(KEY, None, State.TAKEN_DOWN))
    assert bench.done(bench.file(b"2", "one", "two")) is None
    assert bench.recorder.known[KEY].state is State.TAKEN_DOWN


def test_a_takedown_reaches_a_sink_that_missed_an_edition(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.done(bench.file(b"1", "one", "two"))
    bench.done(bench.file(b"2", "one"), sinks=("one",), material={"revision": "2"})
    before = bench.at("two")
    bench.recorder.change(Change(KEY, None, State.WITHDRAWN, reason="no longer listed"))
    assert bench.at("two") == before
    bench.recorder.change(Change(KEY, None, State.TAKEN_DOWN))
    two = bench.at("two")
    assert two is not None
    assert (two.state, two.files) == (State.TAKEN_DOWN, ())
    assert [len(edition.files) for edition in two.earlier] == [1]


def test_a_dropped_record_leaves_the_ledger_on_disk(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    found = Found("src", "t", replace(MATERIAL, event=""), "", Problem("unrouted"))
    bench.recorder.change(Change(found.key, found, State.PENDING, found.problem))
    bench.commit()
    again = Bench(tmp_path, {found.key: bench.recorder.known[found.key]})
    assert found.key in again.shelves["one"].head.records
    again.recorder.drop(found.key)
    again.commit()
    assert Bench(tmp_path).shelves["one"].head.records == {}


def test_a_change_of_nothing_is_none(bench: Bench) -> None:
    bench.recorder.change(Change(KEY, None, State.WITHDRAWN))
    assert bench.recorder.known == {}


def test_rematch_touches_only_what_changes(bench: Bench) -> None:
    bench.done(bench.file(b"1", "one", "two"))
    bench.commit()
    bench.recorder.rematch({KEY: ""})
    assert bench.commit() == {"one": {}, "two": {}}
    bench.recorder.events = {"a": replace(A, talks=(Talk("other", "Something else entirely"),))}
    bench.recorder.rematch({})
    assert bench.recorder.known[KEY].match.talk == ""
    bench.recorder.events = {}
    bench.recorder.rematch({KEY: "chef"})
    assert bench.recorder.known[KEY].match.talk == ""


def test_a_match_holds_under_another_title_of_the_talk(bench: Bench) -> None:
    bench.done(bench.file(b"1", "one", "two"))
    before = bench.recorder.known[KEY].match
    assert (before.talk, before.method) == ("chef", "title")
    bench.recorder.events = {"a": replace(A, talks=(Talk("chef", "Something else entirely"),))}
    bench.recorder.rematch({KEY: ""})
    assert bench.recorder.known[KEY].match == before
    record = bench.done(bench.file(b"2", "one", "two"), material={"revision": "2"})
    assert record is not None
    assert record.match == before
    named = bench.done(bench.file(b"3", "one", "two"), material={"revision": "3", "title": "Another title"})
    assert named is not None
    assert named.match.talk == ""


def test_a_talk_that_the_source_names_now_ends_an_earlier_match(bench: Bench) -> None:
    bench.done(bench.file(b"1", "one", "two"))
    bench.recorder.events = {"a": replace(A, talks=(Talk("chef", "Something else entirely"),))}
    bench.recorder.rematch({KEY: "No such talk"})
    assert bench.recorder.known[KEY].match.talk == ""


def test_a_sink_that_was_stopped_gets_nothing_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    file = bench.file(b"1", "one", "two")
    bench.recorder.stop("two", DamageError("rotten", hint="verify"))
    bench.recorder.stop("two", SinkError("later"))
    assert str(bench.shelves["two"].error) == "rotten (verify)"
    bench.done(file)
    assert bench.at("two") is None
    assert list(bench.commit()) == ["one"]
    assert len(bench.recorder.committed) == 1


def test_a_commit_that_fails_on_the_way_says_what_was_made(tmp_path: Path) -> None:
    bench = Bench(tmp_path, two=failing_at("ocfl/a/v1/inventory.json"))
    bench.done(bench.file(b"1", "one", "two"))
    assert bench.commit() == {"one": {"_archive": 1, "a": 1}, "two": {"_archive": 1}}
    assert bench.shelves["two"].error is not None


def test_event_documents_hold_no_mail_addresses(tmp_path: Path) -> None:
    talk = Talk("t", "T", ("Ada Fan",), email="ada@example.org")
    made = documents(ArchiveSettings("T", facts={"enrolled": 1060}), [Event("a", "A", talks=(talk,))])
    assert b"ada@example.org" not in b"".join(data for each in made.values() for data in each.values())
    assert b"Ada Fan" in made["a"][EVENT]
    assert b"1060" in b"".join(made["_archive"].values())


def test_what_was_matched_by_the_same_rules_is_not_matched_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.done(bench.file(b"1", "one", "two"))
    recorder, asked = bench.recorder, list[str]()

    def counted(material: Material, *_: Any, **__: Any) -> Match:
        asked.append(material.id)
        return Match("chef", "title")

    monkeypatch.setattr("archiver.record.match", counted)
    rules = recorder.rules
    recorder.rematch({KEY: ""}, rules)
    assert asked == []
    recorder.rematch({KEY: ""}, rules, {KEY})  # it has another title, say
    recorder.rematch({KEY: "swift"}, rules)  # its source names another talk
    recorder.rematch({}, "other rules")
    assert asked == ["x"] * 3
    recorder.events = {**recorder.events, "a": replace(A, title="Another title")}
    assert recorder.rules != rules
