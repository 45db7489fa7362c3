"""Ending a program with everything that it started.

Its group ends by one signal. A child that left the group is known by the program's own directory: its
`HOME`, or where it works. That needs `/proc`; elsewhere the group alone is ended.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
#: Looks for children that appeared while others were ended: a program may start them as fast as it can.
_ROUNDS = 20


def end(group: int, home: Path) -> None:
    """Kill the group of that number, and whoever else calls `home` its home."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    for _ in range(_ROUNDS):
        found = list(_strays(home))
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def _strays(home: Path) -> Iterator[int]:
    with suppress(OSError):
        for each in _PROC.iterdir():
            if each.name.isdecimal() and int(each.name) != os.getpid() and _belongs(each, home):
                yield int(each.name)


def _belongs(process: Path, home: Path) -> bool:
    try:
        if os.fsencode(f"HOME={home}") in (process / "environ").read_bytes().split(b"\0"):
            return True
        return (process / "cwd").readlink().is_relative_to(home)
    except OSError:  # ended since, or somebody else's; a dead one that nobody has waited for has neither
        return False


def clear(folder: Path) -> None:
    """Remove a directory, also where the program made parts of it read-only."""
    with suppress(OSError):
        for where, names, _ in os.walk(folder):
            for name in names:
                path = Path(where, name)
                if not stat.S_ISLNK(path.lstat().st_mode):
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
