"""How the command ends: the message for each kind of error, and its exit code."""

from __future__ import annotations

import errno
import json
import os
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from archiver.cli import streams
from archiver.errors import ArchiverError

INTERRUPTED = 130
FAULT_HINT = "this is a fault of the program: run the command again with -v and report what it prints"
#: For what the system refuses outside of any sink: the output that goes into a file on a full disk.
SYSTEM_HINT = (
    "the system refused it: see whether the disk that the output goes to is full or failing, then run again"
)
#: What a disk answers that is full, failing or not to be written.
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG})


@dataclass
class Output:
    """How the user wants to be answered: filled in by the common options of a command."""

    verbose: bool = False
    as_json: bool = False
    config_path: Path | None = None


def colour() -> bool | None:
    """Say whether to colour: `False` when NO_COLOR is set (no-color.org), `None` to look at the stream."""
    return False if os.environ.get("NO_COLOR") else None


def tell(error: BaseException, output: Output) -> int:
    """Tell the error on stderr; return the exit code."""
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        streams.give_up()  # nobody reads any more (`archive search … | head`)
        return 1
    if _is_of_the_system(error):
        streams.give_up()
    if isinstance(error, KeyboardInterrupt | click.Abort | EOFError):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    if isinstance(error, click.ClickException) and not output.as_json:
        error.show()
        return _click_code(error)
    with suppress(OSError):  # stderr too may go into a file on a full disk: the code still tells
        _write(describe(error), error, output)
    return int(describe(error)["exit_code"])


def describe(error: BaseException) -> dict[str, Any]:
    """Return type, message, hint and exit_code of an error, and what else it has for machines."""
    if isinstance(error, ArchiverError):
        about = {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
        return {"type": type(error).__name__, **about, **_details(error)}
    if isinstance(error, click.ClickException):
        about = {"message": error.format_message(), "hint": "", "exit_code": _click_code(error)}
        return {"type": type(error).__name__, **about}
    hint = SYSTEM_HINT if _is_of_the_system(error) else FAULT_HINT
    message = f"unexpected {type(error).__name__}: {error}"
    return {"type": type(error).__name__, "message": message, "hint": hint, "exit_code": 1}


def _details(error: ArchiverError) -> dict[str, Any]:
    as_dict = getattr(error, "as_dict", None)
    return dict(as_dict()) if callable(as_dict) else {}


def _click_code(error: click.ClickException) -> int:
    # A file that cannot be opened is wrong usage here; click gives it 1.
    return 2 if isinstance(error, click.FileError) else error.exit_code


def _write(about: dict[str, Any], error: BaseException, output: Output) -> None:
    if output.verbose and not isinstance(error, click.ClickException):
        click.echo(printable("".join(traceback.format_exception(error))), err=True, nl=False)
    if output.as_json:
        click.echo(json_text({"error": about}), err=True)
        return
    click.echo(click.style("Error: ", fg="red", bold=True) + printable(about["message"]), err=True)
    if about["hint"]:
        click.echo(click.style("What to do: ", bold=True) + printable(about["hint"]), err=True)


def printable(text: str) -> str:
    r"""Escape what would steer the terminal: a title may hold `\x1b[2J` or a right-to-left override."""
    if text.isprintable():  # as nearly every line of progress is
        return text
    return "".join(c if c == "\n" or c.isprintable() else ascii(c)[1:-1] for c in text)


def json_text(value: Any, indent: int | None = None) -> str:
    """Write JSON that can be shown: letters of any script as they are, and nothing that steers a terminal.

    `json` escapes controls below U+0020 alone; U+009B begins a command too, and U+202E turns the line.
    """
    text = json.dumps(value, ensure_ascii=False, default=str, indent=indent)
    # Outside of strings JSON is ASCII: what is no printable character here is inside one.
    return "".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _is_of_the_system(error: BaseException) -> bool:
    if isinstance(error, streams.OutputError):
        return True
    return isinstance(error, OSError) and error.errno in _DISK
