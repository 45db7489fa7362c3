"""A message found again for its fetch, the same whether it lies on a server or in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from archiver import api
from archiver_plugins.mail import decoding, letter, scan, sidecar
from archiver_plugins.mail.head import Head
from archiver_plugins.mail.links import ShareLink, find_links
from archiver_plugins.mail.options import EmailOptions
from archiver_plugins.mail.parts import Part
from archiver_plugins.mail.telling import without_addresses

#: Decoded bytes of one attachment.
MAX_ATTACHMENT: Final = 2 << 30


class Opened(Protocol):
    """Where parts are read from."""

    @property
    def head(self) -> Head:
        """Its header."""
        ...

    def parts(self) -> list[Part]:
        """List its parts."""
        ...

    def pieces(self, number: str) -> Iterator[bytes]:
        """Read a part, still encoded."""
        ...


@dataclass(frozen=True)
class Saved:
    """What came of saving an attachment: what was wrong with its encoding."""

    defects: tuple[str, ...] = ()


def save(opened: Opened, material: api.Material, path: Path, progress: api.Progress) -> Saved:
    """Decode the attachment of a material into a file, in bounded memory.

    Raises `InvalidError` when it is not whole, or larger than 2 GiB.
    """
    extra = material.extra
    with _encoded(opened, material) as pieces:
        tail = _Tail(pieces, progress, material.size)
        decoder = decoding.decoder(extra.get("encoding", ""))
        data = decoding.stream(tail, decoder)
        if "uu" in extra:
            decoder = decoding.UuEncoded(int(extra["uu"]))
            data = decoding.stream(data, decoder)
        _write(data, path, material)
    if extra.get("cut") and not tail.is_padded:
        raise api.InvalidError(
            f"The mail file ends in the middle of {material.title!r}",
            hint="Get the file again from where it was exported.",
        )
    if "uu" in extra and any("no " in defect for defect in decoder.defects):
        raise api.InvalidError(f"{material.title!r} is not whole: {'; '.join(decoder.defects)}")
    return Saved(tuple(decoder.defects))


class _Tail:
    """Passes pieces on, tells how far they came, and remembers how they end."""

    def __init__(self, pieces: Iterable[bytes], progress: api.Progress, total: int | None) -> None:
        self._pieces = pieces
        self._progress = progress
        self._total = total
        self._last = b""

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._progress(len(piece), self._total)
            self._last = piece[-100:].rstrip() or self._last
            yield piece

    @property
    def is_padded(self) -> bool:
        """Say whether the data end in base64's mark of their end."""
        return self._last.endswith(b"=")


@contextmanager
def _encoded(opened: Opened, material: api.Material) -> Iterator[Iterable[bytes]]:
    """Give the pieces of the part, out of the encoded message around it if there is one."""
    number, wrapped = material.extra.get("part", ""), material.extra.get("wrapped", "")
    if not wrapped:
        yield opened.pieces(number)
        return
    around = _named(opened.parts(), wrapped, material)
    with letter.unwrapped(opened.pieces(wrapped), around.encoding) as window:
        part = _named(scan.parts_of(window, wrapped=wrapped), number, material)
        yield window.chunks(part.start, part.end)


def _named(parts: Iterable[Part], number: str, material: api.Material) -> Part:
    part = next((part for part in parts if part.number == number), None)
    if part is None:
        raise api.InvalidError(
            f"The message of {material.title!r} has no part {number} any more",
            hint="List it again with the next run.",
        )
    return part


def _write(data: Iterable[bytes], path: Path, material: api.Material) -> None:
    size = 0
    with path.open("xb") as stream:
        for piece in data:
            size += len(piece)
            if size > MAX_ATTACHMENT:
                raise api.InvalidError(f"{material.title!r} is larger than {MAX_ATTACHMENT >> 30} GiB")
            stream.write(piece)


def link(opened: Opened, identity: str) -> ShareLink | None:
    """Read a link with its secrets from the text again: the archive keeps none. None when it is not there."""
    parts: list[Part] = []
    texts: dict[str, bytes] = {}
    for part in opened.parts():
        parts.append(part)
        if part.is_wrapped_message:
            with letter.unwrapped(opened.pieces(part.number), part.encoding) as window:
                found, more = letter.inside(window, part.number)
                parts += found
                texts |= more
    for part in letter.readable(parts):
        if not part.wrapped:
            texts[part.number] = letter.beginning(opened.pieces(part.number), part.encoding)
    read = letter.Letter(opened.head, tuple(parts), texts)
    found_links = find_links(read.text_of("text/plain"), read.text_of("text/html"))
    return next((each for each in found_links if each.id == identity), None)


def kept(opened: Opened, options: EmailOptions) -> str:
    """Write what is kept of the message beside the attachment."""
    if options.sidecar == "none":
        return ""
    if options.sidecar == "brief":
        return sidecar.brief(opened.head)
    heading = sidecar.whole(opened.head) if options.sidecar == "whole" else sidecar.brief(opened.head)
    text = next((part for part in opened.parts() if part.is_body and part.media_type == "text/plain"), None)
    if text is None:
        return heading
    data = letter.beginning(opened.pieces(text.number), text.encoding)
    shown = sidecar.body(data, text.charset)
    return f"{heading}\n{shown if options.sidecar == 'whole' else without_addresses(shown)}"
