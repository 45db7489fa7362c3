"""How alike two titles are, word by word."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from archiver.matching.titles import Title, set_of

#: How alike two long words must be to count as one with a slip: "infrastucture", "adopting/adoption".
SLIP_RATIO = 85.0
SLIP_WEIGHT = 0.95
SLIP_LETTERS = 5
#: What remains of a score when each title has a word that the other lacks: "… with Chef" / "… with Puppet".
SWAP_FACTOR = 0.7
#: How much a word too many counts that many talks of the event have: "OpenStack" at an OpenStack event.
COMMON_WEIGHT = 0.35

# Words that make another thing of the same words: left over on either side they rule a match out.
_DECISIVE = set_of(
    "not no non without versus vs part pt lesson chapter volume vol episode day"
    " advanced basic basics beginner beginners beyond continued 入门 进阶 高级 基础 续 补充"
    " interview trailer teaser preview proposal abstract agenda survey rehearsal highlights qa"
    " 采访 专访 预告 花絮 摘要 议程 问卷 彩排 集锦 答疑"
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two titles are, from 0 to 1. `shared` are the talk's words found in the other title."""

    score: float
    exact: bool = False
    subset: bool = False
    shared: frozenset[str] = frozenset()


def compare(
    talk: Title,
    other: Title,
    *,
    sisters: frozenset[str] = frozenset(),
    known: frozenset[str],
    common: frozenset[str] = frozenset(),
) -> Likeness:
    """Compare a talk's title with a reading of a material's.

    `known` are the words of all talks of the event: they tell talks apart and are never noise; `common`
    are those of many talks. `sisters` are the numbers of talks that differ from this one by number alone:
    none of them is noise, and for a talk that has no number itself none at all.
    """
    strict = sisters and not talk.numbers
    if _differ_by_number(talk, other, frozenset() if strict else other.soft_numbers - sisters):
        return Likeness(0.0)
    if talk.squeezed and talk.squeezed == other.squeezed:
        return Likeness(1.0, exact=True, subset=True, shared=talk.words)
    shared, slips = _shared(talk.words, other.words)
    found = shared | set(slips.values())
    missing = talk.words - found
    extra = other.words - shared - set(slips) - (other.soft - known)
    if (missing | extra) & _DECISIVE:
        return Likeness(0.0)
    return _likeness(found, missing, (extra - common, extra & common), len(slips), len(talk.numbers))


def _differ_by_number(talk: Title, other: Title, allowed: frozenset[str]) -> bool:
    return bool(talk.numbers - other.numbers) or bool(other.numbers - talk.numbers - allowed)


def _likeness(
    found: frozenset[str],
    missing: frozenset[str],
    extras: tuple[frozenset[str], frozenset[str]],
    slips: int,
    numbers: int,
) -> Likeness:
    extra, common = extras
    if not found and not (numbers and not missing and not extra and not common):
        return Likeness(0.0)
    weight = len(found) + numbers - slips * (1 - SLIP_WEIGHT)
    over = len(extra) + COMMON_WEIGHT * len(common)
    score = weight / (len(found) + numbers + len(missing) + over)
    if missing and (extra or common):
        score *= SWAP_FACTOR
    same = not (missing or over)
    return Likeness(score, exact=same and not slips, subset=not over, shared=found)


def _shared(talk: frozenset[str], other: frozenset[str]) -> tuple[frozenset[str], dict[str, str]]:
    """Give the words in both, and {word of the other: word of the talk} for those that differ by a slip."""
    shared = talk & other
    slips: dict[str, str] = {}
    left = sorted(talk - shared)
    for word in sorted(other - shared) if left else ():
        near = [mine for mine in left if mine[0] == word[0] and is_slip(mine, word)]
        if near:
            slips[word] = near[0]
            left.remove(near[0])
    return shared, slips


@lru_cache(maxsize=1 << 17)
def is_slip(one: str, other: str) -> bool:
    """Say whether two words are one, but for a slip, an ending or a plural. Their first letters are equal."""
    if not one or one[:1] != other[:1] or not (one + other).isascii():
        return False
    if _singular(one) == _singular(other):
        return True
    if min(len(one), len(other)) < SLIP_LETTERS:
        return False
    if one.startswith(other) or other.startswith(one):  # "telecom" for "telecommunications"
        return not (one + other).isdigit()
    return fuzz.ratio(one, other) >= SLIP_RATIO


def _singular(word: str) -> str:
    # "apis"/"api", "technologies"/"technology"; "nas" and "class" stay.
    if len(word) < SLIP_LETTERS - 1 or not word.endswith("s") or word.endswith("ss"):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") else word[:-1]
