"""Small films that play, made without any program: a picture a second, and silence.

Pictures are JPEG and sound is MP3, which every player decodes inside MP4 (object types 0x6C and 0x6B of
ISO/IEC 14496-1, registered at mp4ra.org). The streams are ISO/IEC 14496-12 and 13818-1 as HLS and DASH
serve them.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from PIL import Image, ImageDraw

#: Silence: MPEG-1 layer III, 128 kbit/s, 44.1 kHz, 1,152 samples in 417 bytes.
_SILENCE: Final = b"\xff\xfb\x90\x00" + bytes(413)
_SAMPLES: Final = 1152
_RATE: Final = 44100
_MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


@dataclass(frozen=True, slots=True)
class Track:
    """One stream of a film. A sample lasts `step` of the parts of which `scale` are a second."""

    number: int
    scale: int
    step: int
    samples: tuple[bytes, ...]
    size: tuple[int, int] | None = None

    @property
    def length(self) -> float:
        """Give the duration in seconds."""
        return len(self.samples) * self.step / self.scale


def pictures(seconds: int, size: tuple[int, int] = (160, 90), number: int = 1) -> Track:
    """Make a stream of pictures, one a second, each with its own colour and number."""
    frames = tuple(_picture(second, size) for second in range(seconds))
    return Track(number, 1, 1, frames, size)


def silence(seconds: int, number: int = 2) -> Track:
    """Make a stream of silence."""
    return Track(number, _RATE, _SAMPLES, (_SILENCE,) * -(-seconds * _RATE // _SAMPLES))


def _picture(second: int, size: tuple[int, int]) -> bytes:
    image = Image.new("RGB", size, (second * 40 % 200, 90, 160))
    ImageDraw.Draw(image).text((8, 8), f"{second:03}", fill="white")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=70)
    return buffer.getvalue()


def mp4(*tracks: Track) -> bytes:
    """Make a whole film, its index first."""
    head = _box(b"ftyp", b"isom", bytes(4), b"isommp41")
    data = b"".join(sample for track in tracks for sample in track.samples)
    size = len(_movie(tracks, [0] * len(tracks)))
    starts, at = [], len(head) + size + 8
    for track in tracks:
        starts.append(at)
        at += sum(map(len, track.samples))
    return head + _movie(tracks, starts) + _box(b"mdat", data)


def fragmented(*tracks: Track, seconds: int = 2) -> tuple[bytes, list[bytes]]:
    """Make a film in fragments of so many seconds: what each needs first, and the fragments."""
    extends = b"".join(_full(b"trex", 0, 0, struct.pack(">5I", t.number, 1, t.step, 0, 0)) for t in tracks)
    empty = [Track(t.number, t.scale, t.step, (), t.size) for t in tracks]
    start = _box(b"ftyp", b"iso5", bytes(4), b"iso5mp41dash")
    start += _movie(empty, [0] * len(tracks), _box(b"mvex", extends))
    parts = [_fragment(tracks, n, seconds) for n in range(-(-_whole_seconds(tracks) // seconds))]
    return start, parts


def _whole_seconds(tracks: Sequence[Track]) -> int:
    return max(int(track.length) for track in tracks)


def _fragment(tracks: Sequence[Track], number: int, seconds: int) -> bytes:
    spans = [_span(track, number, seconds) for track in tracks]
    data = b"".join(sample for track, span in zip(tracks, spans, strict=True) for sample in _cut(track, span))
    size = len(_head(tracks, spans, number, 0))
    return _head(tracks, spans, number, size + 8) + _box(b"mdat", data)


def _span(track: Track, number: int, seconds: int) -> range:
    first, last = (round(n * seconds * track.scale / track.step) for n in (number, number + 1))
    return range(min(first, len(track.samples)), min(last, len(track.samples)))


def _cut(track: Track, span: range) -> tuple[bytes, ...]:
    return track.samples[span.start : span.stop]


def _head(tracks: Sequence[Track], spans: Sequence[range], number: int, at: int) -> bytes:
    runs = b""
    for track, span in zip(tracks, spans, strict=True):
        sizes = [len(sample) for sample in _cut(track, span)]
        # Offsets count from the fragment's own begin; sizes are told one by one.
        header = _full(b"tfhd", 0, 0x020008, struct.pack(">II", track.number, track.step))
        time = _full(b"tfdt", 0, 0, struct.pack(">I", span.start * track.step))
        run = _full(b"trun", 0, 0x201, struct.pack(f">Ii{len(sizes)}I", len(sizes), at, *sizes))
        runs += _box(b"traf", header, time, run)
        at += sum(sizes)
    return _box(b"moof", _full(b"mfhd", 0, 0, struct.pack(">I", number + 1)), runs)


def _movie(tracks: Sequence[Track], starts: Sequence[int], extends: bytes = b"") -> bytes:
    length = round(1000 * max(track.length for track in tracks))
    head = struct.pack(">IIIIIH10x", 0, 0, 1000, length, 0x10000, 0x100) + _MATRIX + bytes(24)
    head += struct.pack(">I", len(tracks) + 1)
    entries = b"".join(_track(track, start) for track, start in zip(tracks, starts, strict=True))
    return _box(b"moov", _full(b"mvhd", 0, 0, head), entries, extends)


def _track(track: Track, start: int) -> bytes:
    width, height = track.size or (0, 0)
    sound = track.size is None
    header = struct.pack(">5I8xHHH2x", 0, 0, track.number, 0, round(1000 * track.length), 0, 0, 0x100 * sound)
    header += _MATRIX + struct.pack(">II", width << 16, height << 16)
    times = struct.pack(">4IHH", 0, 0, track.scale, len(track.samples) * track.step, 0x55C4, 0)
    kind = _full(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"soun" if sound else b"vide"), b"\0")
    media = _full(b"smhd", 0, 0, bytes(4)) if sound else _full(b"vmhd", 0, 1, bytes(8))
    reference = _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))
    content = _box(b"minf", media, _box(b"dinf", reference), _table(track, start))
    return _box(
        b"trak", _full(b"tkhd", 0, 7, header), _box(b"mdia", _full(b"mdhd", 0, 0, times), kind, content)
    )


def _table(track: Track, start: int) -> bytes:
    number = len(track.samples)
    sizes = struct.pack(f">II{number}I", 0, number, *map(len, track.samples))
    some = 1 if number else 0
    return _box(
        b"stbl",
        _full(b"stsd", 0, 0, struct.pack(">I", 1), _description(track)),
        _full(b"stts", 0, 0, struct.pack(">I", some), struct.pack(">II", number, track.step)[: 8 * some]),
        _full(b"stsc", 0, 0, struct.pack(">I", some), struct.pack(">III", 1, number, 1)[: 12 * some]),
        _full(b"stsz", 0, 0, sizes),
        _full(b"stco", 0, 0, struct.pack(">I", some), struct.pack(">I", start)[: 4 * some]),
    )


def _description(track: Track) -> bytes:
    kind, stream = (0x6B, 0x15) if track.size is None else (0x6C, 0x11)
    config = bytes([4, 13, kind, stream]) + bytes(11)
    descriptor = bytes([3, 3 + len(config) + 3, 0, track.number, 0]) + config + bytes([6, 1, 2])
    details = _full(b"esds", 0, 0, descriptor)
    if track.size is None:
        return _box(b"mp4a", struct.pack(">6xH8xHH4xI", 1, 2, 16, _RATE << 16), details)
    picture = struct.pack(">6xH16xHHII4xH32xHh", 1, *track.size, 0x480000, 0x480000, 1, 24, -1)
    return _box(b"mp4v", picture, details)


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *content)


def transport_stream(seconds: int, each: int = 2) -> list[bytes]:
    """Make segments of an MPEG transport stream with a sound track, `each` so many seconds."""
    frames = -(-seconds * _RATE // _SAMPLES)
    per_segment = round(each * _RATE / _SAMPLES)
    clocks = count(), count(), count()
    return [
        _segment(range(first, min(first + per_segment, frames)), *clocks)
        for first in range(0, frames, per_segment)
    ]


def _segment(frames: range, programs: count[int], maps: count[int], sounds: count[int]) -> bytes:
    association = struct.pack(">HBBBHH", 1, 0xC1, 0, 0, 1, 0xE100)
    # One stream of type 3, MPEG audio, on packet number 0x101, which also carries the clock.
    streams = struct.pack(">HBBBHHBHH", 1, 0xC1, 0, 0, 0xE101, 0xF000, 3, 0xE101, 0xF000)
    out = _packets(0, _section(0, association), programs) + _packets(0x100, _section(2, streams), maps)
    for at in range(frames.start, frames.stop, 10):
        number = min(10, frames.stop - at)
        out += _packets(0x101, _timed(_SILENCE * number, at), sounds, clock=_ticks(at))
    return out


def _ticks(frame: int) -> int:
    return 90_000 + frame * _SAMPLES * 90_000 // _RATE


def _section(table: int, body: bytes) -> bytes:
    head = struct.pack(">BH", table, 0xB000 | len(body) + 4) + body
    return b"\0" + head + struct.pack(">I", _crc(head))


def _crc(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


def _timed(data: bytes, frame: int) -> bytes:
    """Put sound into a packet of the elementary stream, with the time at which it is heard."""
    time = _ticks(frame)
    stamp = bytes([0x21 | time >> 29 & 0x0E]) + struct.pack(
        ">HH", (time >> 14 & 0xFFFE) | 1, (time << 1 & 0xFFFE) | 1
    )
    return b"\0\0\1\xc0" + struct.pack(">HBBB", len(data) + 8, 0x80, 0x80, 5) + stamp + data


def _packets(number: int, data: bytes, counter: count[int], clock: int | None = None) -> bytes:
    """Cut data into packets of 188 bytes; what is left over in one is filled up before its data."""
    out, first, at = b"", True, 0
    while first or at < len(data):
        field = (
            b"\x50" + struct.pack(">IH", clock >> 1, (clock & 1) << 15 | 0x7E00) if first and clock else b""
        )
        room = 184 - (len(field) + 1 if field else 0)
        part = data[at : at + room]
        at += len(part)
        missing = room - len(part)
        padding = _padding(field, missing)
        head = struct.pack(">BHB", 0x47, (0x4000 if first else 0) | number, (0x30 if padding else 0x10))
        out += head[:3] + bytes([head[3] | next(counter) & 15]) + padding + part
        first = False
    return out


def _padding(field: bytes, missing: int) -> bytes:
    """Make the adaptation field that carries the clock and fills a packet up."""
    if field:
        return bytes([len(field) + missing]) + field + b"\xff" * missing
    if not missing:
        return b""
    return b"\0" if missing == 1 else bytes([missing - 1]) + b"\0" + b"\xff" * (missing - 2)
