"""`archive add` from the outside."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from archiver.cli import execute
from media_samples import jpeg, login_page, pdf

CONFIG = """
archive: {title: A tour, site: false}
sinks: {local: {type: disk, path: ./archive}}
events:
  - id: beijing
    title: Beijing Stop
    talks:
      - {id: chef, title: Deploy OpenStack with Chef, speaker: Ada Fan}
      - {id: swift, title: Swift 架构, speaker: Bo Chen}
  - {id: wuhan, title: Wuhan Stop}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "archive.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "archive.yaml"


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    (tmp_path / "from a stick.pdf").write_bytes(pdf(["cookbooks"]))
    return tmp_path / "from a stick.pdf"


def add(config: Path, *arguments: object) -> int:
    return execute(["add", "-c", str(config), *map(str, arguments)])


def status(config: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert execute(["status", "--json", "-c", str(config)]) == 0
    events: dict[str, Any] = json.loads(capsys.readouterr().out)["events"][0]
    return {talk["id"]: talk["kinds"]["slides"]["state"] for talk in events["talks"]}


@pytest.mark.parametrize("talk", ["chef", "Deploy OpenStack with Chef", "deploy openstack WITH chef"])
def test_a_deck_for_a_talk(config: Path, deck: Path, talk: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(config, "beijing", deck, "--talk", talk) == 0
    assert "Done: 1 item, 1 file" in capsys.readouterr().err
    assert status(config, capsys) == {"chef": "have", "swift": "missing"}
    assert list(
        (config.parent / "archive/ocfl/beijing/v1/content/slides").glob("deploy-openstack-with-chef-*.pdf")
    )


def test_the_same_file_twice(config: Path, deck: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(config, "beijing", deck, deck) == 0
    assert "Done: 1 item" in capsys.readouterr().err
    assert add(config, "beijing", deck) == 0
    assert "Nothing new." in capsys.readouterr().err
    assert add(config, "wuhan", deck) == 0
    assert "Done: 1 item" in capsys.readouterr().err


def test_kinds_are_guessed_from_names(config: Path, deck: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = config.parent / "IMG_0001.JPG"
    photo.write_bytes(jpeg())
    assert add(config, "beijing", deck, photo) == 0
    folders = {path.parent.name for path in (config.parent / "archive/ocfl/beijing/v1/content").glob("*/*.*")}
    assert folders == {"slides", "photo", "metadata"}
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["bejing", "{deck}"], "There is no event 'bejing' in archive.yaml. Did you mean 'beijing'?"),
        (["beijing", "{deck}", "--talk", "chief"], "Event beijing has no talk 'chief'. Did you mean 'chef'?"),
        (["beijing", "{deck}", "--talk", "Swift 架"], "Did you mean 'swift'?"),
        (["beijing", "{deck}", "--talk", "zzz"], "Its talks are:\n  chef\n  swift"),
        (["wuhan", "{deck}", "--talk", "chef"], "It has no talks: leave the talk out"),
        (["beijing", "{folder}"], "is a directory. Name the files in it: archive add beijing"),
        (["beijing", "nowhere.pdf"], "There is no file nowhere.pdf."),
        (["beijing", "{pipe}"], "is not a file that can be read"),
        (["beijing"], "FILE"),
    ],
)
def test_wrong_words(
    config: Path, deck: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(config.parent / "pipe")
    places = {"deck": deck, "folder": config.parent, "pipe": config.parent / "pipe"}
    assert add(config, *(word.format(**places) for word in arguments)) == 2
    assert told in capsys.readouterr().err
    assert not (config.parent / "archive").exists()


def test_a_bad_file_is_rejected_and_forgotten(
    config: Path, deck: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = config.parent / "page.pdf"
    bad.write_bytes(login_page())
    assert add(config, "beijing", bad, "--talk", "swift") == 1
    assert "1 item rejected" in capsys.readouterr().err
    assert add(config, "beijing", deck, "--talk", "chef") == 0
    assert status(config, capsys) == {"chef": "have", "swift": "missing"}


def test_a_glob_that_fits_nothing_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(config, "beijing", "IMG_*.jpg") == 2
    assert "There is no file IMG_*.jpg." in capsys.readouterr().err


def test_what_a_source_brought_already_is_not_stored_again(
    config: Path, deck: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(
        CONFIG.replace("  - {id: wuhan", "    sources: [{type: folder, path: ./in}]\n  - {id: wuhan")
    )
    (config.parent / "in/slides").mkdir(parents=True)
    (config.parent / "in/slides/Deploy OpenStack with Chef.pdf").write_bytes(deck.read_bytes())
    assert execute(["run", "-c", str(config)]) == 0
    assert add(config, "beijing", deck, "--talk", "chef") == 0
    told = capsys.readouterr().err
    assert f"{deck} is here already, byte for byte: “Deploy OpenStack with Chef”" in told
    assert "Nothing new." in told
    versions = config.parent / "archive/ocfl/beijing"
    assert not (versions / "v2").exists()
    assert add(config, "beijing", deck, "--talk", "swift") == 0  # for another talk it is another thing
    assert (versions / "v2").exists()


def test_a_rejected_file_is_not_said_to_be_tried_again(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = config.parent / "page.pdf"
    bad.write_bytes(login_page())
    assert add(config, "beijing", bad, "--talk", "swift") == 1
    told = capsys.readouterr().err
    assert "Get a whole file, and add that." in told
    assert "tries again" not in told


def test_a_file_that_is_added_again_says_what_it_left(
    config: Path, deck: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(config, "beijing", deck, "--talk", "chef") == 0
    assert "no longer" not in capsys.readouterr().err
    assert add(config, "beijing", deck, "--talk", "swift") == 0
    told = capsys.readouterr().err
    assert f"{deck} belongs to beijing/swift now, and no longer to beijing/chef." in told
    assert "is called" not in told
    assert add(config, "beijing", deck, "--kind", "other", "--title", "Swift 架构") == 0
    assert f"{deck} is of the kind other now, and no longer slides." in capsys.readouterr().err
    assert add(config, "beijing", deck, "--kind", "other", "--title", "Another\x1b[2J") == 0
    told = capsys.readouterr().err
    assert "is called “Another" in told
    assert "\x1b" not in told
    assert add(config, "wuhan", deck) == 0  # a copy of its own: it left nothing
    assert "no longer" not in capsys.readouterr().err


def test_a_decision_counts_more_than_the_talk_that_a_file_is_added_with(
    config: Path, deck: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(config, "beijing", deck, "--talk", "chef") == 0
    digest = hashlib.sha256(deck.read_bytes()).hexdigest()
    assert execute(["matches", "accept", digest, "beijing/chef", "-c", str(config)]) == 0
    capsys.readouterr()
    assert add(config, "beijing", deck, "--talk", "swift") == 0
    told = capsys.readouterr().err
    assert (
        "stays where it was decided that it belongs: beijing/chef. Decide anew with: archive matches" in told
    )
    command = told.partition("Decide anew with: archive ")[2].splitlines()[0].split()
    assert execute([*command, "-c", str(config)]) == 0
    assert status(config, capsys) == {"chef": "missing", "swift": "have"}
