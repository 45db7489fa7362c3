"""Images: walked to their end mark, then decoded within bounds.

The walk finds what is cut off, at the speed of reading; decoding finds what makes no sense. For JPEG
the walk is what counts: Pillow's decoder fills in what is missing or garbled between the first rows
and the end mark without a word, so only the beginning is decoded, to see that a decoder takes it.
"""

from __future__ import annotations

import io
import logging
import re
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO, Final

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from archiver.errors import InvalidError
from archiver.media import boxes, sound

log = logging.getLogger(__name__)

# Pillow warns of odd tags as a debugging aid; what matters is raised, and said by the errors below.
# For the whole process, as filters cannot be set for one thread.
warnings.filterwarnings("ignore", module=r"PIL\.")

#: More than any camera or scanner makes: what claims more is refused.
MAX_PIXELS: Final = 1_000_000_000
#: Decoded at most, all frames together: 120 million pixels take up to 480 MB of memory.
_DECODED_PIXELS: Final = 120_000_000
#: Formats whose decoder takes the whole file into memory are decoded up to this size, in bytes.
_DECODED_BYTES: Final = 256 << 20
_CHUNK: Final = 1 << 20
#: The headers of most photos are shorter than this.
_HEAD: Final = 64 << 10
#: Of a JPEG's data this much is decoded, and headers (profiles, previews) up to this size are read.
_FIRST_PART: Final = 4 << 10
_MAX_HEADERS: Final = 32 << 20
_MAX_SEGMENTS: Final = 500_000

# Opened by class: `Image.open` would try fifty formats, and its guard against bombs warns through a
# process-wide switch.
_DECODERS: Final[dict[str, type[ImageFile.ImageFile]]] = {
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/png": PngImagePlugin.PngImageFile,
    "image/gif": GifImagePlugin.GifImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
    "image/tiff": TiffImagePlugin.TiffImageFile,
    "image/bmp": BmpImagePlugin.BmpImageFile,
    "image/avif": AvifImagePlugin.AvifImageFile,
}


def check(path: Path, media_type: str) -> None:
    """Look whether an image is whole and can be decoded. Raises `InvalidError`.

    HEIC and camera raw files are only walked: Pillow has no decoder for them.
    """
    if media_type == "image/jpeg":
        _decode(io.BytesIO(_jpeg_beginning(path)), media_type)
        return
    if walk := _WALKS.get(media_type):
        walk(path)
    if media_type in _DECODERS:
        with path.open("rb") as stream:
            _decode(stream, media_type)


def _decode(stream: IO[bytes], media_type: str) -> None:
    size = stream.seek(0, 2)
    stream.seek(0)
    try:
        with _DECODERS[media_type](stream) as image:
            _check_size(image)
            _load(image, size)
    except (UnidentifiedImageError, NotImplementedError) as error:
        _unknown(media_type, error)
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError, struct.error, zlib.error) as error:
        raise InvalidError(f"The image is damaged or cut off: {error}.") from error
    except MemoryError as error:
        raise InvalidError(
            "The image needs more memory to be decoded than is allowed: it looks like a trap.",
            hint="if it is real, archive it as kind `other`",
        ) from error
    except (Image.DecompressionBombError, OverflowError, IndexError, TypeError, KeyError) as error:
        # What Pillow raises on headers that make no sense is not documented.
        raise InvalidError(f"The image is damaged: {error}.") from error


def _unknown(media_type: str, error: Exception) -> None:
    if media_type != "image/tiff":
        raise InvalidError(f"The image is damaged: {error}.") from error
    # A camera's raw file is a TIFF with the maker's own compression inside.
    log.warning("The TIFF uses a compression that cannot be checked here; it is kept as it is.")


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise InvalidError(
            f"The image claims {width:,} × {height:,} pixels: it looks like a trap.",
            hint="if it is real, archive it as kind `other`",
        )


