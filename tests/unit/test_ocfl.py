from __future__ import annotations

import hashlib
import json
import os
import shutil
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver import ocfl
from archiver.errors import ArchiverError, ConflictError, DamageError, MissingError, SinkError
from archiver.ocfl import Addition, OcflObject, blob
from archiver.sinks.guarded import Guarded
from archiver.testing.sinks import paths, read
from archiver_plugins.disk import DiskSink
from ocfl_checks import assert_valid, complaints, make_sink

CREATED = "2012-09-16T10:00:00Z"
EVENT = "metadata/event.json"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def sink(tmp_path: Path) -> DiskSink:
    return make_sink(tmp_path)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def opened(sink: Any, name: str = "beijing") -> OcflObject:
    return ocfl.load(sink).get(name) or OcflObject(sink, name)


def put(each: OcflObject, path: str, data: bytes) -> Addition:
    each.sink.create(each.next_content + path, blob(data))
    return Addition(path, sha256(data))


def commit(
    each: OcflObject, files: Mapping[str, bytes] = {}, documents: Mapping[str, bytes] = {}
) -> OcflObject | None:
    additions = [put(each, path, data) for path, data in files.items()]
    return ocfl.commit(each, additions, documents, created=CREATED, message="m")


def committed(sink: Any, files: Mapping[str, bytes] = {}, documents: Mapping[str, bytes] = {}) -> OcflObject:
    after = commit(opened(sink), files, documents)
    assert after is not None
    return after


def unchanged(sink: Any, documents: Mapping[str, bytes]) -> bool:
    return commit(opened(sink), {}, documents) is None


def held(each: OcflObject) -> dict[str, bytes]:
    """Read everything of the newest version, and prove it."""
    return {path: each.read(path) for path in each.state}


