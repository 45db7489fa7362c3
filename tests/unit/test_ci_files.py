"""The files that people copy to run the archiver unattended: right as far as files can tell.

What they do when they run is shown in tests/e2e/test_nights.py.
"""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from workflow_kit import ACTION, GITHUB, GITLAB, ROOT, Machine, github, load

CI = ROOT / "docs" / "how-to" / "ci"
#: The command where a shell would look for one, and its options as far as no variable stands between them.
COMMANDS = re.compile(
    r"(?:^ *|[;&|({] ?|/bin/|if )archive ([a-z]+)((?: --?[a-z-]+(?: \"\$[A-Z_]+\"| new)?)*)", re.MULTILINE
)


def scripts() -> Iterator[tuple[str, str]]:
    for step in load(ACTION)["runs"]["steps"]:
        yield f"action: {step['name']}", step["run"]
    for job in load(GITHUB)["jobs"].values():
        yield from ((f"github: {step['name']}", step["run"]) for step in job["steps"] if "run" in step)
    for part in ("before_script", "script"):
        yield f"gitlab: {part}", "\n".join(load(GITLAB)["archive"][part])
    yield "cron", cron().split(maxsplit=6)[6]


def cron() -> str:
    lines = (CI / "archive.cron").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if re.match(r"\d", line)]
    return line


def steps() -> list[dict[str, Any]]:
    jobs = load(GITHUB)["jobs"].values()
    return [*load(ACTION)["runs"]["steps"], *(step for job in jobs for step in job["steps"])]


