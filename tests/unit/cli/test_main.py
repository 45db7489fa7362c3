"""The frame of the command: quick help, exit codes, and how errors are told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from archiver import errors
from archiver.cli import COMMANDS, archive, ending, execute
from archiver.cli.common import common_options, echo_json
from archiver.config import ConfigProblems, Problem

Add = Callable[[BaseException | None], None]


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[BaseException], list[str]]]:
    """Make a command that raises an error; give the arguments that call it."""
    module = type(sys)("archiver.cli.for_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(COMMANDS, "fail", (module.__name__, "Fails."))

    def _fails(error: BaseException) -> list[str]:
        @click.command()
        @common_options
        def fail(config_path: Path, verbose: bool, as_json: bool) -> int:
            """Fail."""
            raise error

        monkeypatch.setattr(module, "fail", fail, raising=False)
        return ["fail"]

    yield _fails  # noqa: PT022  # the patches live as long as the test


def test_help_lists_every_command_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--help"]) == 0
    out = capsys.readouterr().out
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in out
        assert line in out
    assert "Exit codes:" in out
    assert "\b" not in out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom archiver.cli import execute\ncode = execute(['--help'])\n"
        "print(code, *sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    status, *modules = done.stderr.split()
    assert status == "0"
    heavy = {
        "pydantic",
        "httpx",
        "rich",
        "pluggy",
        "yaml",
        "boto3",
        "yt_dlp",
        "PIL",
        "lxml",
        "rapidfuzz",
        "sqlite3",
    }
    assert heavy.isdisjoint(modules)
    assert "importlib.metadata" not in modules
    ours = {name for name in modules if name.startswith("archiver")}
    assert ours == {
        "archiver",
        "archiver.errors",
        "archiver.utf8",
        *(f"archiver.cli{part}" for part in ("", ".common", ".ending", ".streams")),
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    command = archive.get_command(click.Context(archive), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(limit=1000) == COMMANDS[name][1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example" in out
    assert "\b" not in out
    assert f"archive {name}" in out


def test_an_unknown_command_is_wrong_usage_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["chek"]) == 2
    assert "There is no command 'chek'. Did you mean 'check'?" in capsys.readouterr().err
    assert execute(["frobnicate"]) == 2
    assert "There is no command 'frobnicate'.\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["--frob"], ["check", "--frob"], ["schema", "x"], ["plugins", "frob"]]
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(arguments) == 2
    assert "Usage: archive" in capsys.readouterr().err


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--version"]) == 0
    assert capsys.readouterr().out.startswith("archive 0.")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ArchiverError("a"), 1),
        (errors.ConfigError("a"), 2),
        (errors.BlockedError("a"), 1),
        (errors.SinkError("a"), 3),
        (errors.LeaseHeldError("a"), 3),
        (errors.DamageError("a"), 4),
        (click.FileError("a"), 2),
        (click.ClickException("a"), 1),
        (click.UsageError("a"), 2),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (KeyError("a"), 1),
        (SystemError("a"), 1),
    ],
)
def test_each_error_has_its_exit_code(
    fails: Callable[[BaseException], list[str]],
    error: BaseException,
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert execute(fails(error)) == code
    assert capsys.readouterr().err


def test_main_leaves_with_the_exit_code() -> None:
    code = "from archiver.cli import main; main(['status', '-c', 'absent.yaml'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "absent.yaml" in done.stderr


def test_an_error_says_what_to_do(
    fails: Callable[[BaseException], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(fails(errors.SinkError("The disk is full.", hint="free some space"))) == 3
    captured = capsys.readouterr()
    assert captured.err == "Error: The disk is full.\nWhat to do: free some space\n"
    assert captured.out == ""


def test_an_error_cannot_steer_the_terminal(
    fails: Callable[[BaseException], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    execute(fails(errors.SinkError("a\x1b[2J\u202eb\n词")))
    assert capsys.readouterr().err == "Error: a\\x1b[2J\\u202eb\n词\n"


def test_an_error_is_one_line_of_json_with_json(
    fails: Callable[[BaseException], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute([*fails(errors.SinkError("no\nspace", hint="free some")), "--json"]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert json.loads(line) == {
        "error": {"type": "SinkError", "message": "no\nspace", "hint": "free some", "exit_code": 3}
    }


def test_problems_are_told_one_by_one_with_json(
    fails: Callable[[BaseException], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    problem = Problem("archive.yaml", 1, 2, "archive", "found '词'", "a mapping")
    assert execute([*fails(ConfigProblems([problem])), "--json"]) == 2
    about = json.loads(capsys.readouterr().err)["error"]
    assert about["problems"][0]["message"] == "found '词'"


def test_an_unexpected_error_is_short_without_v_and_traced_with_it(
    fails: Callable[[BaseException], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(fails(KeyError("album"))) == 1
    short = capsys.readouterr().err
    assert "Error: unexpected KeyError: 'album'\n" in short
    assert "-v" in short
    assert "Traceback" not in short
    assert execute([*fails(KeyError("album")), "-v"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_interrupted_is_told_without_a_traceback(
    fails: Callable[[BaseException], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute([*fails(KeyboardInterrupt()), "-v"]) == 130
    assert capsys.readouterr().err.strip() == "Interrupted."


@pytest.mark.parametrize(("variable", "expected"), [("1", False), ("", None)])
def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch, variable: str, expected: bool | None) -> None:
    monkeypatch.setenv("NO_COLOR", variable)
    assert ending.colour() is expected


def test_a_reader_who_leaves_ends_the_program_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", "from archiver.cli import main; main(['schema'])"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 1


def test_a_terminal_that_knows_no_chinese_gets_escapes() -> None:
    code = "import sys\nfrom archiver import cli\nfrom archiver.cli.common import echo_json\n"
    code += "cli._tolerate(sys.stdout)\necho_json('词')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        check=True,
    )
    assert done.stdout == b'"\\u8bcd"\n'


def test_json_output_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    echo_json({"title": "词\n", "path": Path("a")})
    assert capsys.readouterr().out == '{"title": "词\\n", "path": "a"}\n'
