"""Titles as sets of words that can be compared: what counts, what is noise, what decides."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from rapidfuzz import fuzz

#: Characters of a title that are looked at; what upstream writes has no limit of its own.
MAX_TITLE = 500
#: How alike two long words must be to count as one with a slip: "infrastucture", "adopting/adoption".
SLIP_RATIO = 85.0
SLIP_WEIGHT = 0.95
SLIP_LETTERS = 5
#: What remains of a score when each title has a word that the other lacks: "… with Chef" / "… with Puppet".
SWAP_FACTOR = 0.7

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HAN_RUN = re.compile(f"[{_HAN}]+")
_TOKEN = re.compile(rf"[{_HAN}]+|\d+(?:\.\d+)+|(?:(?![{_HAN}])[^\W_])+")
_NUMBER = re.compile(r"v?(\d+(?:\.\d+)*)")

_EXTENSION = re.compile(r"(?:\.(?:pptx?|ppsx?|pdf|key|odp|html?|docx?|zip|mp4|mkv|mov|webm|avi|flv|m4v))+$")
_BROWSER_COPY = re.compile(r"\(\d{1,2}\)$")  # "Keystone (1).pdf": the second download of one file
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[-_./年]?[01]?\d[-_./月]?[0-3]?\d日?(?!\d)")
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
_SERIES_HAN = re.compile(rf"[a-z]*\s*(?:中国行|沙龙|大会|峰会)\s*|(?<![{_HAN}])[{_HAN}]{{2,3}}站")

# 第二部分, 第2讲, (上), 下篇
_HAN_PART = re.compile(
    r"第\s*([一二三四五六七八九十\d]{1,3})\s*(?:部分|讲|课|篇|章|节)|\(([上中下一二三四五六七八九])\)|([上中下])[篇集]"
)
_HAN_DIGITS = {char: str(value) for value, char in enumerate("一二三四五六七八九十", 1)}
_ORDINALS = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8"} | {
    word: str(value) for value, word in enumerate(("one", "two", "three", "four", "five", "six"), 1)
}
_PART = re.compile(
    r"\b(part|pt|session|lesson|chapter|volume|vol|episode|day)[ ._#-]*([0-9]+|[ivx]+|[a-z]+)\b"
)
_VERSION = re.compile(r"\b(?:version|ver|rev|release|v)[ ._-]?(?=\d)")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that carry nothing: both titles lose them.
_STOP = _set("a an the of and or to in on for with by at from about its it is your our s into as via de")
_HAN_STOP = re.compile("[的与和及之]")
# Words that describe the file, not the talk: a material may have them over.
FILLERS = _set(
    "slide slides deck ppt pptx pdf presentation talk keynote session speech video recording record final"
    " draft copy share download hd stop tour meetup en zh cn english chinese"
    " 演讲 幻灯 灯片 讲稿 视频 录像 分享"
)
# Words that make another talk of the same words: left over on either side they rule a match out.
_DECISIVE = _set(
    "not no non without versus vs part pt lesson chapter volume vol episode day"
    " advanced basic basics beginner beginners beyond continued 入门 进阶 高级 基础"
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


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two titles are, from 0 to 1. `shared` are the talk's words found in the other title."""

    score: float
    exact: bool = False
    subset: bool = False
    shared: frozenset[str] = frozenset()


def fold(text: str) -> str:
    """Bring a title into the form that is compared: NFKC, caseless, at most `MAX_TITLE` characters."""
    return unicodedata.normalize("NFKC", text[:MAX_TITLE]).casefold().replace("’", "'").strip()


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
    return len("".join(_HAN_RUN.findall(text))) >= 2


def read_talk(folded: str) -> Title:
    """Read the title of an expected talk: every word counts."""
    words, numbers = _words(folded)
    return Title(words, numbers, _squeeze(folded))


def read_material(folded: str, series: str, noise: frozenset[str], years: frozenset[str]) -> list[Title]:
    """Read the title of a material, in every way that makes sense of it.

    `series` is the folded name of the series the event belongs to, `noise` words of the event,
    `years` the years that say only when it was (all years when empty).
    """
    text = _EXTENSION.sub("", folded)
    if text != folded:
        text = _BROWSER_COPY.sub("", text)
    text = _RESOLUTION.sub(" ", _DATE.sub(" ", text)).strip(" -_.")
    readings = dict.fromkeys(part for base in _without_series(text, series) for part in halves(base))
    return [_material(reading, noise, years) for reading in readings if reading.strip()]


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
    return Title(words, numbers, squeezed, words & (noise | FILLERS), frozenset(soft_numbers))


