"""Titles as sets of words that can be compared: what counts, what is noise, what decides."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from archiver.matching import pinyin
from archiver.matching.han import HAN, HAN_RUN, mend, simplify

#: Characters of a title that are looked at; what upstream writes has no limit of its own.
MAX_TITLE = 500
_TOKEN = re.compile(rf"[{HAN}]+|\d+(?:\.\d+)+|(?:(?![{HAN}])[^\W_])+")
_NUMBER = re.compile(r"v?(\d+(?:\.\d+)*)")

_EXTENSION = re.compile(r"(?:\.(?:pptx?|ppsx?|pdf|key|odp|html?|docx?|zip|mp4|mkv|mov|webm|avi|flv|m4v))+$")
_BROWSER_COPY = re.compile(r"\(\d{1,2}\)$")  # "Keystone (1).pdf": the second download of one file
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[-_./年]?[01]?\d[-_./月]?[0-3]?\d日?(?!\d)")
_DAY = re.compile(r"(\d{4})(?:[-_./年]([01]?\d)[-_./月]([0-3]?\d)|([01]\d)([0-3]\d))")
_LOOSE_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_RESOLUTION = re.compile(r"\b\d{3,4}[pi]\b")
_YEAR = re.compile(r"(?:19|20)\d\d")
# "01 Keystone", "3. Keystone", "#2 - Keystone"
_ORDER = re.compile(r"^\W*(\d{1,3})(?:\s*[.)、:_-]\s*|\s+)(?=\S)")
_REVISION = re.compile(r"(?:^|[\W_])(?:v|ver|version|rev)[ ._-]?(\d+(?:\.\d+)*)$")
_BY = re.compile(r"(?:\bspeaker|讲师|主讲人?)\s*:\s*\D{2,40}$")

_SERIES = r"(?:tour|meetup|meet-up|summit|conference|roadshow|user group)"
_SERIES_FIRST = re.compile(
    rf"^\W*(?:(?:19|20)\d\d\W+)?(?:(?!{_SERIES}\b)[^\W\d_]+\W+){{1,3}}?{_SERIES}\b(?:\W+(?:19|20)\d\d\b)?"
)
_SERIES_LAST = re.compile(
    rf"(?:[-–—|@(,:]|\bat\b)\s*(?:[^\W_]+\W+){{0,4}}{_SERIES}\b(?:\W+[^\W_]+){{0,3}}\W*$"
)
# "OpenStack中国行 北京站"
_SERIES_HAN = re.compile(rf"[a-z]*\s*(?:中国行|沙龙|大会|峰会)\s*|(?<![{HAN}])[{HAN}]{{2,3}}站")

# 第二部分, 第2讲, (上), 下篇
_HAN_PART = re.compile(
    r"第\s*([一二三四五六七八九十\d]{1,3})\s*(?:部分|讲|课|篇|章|节)|\(([上中下一二三四五六七八九])\)|([上中下])[篇集]"
)
_HAN_DIGITS = {char: str(value) for value, char in enumerate("一二三四五六七八九十", 1)}
# （下） is the last, be it of two or of three: it is neither the second nor the third.
_HAN_PLACES = {"上": "1", "中": "1.5", "下": "99"}
_ORDINALS = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8"} | {
    word: str(value) for value, word in enumerate(("one", "two", "three", "four", "five", "six"), 1)
}
_PART = re.compile(
    r"\b(part|pt|session|lesson|chapter|volume|vol|episode|day)[ ._#-]*([0-9]+|[ivx]+|[a-z]+)\b"
)
# "(1/2)", "2 of 3": a part and how many there are
_PART_OF = re.compile(r"(?<![\d./])([1-9])\s*(?:/|\bof\b)\s*([1-9])(?![\d./])")
_VERSION = re.compile(r"\b(?:version|ver|rev|release|v)[ ._-]?(?=\d)")


def set_of(words: str) -> frozenset[str]:
    """Make a set of the words of a text."""
    return frozenset(words.split())


# Words that carry nothing: both titles lose them.
_STOP = set_of("a an the of and or to in on for with by at from about its it is your our s into as via de")
_HAN_STOP = re.compile("[的与和及之]")
# Words that describe the file, not the talk: a material may have them over.
FILLERS = set_of(
    "slide slides deck ppt pptx pdf presentation talk keynote session speech video recording record final"
    " draft copy share download hd stop tour meetup en zh cn english chinese"
    " 演讲 幻灯 灯片 讲稿 视频 录像 分享 中文 文版 英文 终稿 最终 终版 课件 演示 示文 文稿"
)


@dataclass(frozen=True, slots=True)
class Title:
    """One reading of a title. `soft` are words that it may have more than a talk's title.

    `squeezed` is the text without spaces and noise, for names such as "DeployOpenStackWithChef".
    """

    words: frozenset[str]
    numbers: frozenset[str]
    squeezed: str
    soft: frozenset[str] = field(default=frozenset())
    soft_numbers: frozenset[str] = field(default=frozenset())


def fold(text: str) -> str:
    """Bring a title into the form that is compared: NFKC, caseless, simplified, `MAX_TITLE` characters."""
    plain = unicodedata.normalize("NFKC", mend(text[:MAX_TITLE])).casefold()
    return simplify(plain).replace("’", "'").strip()


def halves(folded: str) -> Iterator[str]:
    """Yield the title and, when it is said in two scripts, each half of it.

    "Swift 架构与实践 / Swift Architecture and Practice", "Swift 架构与实践 (Swift in Practice)".
    """
    yield folded
    bracket = re.fullmatch(r"(.+?)\s*\(([^()]{4,})\)", folded)
    parts = list(bracket.groups()) if bracket else re.split(r"\s/\s|[|\n]|\s[-–—]\s", folded)
    if not bracket and len(parts) < 2:
        parts = folded.split("/")
    if len(parts) == 2 and sum(map(_is_han, parts)) == 1:
        yield from (part.strip() for part in parts)


def _is_han(text: str) -> bool:
    return len("".join(HAN_RUN.findall(text))) >= 2


def read_talk(folded: str) -> Title:
    """Read the title of an expected talk: every word counts."""
    words, numbers = _words(folded)
    return Title(words, numbers, _squeeze(folded))


def read_material(folded: str, series: str, noise: frozenset[str], years: frozenset[str]) -> list[Title]:
    """Read the title of a material, in every way that makes sense of it.

    `series` is the folded name of the series the event belongs to, `noise` words of the event,
    `years` the years that say only when it was (all years when empty).
    """
    text = _bare(folded)
    readings = dict.fromkeys(part for base in _without_series(text, series) for part in halves(base))
    return [_material(reading, noise, years) for reading in readings if reading.strip()]


def read_rest(folded: str, series: str, noise: frozenset[str], years: frozenset[str]) -> Title:
    """Read what is left of a title without the name of the series, and with no other guess about it."""
    text = _bare(folded)
    for name in filter(None, (series, _LOOSE_YEAR.sub(" ", series).strip())):
        text = text.replace(name, " ")
    return _material(text.strip(), noise, years)


def _bare(folded: str) -> str:
    text = _EXTENSION.sub("", folded)
    if text != folded:
        text = _BROWSER_COPY.sub("", text)
    return _RESOLUTION.sub(" ", _DATE.sub(" ", text)).strip(" -_.")


def dates(folded: str) -> set[str]:
    """Give the days that a title names, as ISO 8601: "20120811", "2012年8月11日"."""
    found = (_DAY.match(each[0]) for each in _DATE.finditer(folded))
    days = ((each[1], each[2] or each[4], each[3] or each[5]) for each in found if each)
    return {f"{year}-{month:0>2}-{day:0>2}" for year, month, day in days}


def _without_series(text: str, series: str) -> list[str]:
    plain = text.replace(series, " ") if series else text
    cut = (
        _SERIES_FIRST.sub(" ", plain),
        _SERIES_LAST.sub(" ", plain),
        _SERIES_HAN.sub(" ", plain),
        _BY.sub(" ", plain),
    )
    return [variant.strip(" -–—_|:,@/") for variant in dict.fromkeys((text, plain, *cut))]


def _material(text: str, noise: frozenset[str], years: frozenset[str]) -> Title:
    words, numbers = _words(text)
    soft_numbers = {match[1].lstrip("0") for match in (_ORDER.match(text), _REVISION.search(text)) if match}
    soft_numbers |= {
        number for number in numbers if _YEAR.fullmatch(number) and (not years or number in years)
    }
    squeezed = _squeeze(_REVISION.sub("", _ORDER.sub("", text)))
    soft = words & (noise | FILLERS) | {word for word in words if _sounds_like(word, noise)}
    return Title(words, numbers, squeezed, soft, frozenset(soft_numbers))


def _sounds_like(word: str, noise: frozenset[str]) -> bool:
    # 北京 is the "Beijing" of the event.
    return len(word) == 2 and bool(HAN_RUN.fullmatch(word)) and not noise.isdisjoint(pinyin.sounds(word))


def _squeeze(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _words(text: str) -> tuple[frozenset[str], frozenset[str]]:
    text = _HAN_PART.sub(lambda match: f" part {_han_number(match)} ", text.replace("_", " "))
    text = _PART_OF.sub(lambda match: f" part {match[1]} " if match[1] <= match[2] else match[0], text)
    text = re.sub(r"\bpart\s+part\b", "part", text)
    text = _VERSION.sub("", _PART.sub(_part_number, text))
    words: set[str] = set()
    numbers: set[str] = set()
    for token in _TOKEN.findall(text):
        if number := _NUMBER.fullmatch(token):
            numbers.add(number[1].lstrip("0") or "0")
        elif HAN_RUN.fullmatch(token):
            words.update(_pairs(token))
        elif token in ("ii", "iii"):
            numbers.add(_ORDINALS[token])
        elif token not in _STOP:
            words.add(token)
    return frozenset(words), frozenset(numbers)


def _part_number(match: re.Match[str]) -> str:
    # "part i" is Roman, "part b" the second, "part two" spelt out
    value = {"i": "1", "v": "5", "x": "10"}.get(match[2], _ORDINALS.get(match[2], match[2]))
    if len(value) == 1 and "a" <= value <= "h":
        value = str(ord(value) - ord("a") + 1)
    return f"{match[1]} {value}"


def _han_number(match: re.Match[str]) -> str:
    value = match[1] or match[2] or match[3]
    return _HAN_PLACES.get(value, _HAN_DIGITS.get(value, value))


def _pairs(run: str) -> Iterator[str]:
    # Chinese is written without spaces: pairs of characters stand for words.
    for piece in _HAN_STOP.split(run):
        yield from (piece[at : at + 2] for at in range(max(1, len(piece) - 1)) if piece)
