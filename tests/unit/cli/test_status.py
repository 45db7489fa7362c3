"""`archive status`: what a tired organizer reads, and what a program reads."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.cli import execute, standing
from archiver.cli.status import as_data
from archiver.coverage import Coverage, coverage
from archiver.ledger import Match, Problem, Record, State, StoredFile
from archiver.model import Event, Grade, Kind, Material, Talk
from archiver.waivers import Waiver
from media_samples import jpeg, pdf

CONFIG = """
archive: {title: 2012 OpenStack China Tour, site: false}
sinks: {local: {type: disk, path: ./archive}}
sources:
  decks: {type: folder, path: ./decks}
  photos: {type: folder, path: ./photos}
events:
  - id: beijing
    title: Beijing Stop
    talks:
      - {title: Deploy OpenStack with Chef, speaker: Junqiang Chen}
      - {title: Swift 架构与实践, speaker: 王大伟}
    sources: [{use: decks, kind: slides}, {use: photos, kind: photo}]
  - {id: wuhan, title: Wuhan Stop, expect: [report]}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("status")
    write(folder)
    (folder / "decks" / "Deploy OpenStack with Chef.pdf").write_bytes(pdf(["Cookbooks"]))
    (folder / "decks" / "Something else.pdf").write_bytes(pdf(["Else"]))
    (folder / "decks" / "Swift 架构与实践.pdf").write_bytes(pdf(["whole"])[:-200])
    (folder / "photos" / "group.jpg").write_bytes(jpeg())
    assert execute(["run", "-c", str(folder / "archive.yaml")]) == 1  # the damaged deck
    return folder / "archive.yaml"


def write(folder: Path) -> Path:
    (folder / "decks").mkdir()
    (folder / "photos").mkdir()
    (folder / "archive.yaml").write_text(CONFIG)
    return folder / "archive.yaml"


