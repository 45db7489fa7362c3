"""A runner that two sites refuse, and a laptop that they let in: one bucket in the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import media_samples as samples
from archiver.cli import execute
from archiver.testing.messages import Reply, Request
from archiver.testing.slideshare import Deck as SlideShareDeck
from archiver.testing.slideshare import SlideShareDouble
from archiver.testing.speakerdeck import Deck as SpeakerDeckDeck
from archiver.testing.speakerdeck import SpeakerDeckDouble
from s3_servers import Server

RUNNER, LAPTOP = "localhost", "127.0.0.1"


def refused(request: Request) -> bool:
    return request.headers.get("host", "").startswith(RUNNER)


class ShyDecks(SpeakerDeckDouble):
    """Lists for everybody; shows a deck to nobody who comes by the runner's way."""

    def reply_to(self, request: Request) -> Reply:
        if refused(request) and request.path.count("/") > 1:
            return Reply.html("Are you a robot?", 403)
        return super().reply_to(request)


class ShySlides(SlideShareDouble):
    """Answers nothing at all to the runner."""

    def reply_to(self, request: Request) -> Reply:
        return Reply.html("Are you a robot?", 403) if refused(request) else super().reply_to(request)


def page(red: int) -> bytes:
    return samples.jpeg(160, 90, (red, 10, 10))


@pytest.fixture
def decks() -> Iterator[ShyDecks]:
    made = [
        SpeakerDeckDeck("cosug", title, [page(n)], slug=f"deck-{n}", pdf=samples.pdf([title]))
        for n, title in enumerate(("Object storage at scale", "Bare metal internals"), 100)
    ]
    with ShyDecks(made) as double:
        yield double


@pytest.fixture
def slides() -> Iterator[ShySlides]:
    deck = SlideShareDeck(14567001, "cosug", "Live migration", [page(1)], created="2013-01-02 03:04:05 UTC")
    with ShySlides([deck]) as double:
        yield double


class Machine:
    """A folder with a configuration, and the way by which this machine reaches the sites."""

    def __init__(self, folder: Path, way: str, services: dict[str, Any], sinks: dict[str, Any]) -> None:
        folder.mkdir()
        (folder / "incoming").mkdir()
        (folder / "incoming" / "report.html").write_bytes(
            samples.html("<p>A report of it all.</p>", "Report")
        )
        self.config = folder / "archive.yaml"
        base = {name: double.url.replace(LAPTOP, way) for name, double in services.items()}
        data = {
            "archive": {"title": "A tour", "site": False},
            "sinks": sinks,
            "sources": {
                "decks": {"type": "speakerdeck", "base_url": base["decks"]},
                "slides": {"type": "slideshare", "base_url": base["slides"]},
                "inbox": {"type": "folder", "path": "./incoming"},
            },
            "events": [
                {
                    "id": "beijing",
                    "title": "Beijing Stop",
                    "talks": [{"id": "swift", "title": "Object storage at scale"}],
                    "sources": [
                        {"use": "decks", "user": "cosug"},
                        {"use": "slides", "user": "cosug"},
                        {"use": "inbox"},
                    ],
                }
            ],
        }
        self.write(data)

    def write(self, data: dict[str, Any]) -> None:
        self.config.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        return data

    def __call__(self, *words: str) -> int:
        return execute([words[0], "-c", str(self.config), *words[1:]])


@pytest.fixture
def machines(
    tmp_path: Path,
    decks: ShyDecks,
    slides: ShySlides,
    seaweed_store: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Machine, Machine]:
    monkeypatch.setenv("S3_KEY", seaweed_store.key)
    monkeypatch.setenv("S3_SECRET", seaweed_store.secret)
    cloud = {
        "type": "s3", "bucket": seaweed_store.bucket(), "prefix": "tour", "endpoint_url": seaweed_store.url,
        "addressing": "path", "access_key": "${S3_KEY}", "secret_key": "${S3_SECRET}",
    }  # fmt: skip
    services = {"decks": decks, "slides": slides}
    disk = {"type": "disk", "path": str(tmp_path / "volume")}
    runner = Machine(tmp_path / "runner", RUNNER, services, {"volume": disk, "cloud": cloud})
    return runner, Machine(tmp_path / "laptop", LAPTOP, services, {"cloud": cloud})


def finished(text: str) -> dict[str, Any]:
    last: dict[str, Any] = json.loads(text.splitlines()[-1])
    assert last["type"] == "run.finished"
    return last