class TestCommit:
    def test_the_first_version(self, sink: DiskSink, archive: Path) -> None:
        after = committed(sink, {"slides/a.pdf": b"deck"}, {EVENT: b"{}"})
        assert after.head == 1
        assert held(after) == {"slides/a.pdf": b"deck", EVENT: b"{}"}
        assert held(opened(sink)) == held(after)
        assert opened(sink).digest == after.digest
        assert_valid(archive)

    def test_several_versions_keep_what_was_there(self, sink: DiskSink, archive: Path) -> None:
        committed(sink, {"slides/a.pdf": b"deck"}, {EVENT: b"1"})
        before = {path: path.read_bytes() for path in archive.glob("ocfl/beijing/v1/**/*") if path.is_file()}
        committed(sink, {"slides/b.pdf": b"other"}, {EVENT: b"2"})
        after = committed(sink, {}, {EVENT: b"1"})
        assert held(after) == {"slides/a.pdf": b"deck", "slides/b.pdf": b"other", EVENT: b"1"}
        assert {path: path.read_bytes() for path in before} == before
        assert_valid(archive)

    def test_equal_bytes_of_a_document_are_stored_once(self, sink: DiskSink, archive: Path) -> None:
        committed(sink, {}, {EVENT: b"1", "metadata/twin.json": b"1"})
        committed(sink, {}, {EVENT: b"2"})
        committed(sink, {}, {EVENT: b"1"})
        assert len(list(archive.glob("ocfl/beijing/v*/content/metadata/*"))) == 2
        assert_valid(archive)

    def test_two_materials_with_equal_bytes(self, sink: DiskSink, archive: Path) -> None:
        committed(sink, {"slides/a.pdf": b"same", "slides/b.pdf": b"same"})
        after = committed(sink, {"report/c.pdf": b"same"}, {EVENT: b"same"})
        assert set(held(after).values()) == {b"same"}
        assert after.locate("slides/b.pdf").endswith("v1/content/slides/b.pdf")
        assert after.locate("report/c.pdf").endswith("v2/content/report/c.pdf")
        assert_valid(archive)

    def test_nothing_new_makes_no_version(self, sink: DiskSink, archive: Path) -> None:
        committed(sink, {"slides/a.pdf": b"deck"}, {EVENT: b"1"})
        before = paths(sink, "")
        assert commit(opened(sink), {}, {EVENT: b"1"}) is None
        assert paths(sink, "") == before

    def test_the_second_of_two_writers_has_lost(self, sink: DiskSink, archive: Path) -> None:
        committed(sink, {"slides/a.pdf": b"deck"})
        mine, hers = opened(sink), opened(sink)
        commit(hers, {"slides/hers.pdf": b"hers"}, {EVENT: b"hers"})
        with pytest.raises(ConflictError, match="another run committed v2 of beijing"):
            commit(mine, {"slides/mine.pdf": b"mine"}, {EVENT: b"mine"})
        assert set(opened(sink).state) == {"slides/a.pdf", "slides/hers.pdf", EVENT}
        after = committed(sink, {"slides/c.pdf": b"c"})
        assert {b"mine", b"hers"} <= set(held(after).values())
        assert_valid(archive)

    def test_the_same_commit_again_is_no_conflict(self, sink: DiskSink) -> None:
        """A sink that retried after a time-out meets its own write."""
        one, other = opened(sink), opened(sink)
        assert commit(one, {}, {EVENT: b"1"}) is not None
        after = commit(other, {}, {EVENT: b"1"})
        assert after is not None
        assert after.head == 1

    def test_an_addition_that_is_not_there_is_never_named(self, sink: DiskSink, archive: Path) -> None:
        committed(sink, {"slides/a.pdf": b"deck"})
        gone = Addition("slides/gone.pdf", sha256(b"gone"))
        with pytest.raises(SinkError, match=r"lost ocfl/beijing/v2/content/slides/gone\.pdf"):
            ocfl.commit(opened(sink), [gone], {}, created=CREATED, message="m")
        assert opened(sink).head == 1
        assert_valid(archive)

    @pytest.mark.parametrize("path", ["../x", "/x", "a//b", "a\\b", "e\u0301"])
    def test_unsafe_paths(self, sink: DiskSink, path: str) -> None:
        with pytest.raises(ValueError, match="unsafe"):
            ocfl.commit(opened(sink), [], {path: b"x"}, created=CREATED, message="m")

    def test_paths_that_could_not_lie_together(self, sink: DiskSink) -> None:
        committed(sink, {}, {"metadata/a": b"1"})
        with pytest.raises(SinkError, match="would not be a valid object"):
            commit(opened(sink), {}, {"metadata/a/b": b"2"})
        assert opened(sink).head == 1

    def test_an_unknown_logical_path(self, sink: DiskSink) -> None:
        with pytest.raises(MissingError):
            committed(sink, {}, {EVENT: b"1"}).locate("metadata/other")

    def test_changed_bytes_are_noticed(self, sink: DiskSink, archive: Path) -> None:
        after = committed(sink, {}, {EVENT: b"1"})
        (archive / after.locate(EVENT)).write_bytes(b"2")
        with pytest.raises(DamageError, match="does not have the SHA-256") as caught:
            after.read(EVENT)
        assert caught.value.hint

    def test_a_person_can_read_it(self, sink: DiskSink, archive: Path) -> None:
        committed(sink, {"slides/部署.pdf": b"x"})
        text = (archive / "ocfl/beijing/inventory.json").read_text(encoding="utf-8")
        assert "slides/部署.pdf" in text
        assert text.count("\n") > 20

    def test_equal_content_gives_equal_bytes(self, tmp_path: Path) -> None:
        files = {f"slides/{number}.pdf": b"%d" % (number % 3) for number in range(9)}
        found = set()
        for name, order in (("one", files), ("two", dict(reversed(files.items())))):
            found.add(committed(make_sink(tmp_path / name), order, {EVENT: b"{}"}).digest)
        assert len(found) == 1


