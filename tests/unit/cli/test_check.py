"""`archive check`: all findings in one list, nothing changed."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import pytest

from archiver.cli import execute

HEAD = "archive: {title: Tour}\nsinks: {local: {type: disk, path: %s}}\n"


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    (tmp_path / "incoming").mkdir()
    return tmp_path / "archive.yaml"


def check(path: Path, text: str, *more: str) -> int:
    path.write_text(text)
    return execute(["check", "-c", str(path), *more])


def listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.lstat().st_mtime_ns) for path in [folder, *folder.rglob("*")])


GOOD = (HEAD % "./archive") + (
    "sources: {inbox: {type: folder, path: incoming}}\n"
    "events: [{id: one, talks: [A talk], sources: [{use: inbox}]}]\n"
)


def test_all_is_well(config_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config_path.write_text(GOOD)
    before = listing(config_path.parent)
    assert execute(["check", "-c", str(config_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "ok       configuration: archive.yaml is right (events: 1, talks: 1)",
        "ok       source inbox: can be used",
        "ok       sink local: can be used",
    ]
    assert listing(config_path.parent) == before


def test_findings_as_json(config_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(config_path, GOOD, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert [finding["level"] for finding in found["findings"]] == ["ok", "ok", "ok"]


def test_what_is_not_used_is_a_warning(config_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace("events: [", "events: [{id: two}, ").replace(
        "}}\nevents", "}, idle: {type: folder, path: incoming}}\nevents"
    )
    assert check(config_path, text) == 0
    out = capsys.readouterr().out
    assert "warning  source idle: no event uses it\n" in out
    assert "warning  event two: it has no source\n" in out
    assert "archive add two FILE" in out


def test_a_source_that_cannot_work_is_1(config_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(config_path, GOOD.replace("incoming}", "nowhere}")) == 1
    out = capsys.readouterr().out
    assert "error    source inbox: " in out
    assert "What to do: " in out
    assert "ok       sink local: can be used" in out


def test_a_sink_that_cannot_be_used_is_3_and_outranks_a_source(
    config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config_path.parent / "archive").write_text("a file where the directory should be")
    assert check(config_path, GOOD.replace("incoming}", "nowhere}"), "--json") == 3
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    errors = {finding["subject"] for finding in found["findings"] if finding["level"] == "error"}
    assert errors == {"source inbox", "sink local"}


def test_a_wrong_configuration_is_2_with_every_problem(
    config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = GOOD.replace("title", "titel").replace("talks", "talk")
    assert check(config_path, wrong) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{config_path}:1:11: archive.titel: unknown key; did you mean 'title'?" in captured.err
    assert "events[0].talk: unknown key; did you mean 'talks'?" in captured.err


def test_the_problems_as_json_are_findings_too(config_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(config_path, GOOD.replace("title", "titel"), "--json") == 2
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["ok"] is False
    assert {(finding["line"], finding["path"]) for finding in found["findings"]} == {
        (1, "archive.titel"),
        (1, "archive.title"),
    }
    assert json.loads(captured.err)["error"]["exit_code"] == 2


def test_a_missing_file_says_how_to_begin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["check", "-c", str(tmp_path / "nope.yaml")]) == 2
    assert "archive init" in capsys.readouterr().err


def test_the_environment_names_the_file_and_fills_references(
    config_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVE_CONFIG", str(config_path))
    config_path.write_text(GOOD.replace("path: incoming", "path: '${INBOX_FOR_TEST}'"))
    monkeypatch.delenv("INBOX_FOR_TEST", raising=False)
    assert execute(["check"]) == 2
    assert "INBOX_FOR_TEST is not set" in capsys.readouterr().err
    monkeypatch.setenv("INBOX_FOR_TEST", "incoming")
    assert execute(["check"]) == 0


class TestProgrammes:
    """Talks that are read from files: what a run would stumble over is told before."""

    def talks(self, path: Path, talks: str, *more: str) -> int:
        return check(path, GOOD.replace("[A talk]", talks), *more)

    def lines(self, capsys: pytest.CaptureFixture[str]) -> list[str]:
        lines = capsys.readouterr().out.splitlines()
        return [line for line in lines if "talks" in line or "What to do" in line]

    def test_they_are_read_and_counted(self, config_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        folder = config_path.parent
        (folder / "t.csv").write_text("id;title\n1;Chef\n2;Swift\n3;Own\n")
        event = "BEGIN:VEVENT\r\nUID:1@x\r\nSUMMARY:Juju\r\nEND:VEVENT\r\n"
        (folder / "t.ics").write_text(f"BEGIN:VCALENDAR\r\n{event}END:VCALENDAR\r\n", newline="")
        config_path.write_text("")
        before = listing(folder)
        assert self.talks(config_path, "[Own, {from: csv, file: t.csv}, {from: ical, file: t.ics}]") == 0
        assert self.lines(capsys) == [
            "ok       configuration: archive.yaml is right (events: 1, talks: 4)",
            "ok       talks of one: t.csv lists 3 talks",
            "ok       talks of one: t.ics lists 1 talk",
        ]
        assert [name for name, _ in listing(folder)] == [name for name, _ in before]

    def test_a_file_that_is_not_there_is_1(
        self, config_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.talks(config_path, "{from: csv, file: sprin.csv}") == 1
        counted, error, hint = self.lines(capsys)
        assert "talks: 0 and those of 1 programme not read here" in counted
        assert error == "error    talks of one: sprin.csv cannot be read: No such file or directory"
        assert "Correct `file` under `talks`" in hint

    @pytest.mark.parametrize(
        ("content", "said"),
        [(b"id,name\n", "sprin.csv, line 1: the columns are id, name"), (b"title\n", "lists no talks"),
         ("title\nКонтейнеры\n".encode("cp1251"), "sprin.csv is not in UTF-8")],
    )  # fmt: skip
    def test_a_wrong_file_is_told_with_its_event(
        self, content: bytes, said: str, config_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (config_path.parent / "sprin.csv").write_bytes(content)
        assert self.talks(config_path, "{from: csv, file: sprin.csv}") == 1
        assert said in next(line for line in self.lines(capsys) if line.startswith("error    talks of one: "))

    def test_what_is_on_the_network_is_left_to_the_run(
        self, config_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            nobody.settimeout(0)
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}/t.csv"
            assert self.talks(config_path, f"{{from: csv, url: '{url}'}}") == 0
            with pytest.raises(BlockingIOError):
                nobody.accept()
        assert f"ok       talks of one: {url} is read by the run" in self.lines(capsys)

    def test_an_assumed_encoding_and_a_day_without_talks_are_warnings(
        self, config_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (config_path.parent / "t.csv").write_bytes("title,date\nGröße zählt,2012-09-16\n".encode("cp1252"))
        assert self.talks(config_path, "{from: csv, file: t.csv, day: 2012-09-17}") == 0
        told = self.lines(capsys)
        assert "warning  talks of one: t.csv has no talk on 2012-09-17" in told
        assert any("was read as Windows-1252 (Western European)" in line for line in told)


FAULTY = """
from archiver import api

