"""`archive init`: a file to start from that is right as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver import config
from archiver.cli import execute
from archiver.cli.init import starter
from archiver.registry import load_plugins


def test_the_starter_is_a_right_configuration(tmp_path: Path) -> None:
    path = tmp_path / "archive.yaml"
    assert execute(["init", str(path)]) == 0
    found = config.load(path, load_plugins(), {})
    assert [event.id for event in found.events] == ["first-meetup"]
    assert len(found.events[0].talks) == 2
    assert [sink.type for sink in found.sinks] == ["disk"]


def test_the_starter_passes_the_check_once_its_folder_is_there(tmp_path: Path) -> None:
    path = tmp_path / "archive.yaml"
    execute(["init", str(path)])
    (tmp_path / "incoming").mkdir()
    assert execute(["check", "-c", str(path)]) == 0


def test_what_it_offers_in_comments_is_right_too(tmp_path: Path) -> None:
    path = tmp_path / "archive.yaml"
    text = starter().decode()
    for line in ("enrolled: 1060", "facts: {sponsor", "attended: 42", "expect: [report, photo]"):
        assert f"# {line}" in text
        text = text.replace(f"# {line}", line)
    path.write_text(text)
    found = config.load(path, load_plugins(), {})
    assert found.archive.facts == {"enrolled": 1060, "sponsor": "A company"}
    assert found.events[0].facts == {"attended": 42}


def test_a_file_that_is_there_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "archive.yaml"
    path.write_text("mine")
    assert execute(["init", str(path)]) == 2
    assert path.read_text() == "mine"
    assert "already there" in capsys.readouterr().err


def test_a_dangling_link_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "archive.yaml"
    path.symlink_to(tmp_path / "elsewhere")
    assert execute(["init", str(path)]) == 2
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["init", str(tmp_path / "no" / "archive.yaml")]) == 2
    assert "no such file or directory" in capsys.readouterr().err


def test_the_default_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARCHIVE_CONFIG", raising=False)
    assert execute(["init", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"created": "archive.yaml"}
    assert (tmp_path / "archive.yaml").read_bytes() == starter()
