"""Write decks as documents: PDF with text on its pages, and PPTX."""

from __future__ import annotations

import io
import tempfile
import zipfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import fpdf
from fontTools.ttLib import TTCollection
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.presentation import Presentation as PresentationFile
from pptx.slide import Slide
from pptx.util import Mm, Pt

from archiver.demo.content import DemoDeck, Page
from demo_media.style import CHINESE_FACE, FONTS, FOOTER, INK, MUTED, PALETTES, WHITE, Palette, occasion

WIDTH, HEIGHT = 256, 144  # millimetres
#: When the documents say they were made; a fixed day, so that the same bytes come out again.
MADE = datetime(2012, 9, 1, 12, tzinfo=UTC)


def pdf(deck: DemoDeck) -> bytes:
    """Write a deck as PDF; only the used glyphs of the Chinese font are embedded."""
    document = fpdf.FPDF(unit="mm", format=(HEIGHT, WIDTH), orientation="landscape")
    document.set_auto_page_break(auto=False)
    document.set_title(deck.title)
    document.set_author(deck.author)
    document.set_creation_date(MADE)
    document.add_font("noto", fname=_face("Regular"))
    palette = PALETTES[deck.stop]
    for page in deck.pages:
        document.add_page()
        (_pdf_title if page.layout == "title" else _pdf_page)(document, deck, page, palette)
    return bytes(document.output())


@cache
def _face(weight: str) -> Path:
    """Take the simplified Chinese face out of the collection: the writer wants a file of its own."""
    path = Path(tempfile.mkdtemp(prefix="demo-font-")) / f"{weight}.otf"
    TTCollection(FONTS / f"NotoSansCJK-{weight}.ttc").fonts[CHINESE_FACE].save(path)
    return path


def _pdf_title(document: fpdf.FPDF, deck: DemoDeck, page: Page, palette: Palette) -> None:
    document.set_fill_color(*palette.deep)
    document.rect(0, 0, WIDTH, HEIGHT, style="F")
    document.set_fill_color(*palette.accent)
    document.rect(16, 30, 20, 1.6, style="F")
    _pdf_text(document, 16, 38, page.heading, 32, WHITE, width=220)
    _pdf_text(document, 16, 94, deck.author, 18, palette.light)
    _pdf_text(document, 16, 104, occasion(deck), 14, palette.accent)
    _pdf_text(document, 16, 134, FOOTER, 8, palette.light)


def _pdf_page(document: fpdf.FPDF, deck: DemoDeck, page: Page, palette: Palette) -> None:
    del deck
    document.set_fill_color(*palette.main)
    document.rect(0, 0, 4, HEIGHT, style="F")
    _pdf_text(document, 16, 10, page.heading, 26, palette.deep)
    for row, item in enumerate(page.items):
        y = 36 + row * 18
        if page.layout == "list":
            document.set_fill_color(*palette.accent)
            document.rect(16, y + 2.5, 4, 4, style="F")
            _pdf_text(document, 26, y, item, 18, INK)
        else:
            document.set_fill_color(*palette.light)
            document.rect(40, y - 2, 176, 13, style="F", round_corners=True, corner_radius=3)
            _pdf_text(document, 48, y, item, 17, palette.deep)
    _pdf_text(document, 16, 134, FOOTER, 8, MUTED)


def _pdf_text(
    document: fpdf.FPDF,
    x: float,
    y: float,
    text: str,
    size: int,
    colour: tuple[int, int, int],
    *,
    width: float = 224,
) -> None:
    document.set_font("noto", size=size)
    document.set_text_color(*colour)
    document.set_xy(x, y)
    document.multi_cell(width, size * 0.5, text, align="L")


def pptx(deck: DemoDeck) -> bytes:
    """Write a deck as PPTX."""
    file = Presentation()
    file.slide_width, file.slide_height = Mm(WIDTH), Mm(HEIGHT)
    properties = file.core_properties
    properties.title, properties.author = deck.title, deck.author
    properties.created = properties.modified = MADE.replace(tzinfo=None)
    properties.last_modified_by = deck.author
    for page in deck.pages:
        _slide(file, deck, page)
    buffer = io.BytesIO()
    file.save(buffer)
    return _repack(buffer.getvalue())


def _slide(file: PresentationFile, deck: DemoDeck, page: Page) -> None:
    palette = PALETTES[deck.stop]
    slide = file.slides.add_slide(file.slide_layouts[6])  # the blank one
    if page.layout == "title":
        slide.background.fill.solid()
        slide.background.fill.fore_color.rgb = RGBColor(*palette.deep)
        _box(slide, (16, 36, 220, 40), page.heading, 32, WHITE)
        _box(slide, (16, 94, 220, 10), deck.author, 18, palette.light)
        _box(slide, (16, 104, 220, 10), occasion(deck), 14, palette.accent)
        return _box(slide, (16, 132, 220, 8), FOOTER, 8, palette.light)
    _box(slide, (16, 8, 224, 16), page.heading, 28, palette.deep)
    for row, item in enumerate(page.items):
        place = (16, 34 + row * 18, 224, 13)
        if page.layout == "list":
            _box(slide, place, f"•  {item}", 20, INK)
        else:
            _box(slide, place, item, 20, WHITE, fill=palette.main)
    return _box(slide, (16, 132, 220, 8), FOOTER, 8, MUTED)


def _box(
    slide: Slide,
    place: tuple[float, float, float, float],
    text: str,
    size: int,
    colour: tuple[int, int, int],
    *,
    fill: tuple[int, int, int] | None = None,
) -> None:
    x, y, width, height = (Mm(value) for value in place)
    if fill:
        shape = slide.shapes.add_shape(MSO_SHAPE.ROUNDED_RECTANGLE, x, y, width, height)
        shape.fill.solid()
        shape.fill.fore_color.rgb = RGBColor(*fill)
        shape.line.fill.background()
    else:
        shape = slide.shapes.add_textbox(x, y, width, height)
    frame = shape.text_frame
    frame.word_wrap = True
    frame.text = text
    run = frame.paragraphs[0].runs[0]
    run.font.size, run.font.color.rgb = Pt(size), RGBColor(*colour)


def _repack(data: bytes) -> bytes:
    """Give every member of the ZIP the same time: the writer takes the clock's."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        for item in source.infolist():
            fixed = zipfile.ZipInfo(item.filename, MADE.timetuple()[:6])
            fixed.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(fixed, source.read(item), compresslevel=9)
    return buffer.getvalue()
