"""The files that a program says it brought: inside their directory, plain, readable, and finished."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from archiver import api
from archiver_plugins.command import messages


def taken(files: Iterable[messages.File], into: Path) -> Iterator[api.Fetched]:
    """Take the files that a program named away from it, and give them to the core, which proves the rest.

    Each moves into a directory of our own below `into`: whoever opens it by the name that the program
    knows writes another file. Raises `InvalidError`.
    """
    paths = [(file, _path(file.path)) for file in files]
    if len({path for _, path in paths}) < len(paths):
        raise api.InvalidError("the program named one file twice", hint="name each file once")
    ours = Path(tempfile.mkdtemp(prefix="taken-", dir=into))
    for number, (file, path) in enumerate(paths):
        place = ours / str(number)
        place.mkdir()
        _take(into, path, place)
        yield api.Fetched(
            (place / path.name).relative_to(into),
            api.Role(file.role),
            api.Grade(file.grade),
            label=file.label,
            media_type=file.media_type,
        )


def _path(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or not path.parts:
        raise api.InvalidError(
            f"the program named the file {name[:200]!r}",
            hint="a path is relative to `into`, and has no `..`",
        )
    return path


def _take(into: Path, path: PurePosixPath, place: Path) -> None:
    """Go to a file step by step, following no link, and move it. Raises `InvalidError`."""
    handle = os.open(into, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in path.parts[:-1]:
            handle = _step(handle, name, os.O_DIRECTORY)
        with suppress(OSError):  # `cp -a` brings directories in which nobody may change a name
            os.fchmod(handle, 0o700)
        os.rename(path.name, place / path.name, src_dir_fd=handle)
        os.close(handle)
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        # Without O_NONBLOCK a pipe would hold us for ever.
        handle = _step(handle, path.name, os.O_NONBLOCK)
        _prove(handle, path)
    except OSError as error:  # ELOOP, ENOTDIR, ENOENT, EACCES, ENXIO, ENAMETOOLONG
        raise api.InvalidError(
            f"the program named {str(path)!r}, which is no file of its own there: {error.strerror}",
            hint="write plain files below `into`, and name them when they are whole",
        ) from error
    finally:
        os.close(handle)


def _prove(handle: int, path: PurePosixPath) -> None:
    """See that an open file is a plain one, and that nobody writes it. Raises `InvalidError`."""
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise api.InvalidError(f"the program brought {str(path)!r}, which is no plain file")
    # After it moved: who has it open now is all who can write it.
    if _is_written(handle):
        raise api.InvalidError(
            f"the program named {str(path)!r} while something still writes it",
            hint="close a file, and wait for what writes it, before you name it",
        )


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
