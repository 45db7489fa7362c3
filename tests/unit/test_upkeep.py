"""The catalog and the pages after a run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from archiver import upkeep
from archiver.cli import execute
from site_kit import jpeg

CONFIG = """
archive: {title: A tour, language: en}
sinks:
  one: {type: disk, path: ./one}
  two: {type: disk, path: ./two}
events:
  - {id: beijing, title: Beijing Stop, sources: [{type: folder, path: ./in}]}
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "archive.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    (tmp_path / "in/photos").mkdir(parents=True)
    (tmp_path / "in/photos/hall.jpg").write_bytes(jpeg("hall"))
    return str(path)


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        file.relative_to(folder).as_posix(): (file.stat().st_mtime_ns, file.read_bytes())
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_run_leaves_pages_in_every_sink_and_an_idle_one_touches_none(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["run", "-c", config]) == 0
    assert "index.html" in capsys.readouterr().err
    before = {sink: content(tmp_path / sink) for sink in ("one", "two")}
    for each in before.values():
        assert "Beijing Stop" in each["site/index.html"][1].decode()
        assert any(path.endswith(".jpg") for path in each if path.startswith("derived/"))
    assert execute(["run", "-c", config]) == 0
    assert "index.html" not in capsys.readouterr().err
    for sink, each in before.items():
        after = content(tmp_path / sink)
        changed = {path for path, now in after.items() if each.get(path) != now}
        assert {path.split("/")[0] for path in changed} <= {"runs", ".lease"}


def test_a_change_is_shown_at_the_end_of_its_run(config: str, tmp_path: Path) -> None:
    assert execute(["run", "-c", config]) == 0
    (tmp_path / "in/photos/stage.jpg").write_bytes(jpeg("stage"))
    assert execute(["run", "-c", config]) == 0
    assert "stage" in (tmp_path / "two/site/photos/beijing.html").read_text(encoding="utf-8")


def test_pages_that_a_killed_run_did_not_come_to_are_made_by_the_next(config: str, tmp_path: Path) -> None:
    assert execute(["run", "-c", config]) == 0
    (tmp_path / "one/site/state/stamp.json").unlink()
    (tmp_path / "one/site/index.html").unlink()
    assert execute(["run", "-c", config]) == 0
    assert (tmp_path / "one/site/index.html").is_file()


def test_who_wants_no_pages_gets_none(config: str, tmp_path: Path) -> None:
    Path(config).write_text(CONFIG.replace("language: en", "site: false"), encoding="utf-8")
    assert execute(["run", "-c", config]) == 0
    assert not (tmp_path / "one/site").exists()


def test_pages_that_cannot_be_made_fail_no_run(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A file where a folder should be: what is stored is not touched by it.
    (tmp_path / "one").mkdir()
    (tmp_path / "one/site").write_text("mine", encoding="utf-8")
    code = execute(["run", "-c", config])
    told = capsys.readouterr().err
    assert code in {0, 3}
    assert "one" in told
    report = json.loads(max((tmp_path / "two/runs").glob("*.json")).read_text(encoding="utf-8"))
    (counts,) = report["counts"]["beijing"].values()
    assert counts == {"new": 1}
    assert (tmp_path / "two/site/index.html").is_file()
    assert list((tmp_path / "one/ocfl/beijing").glob("v1/content/photo/*.jpg"))


def test_pictures_are_made_while_the_bytes_are_here_and_never_read_back(config: str, tmp_path: Path) -> None:
    assert execute(["run", "-c", config]) == 0
    (photo,) = (tmp_path / "one/ocfl/beijing/v1/content/photo").iterdir()
    digest = hashlib.sha256(photo.read_bytes()).hexdigest()
    entry = json.loads((tmp_path / "one/derived" / digest / "pictures-v1.json").read_text())
    assert entry["form"] == "jpeg"
    for width, _ in entry["pages"][0]:
        assert (tmp_path / "one/derived" / digest / f"w{width}-v1.jpg").stat().st_size
    # All that the pages need is beside the file: with the index gone and the photo away, they show it.
    (tmp_path / "one/site/state/pictures.json").unlink()
    photo.unlink()
    assert execute(["site", "-c", config, "--sink", "one"]) == 0
    assert f"derived/{digest}/w360-v1.jpg" in (tmp_path / "one/site/photos/beijing.html").read_text()


def test_pictures_are_drawn_by_the_workers_not_by_the_pages(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a sink on another machine got is not fetched again to be drawn.
    monkeypatch.setattr("archiver.pages.build", lambda *_, **__: 1 / 0)
    assert execute(["run", "-c", config]) == 0
    assert list((tmp_path / "one/derived").glob("*/w360-v1.jpg"))
    assert list((tmp_path / "two/derived").glob("*/pictures-v1.json"))


PUBLIC = CONFIG.replace("{type: disk, path: ./two}", "{type: disk, path: ./two, audience: public}")


def _said(folder: Path, word: str) -> list[str]:
    files = [file for file in folder.rglob("*") if file.is_file() and "state" not in file.parts]
    return [str(file) for file in files if word in file.read_text(encoding="utf-8", errors="replace")]


def test_public_pages_are_emptied_when_nothing_is_cleared_any_more(config: str, tmp_path: Path) -> None:
    path, cleared = Path(config), "Beijing Stop, consent: public,"
    path.write_text(PUBLIC.replace("Beijing Stop,", cleared), encoding="utf-8")
    assert execute(["run", "-c", config]) == 0
    assert _said(tmp_path / "two/site", "Beijing Stop")
    path.write_text(PUBLIC, encoding="utf-8")
    assert execute(["run", "-c", config]) == 0
    assert _said(tmp_path / "two/site", "Beijing Stop") == []
    assert "<html" in (tmp_path / "two/site/event/beijing.html").read_text(encoding="utf-8")


def test_what_was_cleared_for_a_moment_leaves_the_pages_with_the_next_run(
    config: str, tmp_path: Path
) -> None:
    path = Path(config)
    talks = "Beijing Stop, consent: public, talks: [Chef, {title: Juju, consent: internal}],"
    path.write_text(PUBLIC.replace("Beijing Stop,", talks), encoding="utf-8")
    assert execute(["run", "-c", config]) == 0
    assert _said(tmp_path / "two/site", "Juju") == []
    path.write_text(path.read_text(encoding="utf-8").replace("internal", "public"), encoding="utf-8")
    assert execute(["site", "-c", config]) == 0
    assert _said(tmp_path / "two/site", "Juju")
    path.write_text(PUBLIC.replace("Beijing Stop,", talks), encoding="utf-8")
    assert execute(["run", "-c", config]) == 0
    assert _said(tmp_path / "two/site", "Juju") == []


def test_public_pages_that_cannot_be_made_fail_the_run(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(config).write_text(PUBLIC, encoding="utf-8")
    shown = upkeep._Upkeep.show

    def show(self: Any, name: str, head: Any) -> None:
        if self.public:
            raise ValueError("a fault of ours")
        shown(self, name, head)

    monkeypatch.setattr(upkeep._Upkeep, "show", show)
    assert execute(["run", "-c", config]) == 3
    assert "not cleared any more" in capsys.readouterr().err
