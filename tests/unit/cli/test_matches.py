"""`archive matches` where one material is in two events, and where its bytes are another's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.cli import execute
from media_samples import pdf

CONFIG = """
archive: {title: A tour, site: false}
sinks: {local: {type: disk, path: ./archive}}
events:
  - {id: first, talks: [Deploy Chef, Swift 架构]}
  - {id: second, talks: [Alpha, Beta]}
  - {id: third, talks: [Gamma]}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One deck, added to two events: placed in the first, of no talk in the second."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "archive.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    (tmp_path / "odd.pdf").write_bytes(pdf(["cookbooks"]))
    assert execute(["add", "first", "odd.pdf", "--talk", "Deploy Chef"]) == 0
    assert execute(["add", "second", "odd.pdf"]) == 0
    return path


def listed(capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert execute(["matches", "list", "--json", *more]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def places(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str]]:
    return {
        each["event"]: (each["talk"], each["method"])
        for each in listed(capsys, "--all")
        if "method" in each and each["held"]
    }


PLACED = ("deploy-chef", "explicit")


@pytest.mark.usefixtures("config")
def test_only_the_copy_that_was_meant_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    (waits,) = listed(capsys)
    assert waits["name"] == f"second/{waits['id']}"
    assert execute(["matches", "accept", waits["id"], "second/Alpha"]) == 0
    assert "“odd” of second belongs to second/alpha." in capsys.readouterr().out
    assert execute(["run"]) == 0
    assert places(capsys) == {"first": PLACED, "second": ("alpha", "decision")}


@pytest.mark.usefixtures("config")
def test_only_the_copy_that_was_meant_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    (waits,) = listed(capsys)
    assert execute(["matches", "reject", waits["id"]]) == 2
    told = capsys.readouterr().err
    assert f"first/{waits['id']}  “Deploy Chef” of the talk deploy-chef" in told
    assert f"second/{waits['id']}  “odd”, of no talk" in told
    assert places(capsys)["first"] == PLACED  # nothing was decided
    assert execute(["matches", "reject", waits["name"]]) == 0
    assert "“odd” of second is rejected" in capsys.readouterr().out
    assert execute(["run"]) == 0
    assert places(capsys) == {"first": PLACED, "second": ("", "decision")}


@pytest.mark.usefixtures("config")
def test_an_id_of_two_events_never_takes_a_deck_from_the_talk_that_it_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (waits,) = listed(capsys)
    for place in ("first/Swift 架构", "third"):
        assert execute(["matches", "accept", waits["id"], place]) == 2
        assert "Say which:" in capsys.readouterr().err
    assert execute(["matches", "accept", f"first/{waits['id'][:5]}", "first/Swift 架构"]) == 0
    assert places(capsys) == {"first": ("swift-架构", "decision"), "second": ("", "none")}


def test_a_file_that_is_added_to_another_event_later_is_not_sent_to_the_first(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (waits,) = listed(capsys)
    assert execute(["matches", "accept", waits["name"], "second/Beta"]) == 0
    capsys.readouterr()
    assert execute(["add", "third", "odd.pdf", "--talk", "Gamma"]) == 0
    assert "third: 1 new" in capsys.readouterr().err
    assert places(capsys) == {"first": PLACED, "second": ("beta", "decision"), "third": ("gamma", "explicit")}
    lines = (config.parent / "archive/ocfl/_archive").glob("v*/content/metadata/decisions.jsonl")
    (line,) = {line for path in lines for line in path.read_text().splitlines()}
    assert json.loads(line)["within"] == "second"


def test_an_added_file_is_not_sent_to_an_event_for_which_no_run_could_fetch_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (waits,) = listed(capsys)
    assert execute(["matches", "accept", waits["name"], "third"]) == 2
    assert "Add the file there: archive add third FILE" in capsys.readouterr().err
    assert not list((config.parent / "archive/ocfl").glob("_archive/v*/content/metadata/decisions.jsonl"))


@pytest.mark.usefixtures("config")
def test_why_takes_the_name_of_one_copy(capsys: pytest.CaptureFixture[str]) -> None:
    (waits,) = listed(capsys)
    assert execute(["why", waits["name"]]) == 0
    told = capsys.readouterr().out
    assert told.count("Found by:") == 1
    assert f"archive matches accept {waits['name']} " in told


def test_a_copy_under_another_name_is_told_as_one(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = config.parent / "in/slides"
    folder.mkdir(parents=True)
    for name in ("Deploy Chef.pdf", "Zzz.pdf"):
        (folder / name).write_bytes(pdf(["the same words"]))
    config.write_text(CONFIG.replace("Swift 架构]", "Swift 架构], sources: [{type: folder, path: ./in}]"))
    assert execute(["run"]) == 0
    waits = next(each for each in listed(capsys) if each["title"] == "Zzz")
    assert waits["same_bytes"] == [{"event": "first", "talk": "deploy-chef", "title": "Deploy Chef"}]
    assert execute(["matches", "list"]) == 0
    assert "Same bytes as: “Deploy Chef” of first/deploy-chef" in capsys.readouterr().out


@pytest.mark.usefixtures("config")
def test_what_was_sent_elsewhere_says_where_it_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    (waits,) = listed(capsys)
    assert execute(["matches", "accept", waits["name"], "first/Swift 架构"]) == 0
    assert execute(["matches", "list", "--all"]) == 0
    told = capsys.readouterr().out
    assert f"{waits['name']}  slides “odd”  second  (decision: it belongs to first/swift-架构)" in told
