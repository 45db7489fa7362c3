"""`archive plugins`: what is installed, and what runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from archiver.cli import execute

STRANGER = """
from archiver import api

class Silent(api.Source[api.Options, api.Options]):
    \"\"\"Finds nothing, quietly.\"\"\"
    type_name = "silent"
    def discover(self, scope, cursor):
        yield api.Checkpoint()
    def fetch(self, material, into):
        return []

@api.hookimpl
def archiver_sources():
    return [Silent]
"""


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a distribution with one plugin beside the program."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "silent_plugin_for_test", raising=False)
    info = tmp_path / "archiver_silent-2.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: archiver-silent\nVersion: 2.0\n")
    info.joinpath("entry_points.txt").write_text("[archiver]\nsilent = silent_plugin_for_test\n")
    tmp_path.joinpath("silent_plugin_for_test.py").write_text(STRANGER)


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, Any]]:
    assert execute(["plugins", "list", "--json", *arguments]) == 0
    return {plugin["name"]: plugin for plugin in json.loads(capsys.readouterr().out)["plugins"]}


def test_ours_are_listed_with_what_they_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert execute(["plugins", "list", "-c", str(tmp_path / "nope.yaml")]) == 0
    out = capsys.readouterr().out
    head, *lines = out.splitlines()
    assert head.split() == ["NAME", "KIND", "VERSION", "ORIGIN", "API", "STATE"]
    assert any(line.split() == ["disk", "sink", "0.1.0", "event-archiver", "1", "ok"] for line in lines)
    assert "    disk: A directory on a local or mounted disk." in lines


def test_plugins_alone_lists_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(["plugins"]) == 0
    alone = capsys.readouterr().out
    assert execute(["plugins", "list"]) == 0
    assert alone == capsys.readouterr().out


@pytest.mark.usefixtures("stranger")
def test_a_stranger_is_listed_and_runs_when_it_is_enabled(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "archive.yaml"
    found = listed(capsys, "-c", str(path))["silent"]
    assert (found["state"], found["types"], found["origin"]) == ("disabled", [], "archiver-silent")
    assert not found["bundled"]
    path.write_text("plugins: [silent]\n")
    found = listed(capsys, "-c", str(path))["silent"]
    assert (found["state"], found["types"], found["version"]) == ("ok", ["silent"], "2.0")
    assert found["about"] == {"silent": "Finds nothing, quietly."}


@pytest.mark.usefixtures("stranger")
def test_a_broken_one_is_listed_with_its_reason(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    tmp_path.joinpath("silent_plugin_for_test.py").write_text("1 / 0\n")
    path = tmp_path / "archive.yaml"
    path.write_text("plugins: [silent]\n")
    assert execute(["plugins", "list", "-c", str(path)]) == 0
    out = capsys.readouterr().out
    assert "quarantined" in out
    assert "    it cannot be imported: ZeroDivisionError: division by zero" in out
