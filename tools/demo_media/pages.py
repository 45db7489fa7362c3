"""Draw the pages of a deck as images."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from archiver.demo.content import DemoDeck, Page
from demo_media.style import FOOTER, INK, MUTED, PALETTES, WHITE, Palette, blend, font, occasion

WIDTH, HEIGHT = 1024, 576
#: Drawn at twice the size and shrunk to `SIZE`: smooth edges.
SCALE = 2
SIZE = (960, 540)
MAX_BYTES = 12 * 1024
Box = tuple[float, float, float, float]


class Canvas:
    """A drawing area in page pixels, whatever the scale underneath."""

    def __init__(self, ground: tuple[int, int, int]) -> None:
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), ground)
        self.draw = ImageDraw.Draw(self.image)

    def rounded(self, box: Box, fill: tuple[int, int, int], radius: int = 14) -> None:
        """Fill a box with round corners."""
        self.draw.rounded_rectangle([v * SCALE for v in box], radius * SCALE, fill=fill)

    def ellipse(self, box: Box, fill: tuple[int, int, int]) -> None:
        """Fill an ellipse."""
        self.draw.ellipse([v * SCALE for v in box], fill=fill)

    def line(self, points: Sequence[float], fill: tuple[int, int, int], width: int = 3) -> None:
        """Draw a line."""
        self.draw.line([v * SCALE for v in points], fill=fill, width=width * SCALE)

    def polygon(self, points: Sequence[float], fill: tuple[int, int, int]) -> None:
        """Fill a polygon."""
        self.draw.polygon([v * SCALE for v in points], fill=fill)

    def text(
        self,
        place: tuple[float, float],
        text: str,
        size: int,
        fill: tuple[int, int, int],
        *,
        anchor: str = "la",
        weight: str = "Regular",
    ) -> None:
        """Write one line; `anchor` as in Pillow."""
        face = font(size * SCALE, weight)
        self.draw.text((place[0] * SCALE, place[1] * SCALE), text, fill, face, anchor=anchor)

    def encode(self) -> bytes:
        """Encode as WebP, as good as the limit of bytes allows."""
        small = self.image.resize(SIZE, Image.Resampling.LANCZOS)
        for quality in range(60, 8, -6):
            buffer = io.BytesIO()
            small.save(buffer, "WEBP", quality=quality, method=6)
            if buffer.tell() <= MAX_BYTES:
                return buffer.getvalue()
        message = f"a page does not fit into {MAX_BYTES} bytes"
        raise ValueError(message)


def page_images(deck: DemoDeck) -> list[bytes]:
    """Draw every page of a deck."""
    palette = PALETTES[deck.stop]
    return [_page(deck, page, number, palette).encode() for number, page in enumerate(deck.pages, start=1)]


def _page(deck: DemoDeck, page: Page, number: int, palette: Palette) -> Canvas:
    if page.layout == "title":
        return _title(deck, page, palette)
    canvas = Canvas(WHITE)
    canvas.rounded((0, 0, 18, HEIGHT), palette.main, radius=0)
    _fit(canvas, (64, 40, 960, 92), page.heading, 38, palette.deep, anchor="la")
    canvas.rounded((64, 102, 144, 107), palette.accent, radius=2)
    _LAYOUTS[page.layout](canvas, page.items, palette)
    canvas.text((WIDTH - 40, HEIGHT - 26), str(number), 14, MUTED, anchor="rm")
    return canvas


def _title(deck: DemoDeck, page: Page, palette: Palette) -> Canvas:
    canvas = Canvas(palette.deep)
    lighter = blend(palette.deep, palette.main, 0.45)
    for x, y, radius in ((760, 470, 130), (890, 400, 170), (1010, 490, 150), (660, 540, 90)):
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), lighter)
    canvas.rounded((64, 120, 144, 127), palette.accent, radius=3)
    for row, line in enumerate(wrap(page.heading, font(44, "Bold"), 860)):
        canvas.text((64, 150 + row * 60), line, 44, WHITE, weight="Bold")
    canvas.text((64, 372), deck.author, 26, palette.light)
    canvas.text((64, 412), occasion(deck), 20, palette.accent)
    canvas.text((64, HEIGHT - 26), FOOTER, 12, blend(palette.deep, WHITE, 0.6), anchor="lm")
    return canvas


def wrap(text: str, face: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Break text into lines of at most `width` pixels: at spaces, or between Chinese characters."""
    lines = [""]
    for token in _tokens(text):
        if face.getlength((lines[-1] + token).rstrip()) > width and lines[-1]:
            lines.append("")
        lines[-1] += token if lines[-1] else token.lstrip()
    return [line.rstrip() for line in lines]


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    for character in text:
        joins = tokens and not tokens[-1].endswith(" ") and ord(character) < 0x2E80
        if joins and ord(tokens[-1][-1]) < 0x2E80:
            tokens[-1] += character
        else:
            tokens.append(character)
    return tokens


def _fit(
    canvas: Canvas, box: Box, text: str, size: int, fill: tuple[int, int, int], *, anchor: str = "mm"
) -> None:
    """Write one bold line into a box, smaller when it is too long."""
    while font(size, "Bold").getlength(text) > box[2] - box[0] and size > 12:
        size -= 1
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    place = middle if anchor == "mm" else (box[0], box[1])
    canvas.text(place, text, size, fill, anchor=anchor, weight="Bold")


