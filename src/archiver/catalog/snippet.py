"""The passage of a text that shows why it was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from archiver.catalog.words import fold

#: What stands around a found word. Where a text has these characters itself, plain quotes replace them.
OPEN, CLOSE = "«", "»"
_OWN_MARKS = str.maketrans({OPEN: '"', CLOSE: '"'})
#: Characters of a snippet, and how many of them stand before the first found word.
WIDTH = 160
LEAD = 40
#: How far into a text is looked, and in what steps; steps overlap by one snippet.
REACH = 1_000_000
STEP = 4_000


@dataclass(frozen=True, slots=True, order=True)
class _Span:
    """Where something stands in a text, and the number of the term that it is."""

    start: int
    end: int
    term: int


def snippet(texts: Iterable[str], patterns: Sequence[re.Pattern[str]]) -> str:
    """Give the passage with the most of the terms, found words marked; "" when nothing is found.

    `texts` are clean, in the order of preference. The result is one line of about `WIDTH` characters.
    """
    best, most = "", 0
    for part in (part for text in texts for part in _parts(text)):
        spans = _spans(part, patterns)
        start, terms = _densest(spans)
        if terms > most:
            best, most = _cut(part, spans, start), terms
        if most == len(patterns):
            break
    return best


def _parts(text: str) -> Iterator[str]:
    for start in range(0, min(len(text), REACH), STEP):
        yield text[start : start + STEP + WIDTH]


def _spans(part: str, patterns: Sequence[re.Pattern[str]]) -> list[_Span]:
    """Find the terms in the folded text, and say where that is in the text itself."""
    folded = fold(part)
    found = [(match, number) for number, pattern in enumerate(patterns) for match in pattern.finditer(folded)]
    if not found:
        return []
    # "ﬁ" is one character in the text and two in the folded one.
    origin = [index for index, char in enumerate(part) for _ in fold(char)]
    return sorted(
        _Span(origin[match.start()], origin[match.end() - 1] + 1, number) for match, number in found
    )


def _densest(spans: Sequence[_Span]) -> tuple[int, int]:
    """Find where a passage shows the most terms: its first span's start, and their number."""
    best, most = 0, 0
    for number, span in enumerate(spans):
        last = span.start + WIDTH - LEAD
        terms = len(
            {other.term for other in spans[number : number + WIDTH] if other.end <= last} | {span.term}
        )
        if terms > most:
            best, most = span.start, terms
    return best, most


def _cut(part: str, spans: Sequence[_Span], start: int) -> str:
    begin = _word_start(part, max(0, start - LEAD), start)
    end = min(len(part), begin + WIDTH)
    shown, at = [], begin
    for span in spans:
        if at <= span.start < end:
            stop = min(span.end, end)
            shown += [_plain(part[at : span.start]), OPEN, _plain(part[span.start : stop]), CLOSE]
            at = stop
    shown.append(_plain(part[at:end]))
    text = " ".join("".join(shown).split())
    return f"{'…' if begin else ''}{text}{'…' if end < len(part) else ''}"


def _word_start(part: str, begin: int, start: int) -> int:
    """Begin at a word rather than inside one, where there is a space before `start`."""
    space = part.find(" ", begin, start) if begin else -1
    return space + 1 if space >= 0 else begin


def _plain(text: str) -> str:
    return text.translate(_OWN_MARKS)