@pytest.mark.parametrize(("name", "script"), list(scripts()), ids=lambda value: value[:40])
def test_every_piece_of_shell_is_shell(name: str, script: str) -> None:
    bash = shutil.which("bash")
    assert bash, name
    done = subprocess.run([bash, "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), name
    assert "${{" not in script, "a value in a script is a way to run commands: hand it over in env"


def test_every_command_and_option_in_them_exists() -> None:
    from archiver.cli import LazyGroup

    group = LazyGroup()
    units = (CI / "archive.service").read_text(encoding="utf-8")
    calls = [found for _, script in [*scripts(), ("unit", units)] for found in COMMANDS.findall(script)]
    assert {name for name, _ in calls} == {"run", "status", "site"}
    for name, options in calls:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        known = {each for parameter in command.params for each in parameter.opts}
        assert {each for each in options.split() if each.startswith("-")} <= known


def test_a_linter_for_workflows_finds_nothing() -> None:
    """It knows injection, unpinned actions, wide permissions, secrets out of their environment."""
    tool = str(Path(sys.executable).with_name("zizmor"))
    done = subprocess.run(
        [tool, "--offline", "--no-progress", "--persona=auditor", "--format=json", str(ACTION), str(GITHUB)],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [f"{each['ident']}: {each['desc']}" for each in json.loads(done.stdout) if not each["ignored"]]
    assert (done.returncode, told) == (0, []), done.stderr


def test_the_linter_would_find_something(tmp_path: Path) -> None:
    path = tmp_path / "action.yml"
    text = ACTION.read_text(encoding="utf-8")
    path.write_text(text.replace('--config "$CONFIG"', "--config ${{ inputs.config }}"), encoding="utf-8")
    tool = str(Path(sys.executable).with_name("zizmor"))
    command = [tool, "--offline", "--no-progress", "--format=json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "template-injection" in done.stdout


def test_the_action_takes_and_gives_what_it_says() -> None:
    action = load(ACTION)
    assert action["inputs"].keys() == {"config", "arguments", "version", "fail-on"}
    assert action["outputs"].keys() == {"exit-code", "coverage", "report"}
    text = ACTION.read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == action["inputs"].keys()
    ids = {step.get("id") for step in action["runs"]["steps"]}
    assert set(re.findall(r"steps\.([a-z-]+)\.", text)) <= ids
    assert all("uses" not in step for step in action["runs"]["steps"])
    assert all(each["description"] for part in ("inputs", "outputs") for each in action[part].values())


def test_the_workflow_may_do_little_and_pins_what_it_uses() -> None:
    workflow = load(GITHUB)
    (job,) = workflow["jobs"].values()
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read"}
    assert workflow["concurrency"] == {"group": "archive", "cancel-in-progress": False}
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each) for each in used)


@pytest.mark.parametrize("path", [GITHUB, GITLAB, *sorted(CI.glob("archive.*"))], ids=lambda path: path.name)
def test_no_secret_stands_in_a_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    values = re.findall(r"(?im)^\s*[\w-]*(?:secret|password|token|_key|key_id)[\w-]*\s*[:=]\s*(.+)$", text)
    assert all(re.fullmatch(r"\$\{\{ secrets\.\w+ \}\}", value) for value in values)


def test_gitlab_runs_one_at_a_time_and_to_its_end() -> None:
    job = load(GITLAB)["archive"]
    assert (job["resource_group"], job["interruptible"]) == ("archive", False)
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-\S+", job["image"])
    assert "==$ARCHIVER_VERSION" in job["before_script"][0]
    assert all("latest" not in line for line in GITLAB.read_text(encoding="utf-8").splitlines())


def test_the_units_are_units() -> None:
    service, timer = (
        configparser.ConfigParser(strict=True, interpolation=None, delimiters=("=",)) for _ in range(2)
    )
    for parser in (service, timer):
        parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd minds upper case
    service.read(CI / "archive.service", encoding="utf-8")
    timer.read(CI / "archive.timer", encoding="utf-8")
    assert service.sections() == ["Unit", "Service"]
    assert timer.sections() == ["Unit", "Timer", "Install"]
    assert service["Service"]["Type"] == "oneshot"
    assert service["Service"]["User"] not in {"", "root"}
    assert service["Service"]["NoNewPrivileges"] == "yes"
    # A folder for state is made by systemd, and with ProtectSystem=strict it is all that can be written.
    assert service["Service"]["WorkingDirectory"] == f"/var/lib/{service['Service']['StateDirectory']}"
    assert timer["Timer"]["Persistent"] == "true"
    # A run that somebody stops leaves with 130, and has recorded what it stored.
    assert service["Service"]["SuccessExitStatus"] == "130"


def test_one_word_on_who_may_read_the_credentials() -> None:
    """Root for systemd, the user of cron for cron."""
    page = (CI / "index.md").read_text(encoding="utf-8")
    assert re.search(r"install -m (\d+) -g (\w+) /dev/null /etc/archive/credentials", page).groups() == (  # type: ignore[union-attr]  # or fail
        "640",
        "archive",
    )
    unit = (CI / "archive.service").read_text(encoding="utf-8")
    assert "chmod 640" in unit
    assert "600" not in unit + page


def test_the_line_for_cron() -> None:
    *when, user = cron().split(maxsplit=6)[:6]
    limits = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    assert all(
        value == "*" or low <= int(value) <= high for value, (low, high) in zip(when, limits, strict=True)
    )
    assert user == "archive"
    assert "%" not in cron()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine whose `archive` writes down with which words it was called."""
    (tmp_path / "repository").mkdir()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    stub = (
        f'#!{sys.executable}\nimport sys\nopen("{tmp_path}/calls", "a").write(repr(sys.argv[1:]) + "\\n")\n'
    )
    (bin_folder / "archive").write_text(stub + 'print(\'{"type": "run.finished", "coverage": 0.5}\')\n')
    (bin_folder / "archive").chmod(0o755)
    return Machine(tmp_path / "machine", tmp_path / "repository", {}, {"PATH": f"{bin_folder}:/usr/bin:/bin"})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", []),
        ("  ", []),
        ("--kind slides   --limit 50", ["--kind", "slides", "--limit", "50"]),
        ("--source 'my decks' ''", ["--source", "my decks", ""]),
        ("$(touch pwned) `touch pwned` * ~", ["$(touch", "pwned)", "`touch", "pwned`", "*", "~"]),
        ('"; touch pwned; #" \n beijing', ["; touch pwned; #", "beijing"]),
        ("西安 --jobs\t2", ["西安", "--jobs", "2"]),
    ],
)
def test_arguments_are_words_and_nothing_else(machine: Machine, arguments: str, words: list[str]) -> None:
    done = github(machine, {"arguments": arguments})
    assert (done["result"], done["coverage"]) == ("success", "0.5"), machine.log
    calls = (machine.folder.parent / "calls").read_text(encoding="utf-8").splitlines()
    wanted = ["run", "--config", "archive.yaml", "--fail-on", "new", "--json", *words]
    assert calls[0] == repr(wanted)
    assert not list(machine.folder.rglob("pwned"))


def test_words_that_are_none_run_nothing(machine: Machine) -> None:
    done = github(machine, {"arguments": "--source 'my decks"})
    assert (done["result"], done["exit-code"], done["report"]) == ("failure", "2", "")
    calls = (machine.folder.parent / "calls").read_text(encoding="utf-8").splitlines()
    assert not any(call.startswith("['run'") for call in calls)
    assert "The input arguments cannot be split into words: No closing quotation." in machine.log
    assert "Traceback" not in machine.log
    assert " 'run'" not in (machine.folder.parent / "calls").read_text().replace("[", " ")


@pytest.mark.parametrize(
    ("version", "code"), [("0.1.0; touch pwned", 2), ("--pre", 2), ("../other", 2), ("0.1.0\nx", 2)]
)
def test_a_version_is_a_version(machine: Machine, version: str, code: int) -> None:
    (install,) = (step for step in load(ACTION)["runs"]["steps"] if step.get("id") == "install")
    assert machine.shell(install["run"], {"VERSION": version}) == code
    assert "must be a release" in machine.log
    assert not list(machine.folder.rglob("pwned"))


def _says(machine: Machine, script: str) -> None:
    """Let `archive run` do something else; the other commands only say what the archive has."""
    path = machine.folder.parent / "bin" / "archive"
    path.write_text(
        f"#!{sys.executable}\nimport sys\nif sys.argv[1] != 'run':\n    print('{{\"coverage\": 0.5}}')\n"
        f"    sys.exit()\n{script}\n"
    )


def test_words_that_make_no_run_are_no_success(machine: Machine) -> None:
    _says(machine, "print('Usage: archive run [OPTIONS]')")
    done = github(machine, {"arguments": "--help"})
    assert (done["result"], done["exit-code"], done["report"]) == ("failure", "2", "")
    assert "There was no run" in machine.log
    assert "All done." not in machine.summary


@pytest.mark.parametrize("code", [0, 1, 3])
def test_no_title_commands_the_runner(machine: Machine, code: int) -> None:
    _says(
        machine,
        'print(\'{"type": "run.finished"}\')\n'
        f"sys.stderr.write('::error:: a title: 1 new\\n')\nsys.exit({code})",
    )
    done = github(machine)
    assert done["exit-code"] == str(code)
    assert done["report"].endswith("archive-run.jsonl")
    obeyed, word = [], ""
    for line in machine.log.splitlines():
        # As the runner does it: nothing is a command until the word that was named.
        if word:
            word = "" if line == f"::{word}::" else word
        elif line.startswith("::stop-commands::"):
            word = line.removeprefix("::stop-commands::")
            assert re.fullmatch(r"[0-9a-f]{40}", word)
        elif line.startswith("::"):
            obeyed.append(line)
    assert "::error:: a title: 1 new" in machine.log
    assert (obeyed, word) == ([], "")
