"""Where file names are in another encoding than UTF-8, no command touches an archive; in real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from archiver import cli, utf8
from archiver.cli import COMMANDS, archive
from archiver.cli.foreign import HARMLESS

CONFIG = """
archive: {title: A tour}
sinks: {local: {type: disk, path: ./archive}}
events:
  - {id: beijing, title: Beijing Stop, sources: [{type: folder, path: ./in}]}
"""


@pytest.fixture
def tour(tmp_path: Path) -> Path:
    (tmp_path / "archive.yaml").write_text(CONFIG)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "北京😀.txt").write_text("A report, with words.")
    return tmp_path


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the command in a locale of which Python makes ASCII, as it makes GBK of zh_CN.GBK."""
    return subprocess.run(
        [sys.executable, "-m", "archiver", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "arguments", [["run"], ["verify"], ["matches", "list"], ["plugins", "try", "folder"]]
)
def test_a_command_refuses_at_once_with_the_next_step(tour: Path, arguments: list[str]) -> None:
    done = call(tour, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert "the encoding ascii here" in first
    assert second == f"What to do: {utf8.USE_UTF8}, then run again"
    assert {each.name for each in tour.iterdir()} == {"archive.yaml", "in"}


def test_for_machines_it_is_one_line_of_json(tour: Path) -> None:
    done = call(tour, "status", "--json")
    assert json.loads(done.stderr)["error"]["exit_code"] == 2


@pytest.mark.parametrize(
    "arguments", [["run", "--help"], ["matches", "list", "--help"], ["--version"], ["schema"], ["plugins"]]
)
def test_what_touches_no_file_works(tour: Path, arguments: list[str]) -> None:
    done = call(tour, *arguments)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_doctor_says_the_same(tour: Path) -> None:
    done = call(tour, "doctor")
    assert done.returncode == 1
    assert utf8.USE_UTF8 in done.stdout


@pytest.mark.parametrize("encoding", ["gbk", "ascii", "iso8859-1"])
def test_every_other_command_is_refused(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: encoding)
    touched = {name for name, refused in _commands(archive) if not refused}
    assert touched == set(HARMLESS)


@pytest.mark.parametrize("encoding", ["utf-8", "UTF-8", "utf8"])
def test_with_utf8_none_is(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: encoding)
    assert not any(refused for _, refused in _commands(archive))


def _commands(group: click.Group, before: str = "") -> list[tuple[str, bool]]:
    """Give every command by its whole name, and whether it is one that refuses."""
    context, found = click.Context(group), list[tuple[str, bool]]()
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found += _commands(command, f"{before}{name} ")
        else:
            found.append((before + name, "foreign" in getattr(command.callback, "__module__", "")))
    return found


def test_the_commands_themselves_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "foreign_encoding", lambda: "gbk")
    context = click.Context(archive)
    refused = {name: archive.get_command(context, name) for name in COMMANDS}
    monkeypatch.undo()
    assert refused["run"] is not archive.get_command(context, "run")
    assert not any(refused for _, refused in _commands(archive))
