"""The display: bars on a terminal, plain lines when piped."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from archiver.cli.progress import JsonLines, Plain, item_line, listed_line, watch
from archiver.discover import Listing
from archiver.errors import BlockedError
from archiver.instances import Workshop
from archiver.ledger import Problem, StoredFile
from archiver.model import Kind, Material
from archiver.route import Found
from archiver.work import Outcome, Task

TITLES = {"a": "Stop A"}


def task(name: str = "x", event: str = "a", size: int | None = None, title: str = "") -> Task:
    return Task(
        Workshop("r", Path()), "src", Material(name, Kind.SLIDES, title, event=event, size=size), "new", ()
    )


def outcome(given: Task, problem: Problem | None = None) -> Outcome:
    files = () if problem else (StoredFile("slides/x.pdf", 1500, "0" * 64),)
    return Outcome(given, given.material, files, problem=problem)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    plain = Plain(TITLES, clock)
    one, two, three = task("1", size=3_000_000), task("2", title="Chef"), task("3")
    plain.said("working", tasks=[one, two, three])
    plain.moved("a", "src", "1", 1_000_000, None)
    clock.now = 12.0
    plain.moved("a", "src", "1", 500_000, None)
    plain.said("item.done", outcome=outcome(one), how="new", record=None)
    plain.said("item.done", outcome=outcome(two, Problem("blocked", "login")), how="blocked", record=None)
    plain.said("item.done", outcome=outcome(three), how="same", record=None)
    plain.said("item.done", outcome=outcome(three), how="resumed", record=None)
    plain.said("alarm", source="src", alarm="it shrank")
    plain.said("stopping")
    plain.said("something of a later version", anything=1)
    plain.close()
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "3 items to fetch, 3.0 MB or more",
        "0 of 3 items, 1.5 MB, 125.0 kB/s",
        "[1/3] Stop A: slides “1”, 1.5 kB",
        "Stop A: slides “Chef” blocked: login",
        "Stop A: slides “3”, 1.5 kB, taken over from a run that was cut off",
        "ALARM: source src: it shrank",
        (
            "Stopping: running transfers are given up, what is stored is being recorded. "
            "Press Ctrl-C again to end at once."
        ),
    ]


def test_lines() -> None:
    found = [Found("src", "t", task(event=event).material, "") for event in ("a", "a", "b", "")]
    assert listed_line(Listing("src", found)) == "src: 3 items listed for 2 events"
    assert listed_line(Listing("src", found[:1])) == "src: 1 item listed for 1 event"
    assert listed_line(Listing("src", [])) == "src: nothing new is listed"
    assert listed_line(Listing("src", found[3:])).endswith("listed for no event yet")
    assert listed_line(Listing("src", error=BlockedError("login"))) == "src: listing failed: login"
    assert item_line(outcome(task(event="")), TITLES).startswith("no event: slides “x”")


def test_json_lines_go_to_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    watcher = JsonLines(Plain(TITLES))
    watcher.said("working", tasks=[task()])
    watcher.said("item.done", outcome=outcome(task(title="云\n\x1b")), how="new", record=None)
    watcher.moved("a", "src", "x", 1, None)
    watcher.said("stopping")
    told = capsys.readouterr()
    assert told.out.count("\n") == 1
    assert '"outcome": "new"' in told.out
    assert "1 item to fetch" in told.err


def test_no_bars_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert type(watch(TITLES, as_json=False)) is Plain
    assert isinstance(watch(TITLES, as_json=True), JsonLines)


SCRIPT = """
from pathlib import Path
from archiver.cli.progress import watch
from archiver.instances import Workshop
from archiver.ledger import Problem, StoredFile
from archiver.model import Kind, Material
from archiver.work import Outcome, Task