def status(config: Path, capsys: pytest.CaptureFixture[str], *more: str, code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert execute(["status", "-c", str(config), *more]) == code
    told = capsys.readouterr()
    return told.out, told.err


def test_before_the_first_run_everything_is_missing_and_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = status(write(tmp_path), capsys)
    assert out.splitlines()[:5] == [
        "2012 OpenStack China Tour",
        "",
        "Event         Slides        Video         Photo         Report",
        "Beijing Stop  missing       missing       missing       missing",
        "Wuhan Stop    not expected  not expected  not expected  missing",
    ]
    assert "    slides of “Swift 架构与实践” by 王大伟" in out.splitlines()
    assert "There was no run yet. Start one with: archive run" in out
    assert "Here: 0 of 6 expected (0 %)." in out
    assert not (tmp_path / "archive").exists()


def test_the_whole_picture_after_a_run(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = status(config, capsys)
    lines = out.splitlines()
    assert "Beijing Stop  1 of 2 (1 unmatched)  missing       yes           missing" in lines
    assert "Known, but not here: invalid (1):" in lines
    assert "Here, but of no known talk (1):" in lines
    assert any("“Something else”" in line and "no talk is near" in line for line in lines)
    assert "Here: 2 of 6 expected (33 %)." in lines
    assert any(line.startswith("Last run: 20") for line in lines)
    assert "\x1b" not in out
    assert err == ""


def test_only_what_is_missing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = status(config, capsys, "--missing")
    gaps = json.loads(status(config, capsys, "--json")[0])["gaps"]
    why = next(gap["why"] for gap in gaps if gap["talk"])
    opened = "open the address, save the file, and add it"
    assert why
    assert out.splitlines() == [
        "",
        "Missing:",
        "  Beijing Stop (beijing)",
        "    video of the event",
        "        add it when somebody gives it to you: archive add beijing FILE --kind video",
        "    report of the event",
        "        add it when somebody gives it to you: archive add beijing FILE --kind report",
        "    slides of “Swift 架构与实践” by 王大伟",
        f"        why: {why}",
        f"        {opened}: archive add beijing FILE --talk swift-架构与实践",
        "  Wuhan Stop (wuhan)",
        "    report of the event",
        "        add it when somebody gives it to you: archive add wuhan FILE --kind report",
    ]


def test_coverage_below_what_is_wanted_is_exit_1(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = "Coverage is below 50 %: 2 of 6 expected, 33 %. See: archive status --missing\n"
    assert status(config, capsys, "--fail-under", "50", code=1)[1] == told
    out, err = status(config, capsys, "--fail-under", "50", "--json", code=1)
    assert (json.loads(out)["coverage"], err) == (0.3333, told)
    assert status(config, capsys, "--fail-under", "33.3")[1] == ""
    assert status(config, capsys, "wuhan", "--fail-under", "1", code=1)[1].startswith(
        "Coverage is below 1 %: 0 of 1"
    )
    assert "0<=x<=100" in status(config, capsys, "--fail-under", "101", code=2)[1]
    assert "--withdrawn" in status(config, capsys, "--fail-under", "9", "--withdrawn", code=2)[1]


def test_one_event_alone(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = status(config, capsys, "wuhan")
    assert "Beijing" not in out
    assert "Here: 0 of 1 expected (0 %)." in out
    assert [event["id"] for event in json.loads(status(config, capsys, "wuhan", "--json")[0])["events"]] == [
        "wuhan"
    ]
    assert "Did you mean 'wuhan'?" in status(config, capsys, "wuham", code=2)[1]


def test_json_is_one_object_of_the_documented_shape(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(status(config, capsys, "--json")[0])
    more = [
        "pending",
        "outdated",
        "outside",
        "unmatched",
        "last_run",
        "asked",
        "gaps",
        "waived",
        "waiting",
        "damage",
    ]
    assert list(data) == ["events", "coverage", *more]
    assert data["coverage"] == 0.3333
    beijing = data["events"][0]
    assert list(beijing) == ["id", "title", "kinds", "talks"]
    assert beijing["kinds"]["slides"] == {
        "state": "partial",
        "have": 1,
        "expected": 2,
        "withdrawn": 0,
        "unmatched": 1,
        "pending": 1,
    }
    assert beijing["talks"][0]["kinds"]["slides"] == {
        "state": "have",
        "have": 1,
        "expected": 1,
        "withdrawn": 0,
        "grade": "original",
    }
    assert [(item["source"], item["reason"]) for item in data["pending"]] == [("decks", "invalid")]
    assert [item["title"] for item in data["unmatched"]] == ["Something else"]
    assert data["waived"] == []
    assert [(gap["talk"], gap["kind"], gap["next"]) for gap in data["gaps"]] == [
        ("", "video", "add"),
        ("", "report", "add"),
        ("swift-架构与实践", "slides", "open"),
        ("", "report", "add"),
    ]
    assert datetime.fromisoformat(data["last_run"]).tzinfo is not None


def test_no_sink_that_can_be_read_is_exit_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write(tmp_path)
    (tmp_path / "archive").write_text("a file where the archive should be")
    for command in ("status", "search"):
        capsys.readouterr()
        words = ["chef"] if command == "search" else []
        assert execute([command, "-c", str(config), *words]) == 3
        assert "no sink of this archive can be read: local:" in capsys.readouterr().err


def test_one_sink_that_can_be_read_is_enough(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sinks = (
        f"{{local: {{type: disk, path: {config.parent / 'archive'}}}, lost: {{type: disk, path: ./lost}}}}"
    )
    folder = write(tmp_path).parent
    (folder / "lost").write_text("not a directory")
    (folder / "archive.yaml").write_text(CONFIG.replace("{local: {type: disk, path: ./archive}}", sinks))
    out, err = status(folder / "archive.yaml", capsys)
    assert "Here: 2 of 6 expected (33 %)." in out
    assert "Warning: sink lost could not be read" in err


TALK = Talk("chef", "Deploy OpenStack with Chef", ("Junqiang Chen",))
EVENT = Event("beijing", "Beijing\x1b[2J Stop", talks=(TALK, Talk("b", "Keystone")), expect=())


def record(id_: str, talk: str = "", **changes: object) -> Record:
    material = Material(id_, Kind.SLIDES, f"Deck {id_}", url=f"https://example.org/{id_}", event="beijing")
    files = (StoredFile(id_, 1, "0" * 64),)
    made = Record("inbox", "folder", material, State.STORED, Match(talk), files)
    return replace(made, **changes)  # type: ignore[arg-type]


def pending(id_: str, talk: str, reason: str) -> Record:
    return record(id_, talk, state=State.PENDING, files=(), problem=Problem(reason, "because"))


def shown(result: Coverage, capsys: pytest.CaptureFixture[str]) -> list[str]:
    standing.show_table(result, "Tour")
    standing.show_missing(result)
    standing.show_open(result)
    standing.show_sum(result, {})
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("records", "waivers", "cell"),
    [
        ([], (), "missing"),
        ([pending("1", "chef", "blocked")], (), "blocked"),
        ([pending("1", "chef", "failed")], (), "link only"),
        ([], (Waiver("beijing", Kind.SLIDES),), "waived"),
        ([record("1", "chef"), record("2", "b", state=State.WITHDRAWN)], (), "2 of 2 (1 withdrawn)"),
        ([record("1", "chef")], (Waiver("beijing", Kind.SLIDES, "b"),), "1 of 2 (1 waived)"),
    ],
)
def test_each_state_has_its_words(
    records: Sequence[Record], waivers: Sequence[Waiver], cell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(coverage([EVENT], records, waivers), capsys)
    assert lines[3] == f"Beijing\\x1b[2J Stop  {cell}"


def test_a_full_archive_says_that_nothing_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    result = coverage([EVENT], [record("1", "chef"), record("2", "b", state=State.WITHDRAWN)])
    lines = shown(result, capsys)
    assert "Nothing is missing." in lines
    assert "Here: 2 of 2 expected (100 %)." in lines
    assert "Kept here although upstream no longer shows it: 1." in lines


def test_what_blocks_is_told_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    thumbnail = record("3", "b", files=(StoredFile("t", 1, "0" * 64, grade=Grade.THUMBNAIL),))
    lines = shown(coverage([EVENT], [pending("1", "chef", "blocked"), thumbnail]), capsys)
    assert "    slides of “Deploy OpenStack with Chef” by Junqiang Chen: blocked" in lines
    assert "    slides of “Keystone”: only a thumbnail is here" in lines
    assert "  beijing/inbox: slides “Deck 1”: because: https://example.org/1" in lines
    assert any(line.startswith("  What to do: A person has to act first") for line in lines)


def test_long_lists_are_cut_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    result = coverage([EVENT], [pending(f"{n:03}", "", "failed") for n in range(50)])
    lines = shown(result, capsys)
    assert sum("because" in line for line in lines) == standing.MOST
    assert "  … and 30 more: `archive status --json` lists them all" in lines
    assert len(as_data(result, {})["pending"]) == 50


def test_what_no_event_has_yet_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    lost = pending("1", "", "unrouted")
    result = coverage([EVENT], [replace(lost, material=replace(lost.material, event=""))])
    assert "  inbox: slides “Deck 1”: because: https://example.org/1" in shown(result, capsys)


@pytest.mark.parametrize(
    ("finished", "told"),
    [
        ("2012-09-16T12:00:00Z", "Last run: 2012-09-16 12:00 UTC (less than a day ago)."),
        ("2012-09-15T12:00:00+00:00", "Last run: 2012-09-15 12:00 UTC (one day ago)."),
        ("2012-09-01T20:00:00+08:00", "Last run: 2012-09-01 12:00 UTC (15 days ago)."),
        ("", "There was no run yet. Start one with: archive run"),
        ("nonsense", "There was no run yet. Start one with: archive run"),
    ],
)
def test_the_last_run_is_told(finished: str, told: str) -> None:
    now = datetime(2012, 9, 16, 13, tzinfo=UTC)
    assert standing.last_run({"finished": finished}, now) == told


def test_colours_only_help_on_a_terminal(tmp_path: Path) -> None:
    import pty
    import subprocess
    import sys

    master, slave = pty.openpty()
    command = [
        sys.executable,
        "-c",
        "from archiver.cli import main; main()",
        "status",
        "-c",
        str(write(tmp_path)),
    ]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    environment.pop("NO_COLOR", None)
    done = subprocess.run(command, stdout=slave, stderr=slave, env=environment, check=False, timeout=60)
    os.close(slave)
    told = os.read(master, 65536).decode()
    os.close(master)
    assert done.returncode == 0
    assert "\x1b[31mmissing" in told


def test_what_upstream_lost_is_named_with_how_that_was_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write(tmp_path)
    deck = tmp_path / "decks" / "Deploy OpenStack with Chef.pdf"
    deck.write_bytes(pdf(["Cookbooks"]))
    (tmp_path / "decks" / "Swift 架构与实践.pdf").write_bytes(pdf(["Rings"]))
    assert execute(["run", "-c", str(config)]) == 0
    assert "Nothing" in status(config, capsys, "--withdrawn")[0]
    deck.unlink()
    assert execute(["run", "-c", str(config)]) == 0
    shown, _ = status(config, capsys, "--withdrawn")
    assert "Lost upstream and kept here (1)" in shown
    assert "Beijing Stop: slides “Deploy OpenStack with Chef” (decks)" in shown
    assert "deploy-openstack-with-chef-" in shown
    assert "Swift" not in shown
    (row,) = json.loads(status(config, capsys, "--withdrawn", "--json")[0])["withdrawn"]
    assert row["event"] == "beijing"
    assert row["proof"]
    assert (tmp_path / "archive/ocfl/beijing/v1/content" / row["files"][0]["path"]).is_file()
    assert "(0)" not in status(config, capsys, "wuhan", "--withdrawn")[0]


def test_a_long_title_does_not_make_the_table_wide(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write(tmp_path)
    config.write_text(CONFIG.replace("title: Wuhan Stop", f"title: {'very long ' * 90}"))
    out, _ = status(config, capsys)
    table = out.partition("Missing:")[0]
    assert max(map(len, table.splitlines())) < 120
    assert "very long very" in table
    assert "…" in table


def test_damage_that_the_last_verification_found_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write(tmp_path)
    (tmp_path / "decks/Deploy OpenStack with Chef.pdf").write_bytes(pdf(["Cookbooks"]))
    assert execute(["run", "-c", str(config)]) == 0
    (deck,) = (tmp_path / "archive/ocfl/beijing/v1/content/slides").iterdir()
    deck.write_bytes(b"wrong")
    assert "DAMAGE" not in status(config, capsys)[0]
    assert execute(["verify", "-c", str(config)]) == 4
    out, _ = status(config, capsys)
    assert "found 1 damaged file in sink local: ocfl/beijing/" in out
    assert "archive verify --repair" in out
    (told,) = json.loads(status(config, capsys, "--json")[0])["damage"]
    assert (told["sink"], len(told["paths"])) == ("local", 1)
    # Whoever has the file hands it over: its bytes are what the repair takes.
    given = tmp_path / "from a stick.pdf"
    given.write_bytes((tmp_path / "decks/Deploy OpenStack with Chef.pdf").read_bytes())
    chef = ["--talk", "Deploy OpenStack with Chef"]
    assert execute(["add", "-c", str(config), "beijing", str(given), *chef]) == 0
    assert execute(["verify", "-c", str(config), "--repair"]) == 0
    assert "DAMAGE" not in status(config, capsys)[0]
