"""Start runs of `archive` quickly, in processes of their own that can be stopped, traced and killed.

A process that has imported everything forks for each run: so what is counted from the start of a run are
its own calls, and not those of a thousand imports. It is spoken to in lines of JSON, by `Starter`.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

#: Whatever happens to a run, it must have come to its end by then.
DEADLINE = 90.0


@dataclass(frozen=True)
class How:
    """Circumstances of a run.

    `stopped` waits for SIGCONT before it does anything. `unsynced` runs on a disk that syncs nothing.
    `host` makes it one of another machine, whose lease is good for `ttl` seconds. `hasty` has less patience
    with services, so that a stalled one costs seconds.
    """

    stopped: bool = False
    unsynced: bool = False
    host: str = ""
    ttl: float = 0.0
    hasty: bool = False


@dataclass
class Runner:
    """A run that was started: its process is the leader of a group of its own."""

    starter: Starter
    pid: int
    folder: Path
    status: int | None = None

    def ended(self) -> bool:
        """Look whether it has come to an end; `status` is the exit code, or minus the signal."""
        if self.status is None:
            self.status = self.starter.ask({"poll": self.pid})["status"]
        return self.status is not None

    def wait(self, seconds: float = DEADLINE, until: Callable[[], bool] = lambda: False) -> int | None:
        """Wait for its end, or for something else; a run that hangs is killed, and has no status."""
        end = time.monotonic() + seconds
        while not self.ended() and not until():
            if time.monotonic() > end:
                self.kill()
                return None
            time.sleep(0.003)
        return self.status

    def kill(self) -> None:
        """End the whole group, without any goodbye."""
        self.send(signal.SIGKILL)
        while not self.ended():
            time.sleep(0.003)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the group, if it is still there."""
        if not self.ended():
            os.killpg(self.pid, number)

    def is_stopped(self) -> bool:
        """Say whether it stands still."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return fields[0] in "Tt"

    @property
    def output(self) -> str:
        """What it wrote so far."""
        file = self.folder / "stdout"
        # Killed before it even had its output: it has told nothing.
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    @property
    def errors(self) -> str:
        """What it complained of so far."""
        return (self.folder / "stderr").read_text(encoding="utf-8", errors="replace")

    def told(self) -> list[dict[str, Any]]:
        """Give what `run --json` has said so far; a line that was cut off is not said."""
        lines = self.output.split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]


class Starter:
    """The process that forks, while used as a context manager. `environment` is that of the runs."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        top = Path(__file__).parents[3]
        paths = [str(top / name) for name in ("src", "plugins", "tests")]
        # The real interpreter: what a virtual environment has is a link, which is enough.
        self._env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(environment or {})}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.campaign.starter"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._env,
            text=True,
            bufsize=1,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the process for something."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def start(self, folder: Path, *words: str, how: How | None = None, log: Path | None = None) -> Runner:
        """Start `archive` with the configuration in `folder`; its output goes to `log`."""
        how, log = how or How(), log or folder
        argv = [words[0] if words else "run", "-c", str(folder / "archive.yaml"), *words[1:]]
        answer = self.ask({"argv": argv, "cwd": str(folder), "log": str(log), "how": how.__dict__})
        runner = Runner(self, answer["pid"], log)
        if how.stopped:
            runner.wait(until=runner.is_stopped)
        return runner

    def run(self, folder: Path, *words: str, log: Path | None = None) -> Runner:
        """Do a whole run, and wait for it."""
        runner = self.start(folder, *words, log=log)
        runner.wait()
        return runner

    def load(self, modules: Sequence[str]) -> None:
        """Import more before the next fork."""
        self.ask({"load": list(modules)})


def _child(asked: Mapping[str, Any]) -> None:
    os.setpgid(0, 0)
    os.chdir(asked["cwd"])
    for number, name in ((1, "stdout"), (2, "stderr")):
        path = Path(asked["log"]) / name
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  # until the end
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  # likewise
    from archiver.cli import execute, streams

    streams.take_over()  # as the command does
    _arrange(How(**asked["how"]))
    code = execute(asked["argv"])
    streams.settle()
    if asked["argv"][0] == "run":
        names = json.dumps(sorted(sys.modules))
        with suppress(OSError):  # this write too can be the one that fails
            (Path(asked["log"]) / "modules").write_text(names, encoding="utf-8")
    os._exit(code)


def _arrange(how: How) -> None:
    from archiver import hold, instances
    from archiver.lease import Lease
    from archiver.web import Limits, PoliteClient

    if how.unsynced:
        setattr(os, "fsync", lambda _: None)  # noqa: B010  # mypy knows the name of its argument
    if how.host:
        setattr(socket, "gethostname", lambda: how.host)  # noqa: B010  # likewise
        setattr(hold, "Lease", functools.partial(Lease, ttl=how.ttl))  # noqa: B010  # a shorter life for it
    if how.hasty:
        limits = Limits(
            attempts=3, backoff=0.01, longest_backoff=0.05, longest_wait=2, read_seconds=1, page_seconds=6,
            file_seconds=6, rate_seconds=1,
        )  # fmt: skip
        setattr(instances, "PoliteClient", functools.partial(PoliteClient, limits=limits))  # noqa: B010  # likewise
    if how.stopped:
        os.kill(os.getpid(), signal.SIGSTOP)


def _fork(asked: Mapping[str, Any]) -> dict[str, Any]:
    pid = os.fork()
    if pid == 0:
        try:
            _child(asked)
        except BaseException as error:  # noqa: BLE001  # the end of this process
            os.write(2, f"the run raised {error!r}\n".encode())
        os._exit(99)
    with suppress(PermissionError, ProcessLookupError):  # it was quicker, and has done so itself
        os.setpgid(pid, pid)
    return {"pid": pid}


def _poll(pid: int) -> dict[str, Any]:
    done, status = os.waitpid(pid, os.WNOHANG)
    return {"status": os.waitstatus_to_exitcode(status) if done else None}


def _load(modules: Sequence[str]) -> dict[str, Any]:
    missing = []
    for name in modules:
        try:
            import_module(name)
        except Exception:  # noqa: BLE001  # what cannot be imported alone is imported later
            missing.append(name)
    return {"missing": missing}


def main() -> None:
    """Answer until nobody asks any more."""
    import_module("archiver.cli.run")
    for line in sys.stdin:
        asked = json.loads(line)
        if "poll" in asked:
            answer = _poll(asked["poll"])
        elif "load" in asked:
            answer = _load(asked["load"])
        else:
            answer = _fork(asked)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
