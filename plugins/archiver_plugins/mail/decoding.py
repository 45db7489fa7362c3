"""Content transfer encodings, undone piece by piece (RFC 2045, 6; uuencode by POSIX)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

import pybase64

_MAX_PENDING: Final = 64 << 10
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64: Final = bytes(sorted(frozenset(range(256)) - frozenset(_BASE64)))
_WHITE: Final = b" \t\r\n"
_BEGIN: Final = re.compile(rb"begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,300})\r?\n")


class Decoder(Protocol):
    """Takes encoded pieces of any length. `defects` tells people what was not as it should be."""

    @property
    def defects(self) -> list[str]:
        """What was wrong so far."""
        ...

    def feed(self, data: bytes) -> bytes:
        """Decode what can be decoded by now."""
        ...

    def close(self) -> bytes:
        """Decode what is left."""
        ...


def decoder(encoding: str) -> Decoder:
    """Give the decoder of a content transfer encoding; an unknown one is taken as none."""
    match encoding:
        case "base64":
            return Base64()
        case "quoted-printable":
            return QuotedPrintable()
        case "x-uuencode" | "uuencode" | "x-uue":
            return UuEncoded()
        case _:
            return Plain()


def decoded(data: bytes, encoding: str) -> bytes:
    """Decode a whole value, or the beginning of one."""
    found = decoder(encoding)
    return found.feed(data) + found.close()


def stream(pieces: Iterable[bytes], found: Decoder) -> Iterator[bytes]:
    """Decode piece by piece."""
    for piece in pieces:
        yield found.feed(piece)
    yield found.close()


class Plain:
    """No encoding."""

    def __init__(self) -> None:
        self.defects: list[str] = []

    def feed(self, data: bytes) -> bytes:
        """Pass on."""
        return data

    def close(self) -> bytes:
        """Nothing is left."""
        return b""


class Base64:
    """Base64, lenient: foreign characters are skipped and counted, padding may stand anywhere or lack."""

    def __init__(self) -> None:
        self._pending = b""
        self._skipped = 0
        self._unpadded = False

    @property
    def defects(self) -> list[str]:
        """Tell what was skipped or made up."""
        found = [f"{self._skipped} characters that are not base64 were skipped"] if self._skipped else []
        return [*found, "the base64 data end without their padding"] if self._unpadded else found

    def feed(self, data: bytes) -> bytes:
        """Decode all whole groups of four characters."""
        clean = self._pending + data.translate(None, _WHITE)
        whole = len(clean) // 4 * 4
        try:
            done = pybase64.b64decode(clean[:whole], validate=True)
        except binascii.Error:
            return self._leniently(clean)
        if clean[whole - 1 : whole] == b"=" and whole < len(clean):
            return self._leniently(clean)
        self._pending = clean[whole:]
        return done

    def _leniently(self, data: bytes) -> bytes:
        clean = data.translate(None, _NOT_BASE64)
        self._skipped += len(data) - len(clean)
        if b"=" in clean:
            return self._padded(clean)
        whole = len(clean) // 4 * 4
        self._pending = clean[whole:]
        return binascii.a2b_base64(clean[:whole])

    def _padded(self, clean: bytes) -> bytes:
        # "QUI=QUI=": data put together from encoded pieces. A group may be cut by the end of the data.
        *groups, rest = re.split(rb"(?<==)(?=[^=])", clean)
        done = b"".join(map(_group, groups))
        if rest.endswith(b"="):
            self._pending = b""
            return done + _group(rest)
        whole = len(rest) // 4 * 4
        self._pending = rest[whole:]
        return done + binascii.a2b_base64(rest[:whole])

    def close(self) -> bytes:
        """Decode a group that lacks its padding."""
        rest = self._pending.translate(None, _NOT_BASE64)
        self._skipped += len(self._pending) - len(rest)
        self._pending, self._unpadded = b"", bool(rest)
        return _group(rest)


def _group(group: bytes) -> bytes:
    bare = group.rstrip(b"=")
    if len(bare) % 4 == 1:  # six bits are no byte
        bare = bare[:-1]
    return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4))


class QuotedPrintable:
    """Quoted-printable, line by line."""

    def __init__(self) -> None:
        self.defects: list[str] = []
        self._pending = b""

    def feed(self, data: bytes) -> bytes:
        """Decode all whole lines."""
        data = self._pending + data
        whole = data.rfind(b"\n") + 1
        if len(data) - whole > _MAX_PENDING:  # a line without end: "=4" and "1" must stay together
            whole = len(data) - 2
            whole = data.find(b"=", whole) if b"=" in data[whole:] else len(data)
        self._pending = data[whole:]
        return binascii.a2b_qp(data[:whole])

    def close(self) -> bytes:
        """Decode the last line."""
        rest, self._pending = self._pending, b""
        return binascii.a2b_qp(rest)


class UuEncoded:
    """The n-th uuencoded file in a text, from its `begin` line to its `end`."""

    def __init__(self, number: int = 1) -> None:
        self.defects: list[str] = []
        self._left = number
        self._inside = False
        self._pending = b""

    def feed(self, data: bytes) -> bytes:
        """Decode all whole lines."""
        lines = (self._pending + data).split(b"\n")
        self._pending = lines.pop()
        if len(self._pending) > _MAX_PENDING:
            self._pending = b""
        return b"".join(self._line(line) for line in lines)

    def close(self) -> bytes:
        """Decode the last line, and notice when the file did not end."""
        done = self._line(self._pending) if self._pending else b""
        if self._inside:
            self.defects.append("the uuencoded file has no end")
        elif self._left > 0:
            self.defects.append("there is no uuencoded file")
        return done

    def _line(self, line: bytes) -> bytes:
        bare = line.rstrip(b"\r\n")
        if not self._inside:
            if _BEGIN.match(bare + b"\n"):
                self._left -= 1
                self._inside = self._left == 0
            return b""
        if bare.rstrip() in {b"end", b"===="}:
            self._inside, self._left = False, -1
            return b""
        return _uu_line(bare, self.defects)


def _uu_line(line: bytes, defects: list[str]) -> bytes:
    if not line or line in {b"`", b" "}:
        return b""
    length = (line[0] - 32) & 63
    wanted = 1 + (length * 4 + 2) // 3
    try:
        # Some encoders leave blanks at the end away, others add a check character.
        return binascii.a2b_uu(line[:wanted].ljust(wanted))[:length]
    except binascii.Error:
        if not defects:
            defects.append("damaged uuencoded lines were skipped")
        return b""


def uuencoded_names(text: bytes) -> list[str]:
    """Find the uuencoded files in a text: their raw names as latin-1, in order.

    Only where a line of data follows: "begin 644 …" may be quoted in a sentence.
    """
    names: list[str] = []
    for match in re.finditer(rb"^" + _BEGIN.pattern, text, re.MULTILINE):
        line = text[match.end() : match.end() + 64].split(b"\n")[0].rstrip(b"\r")
        names.append(match[1].decode("latin-1") if _is_data(line) else "")
    return names


def _is_data(line: bytes) -> bool:
    if not line or not 32 < line[0] <= 96:
        return False
    length = (line[0] - 32) & 63
    return len(line) >= 1 + length * 4 // 3 or length == 45
