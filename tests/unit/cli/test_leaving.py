"""A process ends with its exit code, whatever plugins left running."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

SCRIPT = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
from archiver.cli import leaving
leaving.PATIENCE = 0.5
{left}
print("Done")
leaving.leave({code})
"""
THREAD = "threading.Thread(target=time.sleep, args=(60,), name='sync of the plugin').start()"
POOL = "ThreadPoolExecutor(1, 'its pool').submit(time.sleep, 60)"


@pytest.mark.parametrize(("left", "named"), [(THREAD, "sync of the plugin"), (POOL, "its pool_0")])
def test_a_thread_left_running_does_not_keep_the_process_alive(left: str, named: str) -> None:
    began = time.monotonic()
    script = SCRIPT.format(left=left, code=4)
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=50
    )
    assert time.monotonic() - began < 45  # and not the 60 seconds of what was left
    assert (done.returncode, done.stdout) == (4, "Done\n")
    assert named in done.stderr


def test_without_any_it_ends_at_once_and_says_nothing() -> None:
    script = SCRIPT.format(left="ThreadPoolExecutor(1).submit(len, ())", code=0)
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=50
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "Done\n", "")
