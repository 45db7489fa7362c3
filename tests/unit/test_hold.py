from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver import hold, ocfl
from archiver.archive import ABOUT, COMMON
from archiver.config import SinkSpec
from archiver.contracts import Sink
from archiver.errors import FormatError, LeaseHeldError, SinkError
from archiver.hold import Hold
from archiver.instances import Instances, Workshop
from archiver.lease import Lease
from archiver.ocfl import OcflObject, blob
from archiver.registry import load_plugins
from archiver_plugins.disk import DiskOptions

RUN = "20120916T100000Z-aaaaaa"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Instances]:
    specs = tuple(SinkSpec(name, "disk", DiskOptions(path=Path(name))) for name in ("one", "two"))
    instances = Instances(Workshop(RUN, tmp_path, (), specs), load_plugins())
    yield instances
    instances.close()


def fill(sink: Sink[Any], number: int = 1) -> None:
    each = ocfl.load(sink).get(COMMON) or OcflObject(sink, COMMON)
    ocfl.commit(
        each,
        [],
        {ABOUT: json.dumps({"format": number}).encode()},
        created="2012-09-16T10:00:00Z",
        message="m",
    )


def taken(made: Instances, *names: str) -> Hold:
    return hold.take(made, names or ("one", "two"), RUN)


def lease(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / ".lease").read_bytes())
    return data


def test_all_new(made: Instances, tmp_path: Path) -> None:
    held = taken(made)
    assert set(held.heads) == {"one", "two"}
    assert held.confirm() == {}
    assert held.lost() == []
    assert lease(tmp_path / "one")["run"] == RUN
    held.release()
    assert not lease(tmp_path / "one")["held"]
    assert held.confirm() == {}


def test_a_sink_that_never_held_this_archive_is_not_touched(made: Instances, tmp_path: Path) -> None:
    """An unmounted disk: whatever is written there is hidden as soon as it is mounted."""
    fill(made.sink("one"))
    held = taken(made)
    assert set(held.heads) == {"one"}
    assert "mounted" in held.notes["two"]
    assert not (tmp_path / "two").exists()
    held.release()
    peeked = hold.peek(made, ("one", "two"))
    assert set(peeked.heads) == {"one"}
    assert "mounted" in peeked.notes["two"]


def test_an_empty_one_is_not_filled_while_the_other_is_held(made: Instances, tmp_path: Path) -> None:
    fill(made.sink("one"))
    other = Lease(made.sink("one"), "another")
    other.acquire()
    with pytest.raises(LeaseHeldError, match="another"):
        taken(made)
    assert not (tmp_path / "two").exists()
    other.release()


def test_a_held_sink_does_not_stop_the_other(made: Instances, tmp_path: Path) -> None:
    for name in ("one", "two"):
        fill(made.sink(name))
    other = Lease(made.sink("one"), "another")
    other.acquire()
    held = taken(made)
    assert set(held.heads) == {"two"}
    assert isinstance(held.errors["one"], LeaseHeldError)
    held.release()
    other.release()


def test_an_archive_of_a_newer_format_is_left_as_it_is(made: Instances, tmp_path: Path) -> None:
    fill(made.sink("one"), number=2)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FormatError):
        taken(made, "one")
    with pytest.raises(FormatError):
        hold.peek(made, ["one"])
    assert sorted(tmp_path.rglob("*")) == before


def test_a_sink_that_cannot_be_written(made: Instances, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"a file")
    held = taken(made)
    assert "not a directory" in held.errors["one"].message
    assert set(held.heads) == {"two"}
    held.release()
    with pytest.raises(SinkError, match="not a directory"):
        taken(made, "one")


@pytest.mark.parametrize("name", [COMMON, "beijing"])
def test_a_damaged_sink_is_given_back_and_the_other_used(made: Instances, tmp_path: Path, name: str) -> None:
    for sink in ("one", "two"):
        fill(made.sink(sink))
        each = OcflObject(made.sink(sink), "beijing")
        ocfl.commit(each, [], {"metadata/event.json": b"{}"}, created="2012-09-16T10:00:00Z", message="m")
    for path in ("inventory.json", "v1/inventory.json"):
        (tmp_path / "one/ocfl" / name / path).write_bytes(b"changed")
    held = taken(made)
    assert set(held.heads) == {"two"}
    assert "sink one is damaged" in held.errors["one"].message
    assert not (tmp_path / "one/.lease").exists() or not lease(tmp_path / "one")["held"]
    held.release()
    with pytest.raises(SinkError, match="damaged"):
        taken(made, "one")


def test_what_a_killed_run_left_is_cleared_and_healed(made: Instances, tmp_path: Path) -> None:
    fill(made.sink("one"))
    root = tmp_path / "one"
    (root / "tmp/fetch-1").mkdir()
    (root / "tmp/fetch-1/half").write_bytes(b"x")
    (root / "ocfl/_archive/inventory.json.sha256").unlink()
    taken(made, "one").release()
    assert list((root / "tmp").iterdir()) == []
    versioned, top = (
        (root / "ocfl/_archive" / path / "inventory.json.sha256").read_bytes() for path in ("v1", "")
    )
    assert versioned == top


def test_a_look_changes_nothing(made: Instances, tmp_path: Path) -> None:
    fill(made.sink("one"))
    (tmp_path / "one/ocfl/_archive/inventory.json.sha256").unlink()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    held = hold.peek(made, ["one"])
    with pytest.raises(SinkError, match="dry run"):
        held.heads["one"].sink.create("x", blob(b"x"))
    held.release()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_taken_over_before_the_commit(made: Instances) -> None:
    held = taken(made)
    made.sink("one").replace(".lease", blob(b'{"held": true, "run": "another"}'))
    assert set(held.confirm()) == {"one"}
    assert "another run took over sink one" in str(held.confirm()["one"])
    assert held.lost() == ["one"]
    held.release()


def test_a_sink_that_is_gone_before_the_commit(made: Instances, tmp_path: Path) -> None:
    held = taken(made)
    shutil.rmtree(tmp_path / "one")
    (tmp_path / "one").write_bytes(b"no directory any more")
    assert set(held.confirm()) == {"one"}
    held.release()
