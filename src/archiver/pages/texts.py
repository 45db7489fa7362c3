"""Text on pages: reports as clean paragraphs, what is said in recordings, what search finds by."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from archiver.catalog.words import clean
from archiver.pages.model import Item

#: Characters of one material that pages show or search looks at.
MAX_TEXT: Final = 400_000
_MAX_SUBTITLES: Final = 8 << 20
_MAX_CUES: Final = 20_000
_MAX_PARAGRAPHS: Final = 5_000
_LEAD: Final = 220
_MAX_TITLE: Final = 160
# 00:01:02.500 --> 00:01:04,000 (WebVTT has a point and may leave out the hours, SubRip has a comma)
_TIME: Final = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{3})"
_CUE: Final = re.compile(rf"{_TIME}[ \t]*-->[ \t]*{_TIME}[^\n]*\n(.*?)(?:\n[ \t]*\n|\Z)", re.DOTALL)
# report-en, IMG_2931, 2012-09-16_notes: what a file is called, not what it is about.
_FILE_NAME: Final = re.compile(r"[\w.-]*[-_.\d][\w.-]*", re.ASCII)

Texts = Callable[[str], str | None]
Cue = tuple[float, float, str]


@dataclass(frozen=True, slots=True)
class ReportText:
    """A report fit to be read: its title, its first words, its paragraphs."""

    title: str
    lead: str
    paragraphs: tuple[str, ...]


def text_of(item: Item, texts: Texts) -> str:
    """Give the text of a material: of its main file, else of any other."""
    files = sorted(item.files, key=lambda file: file.path != (item.main.path if item.main else ""))
    found = (texts(file.sha256) for file in files)
    return next((text for text in found if text), "")[:MAX_TEXT]


def report(item: Item, texts: Texts) -> ReportText:
    """Read a report: its first line is its title when the material is called like a file."""
    lines = [clean(line) for line in text_of(item, texts).replace("\f", "\n").split("\n")]
    paragraphs = [line for line in lines if line][:_MAX_PARAGRAPHS]
    title = item.title
    if paragraphs and len(paragraphs[0]) <= _MAX_TITLE and _FILE_NAME.fullmatch(title):
        title = paragraphs[0]
    while paragraphs and paragraphs[0] == title:  # a page says it in its head, and again as a heading
        paragraphs = paragraphs[1:]
    lead = next((line for line in paragraphs if len(line) > len(title) / 2), "")
    return ReportText(title, shorten(lead, _LEAD), tuple(paragraphs))


def shorten(text: str, length: int) -> str:
    """Cut text after a number of characters, at a space where there is one near."""
    if len(text) <= length:
        return text
    cut = text[:length]
    space = cut.rfind(" ")
    return f"{cut[:space] if space > length * 2 // 3 else cut}…"


def read_cues(stream: BinaryIO) -> list[Cue]:
    """Read WebVTT or SubRip: (begin, end, text), in seconds. What is no cue is passed over."""
    text = (
        stream.read(_MAX_SUBTITLES).decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    )
    cues: list[Cue] = []
    for found in _CUE.finditer(text):
        begin, end = _seconds(found.groups()[:4]), _seconds(found.groups()[4:8])
        words = found[9].strip()
        if words and begin < end and len(cues) < _MAX_CUES:
            cues.append((begin, end, words))
    return cues


def _seconds(parts: tuple[Any, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000
