"""Make the files that the benchmarks fetch, and serve them with nginx on the loopback.

The whole world (`scale` 1) is 2,000 photos of 0.3 to 0.5 MB, 100 decks of 2 MB and 8 recordings of
100 MB: 1.8 GB. They are real: the photos decode, the decks have text on their pages, the recordings
play. Every call makes the same bytes (with the same Pillow), and no two files are equal.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

PHOTOS, DECKS, RECORDINGS = 2000, 100, 8
DECK_PAGES = 20
RECORDING_BYTES = 100_000_000
SEED = 2012
#: The directory that nginx serves, and the list of what lies in it.
ORIGIN, NAMES = "origin", "names.json"

_NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 512; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  server {{ listen 127.0.0.1:{port}; root {dir}/origin; }} }}
"""


@dataclass(frozen=True)
class World:
    """Where the files are, and their names in the order in which they are asked for."""

    folder: Path
    names: tuple[str, ...]

    @property
    def size(self) -> int:
        return sum((self.folder / ORIGIN / name).stat().st_size for name in self.names)

    def warm(self) -> None:
        """Read everything once, so that no client pays for the disk under the server."""
        for name in self.names:
            with (self.folder / ORIGIN / name).open("rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass


def make(folder: Path, scale: float = 1.0) -> World:
    """Make the world in `folder`; one that is there already is taken as it is."""
    listing = folder / NAMES
    if not listing.exists():
        (folder / ORIGIN).mkdir(parents=True)
        names = list(_write_all(folder / ORIGIN, scale))
        random.Random(SEED).shuffle(names)
        listing.write_text(json.dumps(names))
        folder.chmod(0o755)  # nginx's worker is another user
    return World(folder, tuple(json.loads(listing.read_text())))


def _write_all(origin: Path, scale: float) -> Iterator[str]:
    photos = [picture(1600, 1000 + 40 * number, 70 + number, number) for number in range(8)]
    slides = [picture(960, 540, 70, 100 + number) for number in range(8)]
    for number in range(_share(PHOTOS, scale)):
        yield _write(origin / f"photo-{number:04}.jpg", [marked(photos[number % 8], number)])
    for number in range(_share(DECKS, scale)):
        yield _write(origin / f"slides-{number:03}.pdf", [deck(slides, number)])
    for number in range(_share(RECORDINGS, scale)):
        yield _write(origin / f"video-{number}.mp4", recording(photos, number))


def _share(count: int, scale: float) -> int:
    return max(1, round(count * scale))


def _write(path: Path, pieces: Iterable[bytes]) -> str:
    with path.open("xb") as file:
        file.writelines(pieces)
    return path.name


def picture(width: int, height: int, quality: int, seed: int) -> bytes:
    """Take a blurred pattern with grain over it: about as hard to compress as a photo."""
    chance = random.Random(seed)
    pattern = Image.frombytes("RGB", (24, 16), chance.randbytes(24 * 16 * 3)).resize((width, height))
    grain = Image.frombytes("L", (width, height), chance.randbytes(width * height))
    picture = Image.blend(pattern, Image.merge("RGB", (grain, grain, grain)), 0.14)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def marked(jpeg: bytes, number: int) -> bytes:
    """Put a comment behind the start mark (ITU-T T.81, B.2.4.5), so that no two photos are equal."""
    words = f"photo {number}".encode()
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(words) + 2) + words + jpeg[2:]


