"""What is looked at, in which order, what is told, and what is left alone."""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from archiver.archive import new_run
from archiver.contracts import Blob, Stat
from archiver.errors import SinkError
from archiver.instances import Instances, Workshop
from archiver.lease import Lease
from archiver.registry import Registry
from archiver.verify import Verify, VerifyReport, Wanted, What, verification
from archiver_plugins.disk import DiskSink
from line_kit import Item
from verify_kit import Bench, damage, flip


def test_an_archive_as_it_was_stored(bench: Bench) -> None:
    told = bench.verify(sinks=frozenset())
    assert told.exit_code() == 0
    assert told.findings == []
    assert set(told.sinks) == {"one", "two"}
    assert set(told.sinks["one"].groups) == {"", "_archive", "a", "b"}
    assert told.sinks["one"].total("left_files") == 0
    assert told.sinks["one"].total("files") == len([p for p in bench.paths() if not _is_seal(p)])


def _is_seal(path: str) -> bool:
    # Sidecars of the newest inventories are looked at for themselves; the others with their neighbour.
    newest = ("ocfl/_archive/v1/", "ocfl/a/v2/", "ocfl/b/v1/")
    own = path.count("/") == 2 or path.startswith(newest)
    return path.endswith(".sha256") and not (path.startswith("ocfl/") and own)


def test_the_report_lies_in_the_sink_and_runs_do_not_go_by_it(bench: Bench) -> None:
    before = bench.world.head("one").report
    told = bench.verify()
    stored = json.loads((bench.one / f"runs/{told.run}-verify.json").read_text())
    assert stored == told.to_json()
    assert stored["kind"] == "verify"
    assert bench.world.head("one").report == before
    (bench.one / f"runs/{told.run}-verify.json").write_text("{}")
    assert damage(bench.verify().findings) == [f"runs/{told.run}-verify.json"]


def test_a_look_changes_nothing_but_its_report(bench: Bench) -> None:
    path = bench.content()
    (bench.one / path).write_bytes(b"wrong")
    before = bench.digests()
    assert bench.verify().exit_code() == 4
    assert bench.digests() == before
    assert not (bench.one / ".lease").read_text().count('"held": true')


def test_one_event(bench: Bench) -> None:
    wrong = bench.content("ocfl/b/v1/content/other/")
    (bench.one / wrong).write_bytes(b"wrong")
    (bench.one / "catalog.sqlite").write_bytes(b"wrong")
    assert bench.verify(events=frozenset(["a"])).findings == []
    told = bench.verify(events=frozenset(["b"]))
    assert damage(told.findings) == [wrong]
    assert set(told.sinks["one"].groups) == {"", "b"}


def test_the_text_of_one_event_is_looked_at_with_it(bench: Bench) -> None:
    chef = next(file for file in (bench.one / "derived").rglob("text-v1") if "云计算" in file.read_text())
    chef.write_text("云计算 without Chef")
    assert damage(bench.verify(events=frozenset(["a"])).findings) == [chef.relative_to(bench.one).as_posix()]
    assert bench.verify(events=frozenset(["b"])).findings == []


def test_since_looks_at_newer_content_only(bench: Bench) -> None:
    (bench.one / bench.content()).write_bytes(b"wrong")
    later = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    told = bench.verify(since=later)
    assert told.findings == []
    assert told.sinks["one"].groups["a"].left_files > 0
    assert bench.verify(since="2012-09-16").exit_code() == 4


def test_samples_follow_each_other_until_all_was_looked_at(bench: Bench) -> None:
    """Whatever is spoiled is found within as many tenths as it takes to come round."""
    wrong = {bench.content("content/slides/"), bench.content("ocfl/b/v1/content/other/")}
    for path in wrong:
        (bench.one / path).write_bytes(b"wrong")
    found: list[str] = []
    starts = []
    for _ in range(30):
        told = bench.verify(sample=0.1)
        starts.append(told.sinks["one"].next)
        assert told.sinks["one"].groups["a"].left_files + told.sinks["one"].groups["b"].left_files > 0
        found += damage(told.findings)
    assert set(found) == wrong
    assert len(found) < 30
    assert len(set(starts)) > 2


