"""MP4, QuickTime and HEIC: walking the boxes of ISO/IEC 14496-12 by seeking, whatever the file's size."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from archiver.errors import InvalidError

_MAX_BOXES: Final = 500_000
_MAX_TABLE: Final = 64 << 20
_CONTAINERS: Final = frozenset({b"trak", b"mdia", b"minf", b"stbl"})
_OFFSETS: Final = {b"stco": 4, b"co64": 8}


@dataclass(frozen=True, slots=True)
class _Box:
    """One box: its content lies from byte `body` to `end`."""

    kind: bytes
    body: int
    end: int


def check_movie(path: Path) -> None:
    """Look whether a film has its index and all of its data. Raises `InvalidError`."""
    with path.open("rb") as stream:
        found = _top_level(stream)
        movie = found.get(b"moov")
        if movie is None:
            raise InvalidError(
                "The recording has no index (`moov`): it was cut off, or the camera stopped before it "
                "could finish the file.",
                hint="get it again, or repair it with a tool of the camera's maker",
            )
        if not found.keys() & {b"mdat", b"moof"}:
            raise InvalidError("The recording is incomplete: it has an index but no pictures or sound.")
        _check_index(stream, movie, fragmented=b"moof" in found)


def check_still(path: Path) -> None:
    """Look whether a HEIC or AVIF photo has all of its boxes. Raises `InvalidError`."""
    with path.open("rb") as stream:
        if not _top_level(stream).keys() & {b"meta", b"moov"}:
            raise InvalidError("The photo is incomplete: it does not say what pictures it holds.")


def _top_level(stream: BinaryIO) -> dict[bytes, _Box]:
    wanted = {b"moov", b"mdat", b"moof", b"meta"}
    size = stream.seek(0, 2)
    return {box.kind: box for box in _boxes(stream, 0, size) if box.kind in wanted}


def _boxes(stream: BinaryIO, position: int, end: int) -> Iterator[_Box]:
    for _ in range(_MAX_BOXES):
        if position >= end:
            return
        stream.seek(position)
        box = _box(stream.read(16), position, end)
        yield box
        position = box.end
    raise InvalidError("The file is damaged: it has too many parts.")


def _box(head: bytes, position: int, end: int) -> _Box:
    if not head.strip(b"\0"):
        return _Box(b"", position, end)  # some cameras pad with zeros up to the end
    if len(head) < 8:
        raise _cut(b"next", position + 8, end)
    length, kind = struct.unpack_from(">I4s", head)
    body = position + 8
    if length == 1 and len(head) == 16:
        length, body = struct.unpack_from(">Q", head, 8)[0], position + 16
    elif length == 0:  # up to the end of the file
        length = end - position
    if length < body - position:
        raise InvalidError(f"The file is damaged: part {_name(kind)} claims {length} bytes.")
    if position + length > end:
        raise _cut(kind, position + length, end)
    return _Box(kind, body, position + length)


def _cut(kind: bytes, should: int, end: int) -> InvalidError:
    return InvalidError(
        f"The file is cut off: part {_name(kind)} should end at byte {should:,}, "
        f"but the file has only {end:,}.",
        hint="get it again, and compare its size",
    )


def _name(kind: bytes) -> str:
    return repr(kind.decode("ascii", "replace"))


def _check_index(stream: BinaryIO, movie: _Box, *, fragmented: bool) -> None:
    size = stream.seek(0, 2)
    tracks = 0
    for box in _inside(stream, movie, 0):
        tracks += box.kind == b"trak"
        if box.kind in _OFFSETS and _last_offset(stream, box) >= size:
            raise InvalidError(
                "The recording is cut off: its index points beyond the end of the file.",
                hint="get it again, and compare its size",
            )
    if not tracks and not fragmented:
        raise InvalidError("The recording is incomplete: its index names no track.")


def _inside(stream: BinaryIO, parent: _Box, depth: int) -> Iterator[_Box]:
    for box in _boxes(stream, parent.body, parent.end):
        yield box
        if box.kind in _CONTAINERS and depth < len(_CONTAINERS):
            yield from _inside(stream, box, depth + 1)


def _last_offset(stream: BinaryIO, box: _Box) -> int:
    """Find the highest byte at which a chunk of pictures or sound begins."""
    width = _OFFSETS[box.kind]
    stream.seek(box.body + 8)
    length = max(0, min(box.end - box.body - 8, _MAX_TABLE)) // width * width
    offsets = array("I" if width == 4 else "Q", stream.read(length))
    offsets.byteswap()
    return max(offsets, default=0)
