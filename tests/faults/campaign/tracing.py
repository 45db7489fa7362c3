"""Meddle with the system calls of a run: kill it at one of them, or let one fail, by strace."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from faults.campaign.ground import Ground
from faults.campaign.starter import DEADLINE, How, Runner

#: The calls by which a run changes or reads the disk. Other systems and C libraries use other ones of a
#: group, so that they count together; "?" lets strace pass over those that this machine does not have.
CALLS = {
    "write": "write,?pwrite64",
    "fsync": "fsync,?fdatasync",
    "rename": "?rename,?renameat,?renameat2",
    "link": "?link,?linkat",
    "mkdir": "?mkdir,?mkdirat",
    "unlink": "?unlink,?unlinkat",
    "openat": "?open,openat",
    "close": "close",
}


def is_possible() -> str:
    """Say why nothing can be traced here; nothing when it can."""
    return "" if shutil.which("strace") else "strace is not installed: tools/test-parts installs it"


class Trace:
    """strace on a run, from its first step on. `options` say what it does; `log` gets the calls."""

    def __init__(self, runner: Runner, options: Sequence[str], log: Path) -> None:
        self._runner = runner
        self._errors = log.with_suffix(".errors")
        command = ["strace", "-f", "-p", str(runner.pid), "-o", str(log), *options]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors)
        self._attached()
        runner.send(signal.SIGCONT)

    def _attached(self) -> None:
        end = time.monotonic() + DEADLINE
        while "attached" not in (told := self._errors.read_text()):
            if self._process.poll() is not None or time.monotonic() > end:
                self._runner.kill()
                raise SystemExit(f"strace could not be attached: {told}")
            time.sleep(0.003)

    def wait(self) -> int | None:
        """Wait until the run has come to an end; None for one that hangs."""
        status = self._runner.wait()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()  # a helper of the run may have been stuck: nobody waits for it any more
        self._process.wait()
        return status


def injected(ground: Ground, folder: Path, group: str, what: str, number: int) -> tuple[Runner, int | None]:
    """Do a run that `what` happens to at its n-th call of a group; say how it ended.

    `what` is in strace's words: `signal=KILL`, `error=ENOSPC`. Each thread counts for itself.
    """
    runner = ground.start(folder, How(stopped=True))
    calls = CALLS[group]
    options = ["-e", f"trace={calls}", "-e", f"inject={calls}:{what}:when={number}"]
    return runner, Trace(runner, options, folder / "calls").wait()


def counted(ground: Ground, *, begun: bool) -> dict[str, int]:
    """Say how many calls of each group the busiest thread of an undisturbed run makes; traced once only."""
    name = "counted-later" if begun else "counted-first"
    kept = ground.folder / f"{name}.json"
    if not kept.exists():
        kept.write_text(json.dumps(_count(ground, ground.trial(name, begun=begun))), encoding="utf-8")
    most: dict[str, int] = json.loads(kept.read_text(encoding="utf-8"))
    return most


def _count(ground: Ground, folder: Path) -> dict[str, int]:
    runner = ground.start(folder, How(stopped=True))
    log = folder / "calls"
    if Trace(runner, ["-e", f"trace={','.join(CALLS.values())}"], log).wait() != 0:
        raise SystemExit(f"the traced run did not end well: {runner.errors[-2000:]}")
    # 4711 fsync(7)   = 0: a line of another kind, such as "resumed", belongs to a call counted before.
    lines = re.findall(r"(?m)^(\d+) +(\w+)\(", log.read_text(errors="replace"))
    group = {name.lstrip("?"): key for key, names in CALLS.items() for name in names.split(",")}
    # As strace counts: each call by its own name, in each thread.
    seen = Counter((thread, call) for thread, call in lines if call in group)
    most = dict.fromkeys(CALLS, 0)
    for (_, call), times in seen.items():
        most[group[call]] = max(most[group[call]], times)
    return most
