"""The demo command: what it says, and that errors end it with the right code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archiver.cli import demo as command
from archiver.cli import execute


def script(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_folder_that_cannot_be_used_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "readme").write_text("a file", encoding="utf-8")
    assert execute(["demo", "--into", str(tmp_path / "readme" / "demo")]) == 2
    assert "--into" in capsys.readouterr().err


def test_the_users_own_service_addresses_are_there_again_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIDESHARE_URL", "https://mirror.example.org")
    (tmp_path / "archive.yaml").write_text("events: [", encoding="utf-8")
    assert execute(["demo", "--into", str(tmp_path)]) == 2
    assert os.environ["SLIDESHARE_URL"] == "https://mirror.example.org"


def test_a_program_on_the_path_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = script(tmp_path / "bin" / "archive")
    monkeypatch.setenv("PATH", str(own.parent))
    monkeypatch.setattr("sys.argv", [str(own), "demo"])
    assert command._own_name() == "archive"


def test_a_program_off_the_path_is_called_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = script(tmp_path / ".venv" / "bin" / "archive")
    other = script(tmp_path / "other" / "archive")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(own), "demo"])
    for path in ("", str(other.parent)):
        monkeypatch.setenv("PATH", path)
        assert command._own_name() == str(Path(".venv", "bin", "archive"))


@pytest.mark.parametrize(
    ("word", "quoted"),
    [("云计算", "云计算"), ("Swift 架构", "'Swift 架构'"), ("--event", "--event"), ("a$b", "'a$b'")],
)
def test_only_what_a_shell_would_change_is_quoted(word: str, quoted: str) -> None:
    assert command._quoted(word) == quoted
