"""Light checks of sound files and of old video containers: is all there that the header promises."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from archiver.errors import InvalidError

# MPEG audio (ISO/IEC 11172-3): kbit/s by index, for MPEG-1 layer III and for MPEG-2 layer III.
_RATES_1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_RATES_2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_SAMPLES: Final = (44100, 48000, 32000, 0)
_PACKET: Final = 188  # bytes of one packet of an MPEG transport stream
_STREAMED: Final = frozenset({0, 0xFFFFFFFF})


def identify(head: bytes) -> str:
    """Tell sound and transport streams that have no plain magic number; empty when it is neither."""
    if head.startswith(b"OggS"):
        return "video/ogg" if b"theora" in head[:512] else "audio/ogg"
    if _frame(head, 0) and _frame(head, _frame(head, 0)):
        return "audio/mpeg"
    if len(head) > 7 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 and _second_adts(head):
        return "audio/aac"
    if len(head) > 4 * _PACKET and all(head[n * _PACKET] == 0x47 for n in range(4)):
        return "video/mp2t"
    return ""


def _second_adts(head: bytes) -> bool:
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length > 7 and head[length : length + 1] == b"\xff"


def _frame(data: bytes, at: int) -> int:
    """Give the length in bytes of the layer III frame that begins at `at`, 0 when none does."""
    header = data[at : at + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version = header[1] >> 3 & 3  # 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
    rate = (_RATES_1 if version == 3 else _RATES_2)[header[2] >> 4]
    samples = _SAMPLES[header[2] >> 2 & 3] // {3: 1, 2: 2, 0: 4}.get(version, 1)
    if version == 1 or not rate or not samples:
        return 0
    return (144 if version == 3 else 72) * rate * 1000 // samples + (header[2] >> 1 & 1)


def check_mp3(path: Path) -> None:
    """Look for sound after the tags, and for the length that an encoder noted. Raises `InvalidError`."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = _tag_length(stream.read(10))
        if start >= size:
            raise InvalidError("The recording is cut off: it ends inside its own title and tags.")
        stream.seek(start)
        data = stream.read(8192)
    first = next(
        (at for at in range(len(data)) if _frame(data, at) and _frame(data, at + _frame(data, at))), -1
    )
    if first < 0 and len(data) == 8192:
        raise InvalidError("The recording is damaged: no sound was found after its tags.")
    if (promised := _noted_length(data, first)) and start + first + promised > size:
        raise InvalidError(
            f"The recording is cut off: its encoder wrote {promised:,} bytes of sound, "
            f"but the file has only {size - start:,}."
        )


def _tag_length(head: bytes) -> int:
    if not head.startswith(b"ID3") or len(head) < 10:
        return 0
    # Four bytes of seven bits each (ID3v2.3, 3.1).
    length = 0
    for byte in head[6:10]:
        length = length << 7 | byte & 0x7F
    return length + 10


def _noted_length(data: bytes, first: int) -> int:
    """Read the byte count of a Xing or Info header inside the first frame, 0 when there is none."""
    for mark in (b"Xing", b"Info"):
        at = data.find(mark, max(first, 0), max(first, 0) + 64)
        if at > 0 and len(data) >= at + 16:
            (flags,) = struct.unpack_from(">I", data, at + 4)
            return int(struct.unpack_from(">I", data, at + 12)[0]) if flags & 3 == 3 else 0
    return 0


def check_riff(path: Path) -> None:
    """Compare the length in a RIFF header (WAV, AVI, WebP) with the file's. Raises `InvalidError`."""
    with path.open("rb") as stream:
        head = stream.read(12)
    size = path.stat().st_size
    length = struct.unpack_from("<I", head, 4)[0]
    # Recorders that were streaming leave 0 or all ones; RF64 keeps the length elsewhere.
    if length not in _STREAMED and length + 8 > size:
        raise InvalidError(
            f"The file is cut off: its header says {length + 8:,} bytes, but it has only {size:,}.",
            hint="get it again, and compare its size",
        )


def check_asf(path: Path) -> None:
    """Walk the top-level objects of a WMV (ASF specification, 2.1). Raises `InvalidError`."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        position = 0
        while position + 24 <= size:
            stream.seek(position)
            length = struct.unpack_from("<Q", stream.read(24), 16)[0]
            if length < 24 or position + length > size:
                raise InvalidError(
                    f"The recording is cut off or damaged: a part that begins at byte {position:,} "
                    f"claims {length:,} bytes, but the file has only {size:,}."
                )
            position += length