def _squeeze(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def _words(text: str) -> tuple[frozenset[str], frozenset[str]]:
    text = _HAN_PART.sub(lambda match: f" part {_han_number(match)} ", text.replace("_", " "))
    text = _VERSION.sub("", _PART.sub(_part_number, text))
    words: set[str] = set()
    numbers: set[str] = set()
    for token in _TOKEN.findall(text):
        if number := _NUMBER.fullmatch(token):
            numbers.add(number[1].lstrip("0") or "0")
        elif _HAN_RUN.fullmatch(token):
            words.update(_pairs(token))
        elif token in ("ii", "iii"):
            numbers.add(_ORDINALS[token])
        elif token not in _STOP:
            words.add(token)
    return frozenset(words), frozenset(numbers)


def _part_number(match: re.Match[str]) -> str:
    value = {"i": "1", "v": "5", "x": "10"}.get(match[2], _ORDINALS.get(match[2], match[2]))
    return f"{match[1]} {value}"


def _han_number(match: re.Match[str]) -> str:
    value = match[1] or match[2] or match[3]
    return {"上": "1", "中": "2", "下": "3"}.get(value, _HAN_DIGITS.get(value, value))


def _pairs(run: str) -> Iterator[str]:
    # Chinese is written without spaces: pairs of characters stand for words.
    for piece in _HAN_STOP.split(run):
        yield from (piece[at : at + 2] for at in range(max(1, len(piece) - 1)) if piece)


def compare(talk: Title, other: Title, *, strict_numbers: bool, known: frozenset[str]) -> Likeness:
    """Compare a talk's title with a reading of a material's.

    `known` are the words of all talks of the event: they tell talks apart and are never noise. With
    `strict_numbers` the talk has a sister that differs by number alone: then no number is noise.
    """
    allowed: frozenset[str] = frozenset() if strict_numbers else other.soft_numbers
    if _differ_by_number(talk, other, allowed):
        return Likeness(0.0)
    if talk.squeezed and talk.squeezed == other.squeezed:
        return Likeness(1.0, exact=True, subset=True, shared=talk.words)
    shared, slips = _shared(talk.words, other.words)
    found = shared | set(slips.values())
    missing = talk.words - found
    extra = other.words - shared - set(slips) - (other.soft - known)
    if (missing | extra) & _DECISIVE:
        return Likeness(0.0)
    return _likeness(found, missing, extra, len(slips), len(talk.numbers))


def _differ_by_number(talk: Title, other: Title, allowed: frozenset[str]) -> bool:
    return bool(talk.numbers - other.numbers) or bool(other.numbers - talk.numbers - allowed)


def _likeness(
    found: frozenset[str], missing: frozenset[str], extra: frozenset[str], slips: int, numbers: int
) -> Likeness:
    if not found and not (numbers and not missing and not extra):
        return Likeness(0.0)
    weight = len(found) + numbers - slips * (1 - SLIP_WEIGHT)
    score = weight / (len(found) + numbers + len(missing) + len(extra))
    if missing and extra:
        score *= SWAP_FACTOR
    return Likeness(score, exact=not (missing or extra or slips), subset=not extra, shared=found)


def _shared(talk: frozenset[str], other: frozenset[str]) -> tuple[frozenset[str], dict[str, str]]:
    """Give the words in both, and {word of the other: word of the talk} for those that differ by a slip."""
    shared = talk & other
    slips: dict[str, str] = {}
    for word in sorted(other - shared):
        near = [mine for mine in sorted(talk - shared - set(slips.values())) if _slip(mine, word)]
        if near:
            slips[word] = near[0]
    return shared, slips


def _slip(one: str, other: str) -> bool:
    if _singular(one) == _singular(other):
        return True
    if min(len(one), len(other)) < SLIP_LETTERS or one[0] != other[0] or not (one + other).isascii():
        return False
    if one.startswith(other) or other.startswith(one):  # "telecom" for "telecommunications"
        return not (one + other).isdigit()
    return fuzz.ratio(one, other) >= SLIP_RATIO


def _singular(word: str) -> str:
    # "apis"/"api", "technologies"/"technology"; "nas" and "class" stay.
    if len(word) < SLIP_LETTERS - 1 or not word.endswith("s") or word.endswith("ss"):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") else word[:-1]
