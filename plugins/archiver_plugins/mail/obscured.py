"""What list archives make of messages: addresses written otherwise, attachments taken out.

Mailman 2 writes `From: jq at example.org (Junqiang Chen)`, with another word for "at" in other languages, and
in place of each attachment:

    -------------- next part --------------
    A non-text attachment was scrubbed...
    Name: chef.pdf
    Type: application/pdf
    Size: 2066 bytes
    Desc: not available
    URL: <http://lists.example.org/pipermail/talks/attachments/20120916/3f9a2c41/attachment.pdf>

The words are those of the list's language, their order is the same in all. HyperKitty writes
`From: Junqiang Chen <jq(a)example.org>` and leaves attachments as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from archiver_plugins.mail import charsets, headers
from archiver_plugins.mail.head import Head, head_of
from archiver_plugins.mail.parts import Part, sound_type
from archiver_plugins.mail.window import Window

#: Attachments of one message that are looked for; no notice is longer than so many bytes.
MAX_NOTICES: Final = 200
_NOTICE: Final = 4_000
_MARK: Final = b"\n-------------- "
_RULE: Final = re.compile(rb"-{14} [^\n]{1,80} -{14}[ \t]*\r?\n?")
#: Only the tail counts: lists move to other hosts and to https, and anybody can write such a notice.
_TAIL: Final = re.compile(r"/attachments/(\d{8}/[0-9A-Za-z]{1,40}/[\w.+%~-]{1,200})(?=[>\s]|\Z)")
_LINE: Final = re.compile(r"[^\S\n]*[^\s:：][^:：\n]{0,30}[:：][ \t]*(.*)")
_AT: Final = re.compile(r"(\S{1,100}) (\S{1,8}) ([\w-]+(?:\.[\w-]+)+)(?: \((.*)\))?", re.DOTALL)
_BRACKETED_AT: Final = re.compile(r"\(a\)(?=[\w-]+\.)")
_PEOPLE: Final = ("from", "sender", "reply-to", "to", "cc")
_UNKNOWN_NAME: Final = frozenset({"", "not available", "nicht verfügbar", "no disponible", "non disponible"})


def read_obscured(block: bytes) -> Head:
    """Read the header of a message as a list archive shows it. Never raises."""
    fields = [
        (name, plain_address(value) if name in _PEOPLE else value) for name, value in headers.fields_of(block)
    ]
    return head_of(fields)


def plain_address(value: bytes) -> bytes:
    """Write an address as it was: "jq at example.org (Junqiang Chen)" is "Junqiang Chen <jq@example.org>"."""
    shown = value.decode("latin-1")  # every byte stays what it is
    match = _AT.fullmatch(shown.strip())
    if match is None or "@" in match[1]:
        return _BRACKETED_AT.sub("@", shown).encode("latin-1")
    name = match[4] or ""
    if name and "=?" not in name:  # encoded words must not stand in quotes
        name = '"' + name.replace("\\", "").replace('"', "") + '"'
    return f"{name} <{match[1]}@{match[3]}>".lstrip().encode("latin-1")


def notices(window: Window) -> Iterator[Part]:
    """Find what was taken out of a message, as parts with an address below the list's own.

    They are numbered as the parts of the message were, in its usual form: the text is the first. HTML
    beside the text, and signatures, have no number, nor have they in a mailbox where both are one part.
    """
    number, at, seen = 1, window.start, 0
    while seen < MAX_NOTICES and (at := window.find(_MARK, at)) >= 0:
        at += 1
        rule = window.line(at)
        if _RULE.fullmatch(rule) is None:
            continue
        seen += 1
        part = _part(window.read(at + len(rule), _NOTICE))
        if part is not None:
            number += 1
            yield replace(part, number=str(number))


def without_notices(text: bytes, name: str) -> bytes:
    """Take the addresses in notices out of a text, quoted ones too: they are no share links.

    `name` is the last folder of the list's address.
    """
    own = rb"https?://[^\s<>]{1,300}/" + re.escape(name.encode()) + rb"/attachments/\d{8}/[^\s<>]{1,300}"
    return re.sub(own, b"", text)


def _part(block: bytes) -> Part | None:
    text = charsets.detect(block.partition(_MARK)[0], cut=True)
    tail = _TAIL.search(text)
    told = _told(text[: tail.start()]) if tail else []
    if tail is None or not told:
        return None  # "An HTML attachment was scrubbed" has nothing but the address: the text says it too
    kind = next((each for each in told if re.fullmatch(r"[a-z]+/[\w.+-]+", each)), "")
    # Of a message that was embedded, sender, subject and date are told, and no type.
    name = told[0] if kind or len(told) == 1 else ""
    sizes = [int(match[1]) for each in told[1:] if (match := re.match(r"(\d{1,15})(?: \w+)?\Z", each))]
    return Part(
        "",
        sound_type(kind, "application/octet-stream"),
        name=_name(name, tail[1]),
        disposition="attachment",
        octets=sizes[0] if sizes else 0,
        scrubbed=f"attachments/{tail[1]}",
    )


def _told(text: str) -> list[str]:
    """Give what stands after the colons, but for the beginning of the address."""
    found = (match[1].strip() for line in text.split("\n") if (match := _LINE.fullmatch(line.rstrip())))
    return [each for each in found if not each.startswith(("<", "//")) and "://" not in each]


def _name(told: str, tail: str) -> str:
    """Give the file's name; of an unknown one the ending that the archive gave it, ".obj" being none."""
    name = headers.label(headers.words(told))
    if name.casefold() not in _UNKNOWN_NAME:
        return name
    ending = tail.rpartition(".")[2].lower()
    return f"attachment.{ending}" if ending not in {"obj", "bin", "txt"} else ""