def test_no_time_at_all_is_told_and_costs_no_place(bench: Bench) -> None:
    (bench.one / bench.content()).write_bytes(b"wrong")
    first = bench.verify(sample=0.3).sinks["one"].next
    told = bench.verify(budget=0.0)
    assert told.exit_code() == 0
    assert not told.interrupted
    assert told.sinks["one"].total("left_files") > 20
    assert told.sinks["one"].next == first
    assert told.sinks["one"].note == verification.NO_TIME
    enough = bench.verify(budget=1000.0)
    assert (enough.exit_code(), enough.sinks["one"].note) == (4, "")


@pytest.mark.parametrize("path", ["ocfl/a/inventory.json", "ocfl/a/v1/inventory.json", "catalog.sqlite"])
def test_structure_is_looked_at_without_any_budget(bench: Bench, path: str) -> None:
    with (bench.one / path).open("ab") as file:
        file.write(b" ")
    assert [each.path for each in bench.verify(budget=0.0).damage] == [path]


def test_a_report_is_looked_at_without_any_budget(bench: Bench) -> None:
    report = min((bench.one / "runs").glob("*.json"))
    report.write_bytes(report.read_bytes() + b" ")
    assert [each.path for each in bench.verify(budget=0.0).damage] == [f"runs/{report.name}"]


def test_a_look_at_one_event_does_not_move_the_place(bench: Bench) -> None:
    first = bench.verify(sample=0.3).sinks["one"].next
    assert bench.verify(sample=0.3, events=frozenset(["a"])).sinks["one"].next == first
    assert bench.verify().sinks["one"].next == first


def test_stopped_by_the_user(bench: Bench) -> None:
    prepared = bench.prepared()
    prepared.stop.set()
    assert prepared.execute().exit_code() == 130


def test_what_no_inventory_names_is_told_and_no_damage(bench: Bench) -> None:
    for path in ("ocfl/a/v1/content/other/late.bin", "ocfl/a/odd.txt", "ocfl/letter.txt"):
        (bench.one / path).write_bytes(b"late")
    (bench.one / "ocfl/a/v3/content").mkdir(parents=True)
    (bench.one / "ocfl/a/v3/content/begun.bin").write_bytes(b"of a run that goes on")
    told = bench.verify()
    assert told.exit_code() == 0
    assert {(each.path, each.what) for each in told.findings} == {
        ("ocfl/a/v1/content/other/late.bin", What.UNNAMED),
        ("ocfl/a/odd.txt", What.UNNAMED),
        ("ocfl/letter.txt", What.UNNAMED),
    }


def test_what_a_crash_leaves_after_a_commit_is_no_damage(bench: Bench) -> None:
    before, a = bench.digests(), bench.one / "ocfl/a"
    (a / "v2/inventory.json.sha256").unlink()
    for name in ("inventory.json", "inventory.json.sha256"):
        (a / name).write_bytes((a / "v1" / name).read_bytes())
    told = bench.verify()
    assert told.exit_code() == 0
    assert {each.what for each in told.findings} == {What.UNFINISHED}
    bench.verify(repair=True)
    assert bench.digests() == before


def test_values_without_a_seal_are_told_and_sealed(bench: Bench) -> None:
    """As in an archive that an earlier program wrote."""
    before = bench.digests()
    for path in [path for path in bench.paths() if path.startswith(("runs", "derived", "catalog"))]:
        if path.endswith(".sha256"):
            (bench.one / path).unlink()
    told = bench.verify()
    assert told.exit_code() == 0
    assert {each.what for each in told.findings} == {What.UNSEALED}
    bench.verify(repair=True)
    assert bench.digests() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_named(bench: Bench) -> None:
    path = bench.content()
    (bench.one / path).chmod(0)
    (found,) = bench.verify().damage
    assert (found.path, found.what) == (path, What.UNREADABLE)


