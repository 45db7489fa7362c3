"""`archive plugins try`: everything is told, nothing is stored but in the scratch folder."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.cli import execute
from archiver.testing import Reply, Request, Routes, Service

Capture = pytest.CaptureFixture[str]
SECRET = "s3cr3t-t0ken"

PLUGIN = '''
from pathlib import Path
from pydantic import SecretStr
from archiver import api

class Settings(api.Options):
    base_url: api.BaseUrl
    token: SecretStr = SecretStr("")

class Entry(api.Options):
    mode: str = "good"
    tags: tuple[str, ...] = ()

class Trial(api.Source[Settings, Entry]):
    """Lists notes."""
    type_name, options_class, entry_class = "trial-type", Settings, Entry

    def discover(self, scope, cursor):
        mode = scope.entries[0].options.mode
        token = self.options.token.get_secret_value()
        self.context.http.get(f"{self.options.base_url}/list/{token}?api_key={token}")
        if mode == "broken":
            raise ValueError(f"no, {token}")
        if mode == "blocked":
            raise api.BlockedError(f"log in with {token}", hint="log in")
        for number in range(5):
            title = " ".join(scope.entries[0].options.tags) or f"Note {number}"
            item = api.Material("same" if mode == "twice" else str(number), api.Kind.REPORT, title,
                                f"https://example.org/{token}/{number}")
            yield api.Unavailable(item, api.GoneError("deleted")) if mode == "gone" else item
            if mode != "greedy" and number + 1 == scope.limit:
                break
        if mode != "endless":
            yield api.Checkpoint(f"cursor {token}", complete=mode == "whole")

    def fetch(self, material, into):
        self.context.http.download(f"{self.options.base_url}/note/{material.id}", into / "n")
        yield api.Fetched(Path("n"), label="note")

@api.hookimpl
def archiver_sources():
    return [Trial]
'''
#: The same with a second type, as a plugin has for decks and recordings of one service.
TWO = PLUGIN.replace("return [Trial]", "return [Trial, Second]").replace(
    "@api.hookimpl",
    'class Second(Trial):\n    """Lists as well."""\n    type_name = "second"\n\n@api.hookimpl',
)


class Notes(Service):
    def routes(self) -> Routes:
        return {"/list/{rest:path}": self.listing, "/note/{id}": self.note}

    def listing(self, request: Request) -> Reply:
        return Reply.json([])

    def note(self, request: Request) -> Reply:
        return Reply.file(b"A plain text about the talk.\n" * 3, "text/plain")


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notes]:
    place = tmp_path / "installed"
    info = place / "archiver_trial-1.0.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: archiver-trial\nVersion: 1.0\n")
    info.joinpath("entry_points.txt").write_text("[archiver]\ntrial = trial_plugin_for_test\n")
    place.joinpath("trial_plugin_for_test.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.delitem(sys.modules, "trial_plugin_for_test", raising=False)
    monkeypatch.setenv("TRIAL_TOKEN", SECRET)
    monkeypatch.chdir(tmp_path)
    with Notes() as service:
        yield service


def tried(service: Service, *arguments: str, into: str = "scratch") -> int:
    given = ["--option", f"base_url={service.url}", "--option", "token=${TRIAL_TOKEN}", "--into", into]
    return execute(["plugins", "try", "trial", *given, *arguments])


def records(capsys: Capture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_everything_is_told_and_no_secret(notes: Notes, capsys: Capture, tmp_path: Path) -> None:
    assert tried(notes) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].startswith(f"  GET {notes.url}/list/***?api_key=***  200  2 B  ")
    assert lines[1] == "Listed: report “Note 0” (id 0); https://example.org/***/0"
    assert lines[4] == "Checkpoint: not complete, cursor 'cursor ***'"
    assert lines[6] == "Fetched: report “Note 0” (id 0)"
    assert "text/plain, original, original, 87 B, label 'note'" in lines[7]
    assert lines[-1] == f"3 items listed, 3 fetched, 0 problems. The files are in {tmp_path / 'scratch'}"
    assert SECRET not in out
    assert len(list((tmp_path / "scratch" / "report").glob("note-0-*.txt"))) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["installed", "scratch"]


def test_json_says_the_same(notes: Notes, capsys: Capture) -> None:
    assert tried(notes, "--json", "--limit", "1", "--entry", "mode=whole") == 0
    request, listed, checkpoint, second, fetched, finished = records(capsys)
    assert (request["type"], request["status"], request["bytes"]) == ("request", 200, 2)
    assert (listed["type"], listed["id"], listed["problem"]) == ("listed", "0", None)
    assert (checkpoint["complete"], checkpoint["cut"]) == (True, False)
    assert second["url"].endswith("/note/0")
    assert fetched["files"][0]["media_type"] == "text/plain"
    assert (finished["type"], finished["fetched"], finished["exit_code"]) == ("try.finished", 1, 0)


@pytest.mark.parametrize(
    ("mode", "said", "code"),
    [
        ("greedy", "There is more than the limit", 0),
        ("endless", "The listing ended without a checkpoint", 0),
        ("twice", "Its id came before", 0),
        ("gone", "It cannot be had: gone: deleted", 1),
        ("blocked", "The listing failed: blocked: log in with ***", 1),
        ("broken", "The listing failed: failed: ValueError: no, ***", 1),
    ],
)
def test_odd_listings_are_told(notes: Notes, capsys: Capture, mode: str, said: str, code: int) -> None:
    assert tried(notes, "--entry", f"mode={mode}") == code
    captured = capsys.readouterr()
    assert said in captured.out
    assert SECRET not in captured.out + captured.err


def test_the_last_line_says_that_the_listing_failed(notes: Notes, capsys: Capture) -> None:
    assert tried(notes, "--entry", "mode=blocked") == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"The source failed, as is told above: \d items? listed, \d fetched\. The.*", last), (
        last
    )
    assert "problem" not in last


def test_an_item_that_fails_does_not_keep_the_others(notes: Notes, capsys: Capture) -> None:
    notes.fault("/note/1", "gone")
    assert tried(notes) == 1
    out = capsys.readouterr().out
    assert "Not fetched: report “Note 1” (id 1): gone: " in out
    assert "3 items listed, 2 fetched, 1 problem." in out


def test_every_attempt_is_a_request(notes: Notes, capsys: Capture) -> None:
    notes.fault("/note/0", "503")
    assert tried(notes, "--json", "--limit", "1") == 0
    seen = [record for record in records(capsys) if record["type"] == "request"]
    assert [record["status"] for record in seen] == [200, 503, 200]


def test_values_may_be_lists_and_come_several_times(notes: Notes, capsys: Capture) -> None:
    assert tried(notes, "--limit", "1", "--entry", "tags=[one, two]") == 0
    assert "“one two”" in capsys.readouterr().out
    assert tried(notes, "--limit", "1", "--entry", "tags=a=b", "--entry", "tags=c", into="other") == 0
    assert "“a=b c”" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--entry", "mod=good"], "did you mean 'mode'?"),
        (["--entry", "good"], "there is a value without a name"),
        (["--entry", "tags=[one"], "this cannot be read as YAML"),
        (["--option", "token=${NO_SUCH_VARIABLE}"], "environment variable NO_SUCH_VARIABLE is not set"),
        (["--option", f"token={SECRET}"], "a secret must not stand in a command"),
        (["--option", "base_url=nonsense"], "--option: base_url"),
    ],
)
def test_wrong_options_are_told(notes: Notes, capsys: Capture, arguments: list[str], said: str) -> None:
    given = [] if arguments[1].startswith("base_url") else ["--option", f"base_url={notes.url}"]
    assert execute(["plugins", "try", "trial", *given, *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert SECRET not in err
    assert notes.requests.count() == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("flikr", "did you mean 'flickr'?"),
        ("zzzzzz", "archive plugins list"),
        ("disk", "disk is no source"),
        ("archiver-trial", "'base_url' is missing"),
        ("event-archiver", "provides several source types"),
    ],
)
@pytest.mark.usefixtures("notes")
def test_the_name_is_a_type_a_plugin_or_a_distribution(capsys: Capture, name: str, said: str) -> None:
    assert execute(["plugins", "try", name]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("notes")
def test_a_broken_plugin_is_told_with_the_reason(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "installed" / "trial_plugin_for_test.py").write_text("1 / 0\n")
    assert execute(["plugins", "try", "trial"]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_folder_with_something_in_it_is_left_alone(notes: Notes, capsys: Capture, tmp_path: Path) -> None:
    assert tried(notes, into=str(tmp_path)) == 2
    assert "is not empty" in capsys.readouterr().err


class TestTwoTypes:
    """A plugin that provides several types is tried by one of them."""

    @pytest.fixture(autouse=True)
    def two(self, notes: Notes, tmp_path: Path) -> None:
        (tmp_path / "installed" / "trial_plugin_for_test.py").write_text(TWO)
        self.given = ["--option", f"base_url={notes.url}", "--option", "token=${TRIAL_TOKEN}", "--limit", "1"]

    def test_the_plugin_alone_is_not_enough(self, capsys: Capture) -> None:
        assert execute(["plugins", "try", "trial", *self.given]) == 2
        assert "name one: trial:trial-type or trial:second" in capsys.readouterr().err

    @pytest.mark.parametrize("name", ["trial:second", "trial:trial-type", "archiver-trial:second"])
    def test_what_is_advised_works(self, capsys: Capture, name: str) -> None:
        assert execute(["plugins", "try", name, *self.given, "--into", "scratch"]) == 0
        assert "1 item listed, 1 fetched" in capsys.readouterr().out

    @pytest.mark.parametrize("name", ["trial:third", "third", "second"])
    def test_a_type_that_nobody_here_provides(self, capsys: Capture, name: str) -> None:
        assert execute(["plugins", "try", name, *self.given]) == 2
        err = capsys.readouterr().err
        assert ("name one: trial:trial-type" if ":" in name else "is named PLUGIN:TYPE") in err

    def test_the_type_alone_where_the_configuration_enables_it(self, capsys: Capture, tmp_path: Path) -> None:
        (tmp_path / "archive.yaml").write_text("plugins: [trial]\narchive: {title: T}\n")
        assert execute(["plugins", "try", "second", *self.given, "--into", "scratch"]) == 0
        (tmp_path / "archive.yaml").write_text("plugins: [trial\n")
        assert execute(["plugins", "try", "trial:second", *self.given, "--into", "other"]) == 0
