"""The steps of a workflow file, run on this machine as the runner of the CI would run them.

Only what our own files use is known; anything else is an error, so that no step is passed over unseen.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
ACTION = ROOT / "action.yml"
GITHUB = ROOT / "docs" / "how-to" / "ci" / "nightly.yml"
GITLAB = ROOT / "docs" / "how-to" / "ci" / "gitlab-ci.yml"
#: GitHub's own way to call the two shells that our files use.
_SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
#: The step that installs the program. It needs a package index; the environment of the tests stands in.
INSTALLS = "install"


def load(path: Path) -> dict[str, Any]:
    """Read a workflow; YAML 1.1 takes the word "on" for true, which does not matter here."""
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return data


@dataclass
class Machine:
    """A machine with nothing on it: `folder` is new, `given` its variables and secrets by their names.

    `process` is the shell that runs at the moment; `kill` takes the machine's power away.
    """

    folder: Path
    repository: Path
    given: Mapping[str, str]
    environ: Mapping[str, str]
    process: subprocess.Popen[str] | None = None
    killed: bool = False
    log: str = ""
    summary: str = ""
    ran: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("home", "temp", "work"):
            (self.folder / name).mkdir(parents=True)
        clean = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
        # The tests' own environment comes first, as the folder that the step INSTALLS puts there would.
        clean["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
        temp = str(self.folder / "temp")
        self._env = {**clean, "HOME": str(self.folder / "home"), "RUNNER_TEMP": temp, **self.environ}

    def kill(self) -> None:
        """End every process of the machine at once."""
        self.killed = True
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def shell(self, script: str, env: Mapping[str, str]) -> int:
        """Run a piece of shell in the work tree; give its exit code."""
        path = self.folder / "temp" / "step.sh"
        path.write_text(script, encoding="utf-8")
        self.process = subprocess.Popen(
            [*_SHELL, str(path)],
            cwd=self.folder / "work",
            env={**self._env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            self.log += self.process.communicate(timeout=100)[0]
        finally:
            self.kill_rest()
        return self.process.returncode

    def kill_rest(self) -> None:
        """Leave no process behind."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def checkout(self) -> None:
        """Put the files of the repository into the work tree."""
        shutil.copytree(self.repository, self.folder / "work", dirs_exist_ok=True)


def github(machine: Machine, inputs: Mapping[str, str] | None = None) -> dict[str, str]:
    """Run the only job of the workflow for GitHub; give its result and the outputs of the action."""
    workflow = load(GITHUB)
    (job,) = workflow["jobs"].values()
    known = {
        **{f"{kind}.{name}": value for name, value in machine.given.items() for kind in ("secrets", "vars")},
        **{f"inputs.{name}": value for name, value in (inputs or {}).items()},
    }
    return _Steps(machine, known, job.get("env", {})).run(job["steps"])


class _Steps:
    """A list of steps with the values that they can refer to; absent ones are empty, as at GitHub."""

    def __init__(self, machine: Machine, known: Mapping[str, str], env: Mapping[str, str]) -> None:
        self.machine, self.known = machine, dict(known)
        self.env = self._filled(env)
        self.failed = False

    def run(self, steps: list[dict[str, Any]]) -> dict[str, str]:
        for step in steps:
            if self.machine.killed or not self._wanted(step.get("if", "success()")):
                continue
            outputs, code = self._one(step, {**self.env, **self._filled(step.get("env", {}))})
            self.failed = self.failed or code != 0
            self.known |= {f"steps.{step.get('id')}.outputs.{name}": each for name, each in outputs.items()}
        return {"result": "failure" if self.failed else "success", **self._outputs()}

    def _outputs(self) -> dict[str, str]:
        found = {name: value for name, value in self.known.items() if name.startswith("steps.")}
        return {name.rpartition(".")[2]: value for name, value in found.items()}

    def _one(self, step: Mapping[str, Any], env: dict[str, str]) -> tuple[dict[str, str], int]:
        self.machine.ran.append(str(step.get("id") or step["name"]))
        uses = str(step.get("uses", ""))
        if uses.startswith("actions/checkout@"):
            self.machine.checkout()
            return {}, 0
        if uses.partition("@")[0].endswith("/event-archiver"):
            return self._action(step, env)
        assert not uses, f"no test knows {uses}"
        if step.get("id") == INSTALLS:
            return {}, 0
        return self._shell(str(step["run"]), env)

    def _action(self, step: Mapping[str, Any], env: dict[str, str]) -> tuple[dict[str, str], int]:
        action = load(ACTION)
        given = self._filled(step.get("with", {}))
        assert given.keys() <= action["inputs"].keys()
        inputs = {
            f"inputs.{name}": given.get(name, each["default"]) for name, each in action["inputs"].items()
        }
        inner = _Steps(self.machine, inputs, env)
        done = inner.run(action["runs"]["steps"])
        outputs = {name: inner.fill(each["value"]) for name, each in action["outputs"].items()}
        return outputs, int(done["result"] == "failure")

    def _shell(self, script: str, env: dict[str, str]) -> tuple[dict[str, str], int]:
        assert "${{" not in script, "values reach a script through the environment alone"
        temp = self.machine.folder / "temp"
        files = {f"GITHUB_{name}": temp / name for name in ("OUTPUT", "STEP_SUMMARY", "PATH")}
        for path in files.values():
            path.write_text("")
        code = self.machine.shell(script, {**env, **{name: str(path) for name, path in files.items()}})
        self.machine.summary += files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        lines = files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines), code

    def fill(self, text: str) -> str:
        """Put the values where the text refers to them."""
        return _EXPRESSION.sub(lambda found: self.known.get(found[1], ""), text)

    def _filled(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {name: self.fill(str(value)) for name, value in values.items()}

    def _wanted(self, condition: str) -> bool:
        return all(self._holds(part.strip()) for part in condition.split("&&"))

    def _holds(self, part: str) -> bool:
        if part == "always()":
            return True
        if part == "success()":
            return not self.failed
        name, value = re.fullmatch(r"(\S+) != '(.*)'", part).groups()  # type: ignore[union-attr]  # or fail
        return self.known.get(name, "") != value


def gitlab(machine: Machine) -> int:
    """Run the script of the only job for GitLab, as its runner would: lines one after the other."""
    workflow = load(GITLAB)
    job = workflow["archive"]
    machine.checkout()
    env = {**job["variables"], **machine.given}
    return machine.shell("\n".join(job["script"]), env)
