"""Page images: what they are by content, whether they are whole, and one PDF made of many.

For sources that get a deck as one image per page. Part of `archiver.api`.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from archiver.errors import InvalidError
from archiver.model import Fetched, Grade, Role

if TYPE_CHECKING:
    from PIL import Image

#: A page of more pixels than this is an attack on memory: 64 megapixels are 192 MB as RGB.
MAX_PIXELS: Final = 64_000_000
#: Images of a deck, together, that are put in one PDF; it is assembled in memory.
MAX_PDF_BYTES: Final = 256 << 20
#: Width of a PDF page in points: 10 inches, whatever size the image had.
PAGE_WIDTH: Final = 720

_FORMATS: Final = {
    "JPEG": ("image/jpeg", ".jpg"),
    "MPO": ("image/jpeg", ".jpg"),  # a JPEG with a second picture behind it, as some cameras write
    "PNG": ("image/png", ".png"),
    "WEBP": ("image/webp", ".webp"),
    "GIF": ("image/gif", ".gif"),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file that was decoded to its end. `suffix` has its dot; sizes are in pixels."""

    path: Path
    media_type: str
    suffix: str
    width: int
    height: int


def read_picture(path: Path) -> Picture:
    """Decode a JPEG, PNG, WebP or GIF to its end and say what it is, whatever its name says.

    Raises `InvalidError` for anything else, for half a file, and for more than `MAX_PIXELS`.
    """
    with _opened(path) as image:
        media_type, suffix = _FORMATS[image.format or ""]
        return Picture(path, media_type, suffix, image.width, image.height)


def page_files(
    pictures: Sequence[Picture], into: Path, *, title: str, log: logging.Logger
) -> Iterator[Fetched]:
    """Name the page images of a deck, and write a PDF made of them beside them.

    The pictures lie in `into`, in the order of the pages. A PDF that cannot be made is logged only:
    the pages are what counts.
    """
    for number, picture in enumerate(pictures, 1):
        name = Path(picture.path.name)
        yield Fetched(name, Role.RENDITION, Grade.PAGES, f"p{number:03}", picture.media_type)
    try:
        pictures_to_pdf(pictures, into / "slides.pdf", title=title)
    except InvalidError as error:
        log.warning("%s is kept without a PDF: %s", title, error)
        return
    yield Fetched(Path("slides.pdf"), Role.DERIVATIVE, Grade.PDF, media_type="application/pdf")


def transcript_file(texts: Sequence[str], into: Path) -> Iterator[Fetched]:
    """Write the texts of a deck's pages as one file, each under its mark; none when there is no text."""
    if any(texts):
        marked = "\n".join(f"[p{number:03}]\n{text}\n" for number, text in enumerate(texts, 1))
        into.joinpath("transcript.txt").write_text(marked, "utf-8")
        yield Fetched(Path("transcript.txt"), Role.SIDECAR, label="transcript", media_type="text/plain")


def pictures_to_pdf(pictures: Sequence[Picture], target: Path, *, title: str = "") -> None:
    """Write a PDF with one page per picture, the same bytes for the same pictures every time.

    JPEG is embedded as it is; PNG and GIF keep every pixel; WebP, which PDF does not know, becomes
    JPEG of quality 90 (lossless would be about three times the size of the original). Transparency
    is laid on white. Every page is 10 inches wide. Raises `InvalidError` when there is no picture,
    when they are more than `MAX_PDF_BYTES`, or when one cannot be embedded.
    """
    import img2pdf

    total = sum(picture.path.stat().st_size for picture in pictures)
    if not pictures or total > MAX_PDF_BYTES:
        raise InvalidError(f"{len(pictures)} page images of {total:,} bytes cannot become one PDF")
    try:
        with target.open("wb") as file:
            img2pdf.convert(
                [_embeddable(picture) for picture in pictures],
                outputstream=file,
                # Only the internal engine without dates repeats itself byte for byte.
                engine=img2pdf.Engine.internal,
                nodate=True,
                layout_fun=img2pdf.get_layout_fun((PAGE_WIDTH, None)),
                rotation=img2pdf.Rotation.ifvalid,
                title=title or None,
            )
    except _refusals() as error:
        raise InvalidError(f"the page images cannot become a PDF: {error}") from error


def _refusals() -> tuple[type[Exception], ...]:
    """List what img2pdf raises for pictures that it cannot embed; its own have no common base."""
    import img2pdf

    return (
        img2pdf.AlphaChannelError,
        img2pdf.ExifOrientationError,
        img2pdf.ImageOpenError,
        img2pdf.JpegColorspaceError,
        img2pdf.NegativeDimensionError,
        img2pdf.PdfTooLargeError,
        img2pdf.UnsupportedColorspaceError,
        ValueError,
        OSError,
    )


def _opened(path: Path) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    try:
        # From memory, so that no file stays open when decoding fails.
        image = Image.open(io.BytesIO(path.read_bytes()), formats=("JPEG", "PNG", "WEBP", "GIF"))
        if image.width * image.height > MAX_PIXELS:
            raise InvalidError(f"an image of {image.width} x {image.height} pixels is too large")
        image.load()
    except UnidentifiedImageError as error:
        raise InvalidError(f"not an image: {_glimpse(path)}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidError("an image of too many pixels") from error
    # What the decoders raise on broken files; SyntaxError is Pillow's word for a bad PNG chunk.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError) as error:
        raise InvalidError(f"a broken image: {error}") from error
    return image


def _glimpse(path: Path) -> str:
    """Show the beginning of a file that is no image, e.g. `b'<!doctype html><html><head><tit'`."""
    with path.open("rb") as file:
        start = file.read(32)
    return repr(start) if start else "the file is empty"


def _embeddable(picture: Picture) -> bytes:
    with _opened(picture.path) as image:
        clear = image.has_transparency_data
        if not clear and image.format in {"JPEG", "PNG"}:
            return picture.path.read_bytes()
        lossy = image.format == "WEBP"
        return _encoded(_on_white(image) if clear else image.convert("RGB"), "JPEG" if lossy else "PNG")


def _on_white(image: Image.Image) -> Image.Image:
    from PIL import Image

    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _encoded(image: Image.Image, form: str) -> bytes:
    buffer = io.BytesIO()
    # subsampling 0: the edges of coloured letters stay sharp.
    image.save(buffer, form, **({"quality": 90, "subsampling": 0} if form == "JPEG" else {}))
    return buffer.getvalue()
