"""A message as both forms of mailbox give it: header, parts, and the beginnings of its texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

from archiver import api
from archiver_plugins.mail import charsets, decoding, scan
from archiver_plugins.mail.head import Head
from archiver_plugins.mail.parts import Part
from archiver_plugins.mail.window import Window

#: Encoded bytes of each text that are searched for links.
MAX_TEXT: Final = 128 << 10
#: Texts of one message that are read.
MAX_TEXTS: Final = 10
#: Decoded bytes of an encoded forwarded message that is looked into.
MAX_WRAPPED: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Letter:
    """One message. `texts` are the decoded beginnings of its texts by part number.

    `place` says where it lies, for the fetch. With a `problem` nothing but the header is known.
    `archive` is the address of the list archive that it comes from, if it does. Such a message is a copy:
    its Date may be written otherwise than in a mailbox, so that it has no revision.
    """

    head: Head
    parts: tuple[Part, ...] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict)
    place: Mapping[str, str] = field(default_factory=dict)
    problem: api.SourceError | None = None
    archive: str = ""

    def text_of(self, media_type: str) -> str:
        """Give all texts of a media type, decoded."""
        return "\n".join(
            charsets.decode(self.texts[part.number], part.charset, cut=True)
            for part in self.parts
            if part.media_type == media_type and part.number in self.texts
        )


def readable(parts: Iterable[Part]) -> list[Part]:
    """Choose the texts in which links are looked for."""
    return [part for part in parts if part.is_body][:MAX_TEXTS]


def beginning(pieces: Iterable[bytes], encoding: str) -> bytes:
    """Decode the beginning of a text."""
    data = b""
    for piece in pieces:
        data += piece
        if len(data) >= MAX_TEXT:
            break
    return decoding.decoded(data[:MAX_TEXT], encoding)


@contextmanager
def unwrapped(pieces: Iterable[bytes], encoding: str) -> Iterator[Window]:
    """Decode a forwarded message that came encoded, into a temporary file. Raises `InvalidError`."""
    with SpooledTemporaryFile(max_size=4 << 20) as spool:
        size = 0
        for data in decoding.stream(pieces, decoding.decoder(encoding)):
            size += len(data)
            if size > MAX_WRAPPED:
                raise api.InvalidError(
                    f"A forwarded message in it is larger than {MAX_WRAPPED >> 20} MiB",
                    hint="Ask the sender to attach the files themselves.",
                )
            spool.write(data)
        yield Window(cast("BinaryIO", spool), 0, size)


def inside(window: Window, number: str) -> tuple[list[Part], dict[str, bytes]]:
    """Give the parts of an unwrapped message and the beginnings of its texts."""
    parts = list(scan.parts_of(window, wrapped=number))
    texts = {
        part.number: beginning(window.chunks(part.start, part.end), part.encoding) for part in readable(parts)
    }
    return parts, texts
