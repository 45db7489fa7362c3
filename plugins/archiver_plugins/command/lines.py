"""Lines of bytes from a program: bounded, and read as strict JSON."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, NoReturn

#: Bytes of one message: the longest description, `extra` and cursor that the archiver keeps fit, escaped.
MAX_LINE: Final = 4 << 20


class ProtocolError(Exception):
    """A program said something that the protocol does not allow; the text says what."""


class Lines:
    """Cuts a stream into lines, holding one unfinished line at most."""

    def __init__(self, longest: int = MAX_LINE) -> None:
        self._longest = longest
        self._whole: deque[bytes] = deque()
        self._rest = bytearray()

    def add(self, data: bytes) -> None:
        """Take what came. Raises `ProtocolError` for a line that is too long."""
        first, *others = data.split(b"\n")
        self._rest += first
        for part in others:
            self._check()
            self._whole.append(bytes(self._rest))
            self._rest = bytearray(part)
        self._check()

    def take(self) -> bytes | None:
        """Give the next whole line, without its end; None when there is none yet."""
        return self._whole.popleft() if self._whole else None

    @property
    def unread(self) -> bool:
        """Whether anything is here that nobody took."""
        return bool(self._whole or self._rest)

    def _check(self) -> None:
        if len(self._rest) > self._longest:
            raise ProtocolError(f"it wrote a line of more than {self._longest} bytes")


def encode(message: Mapping[str, Any]) -> bytes:
    """Write one message: UTF-8 as it is, no blanks, only what JSON needs is escaped."""
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace") + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Read one message. Raises `ProtocolError` unless it is one strict JSON object in UTF-8."""
    try:
        text = line.decode("utf-8")
    except UnicodeError as error:
        raise ProtocolError(f"it wrote what is not UTF-8: {_shown(line)}") from error
    try:
        found = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode("utf-8")  # "\ud800" alone is no character
    except UnicodeError as error:
        raise ProtocolError(f"it wrote half of a surrogate pair, which is no text: {_shown(line)}") from error
    except (ValueError, RecursionError) as error:  # "[[[[…" is too deep for the parser
        raise ProtocolError(f"it wrote what is not JSON: {_shown(line)} ({error})") from error
    if not isinstance(found, dict):
        raise ProtocolError(f"it wrote JSON that is not an object: {_shown(line)}")
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member is there twice")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _shown(line: bytes) -> str:
    return repr(line[:80].decode("utf-8", "replace")) + ("…" if len(line) > 80 else "")
