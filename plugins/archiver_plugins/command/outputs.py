"""The files that a program says it brought: inside their directory, plain, readable, and finished."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
from contextlib import suppress
from pathlib import Path, PurePosixPath

from archiver import api
from archiver_plugins.command import messages


def fetched(file: messages.File, into: Path) -> api.Fetched:
    """Give the core what a program says of one file. Raises `InvalidError`; the core proves the rest."""
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or "\0" in file.path or not path.parts:
        raise api.InvalidError(
            f"the program named the file {file.path[:200]!r}",
            hint="a path is relative to `into`, and has no `..`",
        )
    _check(into, path)
    return api.Fetched(
        Path(path),
        api.Role(file.role),
        api.Grade(file.grade),
        label=file.label,
        media_type=file.media_type,
    )


def _check(into: Path, path: PurePosixPath) -> None:
    """Open it step by step, following no link. Raises `InvalidError`."""
    handle = os.open(into, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in path.parts[:-1]:
            handle = _step(handle, name, os.O_DIRECTORY)
        # Without O_NONBLOCK a pipe would hold us for ever.
        handle = _step(handle, path.parts[-1], os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise api.InvalidError(f"the program brought {str(path)!r}, which is no plain file")
        if _is_written(handle):
            raise api.InvalidError(
                f"the program named {str(path)!r} while something still writes it",
                hint="close a file, and wait for what writes it, before you name it",
            )
    except OSError as error:  # ELOOP, ENOTDIR, ENOENT, EACCES, ENXIO, ENAMETOOLONG
        raise api.InvalidError(
            f"the program named {str(path)!r}, which is no file of its own there: {error.strerror}",
            hint="write plain files below `into`, and name them when they are whole",
        ) from error
    finally:
        os.close(handle)


def _step(handle: int, name: str, flags: int) -> int:
    after = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=handle)
    os.close(handle)
    return after


def _is_written(handle: int) -> bool:
    """Say whether somebody has a file open for writing: then Linux grants no read lease (fcntl(2))."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    with suppress(OSError):  # the signal that would tell of somebody who comes now: one that nobody minds
        fcntl.fcntl(handle, getattr(fcntl, "F_SETSIG", 10), signal.SIGURG)
    try:
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:  # this file system grants none at all
        return False
    fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
