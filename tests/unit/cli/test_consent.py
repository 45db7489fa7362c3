"""`archive consent`, and the commands that know of public sinks, on a real archive of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.cli import execute

FILE = """
archive: {title: A tour, site: false}
sinks:
  local: {type: disk, path: ./archive}
  web: {type: disk, path: ./public, audience: public}
events:
  - id: beijing
    title: Beijing Stop
    talks:
      - {title: Deploy Chef, consent: public}
      - {title: Hidden Plans, consent: internal}
    sources:
      - {type: folder, path: ./in, kind: report}
"""


@pytest.fixture
def config(tmp_path: Path) -> list[str]:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/open.txt").write_text("Minutes of the open meeting")
    (tmp_path / "in/closed.txt").write_text("Figures of the closed meeting")
    path = tmp_path / "archive.yaml"
    path.write_text(FILE, encoding="utf-8")
    assert execute(["run", "-c", str(path)]) == 0
    return ["-c", str(path)]


def rows(config: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    capsys.readouterr()
    assert execute(["consent", "--json", *config]) == 0
    return {row["title"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}


def public(tmp_path: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in (tmp_path / "public").rglob("*") if path.is_file())


def test_what_is_decided_is_listed_published_and_withdrawn(
    config: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = rows(config, capsys)
    assert {row["consent"] for row in before.values()} == {"unknown"}
    assert b"Minutes" not in public(tmp_path)
    short = before["open"]["short"]
    assert execute(["consent", short, "public", "--reason", "the author said so", *config]) == 0
    assert rows(config, capsys)["open"]["consent"] == "public"
    assert execute(["run", *config]) == 0
    assert b"Minutes" in public(tmp_path)
    assert b"Figures" not in public(tmp_path)
    for command in (["verify"], ["rebuild"], ["site"], ["consent", "left"]):
        assert execute([*command, *config]) == 0
    assert b"Hidden Plans" not in public(tmp_path)
    assert execute(["consent", short, "default", *config]) == 0
    assert execute(["run", *config]) == 0
    capsys.readouterr()
    assert execute(["consent", "left", "--json", *config]) == 1
    left = [json.loads(line)["path"] for line in capsys.readouterr().out.splitlines()]
    for path in left:
        (tmp_path / "public" / path).unlink()
    assert b"Minutes" not in public(tmp_path)
    assert execute(["consent", "left", *config]) == 0
    assert execute(["verify", *config]) == 0


def test_an_export_for_the_public_has_what_is_cleared(config: list[str], tmp_path: Path) -> None:
    order = ["export", "beijing", "--to", str(tmp_path / "out"), "--audience", "public", *config]
    assert execute(order) == 1
    assert not (tmp_path / "out/beijing").exists()
    assert execute(["consent", "open.txt", "public", *config]) == 0
    assert execute(order) == 0
    assert [path.name for path in (tmp_path / "out/beijing/report").iterdir()] == ["open.txt"]
    assert b"Hidden" not in (tmp_path / "out/beijing/ro-crate-metadata.json").read_bytes()


def test_a_repair_brings_no_documents_of_internal_sinks_into_a_public_one(
    config: list[str], tmp_path: Path
) -> None:
    assert execute(["consent", "open.txt", "public", *config]) == 0
    assert execute(["run", *config]) == 0
    report = max((tmp_path / "public/runs").glob("*.json"))
    report.write_bytes(b"{}")
    (stored,) = (tmp_path / "public/ocfl/beijing").glob("v*/content/report/*")
    stored.write_bytes(b"damaged")
    assert execute(["verify", "--repair", *config]) == 4
    assert stored.read_bytes() == b"Minutes of the open meeting"
    assert report.read_bytes() == b"{}"
    assert b"Figures" not in public(tmp_path)
    assert b"closed" not in public(tmp_path)


@pytest.mark.parametrize(
    "words", [["zzzz", "public"], ["beijing/none", "public"], ["open"], ["ab", "public"]]
)
def test_wrong_usage(config: list[str], words: list[str]) -> None:
    assert execute(["consent", *words, *config]) == 2