titles = {"a": "[bold red]Stop[/] A \\x1b[2J {pace}", "b": "云" * 60}
shop = Workshop("r", Path())
listed = [Material(f"{n}", Kind.SLIDES, event="ab"[n % 2], size=2_000_000) for n in range(4)]
tasks = [Task(shop, "src", material, "new", ()) for material in listed]
bars = watch(titles, as_json=False)
bars.every = 0.0
bars.said("working", tasks=tasks)
for number, task in enumerate(tasks):
    for _ in range(4):
        bars.moved(task.material.event, "src", task.material.id, 500_000, None)
        bars._progress.refresh()  # as its own thread does ten times a second
    problem = Problem("invalid", "a [login] page \\x1b]0;owned\\x07") if number == 1 else None
    files = () if problem else (StoredFile("slides/x", 2_000_000, "0" * 64),)
    done = Outcome(task, task.material, files, problem=problem)
    bars.said("item.done", outcome=done, how="new", record=None)
bars.close()
"""


def on_a_terminal(*command: str, cwd: Path | None = None, width: int = 120) -> tuple[str, str, int]:
    """Run with stderr on a terminal; give what stdout and the terminal got."""
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(width), "TERM": "xterm-256color", "PYTHONUTF8": "1"}
    environment.pop("NO_COLOR", None)
    shown: list[bytes] = []

    def read() -> None:
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:  # the other end was closed
                return
            if not data:
                return
            shown.append(data)

    reader = threading.Thread(target=read)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, env=environment, cwd=cwd) as process:
        os.close(slave)
        reader.start()
        out, _ = process.communicate(timeout=60)
    reader.join(30)
    os.close(master)
    return out.decode(), b"".join(shown).decode(), process.returncode


ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def bars() -> tuple[str, str]:
    out, shown, code = on_a_terminal(sys.executable, "-c", SCRIPT)
    assert code == 0, shown
    return out, shown


def test_bars_show_events_and_all_with_bytes_rate_and_time_left() -> None:
    out, shown = bars()
    assert out == ""
    plain = ESCAPES.sub("", shown)
    rows = plain.splitlines()
    assert "4 items to fetch, 8.0 MB or more" in plain
    total = [row for row in rows if row.startswith("All") and "MB/s" in row]
    assert total
    assert re.search(r"\d/4 +[\d.]+ [kM]B, [\d.]+ [kMG]?B/s, about \d+ s left", total[0])
    assert [row for row in rows if row.startswith("云") and "…" in row and "/2" in row]
    assert [row for row in rows if "Stop" in row and re.search(r"/2 +[\d.]+ [kM]B", row)]


def test_bars_survive_hostile_titles() -> None:
    _, shown = bars()
    assert "[bold red]Stop[/]" in ESCAPES.sub("", shown)
    assert "\x1b[2J" not in shown
    assert "\x1b]0;" not in shown
    assert "\\x1b]0;owned" in shown
    # The cursor that was hidden is shown again.
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")


CONFIG = """
archive: {title: A tour}
sinks: {local: {type: disk, path: ./archive}}
sources: {inbox: {type: folder, path: ./incoming}}
events:
  - {id: stop, title: "The [red]stop[/]", sources: [{use: inbox}]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "incoming").mkdir()
    (tmp_path / "archive.yaml").write_text(CONFIG, encoding="utf-8")
    for number in range(3):
        (tmp_path / "incoming" / f"notes {number}.txt").write_text(
            f"some notes {number}\n" * 50, encoding="utf-8"
        )
    return tmp_path


def test_a_run_on_a_terminal_with_json_prints_json_alone_on_stdout(project: Path) -> None:
    import json

    out, shown, code = on_a_terminal(sys.executable, "-m", "archiver", "run", "--json", cwd=project)
    assert code == 0, shown
    records: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    assert [record["type"] for record in records] == [
        "source.listed", "planned", "item.done", "item.done", "item.done", "committed", "shown",
        "run.finished",
    ]  # fmt: skip
    assert "\x1b" not in out
    assert "\x1b" in shown
    assert "Done: 3 items" in shown
    assert records[-1]["exit_code"] == 0


def test_a_piped_run_shows_no_escapes(project: Path) -> None:
    command = [sys.executable, "-m", "archiver", "run"]
    done = subprocess.run(command, cwd=project, capture_output=True, timeout=60, check=True)
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"3 items to fetch" in done.stderr
    assert done.stdout == b""