class Faulty(api.Source[api.Options, api.Options]):
    type_name = "faulty"
    def discover(self, scope, cursor):
        yield api.Checkpoint()
    def fetch(self, material, into):
        return []
    def check(self):
        raise KeyError("album")

@api.hookimpl
def archiver_sources():
    return [Faulty]
"""


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a plugin whose check fails, and one that cannot be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, text in (("faulty", FAULTY), ("broken", "1 / 0\n")):
        monkeypatch.delitem(sys.modules, f"{name}_plugin_for_check", raising=False)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        info.joinpath("entry_points.txt").write_text(f"[archiver]\n{name} = {name}_plugin_for_check\n")
        tmp_path.joinpath(f"{name}_plugin_for_check.py").write_text(text)


@pytest.mark.usefixtures("strangers")
def test_a_faulty_plugin_and_a_broken_one_leave_the_others(
    config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "plugins: [faulty, broken]\n" + GOOD.replace("{use: inbox}", "{use: inbox}, {type: faulty}")
    assert check(config_path, text, "-v") == 1
    captured = capsys.readouterr()
    assert "warning  plugin broken: is not used: it cannot be imported: ZeroDivisionError" in captured.out
    assert "error    source faulty: KeyError: 'album'\n" in captured.out
    assert "ok       source inbox: can be used" in captured.out
    assert "Traceback" in captured.err


class TestMail:
    """What `archive ask` needs: a server that sends, and somebody who reads the answers."""

    MAILBOX = "sources: {inbox: {type: email, paths: incoming}}\n"
    EVENTS = "events: [{id: one, talks: [A talk], sources: [{use: inbox}]}]\n"

    def lines(self, capsys: pytest.CaptureFixture[str]) -> list[str]:
        return [line for line in capsys.readouterr().out.splitlines() if "mail" in line or "What" in line]

    def test_without_a_server_drafts_can_be_written(
        self, config_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        text = HEAD % "./archive" + self.MAILBOX + self.EVENTS + "mail: {from: A <a@example.org>}\n"
        assert check(config_path, text) == 0
        assert self.lines(capsys) == ["ok       mail: drafts can be written; to send them too, add smtp"]

    def test_nobody_reads_the_answers(self, config_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert check(config_path, GOOD + "mail: {from: A <a@example.org>}\n") == 0
        told = self.lines(capsys)
        assert told[0] == "warning  mail: no event uses a source that reads the answers"
        assert "a source of type email" in told[1]

    def test_a_server_that_is_not_there(self, config_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        mail = f"mail: {{from: A <a@example.org>, smtp: {{host: 127.0.0.1, port: {port}, security: none}}}}\n"
        assert check(config_path, HEAD % "./archive" + self.MAILBOX + self.EVENTS + mail) == 1
        told = self.lines(capsys)
        assert told[0].startswith(
            "error    mail smtp: 127.0.0.1 could not be reached: ConnectionRefusedError"
        )
        assert told[1].strip() == "What to do: check mail.smtp.host and port, and try again"
