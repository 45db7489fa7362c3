"""Bodies in chunks (RFC 9112, 7.1): their framing read to the letter, as it alone says where a body ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from archiver.web.breaks import Broken

if TYPE_CHECKING:
    import io

#: `int` takes "-5", "1_0", "+5" and "0x10" as well. Some servers write eight digits, "00001000", some a space
#: behind them; a line without its end may be the beginning of one: "000" of "0001000".
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")
#: How long a line of a size may be, with its extensions, and one of the fields behind the last chunk.
_LINE = 8192
_MAX_TRAILERS = 100


def read_size(file: io.BufferedIOBase) -> int:
    """Read the line before a chunk: how many bytes follow, 0 behind the last. Raises `Broken`."""
    match = _SIZE.fullmatch(_line(file))
    if match is None:
        raise Broken("a chunk of the answer has no clear size")
    return int(match[1], 16)


def end_chunk(file: io.BufferedIOBase) -> None:
    """Read the end of line behind a chunk. Raises `Broken`."""
    found = file.read(2)
    if len(found) < len(b"\r\n"):
        raise _cut()
    if found != b"\r\n":
        raise Broken("a chunk of the answer is longer than its size")


def pass_trailers(file: io.BufferedIOBase) -> None:
    """Read the fields behind the last chunk up to the empty line, and forget them. Raises `Broken`."""
    # Nothing of the body grows here, so no other limit would end it.
    for _ in range(_MAX_TRAILERS):
        if _line(file) in {b"\r\n", b"\n"}:
            return
    raise Broken("the answer has too many fields behind its body")


def _line(file: io.BufferedIOBase) -> bytes:
    line = file.readline(_LINE + 1)
    if len(line) > _LINE:
        raise Broken(f"a line between the chunks of the answer has more than {_LINE} bytes")
    if not line.endswith(b"\n"):
        raise _cut()
    return line


def _cut() -> Broken:
    return Broken("the answer ended before its last chunk was complete")
