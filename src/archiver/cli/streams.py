"""Standard output, kept for what the program itself says.

Plugins, the libraries that they use and the programs that they start print too: to `sys.stdout`, to file
descriptor 1, by a child that inherits it. One such line in the middle of `archive run --json` makes it
unreadable for a machine. So the program keeps standard output under a descriptor of its own, which no child
inherits, and descriptor 1 leads to standard error.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

import click

from archiver.errors import ConfigError

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: Descriptors from here on are seldom met by a loop that closes the first few ("for fd in range(3, 20)").
_HIGH = 64


class OutputError(OSError):
    """What standard output or standard error leads to did not take what was written."""


class _Told(io.FileIO):
    """A descriptor whose errors can be told from those of other files, whatever the system calls them."""

    def write(self, data: Buffer, /) -> int:
        """Write. Raises `OutputError`, or `BrokenPipeError` when nobody reads any more."""
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(error.errno, error.strerror) from error


class _Steady(io.TextIOWrapper):
    """A standard stream that a plugin cannot close: it belongs to the whole process."""

    def close(self) -> None:
        """Write what waits, and stay open."""
        with suppress(OSError, ValueError):
            self.flush()


class _State:
    """Where this process writes. In tests, which call `execute`, nothing is taken over."""

    ours: TextIO | None = None
    others: TextIO | None = None
    closed: bool = False


def take_over() -> None:
    """Keep standard output for the program; called once, by the process entry, before any plugin is loaded.

    Whatever writes to descriptor 1 from now on reaches standard error. A standard stream that the caller
    closed (`archive run >&-`) gets its descriptor taken: the next file opened there would be written into.
    """
    _State.closed = sys.stdout is None
    before = sys.stdout
    _fill_gaps()
    with suppress(OSError, ValueError):
        if before is not None:
            before.flush()
    stdout = _State.ours = _Steady(
        _opened(_duplicate(1)),
        encoding=before.encoding if before is not None else "utf-8",
        # A Chinese title on a terminal set to Latin-1 is written with escapes instead of failing.
        errors="backslashreplace",
        line_buffering=os.isatty(1),
    )
    os.dup2(2, 1)
    _State.others, sys.stderr = _for_people(1), _for_people(_duplicate(2))
    sys.stdout = stdout


def keep_for_machines() -> None:
    """Let nothing but `echo` write to standard output from now on: what others print goes to standard error.

    Raises `ConfigError` when standard output was closed by whoever started the program.
    """
    if _State.closed:
        raise ConfigError(
            "standard output is closed: there is nowhere to write the results to",
            hint="send it somewhere: into a file with > run.jsonl, or to /dev/null",
        )
    if _State.others is not None:
        sys.stdout = _State.others


def echo(text: str, *, nl: bool = True) -> None:
    """Write a text of the program itself to standard output."""
    click.echo(text, file=_State.ours, nl=nl)


def ours() -> TextIO:
    """Give the standard output of the program itself."""
    return _State.ours or sys.stdout


def give_up() -> None:
    """Let what is still to be written lead nowhere: nobody reads, or the disk is full.

    Python writes what waits once more when it ends, and would fail on it once more.
    """
    if _State.ours is not None:
        _lead_nowhere(_State.ours)


def settle() -> None:
    """Write what waits, or let it go where nothing takes it: the exit code is the command's all the same."""
    for stream in filter(None, (_State.ours, _State.others, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            _lead_nowhere(stream)


def _lead_nowhere(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fill_gaps() -> None:
    """Let the descriptors 0 to 2 lead nowhere where the caller closed them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)


def _duplicate(number: int) -> int:
    """Duplicate a descriptor to a high number that children do not inherit."""
    try:
        import fcntl
    except ImportError:  # a system without it
        return os.dup(number)
    return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _HIGH)


def _opened(number: int) -> io.BufferedWriter:
    """Open a descriptor for as long as the process runs."""
    return io.BufferedWriter(_Told(number, "wb", closefd=False))


def _for_people(number: int) -> _Steady:
    """Open a descriptor that leads to standard error, as Python itself does: each line goes out at once."""
    stderr = sys.__stderr__
    return _Steady(
        _opened(number),
        encoding=stderr.encoding if stderr is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
