"""Small files for the contracts of the bundled plugins."""

from __future__ import annotations

import io
from functools import lru_cache


@lru_cache(maxsize=256)
def picture(number: int = 1, form: str = "JPEG", width: int = 320) -> bytes:
    """Make a picture of its own colour."""
    from PIL import Image

    color = (number * 40 % 256, number * 90 % 256, 120)
    buffer = io.BytesIO()
    Image.new("RGB", (width, width * 3 // 4), color).save(buffer, form)
    return buffer.getvalue()


@lru_cache(maxsize=256)
def pdf(number: int = 1) -> bytes:
    """Make a PDF of one page, by a picture on it."""
    import img2pdf

    made: bytes = img2pdf.convert(picture(number), nodate=True)
    return made
