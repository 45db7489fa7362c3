"""Header fields from their raw bytes: no byte is lost before its charset is known.

The standard library's parsers replace raw GBK bytes before anybody can look at them, and some versions
raise on odd fields. So fields are kept as bytes and read here (RFC 5322, 2047, 2231).
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable, Sequence
from email.utils import getaddresses
from typing import Final
from urllib.parse import unquote_to_bytes

from archiver_plugins.mail import charsets
from archiver_plugins.mail.telling import without_addresses

#: Bytes of one header block, and of one field, that are looked at. A letter to 3,000 people has 100 kB.
MAX_BLOCK: Final = 1 << 20
MOST_BLOCKS: Final = 64 << 10  # nearly every header is shorter: so much is read at first
MAX_FIELD: Final = 16 << 10
#: Characters of a label: a name from upstream, which is never a path here.
MAX_LABEL: Final = 200

Fields = Sequence[tuple[str, bytes]]
Params = Sequence[tuple[str, bytes]]

_FIELD: Final = re.compile(rb"^([!-9;-~]{1,100})[ \t]*:((?:[^\n]*)(?:\n[ \t][^\n]*)*)", re.MULTILINE)
_FOLD: Final = re.compile(rb"\r?\n(?=[ \t])")
_WORD: Final = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]*)\?=")
#: `; name=value`; an unquoted value goes on to the next semicolon, because `filename=my talk.pdf` is met.
_PARAM: Final = re.compile(rb';\s*([^\s=;]{1,100}?)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)', re.DOTALL)
_SECTION: Final = re.compile(r"(?:\*(\d{1,3}))?(\*?)")


def fields_of(block: bytes) -> Fields:
    """Split a header block into (lower-case name, unfolded raw value) pairs; what is no field is skipped."""
    return [
        (match[1].decode("ascii").lower(), _FOLD.sub(b"", match[2]).strip()[:MAX_FIELD])
        for match in _FIELD.finditer(block[:MAX_BLOCK])
    ]


def first(fields: Fields, name: str) -> bytes:
    """Give the value of the first field of that name, empty when there is none."""
    return next((value for found, value in fields if found == name), b"")


def every(fields: Fields, names: Iterable[str]) -> list[bytes]:
    """Give the values of all fields of these names."""
    wanted = frozenset(names)
    return [value for found, value in fields if found in wanted]


def text(value: bytes) -> str:
    """Decode a field for people: raw bytes of any charset, encoded words, one space for white space."""
    return visible(words(charsets.detect(value)))


def words(raw: str) -> str:
    """Decode encoded words (RFC 2047), leniently.

    Neighbours of one charset are joined before decoding: mailers split them inside a character.
    """
    if "=?" not in raw:
        return raw
    done: list[str] = []
    pending, charset, end = b"", "", 0
    for match in _WORD.finditer(raw):
        gap = raw[end : match.start()]
        if pending and (gap.strip() or match[1].lower() != charset):
            done.append(charsets.decode(pending, charset))
            pending = b""
        if not end or gap.strip():  # white space between two words only separates them
            done.append(gap)
        pending, charset, end = pending + _payload(match[2], match[3]), match[1].lower(), match.end()
    if pending:
        done.append(charsets.decode(pending, charset))
    return "".join(done) + raw[end:]


def _payload(form: str, payload: str) -> bytes:
    raw = payload.encode("utf-8", "replace")
    if form in "qQ":
        return binascii.a2b_qp(raw, header=True)
    clean = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return base64.b64decode(clean + b"=" * (-len(clean) % 4))


def visible(value: str) -> str:
    """Make a text one line of visible characters: controls and what turns text around go."""
    if value.isascii() and value.isprintable():
        return " ".join(value.split())
    plain = "".join(char if char.isprintable() else " " for char in value)
    return unicodedata.normalize("NFC", " ".join(plain.split()))


def label(name: str) -> str:
    r"""Make a label of a file name from upstream: `..\..\C:\x\deck.ppt` is "deck.ppt".

    No mail address stays in it.
    """
    plain = visible(re.split(r"[/\\]", name.replace("\0", ""))[-1])
    return without_addresses(plain)[:MAX_LABEL].strip(" .")


def value_and_params(value: bytes) -> tuple[str, Params]:
    """Split `text/plain; charset=x` into its lower-case first word and its parameters."""
    head, _, _ = value.partition(b";")
    shown = head.strip().split(b" ")[0].decode("ascii", "replace").lower()
    return shown, [
        (match[1].decode("ascii", "replace").lower(), _unquoted(match[2].strip()))
        for match in _PARAM.finditer(value)
    ]


def _unquoted(value: bytes) -> bytes:
    if not value.startswith(b'"'):
        return value
    # Only what must be escaped: mailers on Windows put whole paths in quotes without escaping.
    return re.sub(rb'\\(["\\])', rb"\1", value[1:].removesuffix(b'"'))


def param(params: Params, name: str) -> str:
    """Give a parameter as text: extended, split or in encoded words, in any charset; "" when not there."""
    pieces: dict[int, tuple[bytes, bool]] = {}
    plain: bytes | None = None
    for key, value in params:
        match = _SECTION.fullmatch(key.removeprefix(name)) if key.startswith(name) else None
        if match is None:
            continue
        if not match[0]:
            plain = value if plain is None else plain
        else:
            pieces.setdefault(int(match[1] or 0), (value, bool(match[2])))
    if pieces:
        return _extended(pieces)
    return words(charsets.detect(plain or b""))


def _extended(pieces: dict[int, tuple[bytes, bool]]) -> str:
    """Join the sections of RFC 2231: charset'language'percent-encoded, split as `name*0*`, `name*1`."""
    charset, joined = "", b""
    for number, (value, encoded) in sorted(pieces.items()):
        piece = value
        if encoded:
            if number == min(pieces) and value.count(b"'") >= 2:
                named, _, piece = value.split(b"'", 2)
                charset = named.decode("ascii", "replace")
            piece = unquote_to_bytes(piece)
        joined += piece
    return charsets.decode(joined, charset) if charset else words(charsets.detect(joined))


def addresses(values: Iterable[bytes]) -> list[tuple[str, str]]:
    """Give (name, lower-case address) pairs of address fields; what cannot be read is left out."""
    found: list[tuple[str, str]] = []
    for value in values:
        try:
            pairs = getaddresses([charsets.detect(value)])
        except (ValueError, IndexError, TypeError, AttributeError):  # odd fields trip some versions
            continue
        found += [
            (visible(words(name)), visible(address).lower()) for name, address in pairs if name or address
        ]
    return found


def message_ids(value: bytes) -> list[str]:
    """Give the ids in a field, without angle brackets: `<[a]@x>`, which trips parsers, is "[a]@x"."""
    if not value:
        return []
    shown = charsets.detect(value)
    found = re.findall(r"<([^<>]{1,900})>", shown) or shown.split()[:1]
    return ["".join(char for char in each if char.isprintable() and char != " ") for each in found][:100]