def _list(canvas: Canvas, items: Sequence[str], palette: Palette) -> None:
    step = min(84, 390 / len(items))
    for row, item in enumerate(items):
        y = 150 + row * step
        canvas.rounded((66, y + 7, 84, y + 25), palette.accent if row == 0 else palette.main, radius=5)
        lines = wrap(item, font(25), 850)
        for extra, line in enumerate(lines[:2]):
            canvas.text((106, y - 2 + extra * 32), line, 25, INK)


def _layers(canvas: Canvas, items: Sequence[str], palette: Palette) -> None:
    height = 380 / len(items)
    for row, item in enumerate(items):
        fill = blend(palette.main, palette.deep, row / max(1, len(items) - 1))
        inset = (len(items) - 1 - row) * 26
        box = (150 + inset, 138 + row * height, 874 - inset, 130 + (row + 1) * height)
        canvas.rounded(box, fill)
        _fit(canvas, (box[0] + 20, box[1], box[2] - 20, box[3]), item, 26, WHITE)


def _flow(canvas: Canvas, items: Sequence[str], palette: Palette) -> None:
    gap, top, bottom = 40, 250, 370
    width = (WIDTH - 128 - gap * (len(items) - 1)) / len(items)
    for column, item in enumerate(items):
        x = 64 + column * (width + gap)
        last = column == len(items) - 1
        canvas.rounded((x, top, x + width, bottom), palette.main if last else palette.light)
        colour = WHITE if last else palette.deep
        lines = wrap(item, font(21, "Bold"), width - 12)
        for row, line in enumerate(lines):
            middle = (top + bottom) / 2 + (row - (len(lines) - 1) / 2) * 28
            _fit(canvas, (x + 6, middle - 14, x + width - 6, middle + 14), line, 21, colour)
        canvas.text(
            (x + width / 2, bottom + 28), str(column + 1), 18, palette.accent, anchor="mm", weight="Bold"
        )
        if not last:
            tip = x + width + gap - 8
            canvas.line((x + width + 8, 310, tip - 6, 310), palette.accent, 4)
            canvas.polygon((tip, 310, tip - 14, 301, tip - 14, 319), palette.accent)


def _hub(canvas: Canvas, items: Sequence[str], palette: Palette) -> None:
    centre, spokes = items[0], items[1:]
    x, y = WIDTH / 2, 326
    places = [
        (x + 330 * math.cos(angle), y + 148 * math.sin(angle))
        for angle in (-math.pi / 2 + 2 * math.pi * n / len(spokes) for n in range(len(spokes)))
    ]
    for spoke, (px, py) in zip(spokes, places, strict=True):
        canvas.line((x, y, px, py), palette.accent, 4)
        canvas.rounded((px - 100, py - 36, px + 100, py + 36), palette.light)
        _fit(canvas, (px - 90, py - 36, px + 90, py + 36), spoke, 23, palette.deep)
    canvas.ellipse((x - 104, y - 64, x + 104, y + 64), palette.main)
    _fit(canvas, (x - 92, y - 50, x + 92, y + 50), centre, 25, WHITE)


def _ring(canvas: Canvas, items: Sequence[str], palette: Palette) -> None:
    x, y, radius = 330, 332, 190
    step = 360 / len(items)
    for number, item in enumerate(items):
        fill = blend(palette.main, palette.light, number / len(items))
        box = [v * SCALE for v in (x - radius, y - radius, x + radius, y + radius)]
        canvas.draw.pieslice(box, number * step - 90, (number + 1) * step - 93, fill=fill)
        canvas.rounded((620, 180 + number * 62, 646, 206 + number * 62), fill, radius=6)
        canvas.text((664, 193 + number * 62), item, 25, INK, anchor="lm")
    canvas.ellipse((x - 96, y - 96, x + 96, y + 96), WHITE)
    for number in range(3):
        angle = math.radians(number * 120 - 70)
        dot_x, dot_y = x + 143 * math.cos(angle), y + 143 * math.sin(angle)
        canvas.ellipse((dot_x - 17, dot_y - 17, dot_x + 17, dot_y + 17), palette.accent)
    canvas.text((x, y), "3 副本", 24, palette.deep, anchor="mm", weight="Bold")


def _timeline(canvas: Canvas, items: Sequence[str], palette: Palette) -> None:
    step = (WIDTH - 200) / (len(items) - 1)
    places = [100 + n * step for n in range(len(items))]
    for first, second in pairwise(places):
        canvas.line((first, 326, second, 326), palette.main, 5)
    for number, (x, item) in enumerate(zip(places, items, strict=True)):
        fill = palette.accent if number == len(items) - 1 else palette.main
        canvas.ellipse((x - 18, 308, x + 18, 344), fill)
        y = 250 if number % 2 else 402
        for row, line in enumerate(wrap(item, font(22, "Bold"), 180)):
            canvas.text((x, y + (row - 0.5) * 30), line, 22, palette.deep, anchor="mm", weight="Bold")


_LAYOUTS: dict[str, Callable[[Canvas, Sequence[str], Palette], None]] = {
    "list": _list,
    "layers": _layers,
    "flow": _flow,
    "hub": _hub,
    "ring": _ring,
    "timeline": _timeline,
}
