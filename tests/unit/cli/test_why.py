"""`archive why`: by whatever name somebody asks, where it came from and what settles it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.cli import execute
from media_samples import jpeg, pdf

CONFIG = """
archive: {title: A tour, site: false}
sinks:
  one: {type: disk, path: ./one}
  two: {type: disk, path: ./two}
events:
  - id: beijing
    title: Beijing Stop
    talks:
      - {id: chef, title: Deploy OpenStack with Chef, speaker: Junqiang Chen}
      - {id: puppet, title: Deploy OpenStack with Puppet}
    sources: [{type: folder, path: ./in}]
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("why")
    (folder / "in/slides").mkdir(parents=True)
    (folder / "in/slides/Deploy OpenStack with Chef.pdf").write_bytes(pdf(["Cookbooks"]))
    (folder / "in/slides/Deploy OpenStack.pdf").write_bytes(pdf(["With what?"]))
    (folder / "in/slides/Half.pdf").write_bytes(pdf(["whole"])[:-200])
    (folder / "in/hall.jpg").write_bytes(jpeg())
    (folder / "archive.yaml").write_text(CONFIG)
    assert execute(["run", "-c", str(folder / "archive.yaml")]) == 1
    return folder / "archive.yaml"


def why(config: Path, capsys: pytest.CaptureFixture[str], what: object, *more: str, code: int = 0) -> str:
    capsys.readouterr()
    assert execute(["why", "-c", str(config), str(what), *more]) == code
    shown = capsys.readouterr()
    return shown.err if code else shown.out


def data(config: Path, capsys: pytest.CaptureFixture[str], what: object) -> dict[str, Any]:
    (line,) = why(config, capsys, what, "--json").splitlines()
    told: dict[str, Any] = json.loads(line)
    return told


def stored(config: Path, part: str = "with-chef") -> Path:
    return next(path for path in (config.parent / "one/ocfl").rglob("*.pdf") if part in path.name)


def test_every_name_of_a_deck_leads_to_it(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = stored(config)
    inside = path.relative_to(config.parent / "one").as_posix()
    told = data(config, capsys, path)
    digest = told["files"][0]["sha256"]
    names = {
        inside: "the path of its file",
        inside.partition("/content/")[2]: "the path of its file",
        path.name: "the path of its file",
        config.parent / "in/slides/Deploy OpenStack with Chef.pdf": "the bytes of that file",
        digest: "the SHA-256 of its file",
        f"derived/{digest}/text.txt": "the SHA-256 of its file",
        told["id"]: "its id",
        told["id"][:6]: "its id",
        told["material"]["id"]: "its id",
        path.stem.rpartition("-")[2]: "the mark in the name of its file",
    }
    for name, by in names.items():
        found = data(config, capsys, name)
        assert (found["material"]["title"], found["found_by"]) == ("Deploy OpenStack with Chef", by), name


def test_what_it_says_of_a_stored_deck(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = data(config, capsys, stored(config))
    assert told["event"] == {"id": "beijing", "how": "only this event uses its source"}
    assert (told["talk"]["id"], told["grade"], told["state"]) == ("chef", "original", "stored")
    assert told["talk"]["method"] in ("title", "explicit")
    (runner_up,) = told["talk"]["others"]
    assert runner_up["id"] == "puppet"
    assert 0.2 <= runner_up["score"] < told["talk"]["score"] <= 1
    sinks = told["files"][0]["sinks"]
    assert {(config.parent / name / at["path"]).is_file() for name, at in sinks.items()} == {True}
    assert set(sinks) == {"one", "two"}
    assert (told["lacking"], told["command"]) == ("", "")
    lines = why(config, capsys, stored(config)).splitlines()
    assert "  Event: beijing, because only this event uses its source" in lines
    assert any(line.startswith("  Next nearest by title and speaker: puppet (0.") for line in lines)
    assert "extra" not in told["material"]


def test_what_has_no_talk_names_the_command_that_settles_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loose = next(path for path in (config.parent / "one/ocfl").rglob("deploy-openstack-????????????.pdf"))
    told = data(config, capsys, loose)
    assert told["talk"]["id"] == ""
    assert told["lacking"]
    assert {each["talk"] for each in told["candidates"]} >= {"chef", "puppet"}
    assert told["command"].startswith(f"archive matches accept {told['id']} beijing/")
    assert execute([*told["command"].split()[1:], "-c", str(config)]) == 0
    settled = data(config, capsys, loose)
    assert (settled["talk"]["method"], settled["lacking"]) == ("decision", "")
    assert settled["decision"]["verdict"] == "accept"
    assert settled["event"]["how"] == "a person decided so"


def test_what_is_not_here_says_why_not(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = data(config, capsys, "slides/Half.pdf")
    assert told["state"] == "pending"
    assert told["files"] == []
    assert told["lacking"]
    assert told["command"].startswith("archive add beijing FILE")
    assert "nothing of it is here" in why(config, capsys, "slides/Half.pdf")


def test_what_was_rejected_before_it_was_stored_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/Half.pdf").write_bytes(pdf(["whole"])[:-200])
    config = tmp_path / "archive.yaml"
    config.write_text(CONFIG)
    assert execute(["run", "-c", str(config)]) == 1
    assert execute(["matches", "reject", "Half.pdf", "--reason", "broken", "-c", str(config)]) == 0
    assert "rejected on" in why(config, capsys, "Half.pdf")
    assert json.loads(why(config, capsys, "Half.pdf", "--json"))["decision"]["reason"] == "broken"


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("https://example.org/nowhere", "name it under the sources"),
        ("nothing-like-it", "There is no stored file and no material"),
        ("0" * 64, "There is no stored file and no material"),
    ],
)
def test_what_nobody_knows_is_told_with_what_to_do(
    what: str, says: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in why(config, capsys, what, code=2)


def test_a_file_that_is_in_no_sink_can_be_added(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.pdf").write_bytes(pdf(["new"]))
    assert "byte for byte. Add it with: archive add EVENT" in why(
        config, capsys, tmp_path / "new.pdf", code=2
    )


def test_a_copy_that_a_sink_lacks_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = config.read_text()
    empty = config.with_name("empty.yaml")
    empty.write_text(text.replace("./two", "./three"))
    assert "two: not there; the next run brings it" in why(empty, capsys, stored(config))


def test_how_it_found_its_talk_is_told_as_it_was(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # No entry names a talk: the file is called like it.
    assert (
        data(config, capsys, stored(config))["talk"]["how"]
        == "its title, or the name of its file, is the talk's"
    )


def test_an_entry_that_names_the_talk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in/slides").mkdir(parents=True)
    (tmp_path / "in/slides/final v2.pdf").write_bytes(pdf(["Cookbooks"]))
    config = tmp_path / "archive.yaml"
    config.write_text(CONFIG.replace("path: ./in}", "path: ./in, talk: chef}"))
    assert execute(["run", "-c", str(config)]) == 0
    found = data(config, capsys, stored(config, "final"))
    assert found["talk"]["how"] == "its entry in the configuration names the talk"
