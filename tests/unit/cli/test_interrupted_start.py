"""Ctrl-C while the command is still loading ends it without a traceback; real processes, real signals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Where the loading is: what the process is about to import when the signal comes.
MOMENTS = (
    "archiver.cli",
    "click",
    "archiver.errors",
    "archiver.cli.ending",
    "archiver.cli.status",
    "archiver.cli.leaving",
)
#: A finder that sends Ctrl-C to its own process as one module is looked for, wherever that is.
HOOK = """
import importlib.abc, os, signal, sys

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
import runpy
sys.argv = ["archive", *sys.argv[1:]]
runpy.run_module("archiver", run_name="__main__", alter_sys=True)
"""


def call(moment: str, *arguments: str, how: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", f'"$@" {how}', "sh", sys.executable, "-c", HOOK, *arguments],
        env={**os.environ, "INTERRUPT_AT": moment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("moment", MOMENTS)
def test_it_ends_with_130_and_one_line(moment: str) -> None:
    done = call(moment, "status", "-c", "absent.yaml")
    lines = [line for line in done.stderr.splitlines() if line]  # click ends the line of ^C first
    assert done.returncode == 130
    assert lines[-1] == "Interrupted."
    # At the very end the command has said what it had to say.
    assert len(lines) == 1 or moment == "archiver.cli.leaving"
    assert "Traceback" not in done.stderr


def test_without_a_standard_error_it_ends_as_well() -> None:
    assert call("click", "status", how="2>&-").returncode == 130


def test_the_installed_command_begins_there_too() -> None:
    """What is above the `try` is loaded before anybody can catch anything."""
    pyproject = Path(__file__).parents[3] / "pyproject.toml"
    assert 'archive = "archiver.__main__:main"' in pyproject.read_text()
    code = (
        "import archiver.__main__, sys\nprint(*(name for name in sys.modules if name.startswith('archiver')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["archiver", "archiver.__main__"]
