"""`archive plugins new`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.cli import execute

Capture = pytest.CaptureFixture[str]


def test_it_writes_and_says_what_comes_next(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(["plugins", "new", "source", "my-photos"]) == 0
    out = capsys.readouterr().out
    assert (tmp_path / "archiver-my-photos" / "src" / "archiver_my_photos" / "__init__.py").is_file()
    assert "cd archiver-my-photos" in out
    assert 'python -m pip install --editable ".[dev]"' in out
    assert "archive plugins try my-photos" in out


def test_a_second_time_it_refuses(capsys: Capture, tmp_path: Path) -> None:
    arguments = ["plugins", "new", "sink", "my-store", "--to", str(tmp_path / "here")]
    assert execute(arguments) == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert execute(arguments) == 2
    assert "is not empty" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["souce", "photos"], "did you mean 'source'?"),
        (["source", "My Photos"], "did you mean 'my-photos'?"),
        (["source", "flickr"], "there is a type 'flickr' already"),
        (["sink", "disk"], "there is a type 'disk' already"),
        (["sink", "mine", "--licence", "MIIT"], "did you mean 'MIT'?"),
        (["sink", "mine", "--licence", "GPL"], "use Apache-2.0, MIT or none"),
    ],
)
def test_what_is_wrong_is_told(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(["plugins", "new", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_source_may_be_called_like_a_sink(tmp_path: Path) -> None:
    assert execute(["plugins", "new", "source", "s3", "--to", str(tmp_path / "s3")]) == 0


def test_json(capsys: Capture, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    assert (
        execute(["plugins", "new", "sink", "mine", "--to", str(folder), "--licence", "none", "--json"]) == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["type"], told["folder"]) == ("sink", "mine", str(folder))
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == set(
        told["files"]
    )
