"""`archive verify` and `archive rebuild`, as they are typed."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import media_samples
from archiver.cli import execute

CONFIG = """
archive: {title: A tour}
sinks:
  local: {type: disk, path: ./local}
  copy: {type: disk, path: ./copy}
sources: {incoming: {type: folder, path: ./incoming}}
events:
  - id: beijing
    title: Beijing Stop
    talks: [{title: Deploy OpenStack with Chef, speaker: Junqiang Chen}]
    sources: [{use: incoming, path: beijing}]
"""
Archive = Callable[..., int]


@pytest.fixture
def archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Archive:
    (tmp_path / "archive.yaml").write_text(CONFIG)
    slides = tmp_path / "incoming/beijing/slides/Deploy OpenStack with Chef.pdf"
    slides.parent.mkdir(parents=True)
    slides.write_bytes(media_samples.pdf(["云计算 with cookbooks"]))

    def call(*words: str) -> int:
        return execute([*words, "-c", str(tmp_path / "archive.yaml")])

    assert call("run") == 0
    capsys.readouterr()
    return call


def deck(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "local/ocfl/beijing/v1/content/slides").iterdir()
    return found


def test_all_is_well(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert archive("verify") == 0
    told = capsys.readouterr()
    assert [line.split(":")[0] for line in told.out.splitlines()] == ["local", "copy"]
    assert told.out.count("all as it was stored") == 2
    assert "local: looking at" in told.err


def test_damage_is_listed_with_what_to_do_then_repaired(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = deck(tmp_path).read_bytes()
    deck(tmp_path).write_bytes(b"wrong")
    assert archive("verify", "--sink", "copy") == 0
    assert archive("verify") == 4
    told = capsys.readouterr().out
    assert "DAMAGE in 1 file" in told
    assert deck(tmp_path).name in told
    assert "What to do:" in told
    assert "archive verify --repair" in told
    assert archive("verify", "--repair") == 0
    assert "Repaired: restored from sink copy" in capsys.readouterr().out
    assert deck(tmp_path).read_bytes() == right


def test_for_machines(archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deck(tmp_path).write_bytes(b"wrong")
    assert archive("verify", "--json") == 4
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "verify"
    assert told["exit_code"] == 4
    (finding,) = told["findings"]
    assert finding["what"] == "damaged"
    assert finding["sink"] == "local"
    assert finding["path"].endswith(deck(tmp_path).name)
    assert set(finding) == {"sink", "path", "what", "detail", "hint", "repaired"}
    assert told["sinks"]["local"]["groups"]["beijing"]["left_files"] == 0


def test_what_was_not_looked_at_is_told(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert archive("verify", "beijing", "--since", "2999-01-01") == 0
    told = capsys.readouterr().out
    assert "not looked at: " in told
    assert "of beijing" in told
    assert "belong to no single event" in told
    assert archive("verify", "--sample", "10%", "--budget", "5m") == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--sample", "0%"),
        ("--sample", "101%"),
        ("--sample", "much"),
        ("--sample", "²%"),
        ("--budget", "0s"),
        ("--budget", "30"),
        ("--since", "yesterday"),
        ("--since", "2012-13-01"),
        ("--since", "0001-01-01T00:00:00+23:00"),
        ("--sink", "nowhere"),
        ("nowhere",),
    ],
)
def test_wrong_usage(archive: Archive, words: tuple[str, ...]) -> None:
    assert archive("verify", *words) == 2


@pytest.mark.parametrize("since", ["2012-09-16", "2012-09-16T18:00:00+08:00", "2012-09-16T10:00:00Z"])
def test_times(archive: Archive, since: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert archive("verify", "--json", "--since", since) == 0
    assert json.loads(capsys.readouterr().out)["asked"]["since"] in {"2012-09-16", "2012-09-16T10:00:00Z"}


def dump(catalog: Path) -> list[str]:
    with closing(sqlite3.connect(catalog)) as db:
        return sorted(db.iterdump())


def test_a_copy_of_what_matters_gives_an_equal_catalog(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dump(tmp_path / "local/catalog.sqlite")
    for name in ("local", "copy"):
        (tmp_path / name).rename(tmp_path / f"{name}-old")
        for part in ("ocfl", "derived"):
            shutil.copytree(tmp_path / f"{name}-old" / part, tmp_path / name / part)
    shutil.rmtree(tmp_path / "incoming")

    def denied(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", denied)
    monkeypatch.setattr(socket, "getaddrinfo", denied)
    assert archive("rebuild") == 0
    monkeypatch.undo()
    assert dump(tmp_path / "local/catalog.sqlite") == before
    assert len(before) > 10
    capsys.readouterr()
    assert archive("verify") == 0
    assert archive("search", "云计算", "--json") == 0
    assert "cookbooks" in capsys.readouterr().out


def test_rebuild_in_one_sink_for_machines(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("local", "copy"):
        (tmp_path / name / "catalog.sqlite").unlink()
    assert archive("rebuild", "--sink", "copy", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"sinks": {"copy": {"error": ""}}}
    assert not (tmp_path / "local/catalog.sqlite").exists()
    assert archive("rebuild", "--sink", "nowhere") == 2


def test_rebuild_leaves_a_sink_alone_that_holds_nothing(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "copy").rename(tmp_path / "unmounted")
    assert archive("rebuild") == 3
    told = capsys.readouterr()
    assert "local: the catalog was made again" in told.out
    assert "copy: no catalog was made" in told.err


def test_notes_alone_are_not_followed_by_advice_to_restore(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "local/catalog.sqlite.sha256").unlink()
    assert archive("verify") == 0
    told = capsys.readouterr().out
    assert "unsealed  local: catalog.sqlite" in told
    assert "To restore what is damaged" not in told
