"""`archive run` from the outside: options, exit codes, JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.cli import execute
from media_samples import login_page, pdf

CONFIG = """
archive: {title: A tour}
sinks: {local: {type: disk, path: ./archive}}
sources: {inbox: {type: folder, path: ./incoming}}
events:
  - id: beijing
    title: Beijing Stop
    talks: [{id: chef, title: Deploy OpenStack with Chef, speaker: Ada Fan}]
    sources: [{use: inbox, path: beijing}]
  - {id: shenzhen, title: Shenzhen Stop, sources: [{use: inbox, path: shenzhen}]}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("beijing", "shenzhen"):
        (tmp_path / "incoming" / name).mkdir(parents=True)
        (tmp_path / "incoming" / name / f"{name}.pdf").write_bytes(pdf([name]))
    (tmp_path / "archive.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "archive.yaml"


def run(config: Path, *options: str) -> int:
    return execute(["run", "-c", str(config), *options])


def records(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_event_then_the_rest(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "beijing") == 0
    assert "Done: 1 item, 1 file" in capsys.readouterr().err
    assert run(config) == 0
    told = capsys.readouterr().err
    assert "Beijing Stop: 1 unchanged" in told
    assert "Shenzhen Stop: 1 new" in told
    assert run(config) == 0
    assert capsys.readouterr().err.endswith("Nothing new.\n")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["bejing"], "There is no event 'bejing' in archive.yaml. Did you mean 'beijing'?"),
        (["--source", "indox"], "There is no source 'indox' in archive.yaml. Did you mean 'inbox'?"),
        (["--accept-shrink", "zzz"], "There is no source 'zzz' in archive.yaml. There are: inbox."),
        (["--kind", "films"], "films"),
        (["--limit", "-1"], "-1"),
        (["--jobs", "0"], "0"),
    ],
)
def test_wrong_words(config: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, *options) == 2
    assert told in capsys.readouterr().err
    assert not (config.parent / "archive").exists()


def test_a_dry_run_shows_the_plan(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "--dry-run") == 0
    told = capsys.readouterr()
    assert "new      beijing: slides “beijing” (" in told.out
    assert "2 items would be fetched (" in told.err
    assert not (config.parent / "archive").exists()


def test_json_ends_with_run_finished(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "--json", "--limit", "1") == 0
    lines = records(capsys)
    assert [line["type"] for line in lines] == [
        "source.listed",
        "planned",
        "item.done",
        "committed",
        "shown",
        "run.finished",
    ]
    shown, last = lines[-2:]
    # A page is one of the files that are written: styles, pictures and the way to older addresses are others.
    assert 0 < shown["pages"] < shown["written"]
    assert (last["sinks"]["local"]["pages"], last["sinks"]["local"]["written"]) == (
        shown["pages"],
        shown["written"],
    )
    assert last["fail_on"] == "any"
    assert last["counts"]["beijing"]["inbox"] == {"new": 1}
    assert (last["exit_code"], last["files"], last["remaining"]) == (0, 1, 0)
    assert run(config, "--json", "--dry-run") == 0
    assert [line["type"] for line in records(capsys)][-1] == "run.finished"


def test_json_ends_with_run_finished_also_when_no_sink_can_be_used(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "archive").write_text("a file")
    assert run(config, "--json") == 3
    told = capsys.readouterr()
    (last,) = [json.loads(line) for line in told.out.splitlines()]
    assert (last["type"], last["exit_code"]) == ("run.finished", 3)
    assert "not a directory" in last["error"]
    assert json.loads(told.err.splitlines()[-1])["error"]["exit_code"] == 3


def test_fail_on_new(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "incoming/beijing/page.pdf").write_bytes(login_page())
    assert run(config, "--fail-on", "new") == 1
    told = capsys.readouterr().err
    assert "1 item rejected. What arrived is not usable." in told
    assert run(config, "--fail-on", "new") == 0
    assert run(config) == 1
    capsys.readouterr()