class TestUnclaimed:
    def test_content_of_a_killed_run(self, sink: DiskSink, archive: Path) -> None:
        committed(sink, {"slides/a.pdf": b"deck"})
        put(opened(sink), "slides/left.pdf", b"left")
        put(opened(sink), "slides/twin.pdf", b"deck")
        after = committed(sink, {"slides/new.pdf": b"new"})
        assert held(after) == {
            "slides/a.pdf": b"deck",
            "slides/new.pdf": b"new",
            "_unclaimed/v2/slides/left.pdf": b"left",
        }
        assert_valid(archive)

    def test_of_a_late_writer_in_a_committed_version(self, sink: DiskSink, archive: Path) -> None:
        late = opened(sink)
        committed(sink, {"slides/a.pdf": b"deck"}, {EVENT: b"1"})
        put(late, "slides/late.pdf", b"late")
        assert complaints(archive / "ocfl/beijing")  # until the next version
        after = committed(sink, {}, {EVENT: b"2"})
        assert held(after)["_unclaimed/v1/slides/late.pdf"] == b"late"
        again = committed(sink, {}, {EVENT: b"3"})
        assert again.state.keys() == after.state.keys()

    def test_of_a_late_writer_when_nothing_else_changes(self, sink: DiskSink, archive: Path) -> None:
        late = opened(sink)
        committed(sink, {"slides/a.pdf": b"deck"}, {EVENT: b"1"})
        put(late, EVENT + ".1", b"what it would have said")
        put(late, "slides/again.pdf", b"deck")  # bytes that are held under another name
        after = committed(sink, {}, {EVENT: b"1"})
        assert after.head == 2
        assert_valid(archive)
        assert held(after)[f"_unclaimed/v1/{EVENT}.1"] == b"what it would have said"
        assert unchanged(sink, {EVENT: b"1"})

    def test_of_a_killed_run_waits_for_the_one_that_stores_the_same(self, sink: DiskSink) -> None:
        committed(sink, {"slides/a.pdf": b"deck"}, {EVENT: b"1"})
        put(opened(sink), "slides/b.pdf", b"came, and was not committed")
        assert unchanged(sink, {EVENT: b"1"})

    def test_a_torn_document_of_a_killed_run(self, sink: DiskSink, archive: Path) -> None:
        committed(sink, {"slides/a.pdf": b"deck"})
        each = opened(sink)
        put(each, EVENT, b"")
        put(each, EVENT + ".1", b'{"ha')
        after = committed(sink, {}, {EVENT: b"{}"})
        assert after.read(EVENT) == b"{}"
        assert after.locate(EVENT).endswith("v2/content/metadata/event.json.2")
        assert_valid(archive)

    def test_the_same_document_of_a_killed_run(self, sink: DiskSink, archive: Path) -> None:
        put(opened(sink), EVENT, b"{}")
        committed(sink, {}, {EVENT: b"{}"})
        assert len(paths(sink, "ocfl/beijing/v1/content/")) == 1
        assert_valid(archive)

    def test_the_longest_names(self, sink: DiskSink, archive: Path) -> None:
        long = "/".join(["slides", *("n" * 200 for _ in range(4)), "x" * 170])
        put(opened(sink), long, b"left")
        after = committed(sink, {}, {EVENT: b"{}"})
        assert after.read(f"_unclaimed/v1/{long}") == b"left"
        assert_valid(archive)

    @pytest.mark.parametrize("name", ["a:b", "line\nbreak", unicodedata.normalize("NFD", "é"), "back\\slash"])
    def test_names_that_we_would_not_give_do_not_stop_a_commit(
        self, sink: DiskSink, archive: Path, name: str
    ) -> None:
        committed(sink, {"slides/a.pdf": b"deck"})
        (archive / "ocfl/beijing/v1/content/slides" / name).write_bytes(b"by hand")
        after = committed(Guarded(sink), {}, {EVENT: b"{}"})
        assert set(after.state) == {"slides/a.pdf", EVENT}
        assert unchanged(Guarded(sink), {EVENT: b"{}"})

    def test_what_is_not_content_is_left_alone(self, sink: DiskSink, archive: Path) -> None:
        committed(sink, {"slides/a.pdf": b"deck"})
        for path in ("ocfl/beijing/notes.txt", "ocfl/beijing/v1/notes.txt", "ocfl/beijing/v7/content/x"):
            sink.create(path, blob(b"by hand"))
        after = committed(sink, {}, {EVENT: b"{}"})
        assert set(after.state) == {"slides/a.pdf", EVENT}


