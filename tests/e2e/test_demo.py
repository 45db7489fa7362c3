"""The demo from end to end: the example configuration, real services on loopback, a real archive."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
STOPS = ["beijing", "shenzhen", "chengdu", "xian", "shanghai", "nanjing", "tianjin", "wuhan"]
WITHOUT_SLIDES = {"xian", "wuhan"}


def archive(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    unset = ("ARCHIVE_CONFIG", "SLIDESHARE_", "SPEAKERDECK_", "FLICKR_", "BLOG_", "VIDEO_", "TOUR_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    return subprocess.run(
        [str(Path(sys.executable).with_name("archive")), *arguments],
        cwd=folder,
        env={**environment, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=110,
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the demo once; give the folder it was run in, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    done = archive("demo", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def status(shown: tuple[Path, str]) -> dict[str, Any]:
    done = archive("status", "-c", "demo/archive.yaml", "--json", folder=shown[0])
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return {event["id"]: event for event in loaded["events"]}


def content(folder: Path) -> dict[str, int]:
    """List what the archive holds for good: everything but the record of the single runs."""
    root = folder / "demo" / "archive"
    files = [path for path in root.rglob("*") if path.is_file()]
    names = {path.relative_to(root).as_posix(): path.stat().st_mtime_ns for path in files}
    return {name: when for name, when in names.items() if name.startswith(("ocfl/", "derived/"))}


def search(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = archive("search", "-c", "demo/archive.yaml", "--json", *arguments, folder=folder)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_runs_the_example_itself(shown: tuple[Path, str]) -> None:
    config = shown[0] / "demo" / "archive.yaml"
    assert config.read_bytes() == (ROOT / "archive.example.yaml").read_bytes()


def test_it_names_the_next_commands_and_they_work(shown: tuple[Path, str]) -> None:
    folder, printed = shown
    commands = [shlex.split(line) for line in printed.splitlines() if " -c demo/archive.yaml" in line]
    assert [words[3] for words in commands] == ["status", "search", "search", "review"]
    for _, *arguments in commands:
        done = archive(*arguments, folder=folder)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


def test_the_tour_is_listed_in_its_order_with_the_conference_first(status: dict[str, Any]) -> None:
    assert list(status) == ["osac", *STOPS]
    assert sum(len(event["talks"]) for event in status.values()) == 47


def test_all_eight_stops_have_their_report(status: dict[str, Any]) -> None:
    assert [status[stop]["kinds"]["report"]["state"] for stop in STOPS] == ["have"] * 8


def test_six_stops_have_all_their_slides_and_two_have_none(status: dict[str, Any]) -> None:
    states = {stop: status[stop]["kinds"]["slides"]["state"] for stop in STOPS}
    assert states == {stop: "missing" if stop in WITHOUT_SLIDES else "have" for stop in STOPS}
    for stop in STOPS:
        for talk in status[stop]["talks"]:
            expected = "missing" if stop in WITHOUT_SLIDES else "have"
            kinds = talk["kinds"]
            assert talk["id"] == "panel" or kinds["slides"]["state"] == expected, talk["title"]


def test_only_beijing_and_shenzhen_have_a_video(status: dict[str, Any]) -> None:
    states = {stop: status[stop]["kinds"]["video"]["state"] for stop in STOPS}
    assert {stop for stop, state in states.items() if state == "have"} == {"beijing", "shenzhen"}
    assert set(states.values()) == {"have", "missing"}


def test_photos_are_where_a_volunteer_dropped_some(status: dict[str, Any]) -> None:
    have = {stop for stop in STOPS if status[stop]["kinds"]["photo"]["state"] == "have"}
    assert have == {"beijing", "shenzhen", "chengdu", "wuhan"}


def test_the_conference_has_its_decks_by_tag_and_its_photos(status: dict[str, Any]) -> None:
    kinds = status["osac"]["kinds"]
    assert (kinds["slides"]["state"], kinds["slides"]["have"]) == ("have", 6)
    assert (kinds["photo"]["state"], kinds["photo"]["have"]) == ("have", 3)


def test_photos_come_from_the_album_and_by_tag_with_their_licence(shown: tuple[Path, str]) -> None:
    ledgers = (shown[0] / "demo/archive/ocfl").glob("*/v1/content/metadata/ledger/photos.jsonl")
    found = [json.loads(line)["material"] for ledger in ledgers for line in ledger.read_text().splitlines()]
    licences = {material["title"]: material["licence"][:8] for material in found}
    assert licences == {
        "讲座现场": "CC BY 2.",
        "提问环节 Questions and answers": "CC BY 2.",
        "Opening in Beijing": "CC BY-SA",
        "会场": "CC BY-SA",
        "上海之夜": "CC BY-SA",
    }


def test_decks_come_by_mail_and_the_rest_of_the_mailbox_stays_out(shown: tuple[Path, str]) -> None:
    root = shown[0] / "demo/archive"
    ledgers = [
        root / f"ocfl/{stop}/v1/content/metadata/ledger/letters.jsonl" for stop in ("chengdu", "tianjin")
    ]
    records = [json.loads(line) for ledger in ledgers for line in ledger.read_text("utf-8").splitlines()]
    assert sorted(record["material"]["id"] for record in records) == [
        f"letter-{part}"
        for part in ("1@mail.example/2", "2@mail.example/2", "4@mail.example/2", "4@mail.example/3")
    ]
    assert all(record["match"]["talk"] for record in records)
    everything = b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())
    for private in ("谢谢", "小王", "hanlei@", "tour@cosug"):
        assert private.encode() not in everything


def test_what_is_said_in_a_recording_is_found_and_the_recording_plays(shown: tuple[Path, str]) -> None:
    (hit,) = [hit for hit in search(shown[0], "欢迎来到") if hit["event"] == "shenzhen"]
    assert hit["kind"] == "video"
    film = str(shown[0] / "demo/archive" / hit["path"])
    words = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", film]
    told = subprocess.run(["ffprobe", *words], capture_output=True, text=True, check=True, timeout=60)
    assert round(float(told.stdout)) == 6


def test_two_chinese_characters_and_more_are_found_in_several_events(shown: tuple[Path, str]) -> None:
    events = {hit["event"] for hit in search(shown[0], "云计算", "--limit", "100")}
    assert {"osac", "beijing", "shenzhen", "nanjing"} <= events
    assert search(shown[0], "副本")


def test_words_are_found_inside_decks_reports_and_documents(shown: tuple[Path, str]) -> None:
    folder = shown[0]
    (first, *_) = search(folder, "Swift 架构", "--kind", "slides", "--event", "shenzhen")
    assert first["talk"] == "swift-architecture-and-practice"
    # In a GBK page, in a PDF, in a PPTX: each word stands in the file only, not in a title.
    assert "report" in {hit["kind"] for hit in search(folder, "创新院", "--event", "beijing")}
    assert search(folder, "virDomainMigrate")[0]["event"] == "chengdu"
    assert search(folder, "BSS/OSS")[0]["event"] == "nanjing"


def test_a_second_time_nothing_is_new_nothing_fetched_nothing_changed(shown: tuple[Path, str]) -> None:
    folder = shown[0]
    before = content(folder)
    done = archive("demo", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "Nothing new." in done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["type"] == "run.finished"
    assert (last["files"], last["bytes"]) == (0, 0)
    counted = {what for sources in last["counts"].values() for counts in sources.values() for what in counts}
    assert counted == {"same"}
    assert content(folder) == before
    assert before


def review(folder: Path, language: str) -> str:
    words = ("--language", language, "--url", "https://slides.example.org")
    done = archive("review", "-c", "demo/archive.yaml", *words, folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_review_reads_as_it_did(shown: tuple[Path, str], language: str) -> None:
    # To renew it, in the folder of a demo: archive review -c demo/archive.yaml --language en
    #   --url https://slides.example.org --to tests/e2e/golden/tour-review.en.md
    golden = Path(__file__).with_name("golden") / f"tour-review.{language}.md"
    assert review(shown[0], language).splitlines() == golden.read_text("utf-8").splitlines()


def test_the_review_states_the_truth_of_the_tour(shown: tuple[Path, str]) -> None:
    told = review(shown[0], "en")
    lines = told.splitlines()
    assert "There were 8 stops with 47 talks, from 16 September 2012 to 22 December 2012." in told
    assert "The dates of 5 stops are not known." in told
    assert "1,060 enrolled, 710 attended and 31 lecturers" in told
    assert "- Reports: all 8 stops" in lines
    assert "- Slides: 6 of 8 stops; missing from Xi'an Stop and Wuhan Stop" in lines
    assert "- Videos: 2 of 8 stops: Beijing Stop and Shenzhen Stop" in lines
    rows = [[cell.strip() for cell in line.split("|")[1:8]] for line in lines if line.startswith("| ")]
    stated = {row[1].removesuffix(" Stop"): (row[4], row[5], row[6]) for row in rows[2:]}
    assert stated == {
        "Beijing": ("7", "150", "7"),
        "Shenzhen": ("6", "80", "6"),
        "Chengdu": ("6", "100", "6"),
        "Xi'an": ("4", "110", "4"),
        "Shanghai": ("7", "40", "7"),
        "Nanjing": ("7", "70", "7"),
        "Tianjin": ("5", "–", "6"),
        "Wuhan": ("5", "–", "4"),
        "OpenStack Asia-Pacific Conference (OSAC)": ("–", "–", "0"),
    }
    assert (
        "- Juju – Make Your Life Easier in the Cloud: Shenzhen Stop, Chengdu Stop and Nanjing Stop" in lines
    )
