"""Whether a file begins like a film: before any other program is let look into it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from archiver import api

#: Magic numbers of containers that video sites serve, by their owners' specifications.
_STARTS: Final = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM (RFC 9559)
    b"OggS",  # RFC 3533
    b"FLV\x01",
    b"fLaC",
    b"ID3",
    b"RIFF",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # Windows Media (ASF)
    b"\0\0\x01\xba",  # MPEG program stream
)
#: First boxes of an MP4, QuickTime or a fragment of one (ISO/IEC 14496-12).
_BOXES: Final = frozenset(
    {b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"free", b"skip", b"wide", b"emsg", b"prft"}
)
_PACKET: Final = 188  # bytes of a packet of an MPEG transport stream (ISO/IEC 13818-1)


def check_signature(path: Path) -> None:
    """Raise `InvalidError` unless a file begins like a film or sound recording.

    A playlist in its place (`#EXTM3U`) could make ffmpeg read other files of this machine.
    """
    with path.open("rb") as file:
        head = file.read(3 * _PACKET)
    if not is_media(head):
        raise api.InvalidError(
            f"What came is no recording: it begins with {head[:24]!r}",
            hint="Open the address in a browser: it may need a login, or show a page instead.",
        )


def is_media(head: bytes) -> bool:
    """Say whether these are the first bytes of a film or sound recording."""
    if head.startswith(_STARTS) or head[4:8] in _BOXES:
        return True
    packets = range(0, max(len(head) - _PACKET + 1, 0), _PACKET)
    if packets and all(head[at] == 0x47 for at in packets):
        return True
    # MPEG audio and AAC begin with eleven set bits.
    return (
        len(head) > 2
        and head[0] == 0xFF
        and head[1] & 0xE0 == 0xE0
        and head[1] & 6 != 2
        and head[:2] != b"\xff\xfe"
    )