class TestCrash:
    """What a killed run or a power cut leaves, step by step."""

    @pytest.fixture
    def two(self, sink: DiskSink) -> OcflObject:
        committed(sink, {"slides/a.pdf": b"deck"}, {EVENT: b"1"})
        return committed(sink, {"slides/b.pdf": b"other"}, {EVENT: b"2"})

    def heal(self, sink: DiskSink, archive: Path) -> OcflObject:
        each = opened(sink)
        assert ocfl.needs_healing(each)
        ocfl.heal(each)
        assert not ocfl.needs_healing(opened(sink))
        return opened(sink)

    def check(self, sink: DiskSink, archive: Path, two: OcflObject) -> None:
        assert held(self.heal(sink, archive)) == held(two)
        assert_valid(archive)
        committed(sink, {}, {EVENT: b"3"})
        assert_valid(archive)

    def test_nothing_to_heal(self, sink: DiskSink, two: OcflObject) -> None:
        assert not ocfl.needs_healing(opened(sink))
        assert not ocfl.needs_healing(OcflObject(sink, "other"))

    def test_before_the_sidecar(self, sink: DiskSink, archive: Path, two: OcflObject) -> None:
        for name in ("inventory.json", "inventory.json.sha256"):
            shutil.copy(archive / "ocfl/beijing/v1" / name, archive / "ocfl/beijing" / name)
        (archive / "ocfl/beijing/v2/inventory.json.sha256").unlink()
        self.check(sink, archive, two)

    @pytest.mark.parametrize("torn", [b"", b"\0" * 80, b"ab", b"0" * 64])
    @pytest.mark.parametrize("where", ["v2/", ""])
    def test_a_torn_sidecar(
        self, sink: DiskSink, archive: Path, two: OcflObject, torn: bytes, where: str
    ) -> None:
        (archive / f"ocfl/beijing/{where}inventory.json.sha256").write_bytes(torn)
        self.check(sink, archive, two)

    def test_between_the_root_inventory_and_its_sidecar(
        self, sink: DiskSink, archive: Path, two: OcflObject
    ) -> None:
        root = archive / "ocfl/beijing"
        shutil.copy(root / "v1/inventory.json.sha256", root / "inventory.json.sha256")
        self.check(sink, archive, two)

    @pytest.mark.parametrize("torn", [b"", b"\0" * 500, b'{"id": "urn'])
    def test_a_torn_root_inventory(self, sink: DiskSink, archive: Path, two: OcflObject, torn: bytes) -> None:
        (archive / "ocfl/beijing/inventory.json").write_bytes(torn)
        self.check(sink, archive, two)

    def test_no_root_inventory_after_the_first_version(self, sink: DiskSink, archive: Path) -> None:
        committed(sink, {}, {EVENT: b"1"})
        for name in ("inventory.json", "inventory.json.sha256"):
            (archive / "ocfl/beijing" / name).unlink()
        assert held(self.heal(sink, archive)) == {EVENT: b"1"}
        assert_valid(archive)

    @pytest.mark.parametrize("torn", [b"", b"\0" * 900, b'{"id": "urn'])
    @pytest.mark.parametrize("sidecar", [None, b"", b"\0" * 80])
    def test_a_power_cut_in_the_middle_of_the_commit(
        self, sink: DiskSink, archive: Path, two: OcflObject, torn: bytes, sidecar: bytes | None
    ) -> None:
        put(opened(sink), "slides/c.pdf", b"third")
        sink.create("ocfl/beijing/v3/inventory.json", blob(torn))
        if sidecar is not None:
            sink.create("ocfl/beijing/v3/inventory.json.sha256", blob(sidecar))
        assert held(opened(sink)) == held(two)
        after = committed(sink, {}, {EVENT: b"3"})
        assert after.head == 3
        assert held(opened(sink))["_unclaimed/v3/slides/c.pdf"] == b"third"
        assert_valid(archive)

    def test_a_power_cut_in_the_middle_of_the_first_commit(self, sink: DiskSink, archive: Path) -> None:
        put(opened(sink), "slides/a.pdf", b"deck")
        for path in ("ocfl/0=ocfl_1.1", "ocfl/beijing/0=ocfl_object_1.1", "ocfl/beijing/v1/inventory.json"):
            sink.create(path, blob(b""))
        assert opened(sink).head == 0
        after = committed(sink, {}, {EVENT: b"1"})
        assert set(held(after).values()) == {b"deck", b"1"}
        assert_valid(archive)

    def test_two_runs_after_a_power_cut(self, sink: DiskSink, two: OcflObject) -> None:
        sink.create("ocfl/beijing/v3/inventory.json", blob(b""))
        mine, hers = opened(sink), opened(sink)
        assert commit(hers, {}, {EVENT: b"hers"}) is not None
        with pytest.raises(ConflictError):
            commit(mine, {}, {EVENT: b"mine"})
        assert opened(sink).read(EVENT) == b"hers"

    def test_a_lost_inventory_is_made_again_from_the_root(
        self, sink: DiskSink, archive: Path, two: OcflObject
    ) -> None:
        (archive / "ocfl/beijing/v2/inventory.json").unlink()
        self.check(sink, archive, two)

    def test_an_older_lost_inventory_does_not_take_later_versions_away(
        self, sink: DiskSink, archive: Path, two: OcflObject
    ) -> None:
        (archive / "ocfl/beijing/v1/inventory.json").unlink()
        assert held(opened(sink)) == held(two)
        assert committed(sink, {}, {EVENT: b"3"}).head == 3

    def test_damage_of_one_copy(self, sink: DiskSink, archive: Path, two: OcflObject) -> None:
        for path in ("inventory.json", "v2/inventory.json"):
            file = archive / "ocfl/beijing" / path
            good = file.read_bytes()
            file.write_bytes(good.replace(b"slides/b", b"slides/x"))
            assert held(opened(sink)) == held(two)
            file.write_bytes(good)

    @pytest.mark.parametrize("damage", [b"", b"{}", b"[" * 50_000])
    def test_damage_of_both_copies_is_not_taken_for_a_power_cut(
        self, sink: DiskSink, archive: Path, two: OcflObject, damage: bytes
    ) -> None:
        for path in ("inventory.json", "v2/inventory.json"):
            (archive / "ocfl/beijing" / path).write_bytes(damage)
        with pytest.raises(DamageError, match="both copies of the inventory of ocfl/beijing/v2"):
            ocfl.load(sink)

    def test_damage_after_a_crash_before_the_root_was_written(
        self, sink: DiskSink, archive: Path, two: OcflObject
    ) -> None:
        """The sidecar says that v2 was safe on the disk: it must not be forgotten for v1."""
        for name in ("inventory.json", "inventory.json.sha256"):
            shutil.copy(archive / "ocfl/beijing/v1" / name, archive / "ocfl/beijing" / name)
        (archive / "ocfl/beijing/v2/inventory.json").write_bytes(b"")
        with pytest.raises(DamageError):
            ocfl.load(sink)

    def test_lost_content_is_not_taken_for_a_commit(
        self, sink: DiskSink, archive: Path, two: OcflObject
    ) -> None:
        for name in ("inventory.json", "inventory.json.sha256"):
            shutil.copy(archive / "ocfl/beijing/v1" / name, archive / "ocfl/beijing" / name)
        (archive / "ocfl/beijing/v2/inventory.json.sha256").unlink()
        (archive / "ocfl/beijing/v2/content/slides/b.pdf").unlink()
        with pytest.raises(DamageError):
            ocfl.load(sink)

    def test_a_changed_inventory_is_not_spread(self, sink: DiskSink, archive: Path, two: OcflObject) -> None:
        each = opened(sink)
        (archive / "ocfl/beijing/inventory.json").write_bytes(b"changed since")
        ocfl.heal(each)
        assert held(opened(sink)) == held(two)


