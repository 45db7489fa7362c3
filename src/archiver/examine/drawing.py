"""Small pictures of what a file shows: a photo in several widths, one page of a document.

Runs in a child process: decoders meet what strangers made. Nothing of the original but its pixels is
kept, so no place and no name of a camera's owner reaches a page of the site.
"""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from archiver.errors import InvalidError
from archiver.media import pdf, types, zips

#: Pixels of one drawn page: a sheet of 1 mm by 10 m asks for a picture that nobody can look at.
_PAGE_PIXELS: Final = 6_000_000
#: Bytes of a picture inside a deck that are looked at.
_COVER_BYTES: Final = 16 << 20
#: Where programs keep a picture of the first slide: Office Open XML, OpenDocument, Keynote.
_COVERS: Final = (
    "docProps/thumbnail.jpeg", "docProps/thumbnail.png", "Thumbnails/thumbnail.png",
    "preview.jpg", "QuickLook/Thumbnail.jpg",
)  # fmt: skip
#: Of 256 levels of a colour: a picture that varies less is blank.
_BLANK: Final = 8
_ZIPPED: Final = frozenset({types.PPTX, types.PPSX, types.PPTM, types.ODP, types.KEYNOTE})
_IMAGES: Final = frozenset({
    "image/jpeg", "image/png", "image/gif", "image/webp", "image/tiff", "image/bmp", "image/avif",
})  # fmt: skip

#: What is drawn, as it crosses the process border: width, height, base64 of the file.
Drawn = dict[str, Any]


def can_draw(media_type: str) -> bool:
    """Say whether pictures can be made of files of this type."""
    return media_type == types.PDF or media_type in _IMAGES or media_type in _ZIPPED


def draw(path: Path, media_type: str, page: int, widths: Sequence[int], form: str) -> dict[str, Any]:
    """Draw a file in several widths (pixels): `{"pages": n, "pictures": [{width, height, data}, …]}`.

    `page` counts from 0. `form` is `jpeg` or `webp`. No picture is wider than the original, and each
    width appears once, narrowest first. Raises `InvalidError` when there is nothing to draw.
    """
    image, pages = _load(path, media_type, page, max(widths))
    with image:
        return {"pages": pages, "pictures": list(_scaled(image, sorted(set(widths)), form))}


def _load(path: Path, media_type: str, page: int, widest: int) -> tuple[Any, int]:
    if media_type == types.PDF:
        return _page(path, page, widest)
    if media_type in _ZIPPED:
        return _not_blank(_opened(io.BytesIO(_cover(path)), widest)), 1
    return _opened(path, widest), 1


def _page(path: Path, number: int, width: int) -> tuple[Any, int]:
    import pypdfium2

    try:
        with pdf.opened(path) as document, closing(document[number]) as page:
            across, down = page.get_size()
            scale = min(width / max(1.0, across), (_PAGE_PIXELS / max(1.0, across * down)) ** 0.5)
            with closing(page.render(scale=scale, may_draw_forms=False)) as bitmap:
                return bitmap.to_pil().convert("RGB"), len(document)
    except (pypdfium2.PdfiumError, IndexError, ValueError) as error:
        raise InvalidError(f"Page {number + 1} of the PDF cannot be drawn: {error}") from error


def _cover(path: Path) -> bytes:
    with zips.opened(path) as archive:
        for name in _COVERS:
            try:
                info = archive.getinfo(name)
            except KeyError:
                continue
            if info.file_size <= _COVER_BYTES:
                return _read(archive, info)
    raise InvalidError("The deck holds no picture of its first slide.")


def _not_blank(image: Any) -> Any:
    # Programs that write decks put the picture of an empty template into each: it shows nothing.
    if all(high - low < _BLANK for low, high in image.getextrema()):
        raise InvalidError("The deck holds no picture of its first slide: it is blank.")
    return image


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as stream:
        return stream.read(_COVER_BYTES)


def _opened(source: Any, widest: int) -> Any:
    """Open a picture upright, in plain colours, decoded no larger than needed where its form allows."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        image = Image.open(source)
        # JPEG alone can be decoded at a half, a quarter, an eighth. Both sides: it may have to be turned.
        image.draft("RGB", (widest, widest))
        ImageOps.exif_transpose(image, in_place=True)  # a copy would cost more than the decoding
        return _plain(image)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise InvalidError(f"The picture cannot be drawn: {error}") from error


def _plain(image: Any) -> Any:
    from PIL import Image

    if image.mode in {"RGBA", "LA", "P", "PA"} or "transparency" in image.info:
        layered = image.convert("RGBA")
        ground = Image.new("RGB", layered.size, (255, 255, 255))
        ground.paste(layered, mask=layered.getchannel("A"))
        return ground
    image.load()
    return image if image.mode == "RGB" else image.convert("RGB")


def _scaled(image: Any, widths: Sequence[int], form: str) -> Iterator[Drawn]:
    """Scale down step by step, the widest first, each from the one before."""
    from PIL import Image

    wanted = sorted({min(width, image.width) for width in widths}, reverse=True)
    made, current = [], image
    for width in wanted:
        height = max(1, round(image.height * width / image.width))
        if (width, height) != current.size:
            # Whole factors are averaged first, the rest is Lanczos: much faster, and no eye sees it.
            current = current.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=1.0)
        made.append({"width": width, "height": height, "data": _encoded(current, form)})
    yield from reversed(made)


def _encoded(image: Any, form: str) -> str:
    buffer = io.BytesIO()
    if form == "webp":
        image.save(buffer, "WEBP", quality=80, method=2)  # half the time of 3, for 7 % more bytes
    else:
        image.save(buffer, "JPEG", quality=80)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
