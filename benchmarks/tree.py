"""Run a command with all its children, and say what they used together.

Memory is the largest sum of proportional set sizes (proc(5), `smaps_rollup`), looked at five times a second:
pages that processes share count once.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY = 0.2


@dataclass(frozen=True)
class Use:
    """Seconds of wall clock and of CPU; peak memory in MB of the command alone, and with its children."""

    wall: float
    cpu: float
    alone: float
    memory: float


def run(command: Sequence[str], folder: Path) -> Use:
    """Run a command in `folder`. Ends this process with what it said when it fails."""
    peaks = [0, 0]
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        ended = threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, peaks, ended))
        watch.start()
        # Only this tells what the command and its own children used, and not ours before.
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watch.join()
        said.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{said.read()[-3000:]}")
    return Use(wall, used.ru_utime + used.ru_stime, peaks[0] / 1024, peaks[1] / 1024)


def _watch(pid: int, peaks: list[int], ended: threading.Event) -> None:
    while not ended.wait(_EVERY):
        sizes = [_size(each) for each in _family(pid)]
        peaks[0] = max(peaks[0], sizes[0])
        peaks[1] = max(peaks[1], sum(sizes))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = [int(each) for each in tasks.read_text().split()]
        except OSError:  # it has ended meanwhile
            continue
        for each in found:
            yield from _family(each)


def _size(pid: int) -> int:
    """Give the proportional set size in kB; nothing for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