class TestLoad:
    def test_one_object_alone(self, sink: DiskSink) -> None:
        for name in ("beijing", "beijing-2", "_archive"):
            ocfl.commit(OcflObject(sink, name), [], {EVENT: b"1"}, created=CREATED, message="m")
        assert set(ocfl.load(sink)) == {"beijing", "beijing-2", "_archive"}
        assert set(ocfl.load(sink, "beijing")) == {"beijing"}

    def test_names_that_are_no_objects(self, sink: DiskSink, archive: Path) -> None:
        for name in ("Beijing", "a b", ".git", "北京", "_", "x" * 200):
            folder = archive / "ocfl" / name
            folder.mkdir(parents=True)
            (folder / "inventory.json").write_bytes(b"not an inventory")
        assert ocfl.load(sink) == {}

    def test_large_files_are_not_read_into_memory(self, sink: DiskSink, archive: Path) -> None:
        sink.create("runs/x.json", blob(b"x" * 1000))
        assert ocfl.read(sink, "runs/x.json", 1000) == b"x" * 1000
        with pytest.raises(DamageError, match="larger than 999"):
            ocfl.read(sink, "runs/x.json", 999)

    def test_an_endless_inventory(self, sink: DiskSink, archive: Path) -> None:
        committed(sink, {}, {EVENT: b"1"})
        os.truncate(archive / "ocfl/beijing/inventory.json", 300 << 20)
        assert held(opened(sink)) == {EVENT: b"1"}