def test_a_link_is_no_file_of_the_archive(bench: Bench, tmp_path: Path) -> None:
    path = bench.content()
    (tmp_path / "elsewhere").write_bytes((bench.one / path).read_bytes())
    (bench.one / path).unlink()
    (bench.one / path).symlink_to(tmp_path / "elsewhere")
    (found,) = bench.verify(repair=True).damage
    assert (found.path, found.what) == (path, What.UNREADABLE)
    assert "symbolic links" in found.hint


def test_a_sink_that_is_not_there_holds_no_archive(bench: Bench) -> None:
    bench.one.rename(bench.world.folder / "unmounted")
    told = bench.verify(sinks=frozenset())
    assert "is its disk mounted?" in told.sinks["one"].error
    assert told.exit_code() == 3
    assert not bench.one.exists()
    bench.two.rename(bench.world.folder / "unmounted too")
    told = bench.verify(sinks=frozenset())
    assert told.sinks["one"].note == "holds no archive yet"
    assert told.exit_code() == 0
    assert not bench.one.exists()


def test_a_catalog_that_somebody_deleted_is_no_damage(bench: Bench) -> None:
    before = bench.digests()
    (bench.one / "catalog.sqlite").unlink()
    told = bench.verify()
    assert told.exit_code() == 0
    assert [each.what for each in told.findings] == [What.UNFINISHED]
    bench.verify(repair=True)
    assert bench.digests() == before


def test_a_folder_behind_a_link_is_not_read(bench: Bench, tmp_path: Path) -> None:
    (bench.one / "ocfl/b/v1").rename(tmp_path / "elsewhere")
    (bench.one / "ocfl/b/v1").symlink_to(tmp_path / "elsewhere")
    told = bench.verify()
    assert {each.what for each in told.damage} <= {What.UNREADABLE, What.DAMAGED, What.MISSING}
    assert any("/content/" in each.path for each in told.damage)


def test_a_journal_that_a_run_still_writes_is_passed_over(bench: Bench) -> None:
    for path in [path for path in bench.paths() if path.startswith("journal/") and path.endswith(".sha256")]:
        (bench.one / path).unlink()
    assert bench.verify().findings == []


def test_a_repair_waits_for_nobody(bench: Bench) -> None:
    (bench.one / bench.content()).write_bytes(b"wrong")
    config = bench.world.config
    made = Instances(Workshop("other", config.folder, (), config.sinks), bench.world.registry())
    lease = Lease(made.sink("one"), new_run())
    lease.acquire()
    try:
        told = bench.verify(repair=True)
    finally:
        lease.release()
        made.close()
    assert "in use by" in told.sinks["one"].error
    assert told.exit_code() == 3


