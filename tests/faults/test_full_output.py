"""What the command prints goes to a full disk: it ends with a code and, where it can, a reason."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

FULL = Path("/dev/full")  # answers every write as a full disk does
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def listed(environment: dict[str, str], errors: IO[Any] | int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "archiver", "plugins", "list"]
    with FULL.open("w") as full:
        return subprocess.run(
            command, env=environment, stdout=full, stderr=errors, text=True, timeout=60, check=False
        )


def test_a_full_disk_under_the_output_is_no_fault_of_the_program(child_environment: dict[str, str]) -> None:
    done = listed(child_environment, subprocess.PIPE)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "see whether the disk that the output goes to is full" in done.stderr
    assert "fault of the program" not in done.stderr


def test_a_full_disk_under_the_errors_leaves_the_exit_code(child_environment: dict[str, str]) -> None:
    with FULL.open("w") as full:
        assert listed(child_environment, full).returncode == 1