NAMES = st.sampled_from(["slides/a", "slides/b", "photo/云", "report/c"])
CONTENT = st.sampled_from([b"", b"1", b"2", b"333"])
STEP = st.tuples(
    st.dictionaries(NAMES, CONTENT, max_size=3),
    st.dictionaries(st.sampled_from([EVENT, "metadata/ledger/x.jsonl"]), CONTENT, max_size=2),
    st.dictionaries(NAMES, CONTENT, max_size=2),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=1, max_size=4))
def test_any_sequence_of_commits_and_leftovers_stays_valid(
    tmp_path: Path, steps: list[tuple[dict[str, bytes], dict[str, bytes], dict[str, bytes]]]
) -> None:
    shutil.rmtree(tmp_path / "archive", ignore_errors=True)
    sink = make_sink(tmp_path)
    expected: dict[str, bytes] = {}
    stored: set[bytes] = set()
    for count, (files, documents, leftovers) in enumerate(steps):
        each = opened(sink)
        unique = {f"{path}-{count}": data for path, data in files.items()}
        for path, data in leftovers.items():
            put(each, f"{path}-left", data)
            stored.add(data)
        after = commit(each, unique, {**documents, "metadata/count": b"count %d" % count})
        assert after is not None
        expected.update(unique | documents)
        stored.update(files.values())
    final = opened(sink)
    assert {path: held(final)[path] for path in expected} == expected
    assert final.inventory is not None
    assert {sha256(data) for data in stored} <= final.inventory.manifest.keys()
    assert_valid(tmp_path / "archive")


def damaged(data: bytes, cuts: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for place, value in cuts:
        changed[place % len(changed)] = value
    return bytes(changed)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    root=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=4),
    version=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=4),
    seal=st.booleans(),
)
def test_any_damage_is_read_past_or_said(
    tmp_path: Path, root: list[tuple[int, int]], version: list[tuple[int, int]], *, seal: bool
) -> None:
    """Whatever bytes changed, even with the sidecar made to agree, only our own errors come out."""
    shutil.rmtree(tmp_path / "archive", ignore_errors=True)
    sink = make_sink(tmp_path)
    committed(sink, {"slides/a.pdf": b"deck"}, {EVENT: b"1"})
    for where, cuts in (("", root), ("v1/", version)):
        folder = tmp_path / "archive/ocfl/beijing" / where
        data = damaged((folder / "inventory.json").read_bytes(), cuts)
        (folder / "inventory.json").write_bytes(data)
        if seal:
            (folder / "inventory.json.sha256").write_text(f"{sha256(data)} inventory.json\n")
    guarded = Guarded(sink)
    try:
        each = opened(guarded)
        if ocfl.needs_healing(each):
            ocfl.heal(each)
        for path in each.state:
            each.read(path)
        commit(each, {}, {EVENT: b"2"})
    except ArchiverError:
        return
    assert json.loads(read(sink, "ocfl/beijing/inventory.json"))["head"] == "v2"