def test_a_newer_format_is_not_repaired(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.archive.FORMAT", 0)
    path = bench.content()
    (bench.one / path).write_bytes(b"wrong")
    told = bench.verify(repair=True)
    assert "knows formats up to 0" in told.sinks["one"].error
    assert (bench.one / path).read_bytes() == b"wrong"


def test_a_run_that_commits_meanwhile_is_no_damage(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The listing is older than the inventories that are read after it."""
    prepared = bench.prepared(sinks=frozenset(["one"]))

    def run_now(sink: str, files: int, total: int) -> None:
        bench.world.up.put(Item("late", (b"came meanwhile",)))
        assert bench.world.run().exit_code() == 0

    monkeypatch.setattr(prepared.watcher, "began", run_now)
    told = prepared.execute()
    assert told.findings == []


def test_repaired_archives_go_on(bench: Bench) -> None:
    (bench.one / bench.content()).write_bytes(b"wrong")
    bench.verify(repair=True)
    bench.world.up.put(Item("after", (b"after the repair",)))
    assert bench.world.run().exit_code() == 0
    assert bench.verify(sinks=frozenset()).findings == []


class Remote(DiskSink):
    """The same store, as if it were on another machine; `down` breaks it at the next file."""

    down = False

    @property
    def local_root(self) -> Path | None:
        return None

    def open(self, path: str, start: int = 0) -> BinaryIO:
        if type(self).down and "/content/" in path:
            raise SinkError(f"{path}: no answer")
        return super().open(path, start)

    def stat(self, path: str) -> Stat | None:
        if type(self).down:
            raise SinkError("no answer at all")
        return super().stat(path)


def remotely(bench: Bench, kind: type[DiskSink], **wanted: Any) -> VerifyReport:
    known = bench.world.registry()
    registry = Registry((), {}, {"disk-one": kind, "disk-two": DiskSink}, known._manager)
    return Verify(bench.world.config, registry, Wanted(frozenset(["one"]), **wanted)).execute()


def test_a_sink_elsewhere_is_streamed_and_repaired(bench: Bench) -> None:
    before, wrong = bench.digests(), [bench.content(), "catalog.sqlite", "ocfl/a/v1/inventory.json"]
    for path in wrong:
        flip(bench.one / path, random.Random(3))
    assert sorted(damage(remotely(bench, Remote).findings)) == sorted(wrong)
    assert remotely(bench, Remote, repair=True).damage == []
    assert bench.digests() == before


def test_a_sink_that_does_not_answer_is_not_damaged(bench: Bench) -> None:
    told = remotely(bench, type("Down", (Remote,), {"down": True}))
    assert told.damage == []
    assert told.exit_code() == 3
    assert "no answer at all" in told.sinks["one"].error


class Cold(Remote):
    """A store that keeps decks in an archive tier."""

    def open(self, path: str, start: int = 0) -> BinaryIO:
        if "/slides/" in path:
            hint = "ask the store to restore it"
            raise SinkError("failed: InvalidObjectState: it is archived, not verified", hint=hint)
        return super().open(path, start)


def test_what_a_store_would_have_to_fetch_first_is_not_damaged(bench: Bench) -> None:
    told = remotely(bench, Cold)
    assert [each.what for each in told.findings] == [What.OFFLINE]
    assert told.findings[0].hint == "ask the store to restore it"
    assert told.exit_code() == 0


class ReadOnly(DiskSink):
    """A store that takes nothing."""

    def create(self, path: str, blob: Blob) -> Stat:
        raise SinkError(f"no right to write {path}")


def test_who_may_only_read_can_verify(bench: Bench) -> None:
    told = remotely(bench, ReadOnly)
    assert told.exit_code() == 0
    assert "did not take the report" in told.sinks["one"].note


def test_a_first_run_that_was_killed_is_no_damage(bench: Bench) -> None:
    """Contents and a journal are there, and nothing is committed: what comes last may be missing."""
    for path in bench.paths():
        if "/content/" not in path:
            (bench.one / path).unlink()
    told = bench.verify()
    assert told.exit_code() == 0
    assert [(each.path, each.what) for each in told.findings] == [("ocfl/0=ocfl_1.1", What.UNFINISHED)]
    assert "archive run" in told.findings[0].hint


def test_a_lost_declaration_of_what_is_committed_is_damage(bench: Bench) -> None:
    (bench.one / "ocfl/0=ocfl_1.1").unlink()
    assert damage(bench.verify().findings) == ["ocfl/0=ocfl_1.1"]
    bench.verify(repair=True)
    assert bench.verify().findings == []


def test_what_no_sink_can_restore_can_be_added_by_hand(bench: Bench) -> None:
    path = bench.content("ocfl/b/v1/content/other/")
    for root in (bench.one, bench.two):
        (root / path).write_bytes(b"wrong")
    (found,) = bench.verify(repair=True).damage
    assert "archive add b FILE --talk TALK" in found.hint
    metadata = bench.content("ocfl/b/v1/content/metadata/event.json")
    for root in (bench.one, bench.two):
        (root / metadata).write_bytes(b"wrong")
    hints = {each.path: each.hint for each in bench.verify(repair=True).damage}
    assert "archive add" not in hints[metadata]
