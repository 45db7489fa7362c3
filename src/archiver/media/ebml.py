"""WebM and Matroska: walking the elements of EBML (RFC 8794, RFC 9559)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from archiver.errors import InvalidError

MAGIC: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT: Final = 0x18538067
_TRACKS: Final = 0x1654AE6B
_CLUSTER: Final = 0x1F43B675
_MAX_ELEMENTS: Final = 500_000


@dataclass(frozen=True, slots=True)
class _Element:
    """One element: its body from byte `body` to `end`; `end` is None when it was written as unknown."""

    identity: int
    body: int
    end: int | None


def identify(head: bytes) -> str:
    """Tell WebM from Matroska by the document type in the first bytes."""
    return "video/webm" if b"webm" in head[:128] else "video/x-matroska"


def check(path: Path) -> None:
    """Walk down to the clusters. Raises `InvalidError` when one ends beyond the file."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        segment = _segment(stream, size)
        found = _walk(stream, segment, size)
    if _TRACKS not in found:
        raise InvalidError("The recording is incomplete: it does not say what tracks it has.")
    if _CLUSTER not in found:
        raise InvalidError("The recording is empty: it has no pictures or sound.")


def _segment(stream: BinaryIO, size: int) -> _Element:
    for element in _elements(stream, 0, size):
        if element.identity == _SEGMENT:
            return element
    raise InvalidError("The recording is incomplete: it ends after its header.")


def _walk(stream: BinaryIO, segment: _Element, size: int) -> set[int]:
    found: set[int] = set()
    for element in _elements(stream, segment.body, segment.end or size):
        if element.identity in {_TRACKS, _CLUSTER}:
            found.add(element.identity)
    return found


def _elements(stream: BinaryIO, position: int, end: int) -> Iterator[_Element]:
    size = stream.seek(0, 2)
    for _ in range(_MAX_ELEMENTS):
        if position >= end:
            return
        stream.seek(position)
        element = _element(stream, position)
        if element.end is not None and element.end > size:
            raise InvalidError(
                f"The recording is cut off: a part should end at byte {element.end:,}, "
                f"but the file ends at byte {size:,}.",
                hint="get it again, and compare its size",
            )
        yield element
        if element.end is None:
            # A live recording: where this one ends is only known by parsing it.
            return
        position = element.end
    raise InvalidError("The recording is damaged: it has too many parts.")


def _element(stream: BinaryIO, position: int) -> _Element:
    head = stream.read(12)
    name_size = _width(head, 0, 4)
    length_size = _width(head, name_size, 8)
    raw = int.from_bytes(head[name_size : name_size + length_size], "big")
    length = raw & ((1 << 7 * length_size) - 1)
    body = position + name_size + length_size
    unknown = length == (1 << 7 * length_size) - 1
    return _Element(int.from_bytes(head[:name_size], "big"), body, None if unknown else body + length)


def _width(head: bytes, at: int, most: int) -> int:
    """Read how many bytes a number has: the zero bits before its first one."""
    width = 9 - head[at].bit_length() if at < len(head) else 9
    if width > most or at + width > len(head):
        raise InvalidError("The recording is damaged or cut off: a part has no valid header.")
    return width
