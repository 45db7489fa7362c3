"""Find the parts of a message in a file, in bounded memory and linear time.

The standard library's parser keeps a message in memory several times over and descends into nested
parts by recursion. Here the file is searched for boundary lines, and only the headers are read; the
parts come in the order and with the numbers of RFC 9051, 6.4.5. A test compares both on generated
messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

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
from archiver_plugins.mail.window import Window

_END_OF_HEADER: Final = re.compile(rb"\n\r?\n")
_HYPHENS: Final = re.compile(rb"^--", re.MULTILINE)
#: Lines that look like boundaries and are none: a diff has some thousand.
_MAX_LOOKALIKES: Final = 500_000


@dataclass(slots=True)
class _Open:
    """A multipart that has begun: `boundary` with its two hyphens, and what its children inherit."""

    boundary: bytes
    prefix: str
    around: tuple[str, ...]
    nested: Head | None
    count: int = 0

    @property
    def default(self) -> str:
        """Give the media type of a child that names none (RFC 2046, 5.1.5)."""
        return "message/rfc822" if self.around[-1] == "multipart/digest" else "text/plain"


def header_block(window: Window, position: int, most: int = headers.MOST_BLOCKS) -> tuple[bytes, int]:
    """Read up to `most` bytes of the header that begins there, and say where its body does."""
    first = window.line(position)
    if not first.strip(b"\r\n"):  # no header at all
        return b"", position + len(first)
    head = window.read(position, headers.MOST_BLOCKS)
    match = _END_OF_HEADER.search(head)
    if not match and len(head) < most:
        head = window.read(position, most)
        match = _END_OF_HEADER.search(head)
    if match:
        return head[: match.start() + 1], position + match.end()
    at = min((at for end in (b"\n\n", b"\n\r\n") if (at := window.find(end, position)) >= 0), default=-1)
    return head, window.end if at < 0 else at + (2 if window.read(at, 2) == b"\n\n" else 3)


def parts_of(window: Window, *, wrapped: str = "") -> Iterator[Part]:
    """Yield the leaves of the message that fills the window.

    `wrapped` is the number of the encoded part that it was decoded from. Raises `InvalidError` when it is
    nested deeper than 80 parts or has more than 1,000.
    """
    scanner = _Scanner(window)
    if wrapped:
        block, _ = header_block(window, window.start, headers.MAX_BLOCK)
        scanner.entity(window.start, wrapped, ("message/rfc822",), read_head(block), message=True)
    else:
        scanner.entity(window.start, "", (), None, message=True)
    for part in scanner.run():
        yield replace(part, wrapped=wrapped) if wrapped else part


class _Scanner:
    def __init__(self, window: Window) -> None:
        self.window = window
        self.stack: list[_Open] = []
        self.leaf: Part | None = None
        self.position = window.start
        self.entities = 0
        self.lookalikes = 0
        self.open: dict[bytes, int] = {}

    def run(self) -> Iterator[Part]:
        """Go from boundary line to boundary line."""
        while True:
            found = self._next_boundary()
            if self.leaf is not None:
                yield self._finished(self.leaf, found)
                self.leaf = None
            if found is None:
                return
            at, index, closing = found
            self._cut_stack(index if closing else index + 1)
            after = at + len(self.window.line(at))
            self.position = after - 1  # another boundary may follow at once
            if not closing:
                self._child(after)
            elif not self.stack:
                return

    def _child(self, position: int) -> None:
        top = self.stack[-1]
        top.count += 1
        number = f"{top.prefix}.{top.count}".lstrip(".")
        self.entity(position, number, top.around, top.nested, default=top.default)

    def entity(
        self,
        position: int,
        number: str,
        around: tuple[str, ...],
        nested: Head | None,
        *,
        message: bool = False,
        default: str = "text/plain",
    ) -> None:
        """Read the header of a part, and of the message in it if it is one; remember what it opens."""
        while True:
            self._count(len(around))
            block, body = self._header(position, headers.MAX_BLOCK if message else headers.MOST_BLOCKS)
            fields = headers.fields_of(block)
            part = part_of(number, fields, around, nested, default)
            if part.media_type.startswith("multipart/") and self._opened(part, fields, number):
                self.position = max(body - 1, self.window.start)  # the line end before the first boundary
                return
            if part.media_type not in MESSAGES or part.encoding:
                break
            # The message inside begins where the part's body does.
            number = f"{number}.1".lstrip(".") if message else number
            around, default, message = (*around, part.media_type), "text/plain", True
            nested = read_head(self._header(body, headers.MAX_BLOCK)[0])
            position = body
        single = f"{number}.1".lstrip(".") if message else number
        self.leaf = replace(part, number=single, start=body)
        self.position = max(body - 1, self.window.start)

    def _opened(self, part: Part, fields: headers.Fields, number: str) -> bool:
        _, params = headers.value_and_params(headers.first(fields, "content-type"))
        boundary = next((value for name, value in params if name == "boundary"), b"").rstrip()
        if not boundary or len(boundary) > 500:
            return False
        around = (*part.around, part.media_type)
        self.open.setdefault(b"--" + boundary, len(self.stack))
        self.stack.append(_Open(b"--" + boundary, number, around, part.nested))
        return True

    def _header(self, position: int, most: int) -> tuple[bytes, int]:
        """Read a header, which a boundary line ends too, in a message that lacks the empty line."""
        block, body = header_block(self.window, position, most)
        for match in _HYPHENS.finditer(block):
            if self._boundary(self.window.line(position + match.start())):
                return block[: match.start()], position + match.start()
        return block, body

    def _count(self, depth: int) -> None:
        self.entities += 1
        if depth > MAX_DEPTH:
            raise self._refused(f"nested deeper than {MAX_DEPTH} parts")
        if self.entities > MAX_PARTS:
            raise self._refused(f"of more than {MAX_PARTS:,} parts")

    def _refused(self, what: str) -> api.InvalidError:
        return api.InvalidError(
            f"The message is {what}", hint="Look at it in a mail program, and add by hand what it holds."
        )

    def _next_boundary(self) -> tuple[int, int, bool] | None:
        """Find the next boundary line of any open multipart: offset, which one, and whether it closes."""
        position = self.position
        if not self.stack:
            return None
        if position == self.window.start and (found := self._boundary(self.window.line(position))):
            return position, *found
        while (at := self.window.find(b"\n--", position)) >= 0:
            found = self._boundary(self.window.line(at + 1))
            if found:
                return at + 1, *found
            self.lookalikes += 1
            if self.lookalikes > _MAX_LOOKALIKES:
                raise self._refused("full of lines that look like boundaries")
            position = at + 1
        return None

    def _boundary(self, line: bytes) -> tuple[int, bool] | None:
        """Say which open multipart a line bounds, and whether it closes it; of twins the outer one."""
        bare = line.rstrip()
        index = self.open.get(bare)
        if index is not None:
            return index, False
        index = self.open.get(bare[:-2]) if bare.endswith(b"--") else None
        return None if index is None else (index, True)

    def _cut_stack(self, length: int) -> None:
        del self.stack[length:]
        self.open = {each.boundary: index for index, each in reversed(list(enumerate(self.stack)))}

    def _finished(self, part: Part, found: tuple[int, int, bool] | None) -> Part:
        """Give a leaf its end: the line end before the boundary belongs to the boundary."""
        end = self.window.end
        if found is not None:
            end = max(found[0] - 1, part.start)
            if end > part.start and self.window.read(end - 1, 1) == b"\r":
                end -= 1
        return replace(part, end=end, octets=max(end - part.start, 0), cut=found is None and bool(self.stack))


def part_of(
    number: str,
    fields: headers.Fields,
    around: tuple[str, ...] = (),
    nested: Head | None = None,
    default: str = "text/plain",
) -> Part:
    """Make a part of its header."""
    media_type, params = headers.value_and_params(headers.first(fields, "content-type"))
    disposition, place_params = headers.value_and_params(headers.first(fields, "content-disposition"))
    encoding, _ = headers.value_and_params(headers.first(fields, "content-transfer-encoding"))
    return Part(
        number,
        sound_type(media_type, default),
        name=name_of(params, place_params),
        disposition=disposition,
        encoding=encoding_of(encoding),
        charset=charset_of(params),
        content_id=next(iter(headers.message_ids(headers.first(fields, "content-id"))), ""),
        around=around,
        nested=nested,
    )
