"""`archive export`: what is said, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import bagit
import pytest

from archiver.cli import execute
from archiver.cli.export import PLAIN_EVERY, _Plain
from media_samples import pdf
from s3_servers import Server

CONFIG = """
archive: {title: 2012 OpenStack China Tour, organizer: COSUG, site: false}
sinks: {local: {type: disk, path: ./archive}}
sources: {drop: {type: folder, path: ./in}}
events:
  - id: beijing
    title: Beijing Stop
    talks: [{title: Deploy OpenStack with Chef, speaker: Junqiang Chen, email: jq@example.org}]
    sources: [{use: drop, path: beijing, kind: slides}]
  - id: wuhan
    title: Wuhan Stop
    sources: [{use: drop, path: wuhan, kind: slides}]
  - {id: xian, title: Xi'an Stop}
"""
DECK = pdf(["Cookbooks and recipes"])


def prepared(folder: Path, config: str = CONFIG) -> Path:
    for event, name in (("beijing", "Deploy OpenStack with Chef"), ("wuhan", "Swift")):
        (folder / "in" / event).mkdir(parents=True)
        (folder / "in" / event / f"{name}.pdf").write_bytes(DECK)
    (folder / "archive.yaml").write_text(config)
    assert execute(["run", "-c", str(folder / "archive.yaml")]) == 0
    return folder / "archive.yaml"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("export"))


def run(config: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert execute(["export", "-c", str(config), *words]) == code
    told = capsys.readouterr()
    return told.out, told.err


def test_each_event_gets_a_directory(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = run(config, capsys, "beijing", "wuhan", "beijing", "--to", str(tmp_path / "new" / "out"))
    where = tmp_path / "new" / "out"
    assert out.splitlines() == [
        f"Beijing Stop: 1 file, {len(DECK) / 1000:.1f} kB, exported to {where / 'beijing'}",
        f"Wuhan Stop: 1 file, {len(DECK) / 1000:.1f} kB, exported to {where / 'wuhan'}",
    ]
    assert err.startswith("beijing: 1 file, ")
    assert (where / "beijing" / "slides" / "Deploy OpenStack with Chef.pdf").read_bytes() == DECK
    assert b"jq@example.org" not in (where / "beijing" / "ro-crate-metadata.json").read_bytes()


def test_json_tells_each_export_in_a_line(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = run(config, capsys, "beijing", "--to", str(tmp_path), "--bagit", "--zip", "--json")
    assert json.loads(out) == {
        "event": "beijing",
        "title": "Beijing Stop",
        "path": str(tmp_path / "beijing.zip"),
        "bagit": True,
        "zip": True,
        "all_editions": False,
        "files": 1,
        "bytes": len(DECK),
        "damaged": [],
    }


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["beijng", "--to", "x"], 2, "Did you mean 'beijing'?"),
        (["xian", "--to", "x"], 1, "the archive holds no files of xian"),
        (["--to", "x"], 2, "Missing argument"),
        (["beijing"], 2, "Missing option '--to'"),
    ],
)
def test_what_cannot_be_is_told(
    config: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    out, err = run(config, capsys, *words, code=code)
    assert message in err
    assert out == ""
    assert not list(tmp_path.iterdir())


def test_one_target_that_is_there_stops_all_before_anything_is_written(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wuhan").mkdir()
    _, err = run(config, capsys, "beijing", "wuhan", "--to", str(tmp_path), code=2)
    assert f"{tmp_path / 'wuhan'} is there already" in err
    assert [path.name for path in tmp_path.iterdir()] == ["wuhan"]


def test_damage_has_its_exit_code_and_names_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = prepared(tmp_path)
    (deck,) = (tmp_path / "archive" / "ocfl" / "beijing").rglob("*.pdf")
    deck.write_bytes(DECK[:-1] + b"X")
    _, err = run(config, capsys, "beijing", "--to", str(tmp_path / "out"), "--json", code=4)
    told = json.loads(err.splitlines()[-1])["error"]
    assert deck.relative_to(tmp_path / "archive").as_posix() in told["message"]
    assert told["exit_code"] == 4
    assert not list((tmp_path / "out").iterdir())


def test_damage_in_one_of_two_sinks_is_told_though_the_export_is_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = CONFIG.replace("./archive}}", "./archive}, other: {type: disk, path: ./other}}")
    config = prepared(tmp_path, two)
    (deck,) = (tmp_path / "archive" / "ocfl" / "beijing").rglob("*.pdf")
    deck.write_bytes(b"?")
    _, err = run(config, capsys, "beijing", "--to", str(tmp_path / "out"), code=4)
    assert "DAMAGE: ocfl/beijing/v1/content/slides/" in err
    assert (tmp_path / "out/beijing/slides/Deploy OpenStack with Chef.pdf").read_bytes() == DECK


def test_an_event_that_left_the_configuration_can_still_be_had(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = prepared(tmp_path)
    text = config.read_text()
    config.write_text(text[: text.index("  - id: wuhan")])
    out, _ = run(config, capsys, "wuhan", "--to", str(tmp_path / "out"))
    assert out.startswith("Wuhan Stop: 1 file")


def test_it_works_from_a_bucket(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    seaweed_store: Server,
) -> None:
    bucket = seaweed_store.bucket()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed_store.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed_store.secret)
    cloud = f"{{type: s3, bucket: {bucket}, endpoint_url: '{seaweed_store.url}', addressing: path}}"
    config = prepared(
        tmp_path, CONFIG.replace("{local: {type: disk, path: ./archive}}", f"{{cloud: {cloud}}}")
    )
    run(config, capsys, "beijing", "--to", str(tmp_path / "out"), "--bagit")
    bag = bagit.Bag(str(tmp_path / "out" / "beijing"))
    assert bag.validate()
    assert (tmp_path / "out/beijing/data/slides/Deploy OpenStack with Chef.pdf").read_bytes() == DECK


def test_long_copies_say_how_far_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    plain = _Plain(lambda: now[0])
    plain.event = "beijing"
    plain.begun(2, 3_000_000)
    plain.moved(1_000_000)
    now[0] = PLAIN_EVERY
    plain.moved(1_000_000)
    plain.moved(1_000_000)
    assert capsys.readouterr().err.splitlines() == ["beijing: 2 files, 3.0 MB", "beijing: 2.0 MB of 3.0 MB"]
