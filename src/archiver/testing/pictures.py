"""Page images in the sizes and formats that a slide host would serve them in."""

from __future__ import annotations

import io
from functools import lru_cache


@lru_cache(maxsize=2048)
def rendered(page: bytes, width: int, quality: int, form: str) -> bytes:
    """Convert a page to at most `width` pixels in `form` (`JPEG` or `WEBP`).

    A page that has this form and is no wider is passed through byte for byte; nothing is enlarged.
    """
    from PIL import Image

    with Image.open(io.BytesIO(page)) as image:
        if image.format == form and image.width <= width:
            return page
        picture = image.convert("RGB")
    if picture.width > width:
        picture = picture.resize((width, max(1, round(picture.height * width / picture.width))))
    buffer = io.BytesIO()
    # method 1: a demo converts hundreds of pages, and nobody looks at their size.
    picture.save(buffer, form, quality=quality, **({"method": 1} if form == "WEBP" else {}))
    return buffer.getvalue()
