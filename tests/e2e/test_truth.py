"""The status tells the truth: what is upstream is there, and what is not is missing, cell by cell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.cli import execute
from e2e_tour import Tour, Upload, Upstream, make_tour

SEED = 20261122
UPLOADS = make_tour(SEED).uploads

Cells = dict[tuple[str, str, str], str]


def archived(tour: Tour, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Upstream(tour, folder / "upstream") as upstream:
        for name, value in upstream.environment.items():
            monkeypatch.setenv(name, value)
        config = upstream.write_config(folder / "archive.yaml")
        assert execute(["run", "-c", str(config)]) == 0


def cells(folder: Path, capsys: pytest.CaptureFixture[str]) -> Cells:
    capsys.readouterr()
    assert execute(["status", "--json", "-c", str(folder / "archive.yaml")]) == 0
    status = json.loads(capsys.readouterr().out)
    found: Cells = {}
    for event in status["events"]:
        for kind, cell in event["kinds"].items():
            if kind != "slides":  # the sum of the talks' cells
                found[event["id"], "", kind] = cell["state"]
        for talk in event["talks"]:
            for kind, cell in talk["kinds"].items():
                found[event["id"], talk["id"], kind] = cell["state"]
    return found


def expected(tour: Tour) -> Cells:
    here = {(upload.event, upload.talk, upload.kind) for upload in tour.uploads}
    wanted = {
        *((event["id"], "", kind) for event in tour.events for kind in ("report", "photo", "video")),
        *((event["id"], talk["id"], "slides") for event in tour.events for talk in event["talks"]),
    }
    return {cell: "have" if cell in here else "missing" for cell in wanted}


def test_every_cell_is_as_upstream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tour = make_tour(SEED)
    archived(tour, tmp_path, monkeypatch)
    assert cells(tmp_path, capsys) == expected(tour)
    assert set(expected(tour).values()) == {"have", "missing"}


@pytest.mark.parametrize(
    "upload", UPLOADS, ids=lambda upload: f"{upload.event}-{upload.kind}-{upload.number}"
)
def test_a_file_removed_upstream_changes_exactly_its_cell(
    upload: Upload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = make_tour(SEED)
    archived(whole.without(upload), tmp_path, monkeypatch)
    found = cells(tmp_path, capsys)
    differing = {cell for cell, state in expected(whole).items() if found[cell] != state}
    assert differing == {(upload.event, upload.talk, upload.kind)}


def test_nothing_new_fetches_nothing_and_makes_no_version(
    tour: Tour, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in upstream.environment.items():
        monkeypatch.setenv(name, value)
    config = upstream.write_config(tmp_path / "archive.yaml")
    assert execute(["run", "-c", str(config)]) == 0
    before = snapshot(tmp_path / "archive")
    pictures = sum(1 for request in upstream.slideshare.requests if ".jpg" in request.path)
    assert pictures > 0
    assert execute(["run", "-c", str(config)]) == 0
    assert sum(1 for request in upstream.slideshare.requests if ".jpg" in request.path) == pictures
    after = snapshot(tmp_path / "archive")
    new = {path for path in after if before.get(path) != after[path]}
    assert {path.split("/")[0] for path in new} == {"runs", ".lease"}


def snapshot(folder: Path) -> dict[str, Any]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_dry_run_changes_no_byte(
    upstream: Upstream,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in upstream.environment.items():
        monkeypatch.setenv(name, value)
    config = upstream.write_config(tmp_path / "archive.yaml")
    assert execute(["run", "--dry-run", "-c", str(config)]) == 0
    assert not (tmp_path / "archive").exists()
    assert f"{len(upstream.tour.uploads)} items would be fetched" in capsys.readouterr().err
    assert execute(["run", "-c", str(config)]) == 0
    before = snapshot(tmp_path / "archive")
    assert execute(["run", "--dry-run", "-c", str(config)]) == 0
    assert snapshot(tmp_path / "archive") == before
