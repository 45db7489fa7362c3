"""Fonts and colours of the demo's media."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import ImageFont

from archiver.demo.content import DemoDeck

FONTS = Path("/usr/share/fonts/opentype/noto")
#: Index of the simplified Chinese face inside the Noto Sans CJK collections.
CHINESE_FACE = 2
FOOTER = "Demo stand-in, not the speaker's own slides · 演示用替代幻灯片"

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one stop: `deep` for grounds, `main` for shapes, `light` for boxes, `accent`."""

    deep: Colour
    main: Colour
    light: Colour
    accent: Colour


PALETTES = {
    "Beijing": Palette((94, 24, 32), (176, 48, 52), (250, 234, 230), (232, 168, 56)),
    "Shenzhen": Palette((12, 60, 84), (22, 120, 158), (228, 242, 248), (240, 150, 64)),
    "Chengdu": Palette((28, 66, 44), (56, 128, 82), (232, 244, 234), (226, 180, 60)),
    "Shanghai": Palette((34, 38, 88), (74, 84, 172), (234, 236, 250), (236, 112, 100)),
    "Nanjing": Palette((72, 34, 84), (138, 74, 156), (244, 234, 248), (240, 178, 84)),
    "Tianjin": Palette((18, 62, 66), (38, 132, 136), (228, 244, 244), (238, 128, 80)),
    "OSAC 2012": Palette((48, 48, 56), (92, 96, 112), (238, 239, 243), (226, 84, 62)),
}
INK: Colour = (38, 40, 48)
MUTED: Colour = (132, 136, 146)
WHITE: Colour = (255, 255, 255)


@cache
def font(size: int, weight: str = "Regular") -> ImageFont.FreeTypeFont:
    """Open Noto Sans CJK SC at a size in pixels; `weight` is Regular or Bold."""
    return ImageFont.truetype(FONTS / f"NotoSansCJK-{weight}.ttc", size, index=CHINESE_FACE)


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """Mix two colours; `share` is the part of the second, 0 to 1."""
    mixed = [round(a + (b - a) * share) for a, b in zip(first, second, strict=True)]
    return (mixed[0], mixed[1], mixed[2])


def occasion(deck: DemoDeck) -> str:
    """Name where a deck was given, for its title page."""
    if deck.stop.startswith("OSAC"):
        return "OpenStack Asia-Pacific Conference 2012"
    return f"2012 OpenStack China Tour · {deck.stop}"
