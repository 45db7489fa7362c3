"""`archive site` and `archive serve` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.cli import execute
from site_kit import jpeg

CONFIG = """
archive: {title: A tour, language: en, site: false}
sinks:
  one: {type: disk, path: ./one}
  two: {type: disk, path: ./two}
events:
  - {id: beijing, title: Beijing Stop, sources: [{type: folder, path: ./in}]}
"""


@pytest.fixture
def config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    path = tmp_path / "archive.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    (tmp_path / "in/photos").mkdir(parents=True)
    (tmp_path / "in/photos/hall.jpg").write_bytes(jpeg("hall"))
    assert execute(["run", "-c", str(path)]) == 0
    capsys.readouterr()
    return str(path)


def test_the_site_is_made_in_every_sink(
    config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert execute(["site", "-c", config]) == 0
    told = capsys.readouterr().out
    assert str(tmp_path / "one/index.html") in told
    assert (tmp_path / "two/site/event/beijing.html").is_file()
    assert not (tmp_path / "two/site/sitemap.xml").exists()
    assert execute(["site", "-c", config]) == 0
    assert "nothing had changed" in capsys.readouterr().out


def test_the_public_address_is_remembered(config: str, tmp_path: Path) -> None:
    assert execute(["site", "-c", config, "--sink", "one", "--url", "https://slides.example.org"]) == 0
    (tmp_path / "one/site/sitemap.xml").unlink()
    assert execute(["site", "-c", config, "--sink", "one"]) == 0
    assert "https://slides.example.org/site/index.html" in (tmp_path / "one/site/sitemap.xml").read_text()
    assert not (tmp_path / "two/site").exists()


def test_a_program_reads_what_was_done(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["site", "-c", config, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["sink"] for line in lines] == ["one", "two"]
    assert lines[0]["drawn"] == 1


@pytest.mark.parametrize(
    "arguments",
    [["site", "--sink", "three"], ["serve", "--sink", "three"], ["site", "--url", "slides.example.org"]],
)
def test_wrong_usage(config: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([*arguments, "-c", config]) == 2
    assert "three" in (told := capsys.readouterr().err) or "slides.example.org" in told


def test_other_addresses_are_warned_of(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from archiver.pages.serving import Server

    monkeypatch.setattr(Server, "serve_forever", lambda _: None)
    assert execute(["serve", "-c", config, "--listen", "0.0.0.0", "--port", "0"]) == 0
    told = capsys.readouterr()
    assert "Warning: everybody who can reach 0.0.0.0" in told.err
    assert "archive site" in told.err
    assert execute(["serve", "-c", config, "--port", "0"]) == 0
    assert "Warning" not in capsys.readouterr().err
