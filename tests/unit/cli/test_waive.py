"""`archive waive` on the command line: what nobody waits for, and taking it back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.cli import execute

CONFIG = """
archive: {title: A tour, language: en, site: false}
sinks: {local: {type: disk, path: ./archive}}
events:
  - id: beijing
    title: Beijing Stop
    expect: [video]
    talks:
      - {title: Deploy OpenStack with Chef, speaker: Junqiang Chen}
      - {id: panel, title: Panel, expect: []}
    sources: [{type: folder, path: ./in}]
"""
CHEF = "beijing/deploy-openstack-with-chef"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "archive.yaml").write_text(CONFIG)
    return tmp_path / "archive.yaml"


def told(config: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    capsys.readouterr()
    assert execute([words[0], "-c", str(config), *words[1:]]) == code
    shown = capsys.readouterr()
    return shown.err if code else shown.out


def test_waiving_listing_and_taking_back(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(config, capsys, "waive") == "Nothing is waived.\n"
    assert "Here: 0 of 2 expected" in told(config, capsys, "status")
    assert "Waived: slides of" in told(config, capsys, "waive", CHEF, "slides", "--reason", "a  lost\nstick")
    told(config, capsys, "waive", "beijing", "video", "--reason", "nobody filmed")
    listed = told(config, capsys, "waive").splitlines()
    assert [line.rpartition("since ")[2][12:] for line in listed[:2]] == ["nobody filmed", "a lost stick"]
    assert "2 in all." in listed[-1]
    shown = told(config, capsys, "status")
    assert "Here: 0 of 0 expected (100 %)." in shown
    assert f"  {CHEF}: slides: a lost stick" in shown.splitlines()
    data = json.loads(told(config, capsys, "status", "--json"))
    assert data["events"][0]["talks"][0]["kinds"]["slides"]["state"] == "waived"
    assert (data["gaps"], [each["reason"] for each in data["waived"]]) == (
        [],
        ["nobody filmed", "a lost stick"],
    )
    told(config, capsys, "status", "--fail-under", "100")
    assert "Expected again" in told(config, capsys, "waive", CHEF, "slides", "--undo")
    assert "Here: 0 of 1 expected" in told(config, capsys, "status")


def test_the_title_of_a_talk_does_as_well_and_the_same_again_writes_nothing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("waive", "beijing/Deploy OpenStack with Chef", "slides", "--reason", "lost", "--json")
    first = json.loads(told(config, capsys, *words))
    assert (first["talk"], first["waived"]) == ("deploy-openstack-with-chef", True)
    versions = sorted((config.parent / "archive/ocfl/_archive").glob("v*"))
    told(config, capsys, *words)
    assert sorted((config.parent / "archive/ocfl/_archive").glob("v*")) == versions


def test_what_arrives_all_the_same_counts(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from media_samples import pdf

    told(config, capsys, "waive", CHEF, "slides", "--reason", "lost")
    (config.parent / "in/Deploy OpenStack with Chef.pdf").write_bytes(pdf(["Found again"]))
    told(config, capsys, "run")
    assert "Here: 1 of 2 expected" in told(config, capsys, "status")
    assert "(here by now)" in told(config, capsys, "waive")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["beijing", "video"], "Say why"),
        (["beijing"], "Expected of beijing: slides, video."),
        (["beijng", "video", "--reason", "x"], "Did you mean 'beijing'?"),
        (["beijing/chef", "slides", "--reason", "x"], "has no talk 'chef'"),
        (["beijing", "photo", "--reason", "x"], "No photo is expected of beijing"),
        (["beijing/panel", "slides", "--reason", "x"], "Expected: nothing."),
        (["beijing", "video", "--undo"], "is not waived"),
        (["beijing", "song", "--reason", "x"], "'song' is not one of"),
    ],
)
def test_wrong_usage_says_what_is_right(
    words: list[str], says: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in told(config, capsys, "waive", *words, code=2)


def test_a_talk_under_a_waiver_of_the_whole_event_is_told_apart(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(config, capsys, "waive", "beijing", "slides", "--reason", "all lost")
    assert "Here: 0 of 1 expected" in told(config, capsys, "status")
    assert "archive waive beijing slides --undo" in told(
        config, capsys, "waive", CHEF, "slides", "--undo", code=2
    )


def test_nobody_is_asked_for_what_is_waived(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = config.read_text().replace("speaker: Junqiang Chen", "email: jq@example.org")
    config.write_text(text + "mail: {from: slides@example.org}\n")
    asked = json.loads(told(config, capsys, "ask", "beijing", "--to", str(config.parent / "one"), "--json"))
    told(config, capsys, "waive", CHEF, "slides", "--reason", "lost")
    again = json.loads(
        told(config, capsys, "ask", "beijing", "--to", str(config.parent / "two"), "--again", "--json")
    )
    assert asked != again
    assert list(config.parent.glob("one/*.eml"))
    assert not list(config.parent.glob("two/*.eml"))


def test_a_kind_that_there_is_none_of(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = told(config, capsys, "waive", "beijing", "moo", code=2)
    assert "'slides'" in wrong
    assert "''" not in wrong
    assert "Needed" in told(config, capsys, "waive", "--help")
