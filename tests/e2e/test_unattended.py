"""Nobody is there: processes without a terminal, and every line they print held to the published shape."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archiver.cli import execute
from media_samples import login_page, pdf

ROOT = Path(__file__).parents[2]
CONFIG = """
archive: {title: A tour}
sinks: {local: {type: disk, path: ./archive}, other: {type: disk, path: ./second}}
sources:
  inbox: {type: folder, path: ./incoming}
  gone: {type: folder, path: ./not-there}
events:
  - id: beijing
    title: 北京站
    talks: [{id: chef, title: Deploy OpenStack with Chef, speaker: Ada Fan}]
    sources: [{use: inbox, path: beijing}, {use: gone, path: x}]
"""


def environment(**more: str) -> dict[str, str]:
    paths = os.pathsep.join(str(ROOT / name) for name in ("src", "plugins", "tests"))
    return {**os.environ, "PYTHONPATH": paths, **more}


def archive(config: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "archiver", words[0], "-c", str(config), *words[1:]]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(**more),
        timeout=100, check=False,
    )  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming/beijing"
    folder.mkdir(parents=True)
    (folder / "Deploy OpenStack with Chef.pdf").write_bytes(pdf(["x"]))
    (folder / "login.pdf").write_bytes(login_page())
    (tmp_path / "archive.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "archive.yaml"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    path = ROOT / "docs/reference/run-events.schema.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    return found


def closed(part: Any) -> Any:
    """Forbid what the schema does not name, so that no member appears without being published."""
    if isinstance(part, list):
        return [closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {key: closed(value) for key, value in part.items()}
    if part.get("type") == "object" and "properties" in part and "required" in part and "allOf" not in part:
        made["additionalProperties"] = False
    return made


@pytest.fixture(scope="module")
def strict(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    made = closed(schema)
    known = [branch["then"]["$ref"].rpartition("/")[2] for branch in schema["allOf"]]
    made["properties"]["type"] = {"enum": known}
    return jsonschema.Draft202012Validator(made)


def test_the_published_schema_is_the_one_that_is_shipped(
    schema: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["schema", "--run-events"]) == 0
    assert json.loads(capsys.readouterr().out) == schema


def nights(config: Path) -> Iterator[tuple[list[str], int]]:
    """Options of one run after another, with the code that it has to end with."""
    yield ["--dry-run"], 1
    yield [], 1
    yield ["--fail-on", "new"], 0
    (config.parent / "incoming/beijing/second.pdf").write_bytes(pdf(["y"]))
    (config.parent / "incoming/beijing/third.pdf").write_bytes(pdf(["z"]))
    yield ["--byte-limit", "1500B", "--jobs", "1", "--fail-on", "new"], 0
    # A sink that missed a run gets what it lacks.
    away = config.parent / "away"
    (config.parent / "second").rename(away)
    (config.parent / "second").write_text("in the way")
    yield [], 3
    (config.parent / "second").unlink()
    away.rename(config.parent / "second")
    yield ["--fail-on", "new"], 0
    for path in (config.parent / "incoming/beijing").iterdir():
        path.unlink()
    yield [], 1
    for name in ("archive", "second"):
        (config.parent / name).rename(config.parent / f"{name}-away")
        (config.parent / name).write_text("in the way")
    yield [], 3


def test_every_line_of_every_run_is_of_the_published_shape(
    config: Path, strict: jsonschema.Draft202012Validator, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: set[str] = set()
    for options, code in nights(config):
        capsys.readouterr()
        assert execute(["run", "-c", str(config), "--json", *options]) == code, options
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        for line in lines:
            strict.validate(line)
            seen.add(line["type"])
        assert [line["type"] for line in lines].count("run.finished") == 1
        assert (lines[-1]["type"], lines[-1]["exit_code"]) == ("run.finished", code)
    assert seen >= {
        "source.listed", "planned", "item.done", "copied", "committed", "shown", "run.finished",
    }  # fmt: skip


def test_the_strict_schema_bites(strict: jsonschema.Draft202012Validator) -> None:
    good = {"type": "shown", "sink": "local", "pages": 3, "written": 5}
    assert strict.is_valid(good)
    for bad in ({**good, "more": 1}, {**good, "pages": "3"}, {"type": "shown"}, {"type": "unknown"}):
        assert not strict.is_valid(bad)


def test_without_a_terminal_there_is_no_colour_no_bar_and_no_question(config: Path) -> None:
    # Terminals that claim colours change nothing: it goes into a file.
    for words in (["run"], ["report"], ["run", "beijng"]):
        done = archive(config, *words, TERM="xterm-256color", COLORTERM="truecolor")
        for told in (done.stdout, done.stderr):
            assert "\x1b" not in told
            assert "\r" not in told
            assert not re.search(r"\[y/N\]|password:", told, re.IGNORECASE)
        assert done.returncode == {"run": 1, "report": 0}[words[0]] + (words[-1] == "beijng")


def test_with_json_standard_output_holds_json_alone(config: Path) -> None:
    done = archive(config, "run", "--json", "-v")
    assert [json.loads(line)["type"] for line in done.stdout.splitlines()][-1] == "run.finished"
    assert done.stderr
    config.write_text(CONFIG.replace("inbox", "inbocks", 1), encoding="utf-8")
    wrong = archive(config, "run", "--json")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert json.loads(wrong.stderr.splitlines()[-1])["error"]["exit_code"] == 2


WAITING = """
import sys, threading
from pathlib import Path
from archiver.cli.run import go
from line_kit import A, Item, World

world = World(Path(sys.argv[1]), events=(A,))
world.up.put(Item("x"), Item("y"))
run = world.prepared(jobs=1)

def second(name):
    if name == "y":
        print("fetching", file=sys.stderr, flush=True)
        run.stop.wait(60)

world.up.during_fetch = second
sys.exit(go(world.config, run, as_json=True))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_cleanly_and_the_next_goes_on(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WAITING, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(), text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        try:
            assert any(line == "fetching\n" for line in process.stderr)
            process.send_signal(number)
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    last = json.loads(out.splitlines()[-1])
    assert (last["type"], last["exit_code"], last["interrupted"]) == ("run.finished", 130, True)
    assert last["counts"]["a"]["src"] == {"new": 1}
    again = subprocess.run(
        [*command[:2], WAITING.replace('name == "y"', "False"), str(tmp_path)],
        stdin=subprocess.DEVNULL, capture_output=True, env=environment(), text=True, timeout=100, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["counts"]["a"]["src"] == {"same": 1, "new": 1}
