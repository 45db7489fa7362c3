"""`archive consent`, and the commands that know of public sinks, on a real archive of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.cli import execute
from media_samples import pdf

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


def test_an_id_or_a_talk_alone_shows_who_may_see_it(
    config: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert execute(["consent", "open.txt", *config]) == 0
    out = capsys.readouterr().out
    assert "unknown   beijing: “open”  (the archive's default)" in out
    assert "closed" not in out
    assert execute(["consent", "beijing/Hidden Plans", "--json", *config]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["title"], row["consent"]) == ("Hidden Plans", "internal")
    assert row["why"] == "the talk beijing/hidden-plans says so"


TWICE = """
archive: {title: A tour, site: false, consent: public}
sinks:
  local: {type: disk, path: ./archive}
  web: {type: disk, path: ./public, audience: public}
sources:
  one: {type: folder, path: ./in}
  other: {type: folder, path: ./in}
  copies: {type: folder, path: ./copies}
events:
  - id: beijing
    talks: [Deploy Chef, {title: Hidden Plans, consent: internal}]
    sources: [{use: one, kind: slides}, {use: other, kind: slides}, {use: copies, kind: report}]
"""


@pytest.fixture
def twice(tmp_path: Path) -> list[str]:
    """An archive that lists two decks twice each, and has a copy of one under another name."""
    (tmp_path / "in").mkdir()
    (tmp_path / "copies").mkdir()
    (tmp_path / "in/Hidden Plans.pdf").write_bytes(pdf(["Figures of next year"]))
    (tmp_path / "in/Scratch.pdf").write_bytes(pdf(["Nobody knows"]))
    (tmp_path / "copies/minutes.pdf").write_bytes(pdf(["Figures of next year"]))
    path = tmp_path / "archive.yaml"
    path.write_text(TWICE, encoding="utf-8")
    assert execute(["run", "-c", str(path)]) == 0
    return ["-c", str(path)]


def _held_public(folder: Path) -> list[str]:
    return [path.name for path in (folder / "public/ocfl/beijing").rglob("*.pdf")]


def test_a_material_in_two_lists_is_told_once(twice: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert execute(["consent", *twice]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("“Scratch”" in line for line in lines) == 1
    assert lines[-1].startswith("0 of 3 are public.")
    assert execute(["matches", "list", "--all", *twice]) == 0
    out = capsys.readouterr().out
    assert (out.count("slides “Hidden Plans”"), out.count("\n1 in all.")) == (1, 1)


def test_neither_a_rejection_nor_a_copy_brings_anything_into_public(
    twice: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _held_public(tmp_path) == []
    short = rows(twice, capsys)["Scratch"]["short"]
    assert execute(["matches", "reject", short, *twice]) == 0
    assert execute(["run", *twice]) == 0
    assert _held_public(tmp_path) == []
    found = rows(twice, capsys)
    assert found["Scratch"]["why"] == "a person rejected it: it does not belong here"
    assert found["minutes"]["why"].startswith("the same bytes are in “Hidden Plans”")
    assert execute(["consent", short, "public", *twice]) == 0
    assert execute(["run", *twice]) == 0
    assert [name.rpartition("-")[0] for name in _held_public(tmp_path)] == ["scratch"]


def test_why_tells_what_public_sinks_have(config: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    def why(*more: str) -> str:
        capsys.readouterr()
        assert execute(["why", "open.txt", *more, *config]) == 0
        return capsys.readouterr().out

    assert "Public sink web: not shown: it is unknown (the archive's default)\n" in why()
    assert execute(["consent", "open.txt", "public", *config]) == 0
    assert "Public sink web: not there in full: it is public (decided for this material)" in why()
    assert execute(["run", *config]) == 0
    assert "Public sink web: there: it is public (decided for this material)\n" in why()
    told = {"there": True, "consent": "public", "why": "decided for this material"}
    assert json.loads(why("--json"))["public"] == {"web": told}
    assert execute(["consent", "open.txt", "internal", *config]) == 0
    assert execute(["run", *config]) == 0
    assert "not shown: it is internal (decided for this material); still there, see:" in why()


@pytest.mark.parametrize("turned", ["public", "internal"])
def test_a_check_refuses_what_a_run_refuses(
    config: list[str], turned: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["check", *config]) == 0
    path = tmp_path / "archive.yaml"
    wrong = {"public": ("./archive}", "./elsewhere}"), "internal": ("./public,", "./another,")}[turned]
    text = path.read_text().replace(*wrong)
    sink = {"public": "  w2: {type: disk, path: ./archive, audience: public}\n",
            "internal": "  w2: {type: disk, path: ./public}\n"}[turned]  # fmt: skip
    path.write_text(text.replace("events:", f"{sink}events:", 1), encoding="utf-8")
    capsys.readouterr()
    assert execute(["check", *config]) == 3
    out = capsys.readouterr().out
    assert f"error    sink w2: sink w2 is configured as {turned}, and holds" in out


@pytest.mark.parametrize(
    "words", [["zzzz", "public"], ["beijing/none", "public"], ["open"], ["ab", "public"]]
)
def test_wrong_usage(config: list[str], words: list[str]) -> None:
    assert execute(["consent", *words, *config]) == 2


def test_a_word_that_there_is_not(config: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert execute(["consent", "beijing/deploy-chef", "foo", *config]) == 2
    told = capsys.readouterr().err
    assert "'internal'" in told
    assert "''" not in told