def deck(slides: Sequence[bytes], number: int, pages: int = DECK_PAGES) -> bytes:
    """Make a PDF whose pages hold a picture and a few lines of text each (ISO 32000-1)."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (pages, b" ".join(b"%d 0 R" % (4 + 3 * page) for page in range(pages))),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for page in range(pages):
        objects += _page(slides[(number + page) % len(slides)], number, page)
    return _pdf(objects)


def _page(picture: bytes, number: int, page: int) -> list[bytes]:
    first = 4 + 3 * page
    lines = b" ".join(
        b"(Deck %d, page %d, line %d: Swift and Nova) Tj T*" % (number, page, n) for n in range(8)
    )
    content = b"q 720 0 0 405 0 0 cm /I Do Q BT /F 18 Tf 24 TL 40 360 Td %s ET" % lines
    return [
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 720 405] /Contents %d 0 R "
        b"/Resources << /Font << /F 3 0 R >> /XObject << /I %d 0 R >> >> >>" % (first + 1, first + 2),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /XObject /Subtype /Image /Width 960 /Height 540 /ColorSpace /DeviceRGB "
        b"/BitsPerComponent 8 /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream"
        % (len(picture), picture),
    ]


def _pdf(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    table = [b"0000000000 65535 f \n"]
    for number, body in enumerate(objects, 1):
        table.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(table), len(out))
    return bytes(out) + b"xref\n0 %d\n" % len(table) + b"".join(table) + end


def recording(pictures: Sequence[bytes], number: int, size: int = RECORDING_BYTES) -> Iterator[bytes]:
    """Make an MP4 of one picture a second, about `size` bytes long, its index first (ISO/IEC 14496-12)."""
    frames: list[bytes] = []
    while sum(map(len, pictures)) * (len(frames) // len(pictures) + 1) <= size or not frames:
        start = (number + len(frames)) % len(pictures)
        frames += [*pictures[start:], *pictures[:start]]
    frames.append(marked(pictures[0], number))
    sizes = [len(frame) for frame in frames]
    kind = _box(b"ftyp", b"isom", bytes(4), b"isom", b"mp41")
    index = _index(sizes, len(kind) + len(_index(sizes, 0)) + 8)
    yield kind + index + struct.pack(">I4s", 8 + sum(sizes), b"mdat")
    yield from frames


def large(path: Path, size: int) -> Path:
    """Write one recording of about `size` bytes."""
    _write(path, recording([picture(1600, 1000, 70, number) for number in range(8)], 0, size))
    return path


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, kind) + body


_UNTURNED = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def _index(sizes: Sequence[int], first: int) -> bytes:
    long = len(sizes)
    movie = struct.pack(">5IIH10x", 0, 0, 0, 1, long, 0x10000, 0x100) + _UNTURNED + bytes(24)
    track = (
        struct.pack(">I5I16x", 7, 0, 0, 1, 0, long) + _UNTURNED + struct.pack(">II", 1600 << 16, 1000 << 16)
    )
    media = _box(
        b"mdia",
        _box(b"mdhd", struct.pack(">5IHH", 0, 0, 0, 1, long, 0x55C4, 0)),
        _box(b"hdlr", struct.pack(">II4s12x", 0, 0, b"vide"), b"video\0"),
        _box(b"minf", _box(b"vmhd", struct.pack(">I8x", 1)), _source(), _samples(sizes, first)),
    )
    return _box(
        b"moov", _box(b"mvhd", movie, struct.pack(">I", 2)), _box(b"trak", _box(b"tkhd", track), media)
    )


def _source() -> bytes:
    return _box(b"dinf", _box(b"dref", struct.pack(">II", 0, 1), _box(b"url ", struct.pack(">I", 1))))


def _samples(sizes: Sequence[int], first: int) -> bytes:
    # "jpeg" is the sample entry of Motion JPEG (QuickTime File Format).
    entry = _box(b"jpeg", struct.pack(">6xH16xHHII4xH32xHh", 1, 1600, 1000, 72 << 16, 72 << 16, 1, 24, -1))
    return _box(
        b"stbl",
        _box(b"stsd", struct.pack(">II", 0, 1), entry),
        _box(b"stts", struct.pack(">4I", 0, 1, len(sizes), 1)),
        _box(b"stsc", struct.pack(">5I", 0, 1, 1, len(sizes), 1)),
        _box(b"stsz", struct.pack(">3I", 0, 0, len(sizes)), struct.pack(f">{len(sizes)}I", *sizes)),
        _box(b"stco", struct.pack(">3I", 0, 1, first)),
    )


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Serve `folder`/origin on the loopback while the block runs; gives the base URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = folder / "nginx.conf"
    settings.write_text(_NGINX.format(dir=folder, port=port))
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([binary, "-p", str(folder), "-c", str(settings)])
    try:
        _await(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit("nginx did not start.")
