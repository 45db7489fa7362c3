"""Where the messages in an mbox file are, by a look at its separator lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from archiver_plugins.mail.window import Window

#: `From jq@example.org Sun Sep 16 10:00:00 2012`, with a zone before or after the year; Mailman writes
#: "jq at example.org". A line of a body that begins with "From " has no such date, or no empty line before.
_SEPARATOR: Final = re.compile(
    rb"From .{0,400}?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(?:[A-Z][a-z]{2} +\d{1,2}|\d{1,2} +[A-Z][a-z]{2})"
    rb" +(?:\d{1,2}:\d\d(?::\d\d)?|\d{4}).{0,60}\r?\n?\Z"
)
_QUOTED: Final = re.compile(rb"^>(>*From )", re.MULTILINE)


def is_mbox(head: bytes) -> bool:
    """Say whether a file that begins so is an mbox."""
    return _SEPARATOR.match(head.partition(b"\n")[0] + b"\n") is not None


def messages(window: Window) -> Iterator[tuple[int, int]]:
    """Yield where each message begins, after its separator line, and ends."""
    start = window.start + len(window.line(window.start))
    position = window.start
    while (at := window.find(b"\nFrom ", position)) >= 0:
        position = at + 1
        if not _SEPARATOR.match(window.line(position)) or not _after_empty_line(window, at):
            continue
        # The empty line before the separator belongs to it.
        yield start, max(at, start)
        start = position + len(window.line(position))
    yield start, window.end


def _after_empty_line(window: Window, at: int) -> bool:
    return window.read(max(at - 2, window.start), 3).replace(b"\r", b"").endswith(b"\n\n")


def unquoted(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Undo the `>` before `From ` at the beginning of lines, as the reversible form of mbox has it."""
    pending = b""
    for piece in pieces:
        data = pending + piece
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) < 1 << 20:
            pending = data
            continue
        whole = whole or len(data)
        pending = data[whole:]
        yield _QUOTED.sub(rb"\1", data[:whole])
    yield _QUOTED.sub(rb"\1", pending)
