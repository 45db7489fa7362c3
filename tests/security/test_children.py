"""What a child process that looks into files may not do, asked of the kernel itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.examine import Children
from archiver.examine.children import _Child

TRY = """
import os, resource, socket, sys, threading
from archiver.examine.confine import confine
print(confine(1 << 30, 64), flush=True)
target = sys.argv[1]
try:
    {attempt}
except (OSError, ValueError, MemoryError) as error:
    print(type(error).__name__)
else:
    print("done")
"""
REFUSED = {
    "socket": "socket.socket()",
    "pair": "socket.socketpair()",
    "fork": "os.fork() or os._exit(0)",
    "program": "os.execv('/bin/true', ['true'])",
    "spawn": "os.posix_spawn('/bin/true', ['true'], {{}})",
    "signal": "os.kill(os.getppid(), 0)",
    "new file": "open(target + '.new', 'x')",
    "append": "open(target, 'a')",
    "empty": "os.truncate(target, 0)",
    "remove": "os.unlink(target)",
    "rename": "os.rename(target, target + '.2')",
    "link": "os.link(target, target + '.3')",
    "symlink": "os.symlink(target, target + '.4')",
    "folder": "os.mkdir(target + '.5')",
    "mode": "os.chmod(target, 0o777)",
    "memory": "bytearray(2 << 30)",
    "more memory": "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))",
    "more files": "resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))",
    "the parent's limits": "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (9, 9))",
}


def attempt(code: str, target: Path) -> list[str]:
    program = TRY.replace("{attempt}", code).replace("{{}}", "{}")
    done = subprocess.run(
        [sys.executable, "-c", program, str(target)], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split()


@pytest.mark.parametrize("what", REFUSED)
def test_the_kernel_refuses_it(what: str, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("kept")
    confined, answer = attempt(REFUSED[what], target)
    assert confined == "True"
    assert answer in {"PermissionError", "ValueError", "MemoryError"}
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert target.read_text() == "kept"


@pytest.mark.parametrize(
    "code", ["open(target).read()", "t = threading.Thread(target=print); t.start(); t.join()", "os.getpid()"]
)
def test_what_decoders_need_is_left(code: str, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("kept")
    assert attempt(code, target)[-1] == "done"


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A child of a process that has secrets in its environment and files open; its place in /proc."""
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2hunter2")
    held = socket.socket()
    os.set_inheritable(held.fileno(), True)
    made = _Child(Children().limits)
    # An answer shows that it has bound itself.
    made.ask({"ask": "text", "path": os.devnull, "media_type": "text/plain", "seconds": 5}, 30)
    yield Path(f"/proc/{made._process.pid}")
    made.end()
    held.close()


def test_it_inherits_neither_secrets_nor_open_files(child: Path) -> None:
    environment = child.joinpath("environ").read_bytes()
    assert b"hunter2" not in environment
    assert {entry.partition(b"=")[0] for entry in environment.split(b"\0") if entry} <= {b"PATH", b"LANG"}
    places = [str(entry.readlink()) for entry in child.joinpath("fd").iterdir()]
    assert not [place for place in places if place.startswith("socket:")]
    assert all(place.startswith("pipe:") or place == os.devnull for place in places)


def test_its_limits_are_hard_and_calls_are_filtered(child: Path) -> None:
    lines = child.joinpath("limits").read_text().splitlines()
    limits = {line[:26].strip(): line[26:].split()[:2] for line in lines}
    assert limits["Max file size"] == ["0", "0"]
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max open files"] == ["128", "128"]
    assert limits["Max address space"] == [str(Children().limits.memory)] * 2
    assert limits["Max cpu time"][0] != "unlimited"
    status = dict(line.split(":\t", 1) for line in child.joinpath("status").read_text().splitlines())
    assert status["Seccomp"].strip() == "2"
    assert status["NoNewPrivs"].strip() == "1"
