"""`tools/test-parts`: tests that need a program never pass by being skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "test-parts"


def call(path: str, *words: str) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash")
    assert bash
    environ = {**os.environ, "PATH": path}
    command = [bash, str(TOOL), *words]
    return subprocess.run(command, env=environ, check=False, capture_output=True, text=True, timeout=20)


def test_where_all_is_there_nothing_is_said() -> None:
    done = call(os.environ["PATH"], "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("words", [[], ["--check"]])
def test_what_cannot_be_installed_is_named_in_one_line(tmp_path: Path, words: list[str]) -> None:
    done = call(str(tmp_path), *words)  # no apt-get there
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "sudo apt-get install" in done.stderr
    assert "ffmpeg" in done.stderr


def test_another_word_is_wrong_usage(tmp_path: Path) -> None:
    done = call(os.environ["PATH"], "--chek")
    assert done.returncode == 2
    assert "--check" in done.stderr
