"""What a server answers to FETCH, parsed under bounds and without recursion (RFC 9051, 9)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from archiver import api
from archiver_plugins.mail import headers
from archiver_plugins.mail.head import Head, read_head
from archiver_plugins.mail.parts import (
    MAX_DEPTH,
    MAX_PARTS,
    MESSAGES,
    Part,
    charset_of,
    encoding_of,
    name_of,
    sound_type,
)

#: A parsed value: text, None for NIL, or a list of values.
Value = Any
Answer = dict[str, Value]

_TOKEN: Final = re.compile(
    rb'[ \t]*(?:([()])|"((?:[^"\\]|\\.)*)"|([^\s()"\[]+(?:\[[^\]]*\](?:<[0-9]+>)?)?))', re.DOTALL
)
_LITERAL: Final = re.compile(rb"~?\{\d+\+?\}\Z")


def answers(data: Iterable[Any]) -> Iterator[Answer]:
    """Give the data of each message as {"UID": b"5", "BODY[1]": b"…"}, names in upper case.

    `data` is what imaplib returns: lines, and pairs of a line and the literal that ends it. Raises
    `InvalidError` when it cannot be understood.
    """
    stack: list[list[Value]] = [[]]
    for token in _tokens(data):
        if token == "(":  # noqa: S105  # a parenthesis
            if len(stack) > MAX_DEPTH * 4:
                raise _misshapen("it is nested too deeply")
            stack.append([])
        elif token == ")":  # noqa: S105  # a parenthesis
            if len(stack) == 1:
                raise _misshapen("it closes what it did not open")
            done = stack.pop()
            stack[-1].append(done)
            if len(stack) == 1:
                yield _pairs(done)
                stack[0].clear()
        else:
            stack[-1].append(None if token == "NIL" else token)  # noqa: S105  # the word for nothing
    if len(stack) > 1:
        raise _misshapen("it is not whole")


def _tokens(data: Iterable[Any]) -> Iterator[bytes | str]:
    for item in data:
        if isinstance(item, tuple):
            yield from _line(_LITERAL.sub(b"", item[0]))
            yield item[1]
        elif item:
            yield from _line(item)


def _line(line: bytes) -> Iterator[bytes | str]:
    position, line = 0, line.rstrip()
    while position < len(line):
        match = _TOKEN.match(line, position)
        if match is None:
            raise _misshapen(f"{line[position : position + 40]!r} makes no sense")
        mark, quoted, atom = match.groups()
        position = match.end()
        if mark:
            yield mark.decode()
        elif quoted is not None:
            yield re.sub(rb"\\(.)", rb"\1", quoted)
        else:
            yield "NIL" if atom.upper() == b"NIL" else atom


def _pairs(values: Sequence[Value]) -> Answer:
    names = (str(name, "ascii", "replace").upper() if isinstance(name, bytes) else "" for name in values[::2])
    return dict(zip(names, values[1::2], strict=False))


def section(answer: Answer, name: str, offset: int = 0) -> bytes | None:
    """Give a section of an answer: servers repeat the offset asked for, as in BODY[1]<0>, or do not."""
    value = answer.get(f"BODY[{name}]<{offset}>", answer.get(f"BODY[{name}]"))
    return value if isinstance(value, bytes) else None


def _misshapen(reason: str) -> api.InvalidError:
    return api.InvalidError(
        f"The mail server answered in a way that cannot be understood: {reason}",
        hint="Run with -v, and report it with the name of the server.",
    )


def parts_of(structure: Value) -> list[Part]:
    """Give the leaves of a BODYSTRUCTURE, in order. Raises `InvalidError` when it is none, or too large."""
    parts: list[Part] = []
    # What is still to be looked at, last first: value, its number, media types around it, header it is in.
    waiting: list[tuple[Value, str, tuple[str, ...], Head | None, bool]] = [(structure, "", (), None, True)]
    while waiting:
        value, number, around, nested, message = waiting.pop()
        if not isinstance(value, list) or not value or len(around) > MAX_DEPTH:
            raise api.InvalidError(
                f"The message has no sound structure, or one nested deeper than {MAX_DEPTH} parts",
                hint="Look at it in a mail program, and add by hand what it holds.",
            )
        if isinstance(value[0], list):
            waiting += reversed(list(_children(value, number, around, nested)))
            continue
        single = f"{number}.1".lstrip(".") if message else number
        part = replace(_leaf(value, single), around=around, nested=nested)
        if part.media_type in MESSAGES and not part.encoding and len(value) > 8:
            inside = (*around, part.media_type)
            waiting.append((value[8], part.number, inside, _envelope(value[7]), True))
            continue
        parts.append(part)
        if len(parts) + len(waiting) > MAX_PARTS:
            raise api.InvalidError(f"The message is of more than {MAX_PARTS:,} parts")
    return parts


def _children(
    value: list[Value], number: str, around: tuple[str, ...], nested: Head | None
) -> Iterator[tuple[Value, str, tuple[str, ...], Head | None, bool]]:
    count = next((index for index, item in enumerate(value) if not isinstance(item, list)), len(value))
    subtype = _text(value[count]) if count < len(value) else "mixed"
    inside = (*around, f"multipart/{subtype.lower()}")
    for index, child in enumerate(value[:count], 1):
        yield child, f"{number}.{index}".lstrip("."), inside, nested, False


def _leaf(value: list[Value], number: str) -> Part:
    """Read (type subtype params id description encoding octets …extension)."""
    value = [*value, *[None] * 7]
    media_type = sound_type(f"{_text(value[0])}/{_text(value[1])}".lower())
    placed, place_params = _disposition(value)
    octets = _text(value[6])
    params = _params(value[2])
    return Part(
        number,
        media_type,
        name=name_of(params, place_params),
        charset=charset_of(params),
        disposition=placed,
        encoding=encoding_of(_text(value[5])),
        content_id=_text(value[3]).strip("<> "),
        octets=int(octets) if octets.isdigit() and len(octets) < 19 else 0,
    )


def _disposition(value: list[Value]) -> tuple[str, headers.Params]:
    # Its place depends on the type: after the MD5, which comes after what is special to texts and messages.
    for item in value[7:]:
        if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], bytes):
            continue
        if item[1] is None or isinstance(item[1], list):
            return _text(item[0]).lower(), _params(item[1])
    return "", ()


def _params(value: Value) -> headers.Params:
    if not isinstance(value, list):
        return ()
    texts = [item if isinstance(item, bytes) else b"" for item in value]
    return [
        (name.decode("ascii", "replace").lower(), text)
        for name, text in zip(texts[::2], texts[1::2], strict=False)
    ]


def _text(value: Value) -> str:
    return value.decode("utf-8", "replace")[:500] if isinstance(value, bytes) else ""


def _envelope(value: Value) -> Head | None:
    """Make a header of (date subject from sender …); only these are needed."""
    if not isinstance(value, list) or len(value) < 3:
        return None
    date, subject = (item if isinstance(item, bytes) else b"" for item in value[:2])
    block = (
        b"Date: " + _flat(date) + b"\nSubject: " + _flat(subject) + b"\nFrom: " + _mailbox(value[2]) + b"\n"
    )
    return read_head(block)


def _mailbox(value: Value) -> bytes:
    one = value[0] if isinstance(value, list) and value else None
    if not isinstance(one, list) or len(one) < 4:
        return b""
    name, _, user, host = (_flat(item) if isinstance(item, bytes) else b"" for item in one[:4])
    quoted = name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"' + quoted + b'" <' + user + b"@" + host + b">"


def _flat(value: bytes) -> bytes:
    return b" ".join(value.split())
