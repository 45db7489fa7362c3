"""A disk that is not mounted, and an event that is gone: told by every command that looks at the sinks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from archiver.cli import execute

CONFIG = """
archive: {title: Meetings, site: false}
sinks: {local: {type: disk, path: ./local}, usb: {type: disk, path: ./usb}}
events:
  - {id: e, title: E, sources: [{type: folder, path: ./incoming}]}
"""


@pytest.fixture
def config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "archive.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming/deck.txt").write_text("what was said", encoding="utf-8")
    assert execute(["run", "-c", str(path)]) == 0
    capsys.readouterr()
    return path


@pytest.mark.parametrize("command", ["check", "doctor", "status", "run"])
@pytest.mark.parametrize("mounted", [False, True], ids=["gone", "empty"])
def test_a_disk_that_is_away_is_told(
    config: Path, command: str, mounted: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    usb = config.parent / "usb"
    usb.rename(config.parent / "away")
    if mounted:
        usb.mkdir()
    assert execute([command, "-c", str(config)]) == 0
    told = capsys.readouterr()
    assert "usb holds nothing of this archive while another sink does" in " ".join(
        (told.out + told.err).replace("sink usb:", "sink usb").split()
    )
    assert usb.exists() == mounted
    assert not mounted or not list(usb.iterdir())


@pytest.mark.parametrize(("command", "code"), [("check", 3), ("doctor", 1), ("status", 0), ("run", 3)])
def test_an_event_that_is_gone_everywhere_is_told(
    config: Path, command: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for sink in ("local", "usb"):
        shutil.rmtree(config.parent / sink / "ocfl/e")
    assert execute([command, "-c", str(config)]) == code
    told = capsys.readouterr()
    assert "event e is gone: version 1 of it was stored here" in " ".join((told.out + told.err).split())


def test_what_is_gone_for_good_is_accepted(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for sink in ("local", "usb"):
        shutil.rmtree(config.parent / sink / "ocfl/e")
    assert execute(["verify", "-c", str(config)]) == 4
    assert "archive verify --accept-loss e" in capsys.readouterr().out
    assert execute(["verify", "--accept-loss", "e", "--accept-loss", "f", "-c", str(config)]) == 0
    told = capsys.readouterr().out
    assert "e: taken as it is now in local, usb" in told
    assert "f: nothing was accepted: no version of it is missed" in told
    assert execute(["run", "-c", str(config)]) == 0
    assert json.loads((config.parent / "usb/heads.json").read_bytes())["e"]["version"] == 1
