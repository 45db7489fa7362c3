"""Runs that are killed without any goodbye, at every point: nothing safe is lost, the next run goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archiver import journal, ocfl
from archiver.archive import COMMON
from faults import small_run
from ocfl_checks import assert_valid, make_sink

SCRIPT = Path(small_run.__file__)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with one version in each of its objects."""
    folder = tmp_path_factory.mktemp("base")
    small_run.run(make_sink(folder), "first", files=folder)
    assert_valid(folder / "archive")
    return folder


def everything(folder: Path) -> dict[str, bytes]:
    """Read what the newest versions hold, proven; paths begin with the object's name."""
    objects = ocfl.load(make_sink(folder))
    return {f"{name}/{path}": each.read(path) for name, each in objects.items() for path in each.state}


def check(folder: Path, before: dict[str, bytes]) -> None:
    """Look at what a killed run has left, then do the next run on it."""
    held = everything(folder)
    stored = {path: data for path, data in before.items() if "/metadata/" not in path}
    assert {path: held.get(path) for path in stored} == stored
    acknowledged = (folder / "acknowledged").read_text().split()
    if "beijing" in acknowledged:
        fresh = {f"beijing/{path}": data for path, data in small_run.contents("second").items()}
        assert {path: held.get(path) for path in fresh} == fresh
    for name in acknowledged:
        assert held[f"{name}/{small_run.EVENT}"] == b"by second"
    noted = [
        entry
        for entry in journal.unfinished(make_sink(folder), [])
        if entry.material.id.startswith("slides/second")
    ]
    sink = make_sink(folder)
    assert all(
        ocfl.digest(sink, entry.content + entry.files[0].path) == entry.files[0].sha256 for entry in noted
    )
    small_run.run(make_sink(folder), "third", files=folder)
    after = everything(folder)
    assert stored.items() <= after.items()
    noted_bytes = {small_run.contents("second")[entry.material.id] for entry in noted}
    assert noted_bytes <= set(after.values())
    assert {
        f"beijing/{path}": data for path, data in small_run.contents("third").items()
    }.items() <= after.items()
    assert {after[f"{name}/{small_run.EVENT}"] for name in (COMMON, "beijing")} == {b"by third"}
    assert_valid(folder / "archive")
    assert list((folder / "archive/tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "least", "start"),
    [("operations", 40, "empty"), ("operations", 40, "one version"), ("calls", 60, "one version")],
)
@pytest.mark.usefixtures("unsynced")
def test_killed_at_every_point(
    kind: str, least: int, start: str, base: Path, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    before = everything(base) if start == "one version" else {}
    origin = base if before else tmp_path / "empty"
    origin.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), kind, str(origin), str(tmp_path / "out")],
        env=child_environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    endings = [int(word) for word in done.stdout.split()]
    assert done.stderr == ""
    assert endings[-1] == 0
    assert set(endings[:-1]) == {-9}
    assert len(endings) > least
    for number in range(1, len(endings) + 1):
        folder = tmp_path / "out" / f"{number:03}"
        (folder / "acknowledged").touch()
        check(folder, before)
