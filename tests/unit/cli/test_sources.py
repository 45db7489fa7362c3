"""`archive sources`: when each source was listed, how much it had, and why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.cli import execute
from media_samples import jpeg

CONFIG = """
archive: {title: A tour, site: false}
sinks: {local: {type: disk, path: ./archive}}
sources:
  photos: {type: folder, path: ./photos}
  pictures: {type: flickr}
events:
  - id: beijing
    title: Beijing Stop
    sources: [{use: photos, kind: photo}, {use: pictures, album: "https://www.flickr.com/photos/a/albums/1"}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(jpeg())
    (tmp_path / "archive.yaml").write_text(CONFIG)
    return tmp_path / "archive.yaml"


def shown(config: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    capsys.readouterr()
    assert execute(["sources", "-c", str(config), *more]) == 0
    return capsys.readouterr().out


def rows(config: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(shown(config, capsys, "--json"))["sources"]}


def test_before_the_first_run_none_was_listed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(config, capsys).count("never") == 2


def test_what_was_listed_and_what_was_not_and_why(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", "-c", str(config)]) == 1  # Flickr wants a key
    first = rows(config, capsys)
    photos, pictures = first["photos"], first["pictures"]
    assert (photos["listed"], photos["new"], photos["complete"], photos["error"]) == (1, 1, True, None)
    assert pictures["reason"] == "blocked"
    assert "API key" in pictures["error"]
    table = shown(config, capsys).splitlines()
    assert table[1].split() == ["photos", "folder", "1", *table[1].split()[3:6], "1", "1"]
    assert table[2].split()[-2:] == ["-", "-"]
    assert table[3].strip().startswith("blocked: ")


def test_a_source_that_was_left_out_keeps_its_last_listing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["run", "-c", str(config), "--source", "photos"]) == 0
    (config.parent / "photos" / "b.jpg").write_bytes(jpeg(80))
    before = rows(config, capsys)["photos"]
    assert execute(["run", "-c", str(config), "--source", "pictures"]) == 1
    assert rows(config, capsys)["photos"] == before
    assert execute(["run", "-c", str(config), "--source", "photos"]) == 0
    after = rows(config, capsys)["photos"]
    assert (after["listed"], after["new"]) == (2, 1)
