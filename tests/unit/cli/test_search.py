"""`archive search`: what is found is shown with its file, what is not with advice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.cli import execute
from media_samples import pdf

CONFIG = """
archive: {title: 2012 OpenStack China Tour, site: false}
sinks: {local: {type: disk, path: ./archive}}
sources: {drop: {type: folder, path: ./in}}
events:
  - id: beijing
    title: Beijing Stop
    talks: [{title: Deploy OpenStack with Chef, speaker: Junqiang Chen}]
    sources: [{use: drop, kind: slides}]
  - {id: wuhan, title: Wuhan Stop}
"""
DECK = "Deploy OpenStack with Chef"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    (folder / "in").mkdir()
    (folder / "in" / f"{DECK}.pdf").write_bytes(pdf(["Cookbooks and recipes"]))
    (folder / "in" / "Other [red]things.pdf").write_bytes(pdf(["A knife is sharp"]))
    (folder / "archive.yaml").write_text(CONFIG)
    assert execute(["run", "-c", str(folder / "archive.yaml")]) == 0
    return folder / "archive.yaml"


def run(config: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert execute(["search", "-c", str(config), *words]) == code
    told = capsys.readouterr()
    return told.out, told.err


def test_a_hit_shows_title_talk_passage_and_the_file_itself(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = run(config, capsys, "cookbooks")
    title, belongs, passage, path = out.splitlines()
    assert title == f"1. {DECK}"
    assert belongs == "   slides, Beijing Stop, by Junqiang Chen"
    assert passage == "   «Cookbooks» and recipes"
    assert Path(path.strip()).read_bytes() == pdf(["Cookbooks and recipes"])
    assert err == ""


def test_json_has_one_object_a_line_with_a_path_inside_the_sink(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = run(config, capsys, "slides OR beijing", "--json")
    assert out == ""
    out, _ = run(config, capsys, "beijing", "--json")
    hits = [json.loads(line) for line in out.splitlines()]
    assert len(hits) == 2
    for hit in hits:
        assert list(hit) == ["event", "talk", "kind", "title", "path", "snippet", "score"]
        assert (config.parent / "archive" / hit["path"]).is_file()


def test_what_upstream_names_things_is_shown_as_it_is(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = run(config, capsys, "sharp")
    assert "Other [red]things" in out


def test_filters_and_limit_are_passed_on(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(run(config, capsys, "beijing", "--json", "--limit", "1")[0].splitlines()) == 1
    assert run(config, capsys, "beijing", "--json", "--kind", "video")[0] == ""
    assert run(config, capsys, "beijing", "--json", "--event", "wuhan")[0] == ""
    assert len(run(config, capsys, "beijing", "--json", "--event", "beijing", "--event", "wuhan")[0]) > 0


def test_no_hit_is_no_error_and_gives_advice(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = run(config, capsys, "puppet")
    assert out == ""
    assert "Nothing was found for 'puppet'." in err
    assert "--kind" not in err
    assert "leave out --kind and --event" in run(config, capsys, "puppet", "--kind", "slides")[1]
    assert "no word to look for" in run(config, capsys, '"*+')[1]
    assert run(config, capsys, "puppet", "--json") == ("", "")


def test_wrong_usage_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Did you mean 'beijing'?" in run(config, capsys, "x", "--event", "bejing", code=2)[1]
    assert "WORDS" in run(config, capsys, code=2)[1]


def test_a_stale_or_missing_catalog_is_made_up_for_and_nothing_is_written(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = config.parent / "archive" / "catalog.sqlite"
    good = catalog.read_bytes()
    for bad in (None, b"junk"):
        catalog.unlink(missing_ok=True)
        if bad is not None:
            catalog.write_bytes(bad)
        assert "«Cookbooks»" in run(config, capsys, "cookbooks")[0]
        assert (catalog.read_bytes() if catalog.exists() else None) == bad
    catalog.write_bytes(good)


def test_an_empty_archive_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "archive.yaml").write_text(CONFIG)
    (tmp_path / "in").mkdir()
    out, err = run(tmp_path / "archive.yaml", capsys, "chef")
    assert (out, err) == ("", "The archive is still empty. Fill it with: archive run\n")
    assert not (tmp_path / "archive").exists()