def run(machine: Machine, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    done = machine("run", "--json", *words)
    told = capsys.readouterr()
    assert done == code, told.err
    return finished(told.out)


def test_a_laptop_gets_what_the_runner_could_not(
    machines: tuple[Machine, Machine],
    tmp_path: Path,
    slides: ShySlides,
    seaweed_store: Server,
    capsys: pytest.CaptureFixture[str],
) -> None:
    runner, laptop = machines
    night = run(runner, capsys, code=1)
    assert night["counts"]["beijing"]["decks"] == {"blocked": 2}
    assert night["sources"]["slides"]["error_reason"] == "blocked"

    target = tmp_path / "handoff.json"
    assert runner("handoff", "--to", str(target), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["items"], said["sources"], said["listings"]) == (2, {"decks": 2}, ["slides"])
    text = target.read_text(encoding="utf-8")
    assert seaweed_store.key not in text
    assert seaweed_store.secret not in text
    assert RUNNER not in text
    assert str(tmp_path) not in text

    (laptop.config.parent / "incoming" / "private.html").write_bytes(samples.html("<p>Mine.</p>", "Mine"))
    told = run(laptop, capsys, "--handoff", str(target))
    assert told["counts"] == {"beijing": {"decks": {"new": 2}, "slides": {"new": 1}}}
    # Neither a cursor nor what a complete listing said is touched by it.
    for name, before in night["sources"].items():
        kept = {key: before[key] for key in ("cursor", "scopes", "settled", "baseline")}
        assert {key: told["sources"][name][key] for key in kept} == kept

    # The same bundle again finds all of it stored, and asks for nothing but the one listing.
    asked = len(slides.requests)
    again = run(laptop, capsys, "--handoff", str(target))
    assert again["counts"] == {"beijing": {"decks": {"same": 2}, "slides": {"same": 1}}}
    assert len(slides.requests) == asked + 2  # two pages of the listing
    assert again["sinks"]["cloud"]["versions"] == {}

    # The next night the runner brings its own sink up, and is still refused.
    third = run(runner, capsys, code=1)
    assert third["counts"]["beijing"]["decks"] == {"same": 2}
    assert third["sinks"]["volume"]["copied"] > 0
    assert runner("verify", "--json") == 0
    capsys.readouterr()
    assert runner("status", "--json") == 0
    cells = json.loads(capsys.readouterr().out)["events"][0]
    assert cells["talks"][0]["kinds"]["slides"]["state"] == "have"
    assert runner("handoff", "--to", str(target), "--json") == 0
    assert json.loads(capsys.readouterr().out)["items"] == 0


def test_a_source_that_is_not_configured_is_named_and_the_rest_is_fetched(
    machines: tuple[Machine, Machine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner, laptop = machines
    run(runner, capsys, code=1)
    target = tmp_path / "handoff.json"
    assert runner("handoff", "--to", str(target)) == 0
    data = laptop.data
    del data["sources"]["decks"], data["events"][0]["sources"][0]
    laptop.write(data)
    capsys.readouterr()
    assert laptop("run", "--handoff", str(target)) == 1
    told = capsys.readouterr().err
    assert "decks" in told
    assert "2 items of the bundle left alone: no source of this name is configured here" in told
    assert "Beijing Stop: 1 new" in told


def test_a_dry_run_and_filters_choose_among_the_bundle(
    machines: tuple[Machine, Machine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner, laptop = machines
    run(runner, capsys, code=1)
    target = tmp_path / "handoff.json"
    assert runner("handoff", "--to", str(target)) == 0
    told = run(laptop, capsys, "--handoff", str(target), "--dry-run", "--source", "decks")
    assert told["counts"] == {"beijing": {"decks": {"new": 2}}}
    told = run(laptop, capsys, "--handoff", str(target), "--source", "decks", "--limit", "1")
    assert told["counts"] == {"beijing": {"decks": {"new": 1}}}
    assert told["remaining"] == 1, "the bundle names two"
    told = run(laptop, capsys, "--handoff", str(target), "--kind", "video")
    assert told["counts"] == {}


def test_what_nobody_here_knows_is_taken_by_public_addresses_alone(
    machines: tuple[Machine, Machine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bucket was away that night: the bundle alone tells of the decks. A forged item is not believed."""
    runner, laptop = machines
    whole = runner.data
    runner.write({**whole, "sinks": {"volume": whole["sinks"]["volume"]}})
    run(runner, capsys, code=1)
    target = tmp_path / "handoff.json"
    assert runner("handoff", "--to", str(target)) == 0
    bundle = json.loads(target.read_text(encoding="utf-8"))
    forged = {"id": "report.html", "kind": "report", "event": "beijing", "url": "https://example.org/"}
    bundle["items"].append({"source": "inbox", "type": "folder", "reason": "blocked", "material": forged})
    target.write_text(json.dumps(bundle), encoding="utf-8")
    told = run(laptop, capsys, "--handoff", str(target), code=1)
    assert told["counts"] == {"beijing": {"decks": {"new": 2}, "slides": {"new": 1}}}
    assert "1 item of the bundle left alone: no sink here knows of it" in told["sources"]["inbox"]["error"]


def test_what_stands_there_and_is_no_bundle_is_not_written_over(
    machines: tuple[Machine, Machine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner, _ = machines
    data = runner.data
    sources = {"inbox": data["sources"]["inbox"]}
    event = {**data["events"][0], "sources": [{"use": "inbox"}]}
    sinks = {"volume": {"type": "disk", "path": str(tmp_path / "volume")}}
    runner.write({**data, "sinks": sinks, "sources": sources, "events": [event]})
    run(runner, capsys)
    before = runner.config.read_bytes()
    assert runner("handoff", "--to", str(runner.config)) == 2
    assert "is no bundle" in capsys.readouterr().err
    assert runner.config.read_bytes() == before
    assert runner("handoff", "--to", str(runner.config.parent / "nowhere" / "x.json")) == 2
    assert "could not be written" in capsys.readouterr().err
    assert not list(runner.config.parent.glob(".handoff-*"))
    target = tmp_path / "empty.json"
    assert runner("handoff", "--to", str(target)) == 0
    assert "Nothing is waiting for another machine." in capsys.readouterr().out
    assert run(runner, capsys, "--handoff", str(target))["counts"] == {}
    assert runner("run", "--handoff", str(runner.config)) == 2
    assert "is no bundle that can be used: it is no JSON" in capsys.readouterr().err
