"""Run a command as a process of its own, and say what it cost."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, permutations
from pathlib import Path

# A small process starts the command and counts: Linux adds the memory of whoever starts a process to
# that process's peak, and ours holds pictures. wait4 tells what the command and its own children used.
_COUNT = """
import json, os, sys, time
begun = time.perf_counter()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
figures = [time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]
json.dump(figures, open(sys.argv[1], "w"))
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""

# Installed programs start from compiled modules; ours lies in a source tree, and compiles them once.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Cost:
    """Seconds of wall clock, seconds of CPU with those of its own children, peak memory in MB."""

    wall: float
    cpu: float
    memory: float


def run(command: Sequence[str], folder: Path) -> Cost:
    """Run a command in `folder` and wait for it. Ends this process with what it said when it fails."""
    with tempfile.NamedTemporaryFile("r") as figures:
        count = [sys.executable, "-I", "-S", "-c", _COUNT, figures.name, *command]
        done = subprocess.run(
            count,
            cwd=folder,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
        return Cost(*json.load(figures))


def turns(names: Sequence[str], rounds: int) -> Iterator[str]:
    """Name whose turn it is, in every order one after the other.

    Not in one that only rotates: then each client has the same one before it. What that deleted (aria2c has
    a control file for each download) costs the next one on ext4, which looks for inodes past all of them.
    """
    for order in islice(cycle(permutations(names)), rounds):
        yield from order


def median(costs: Sequence[Cost]) -> Cost:
    """Give the median of each figure."""
    figures = zip(*((cost.wall, cost.cpu, cost.memory) for cost in costs), strict=True)
    return Cost(*map(statistics.median, figures))


def report(title: str, costs: Mapping[str, Sequence[Cost]], ours: str) -> None:
    """Print the medians, and ratios to the client that is called `ours`."""
    mine = median(costs[ours])
    print(f"{title:38} {'wall s':>7} {'min-max':>13} {'/ ours':>7} {'CPU s':>7} {'/ ours':>7} {'MB':>5}")
    for name, runs in costs.items():
        cost = median(runs)
        spread = f"{min(run.wall for run in runs):.2f}-{max(run.wall for run in runs):.2f}"
        wall = f"{cost.wall:7.2f} {spread:>13} {cost.wall / mine.wall:7.2f}"
        print(f"{name:38} {wall} {cost.cpu:7.2f} {cost.cpu / mine.cpu:7.2f} {cost.memory:5.0f}")
