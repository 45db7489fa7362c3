"""Standard output belongs to the program: what plugins print reaches standard error, in real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from archiver.cli import streams
from archiver.errors import ConfigError

ARCHIVE = [sys.executable, "-m", "archiver"]
#: A source that says something in every way there is, wherever it runs, and closes what is not its own.
CHATTY = """
import os
import subprocess
import sys
from pathlib import Path
from archiver import api

def say(where):
    print(f"print while {where}")
    os.write(1, f"write while {where}\\n".encode())
    subprocess.run(["echo", f"child while {where}"], check=True)

say("imported")

class Chatty(api.Source[api.Options, api.Options]):
    "Says much."

    type_name = "chatty"

    def discover(self, scope, cursor):
        say("listing")
        yield api.Material("1", api.Kind.REPORT, "One", event=scope.entries[0].event.id)
        yield api.Checkpoint(complete=True)

    def fetch(self, material, into):
        say("fetching")
        sys.stdout.close()
        sys.stderr.close()
        (into / "one.txt").write_text("One, and more.")
        yield api.Fetched(Path("one.txt"))

    def close(self):
        say("closing")

@api.hookimpl
def archiver_sources():
    return [Chatty]
"""
#: Where it is asked to do something.
WHERE = ("imported", "listing", "fetching", "closing")
CONFIG = """
plugins: [chatty]
archive: {title: A tour}
sinks: {local: {type: disk, path: ./archive}}
events:
  - {id: beijing, title: Beijing Stop, sources: [{type: chatty}]}
"""


def lay_out(folder: Path) -> Path:
    """Install the plugin where only the processes of a test find it, and write a configuration with it."""
    about = folder / "site" / "chatty-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: chatty\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[archiver]\nchatty = chatty\n")
    (folder / "site" / "chatty.py").write_text(CHATTY)
    (folder / "archive.yaml").write_text(CONFIG)
    return folder


@pytest.fixture
def tour(tmp_path: Path) -> Path:
    return lay_out(tmp_path)


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Run once, for all tests that read alone."""
    folder = lay_out(tmp_path_factory.mktemp("archived"))
    return folder, call(folder, "run", "--json")


def call(folder: Path, *arguments: str, how: str = "", **more: Any) -> subprocess.CompletedProcess[str]:
    """Call the command; `how` is what a shell adds, such as a redirection."""
    path = os.pathsep.join(filter(None, [str(folder / "site"), os.environ.get("PYTHONPATH", "")]))
    given: dict[str, Any] = {"capture_output": True, **more}
    return subprocess.run(
        ["/bin/sh", "-c", f'"$@" {how}', "sh", *ARCHIVE, *arguments],
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
        **given,
    )


def test_what_a_plugin_prints_is_not_among_the_lines_for_machines(
    archived: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    _, done = archived
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["type"] == "run.finished"
    assert [line["outcome"] for line in lines if line["type"] == "item.done"] == ["new"]
    said = {f"{how} while {where}" for how in ("print", "write", "child") for where in WHERE}
    assert said <= set(done.stderr.splitlines())
    assert "Done: 1 item" in done.stderr


@pytest.mark.parametrize("arguments", [["schema"], ["report", "--format", "json"], ["status", "--json"]])
def test_every_command_for_machines_is_as_clean(
    archived: tuple[Path, subprocess.CompletedProcess[str]], arguments: list[str]
) -> None:
    done = call(archived[0], *arguments)
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), dict)
    assert "print while imported" in done.stderr


def test_for_people_the_program_answers_on_standard_output(
    archived: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    done = call(archived[0], "search", "One")
    assert "1. One\n" in done.stdout
    assert "write while imported" not in done.stdout


def test_a_closed_standard_output_is_told_to_whoever_wanted_lines(tour: Path) -> None:
    done = call(tour, "run", "--json", how=">&-")
    assert done.returncode == 2
    told = json.loads(done.stderr)["error"]
    assert "standard output is closed" in told["message"]
    assert "> run.jsonl" in told["hint"]
    assert not (tour / "archive").exists()


@pytest.mark.parametrize("how", [">&-", ">&- 2>&- <&-"])
def test_without_any_stream_a_run_does_its_work(tour: Path, how: str) -> None:
    assert call(tour, "run", how=how).returncode == 0
    written = [path.read_bytes() for path in (tour / "archive").rglob("*") if path.is_file()]
    assert written
    assert not any(b"while fetching" in data for data in written)


def test_nobody_who_reads_is_no_fault_of_the_program(tour: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = call(tour, "status", "--json", capture_output=False, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.returncode == 1
    assert set(done.stderr.splitlines()) == {f"{how} while imported" for how in ("print", "write", "child")}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"]])
def test_a_full_disk_is_told_once_with_the_next_step(tour: Path, arguments: list[str]) -> None:
    done = call(tour, *arguments, how="> /dev/full")
    assert done.returncode == 1
    assert done.stderr.count("No space left on device") == 1
    assert "see whether the disk that the output goes to is full" in done.stderr


def test_whatever_the_system_calls_it_the_output_is_told_from_other_files(tmp_path: Path) -> None:
    code = (
        "import resource, signal\n"
        "from archiver.cli import ending, streams\n"
        "streams.take_over()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try:\n    streams.echo('one line')\n    streams.ours().flush()\n"
        "except OSError as error:\n    made = error\n"
        "made.errno = 18  # a reason that no list of reasons names\n"
        "raise SystemExit(ending.tell(made, ending.Output()))"
    )
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=out, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert "see whether the disk that the output goes to is full" in done.stderr
    assert "fault of the program" not in done.stderr


def test_no_child_gets_hold_of_it() -> None:
    code = (
        "import os\nfrom archiver.cli import streams\nstreams.take_over()\n"
        "streams.echo(str(os.get_inheritable(streams.ours().fileno())))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_where_nothing_was_taken_over_the_stream_of_the_caller_serves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    streams.keep_for_machines()
    streams.echo("one line")
    streams.give_up()
    assert capsys.readouterr().out == "one line\n"
    assert streams.ours() is sys.stdout


def test_the_message_for_a_closed_stream_has_a_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams._State, "closed", True)
    with pytest.raises(ConfigError, match="nowhere to write") as raised:
        streams.keep_for_machines()
    assert raised.value.hint
