"""`archive copy` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.cli import execute
from archiver.cli.copy_progress import CopyProgress
from media_samples import pdf

CONFIG = """
archive: {title: A tour, site: false}
sinks:
  local: {type: disk, path: ./archive}
  backup: {type: disk, path: ./backup}
events:
  - {id: beijing, title: Beijing Stop}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "archive.yaml"
    path.write_text(CONFIG.replace("  backup: {type: disk, path: ./backup}\n", ""), encoding="utf-8")
    (tmp_path / "chef.pdf").write_bytes(pdf(["cookbooks"]))
    assert execute(["add", "-c", str(path), "beijing", str(tmp_path / "chef.pdf")]) == 0
    path.write_text(CONFIG, encoding="utf-8")
    return path


def copy(config: Path, *arguments: str) -> int:
    return execute(["copy", "-c", str(config), *arguments])


def test_fill_a_new_sink(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert copy(config, "--from", "local", "--to", "backup") == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "Sink backup lacks 1 file" in told.err
    assert "backup has all that local has" in told.err
    assert copy(config, "--from", "local", "--to", "backup") == 0
    assert "Nothing to copy" in capsys.readouterr().err


def test_for_machines(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert copy(config, "--from", "local", "--to", "backup", "--json", "--jobs", "2") == 0
    (line,) = capsys.readouterr().out.splitlines()
    data = json.loads(line)
    assert (data["type"], data["exit_code"], data["from"], data["to"]) == (
        "copy.finished",
        0,
        "local",
        "backup",
    )
    assert data["files"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "local", "--to", "bakup"), "Did you mean 'backup'?"),
        (("--from", "zzz", "--to", "backup"), "There are: local, backup."),
        (("--from", "local", "--to", "local"), "the same sink"),
        (("--from", "local"), "--to"),
    ],
)
def test_wrong_usage(
    config: Path, arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert copy(config, *arguments) == 2
    assert told in capsys.readouterr().err


def test_the_wrong_way_round(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert copy(config, "--from", "backup", "--to", "local") == 3
    assert "holds no archive" in capsys.readouterr().err
    assert not (config.parent / "backup").exists()


def test_damage_is_told_with_exit_code_4(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (deck,) = (config.parent / "archive/ocfl/beijing/v1/content/slides").iterdir()
    deck.write_bytes(b"x" * deck.stat().st_size)
    assert copy(config, "--from", "local", "--to", "backup") == 4
    told = capsys.readouterr().err
    assert "DAMAGE: sink local:" in told
    assert "Not copied: beijing/slides/" in told
    assert "backup still lacks files of 1 material" in told


def test_a_line_now_and_then() -> None:
    lines: list[str] = []

    class Shown:
        def line(self, text: str) -> None:
            lines.append(text)

    now = [0.0]
    progress = CopyProgress(Shown(), lambda: now[0])
    progress.begin("cloud", 3, 3_000_000)
    for second in (5.0, 11.0):
        now[0] = second
        progress.moved("cloud", 1_000_000)
    progress.end("cloud", 2, 2_000_000, 1)
    assert lines[0] == "Sink cloud lacks 3 files, 3.0 MB: copying"
    assert "2 of 3 files" in lines[1]
    assert lines[-1] == "Sink cloud got 2 files, 2.0 MB, from another sink; 1 file could not be copied"
    assert len(lines) == 3