def _load(image: ImageFile.ImageFile, size: int) -> None:
    width, height = image.size
    if image.format == "JPEG":
        _load_jpeg(image)
        return
    if width * height > _DECODED_PIXELS or size > _DECODED_BYTES:
        log.info("The image of %d × %d pixels is too large to be decoded here.", width, height)
        return
    frames = min(getattr(image, "n_frames", 1), max(1, _DECODED_PIXELS // max(1, width * height)))
    for number in range(frames):
        image.seek(number)
        image.load()


def _load_jpeg(image: ImageFile.ImageFile) -> None:
    width, height = image.size
    # Reduced eightfold, which takes a sixty-fourth of the memory.
    image.draft("L", (max(1, width // 8), max(1, height // 8)))
    try:
        image.load()
    except OSError as error:
        # "image file is truncated (0 bytes not processed)": all of the beginning was taken.
        if "truncated" not in str(error):
            raise


# Inside the data of a JPEG, FF is followed by 00, a restart mark or another FF; anything else begins
# the next segment (ITU-T T.81, B.1.1).
_MARK: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]", re.DOTALL)
_END: Final = b"\xff\xd9"
_END_OF_IMAGE: Final = _END[1]
_START_OF_SCAN: Final = 0xDA


def _jpeg_beginning(path: Path) -> bytes:
    """Walk a JPEG to its end mark and read its headers with the first part of the picture."""
    with path.open("rb", buffering=0) as file:
        head = file.read(_HEAD)
        file.seek(-len(_END), 2)
        # Inside the data FF is followed by 00: a file that ends in this mark was not cut off on the way,
        # and only one with something behind the picture has to be read to its end.
        ends_well = file.read(len(_END)) == _END
        if ends_well and (scan := _scan_within(head)):
            return head[: scan + _FIRST_PART]
        with io.BufferedReader(file, _CHUNK) as stream:
            scan = _walk_jpeg(stream, to_end=not ends_well)
            stream.seek(0)
            return stream.read(min(scan, _MAX_HEADERS) + _FIRST_PART)


def _scan_within(head: bytes) -> int:
    """Find where the picture's data begins, when this and its first part lie in `head`; else return 0."""
    try:
        scan = _walk_jpeg(io.BytesIO(head), to_end=False)
    except InvalidError:
        return 0  # longer headers, or none that make sense: look at the whole file
    return scan if scan + _FIRST_PART <= len(head) else 0


def _walk_jpeg(stream: BinaryIO, *, to_end: bool) -> int:
    """Find the end mark, or just the picture; return the byte at which the picture's data begins."""
    stream.seek(2)
    scan = 0
    for _ in range(_MAX_SEGMENTS):
        mark = _next_mark(stream, in_scan=bool(scan))
        if mark == _END_OF_IMAGE and scan:
            return scan
        if mark == _END_OF_IMAGE:
            raise InvalidError("The JPEG is damaged: it holds no picture.")
        if mark == _START_OF_SCAN:
            scan = scan or stream.tell()
            if not to_end:
                return scan
        _skip_segment(stream)
    raise InvalidError("The JPEG is damaged: it has too many parts.")


def _next_mark(stream: BinaryIO, *, in_scan: bool) -> int:
    """Move behind the next mark and give its second byte."""
    while chunk := stream.read(_CHUNK if in_scan else 4096):
        if found := _MARK.search(chunk):
            stream.seek(found.end() - len(chunk), 1)
            return found[0][1]
        if chunk.endswith(b"\xff") and len(chunk) > 1:
            stream.seek(-1, 1)  # the second byte of the mark is in the next chunk
    raise InvalidError(
        "The JPEG is cut off: the end of the picture is missing.",
        hint="get it again, and compare its size",
    )


def _skip_segment(stream: BinaryIO) -> None:
    length = stream.read(2)
    if len(length) == 2:
        stream.seek(max(0, struct.unpack(">H", length)[0] - 2), 1)


def _walk_png(path: Path) -> None:
    with path.open("rb") as stream:
        stream.seek(8)
        for _ in range(_MAX_SEGMENTS):
            head = stream.read(8)
            if len(head) < 8:
                raise InvalidError(
                    "The PNG is cut off: its end mark is missing.", hint="get it again, and compare its size"
                )
            length, kind = struct.unpack(">I4s", head)
            _check_chunk(stream, length, kind)
            if kind == b"IEND":
                return
    raise InvalidError("The PNG is damaged: it has too many parts.")


def _check_chunk(stream: BinaryIO, length: int, kind: bytes) -> None:
    digest = zlib.crc32(kind)
    while length:
        data = stream.read(min(length, _CHUNK))
        if not data:
            raise InvalidError(
                "The PNG is cut off inside its data.", hint="get it again, and compare its size"
            )
        digest = zlib.crc32(data, digest)
        length -= len(data)
    if stream.read(4) != digest.to_bytes(4, "big"):
        raise InvalidError("The PNG is damaged or cut off: the checksum of a part is wrong.")


def _walk_gif(path: Path) -> None:
    with path.open("rb") as stream:
        head = stream.read(13)
        if len(head) < 13:
            raise _cut_gif()
        stream.seek(_table_size(head[10]), 1)
        for _ in range(_MAX_SEGMENTS):
            if _skip_block(stream):
                return
    raise InvalidError("The GIF is damaged: it has too many parts.")


def _table_size(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _skip_block(stream: BinaryIO) -> bool:
    """Skip one block of a GIF (GIF89a, 15 to 27); True at the trailer."""
    kind = stream.read(1)
    if kind == b";":
        return True
    if kind == b"!":
        stream.seek(1, 1)
    elif kind == b",":
        descriptor = stream.read(9)
        if len(descriptor) < 9:
            raise _cut_gif()
        stream.seek(_table_size(descriptor[8]) + 1, 1)
    else:
        raise _cut_gif()
    while True:
        length = stream.read(1)
        if not length:
            raise _cut_gif()
        if length == b"\0":
            return False
        stream.seek(length[0], 1)


def _cut_gif() -> InvalidError:
    return InvalidError(
        "The GIF is damaged or cut off: its end mark is missing.", hint="get it again, and compare its size"
    )


_WALKS: Final[dict[str, Callable[[Path], None]]] = {
    "image/png": _walk_png,
    "image/gif": _walk_gif,
    "image/webp": sound.check_riff,
    "image/heic": boxes.check_still,
    "image/avif": boxes.check_still,
    "image/x-canon-cr3": boxes.check_still,
}
