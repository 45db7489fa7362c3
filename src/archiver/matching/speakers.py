"""Names of people: told apart as far as they can be, and no further."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import islice

from archiver.matching import pinyin
from archiver.matching.han import HAN
from archiver.matching.titles import fold

MAX_NAMES = 50

_HAN_NAME = re.compile(f"[{HAN}]{{2,}}")
_HAN_WORD = re.compile(f"[{HAN}]+")
_LATIN = re.compile(rf"(?:(?![{HAN}])[^\W\d_])+")
_ASIDE = re.compile(r"[(\[<].*?(?:[)\]>]|$)")  # "Hui Cheng (Sina)"
_GAP = r"[\W_]*(?:\b[a-z]\b[\W_]*)?"  # "chen_junqiang", "chenjunqiang", "bruce k. lok"
_SEVERAL = re.compile(r"\s*(?:[;、&/]|\band\b)\s*")
_HAN_TITLE = re.compile(r"^(?:讲师|主讲人?|演讲者?|嘉宾)|(?:老师|先生|女士|博士|教授)$")


class Relation(Enum):
    """What the names on a material say about a talk."""

    AGREES = "agrees"
    RESEMBLES = "resembles"  # "J. Chen", and no other speaker of the event could be meant
    UNKNOWN = "unknown"  # no names, or names that cannot be compared
    STRANGER = "stranger"  # somebody who gives no talk at this event: often just who uploaded it
    OTHER = "other"  # somebody who gives another talk at this event


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name: `latin` its words in Latin or other spaced script, `han` its Chinese form."""

    latin: tuple[str, ...]
    han: str = ""

    @property
    def joined(self) -> frozenset[str]:
        """Give the name without spaces, in both orders: "junqiangchen", "chenjunqiang".

        Initials in the middle are left out: "Bruce K. Lok" is "Bruce Lok".
        """
        return _joined(self.latin)

    def same_as(self, other: Name) -> bool | None:
        """Compare two names; `None` when they cannot be: "陈俊强" with "Jimmy Chen", "J. Chen".

        A Chinese name is the one in Latin letters when that is its pinyin. Two people may share it:
        whoever compares with several finds out.
        """
        if self.han and other.han:
            return self.han == other.han
        if self.joined and self.joined & other.joined:
            return True
        if bool(self.han) != bool(other.han):
            return _same_by_pinyin(self, other) if self.han else _same_by_pinyin(other, self)
        if not self.is_full or not other.is_full or _may_be_nickname(self, other):
            return None
        return False

    def resembles(self, other: Name) -> bool:
        """Say whether one may be short for the other: "J. Chen" for "Junqiang Chen" or 陈俊强."""
        return any(_abbreviates(*pair) for pair in ((self, other), (other, self)))

    @property
    def has_initials(self) -> bool:
        """Say whether a word of it is a mere letter."""
        return any(len(word) == 1 for word in self.latin)

    @property
    def is_full(self) -> bool:
        """Say whether the name has a first and a family name, both spelt out."""
        return len(self.latin) >= 2 and all(len(word) > 1 for word in (self.latin[0], self.latin[-1]))

    @property
    def spelt(self) -> tuple[tuple[str, ...], ...]:
        """Give the name in Latin letters, as words: as it is written, or else in pinyin."""
        return (self.latin,) if self.is_full or not self.han else pinyin.spellings(self.han)


@lru_cache(maxsize=16384)
def _joined(latin: tuple[str, ...]) -> frozenset[str]:
    words = tuple(word for word in latin if len(word) > 1)
    if len(words) < 2:
        return frozenset(words)
    return frozenset("".join(order) for order in _orders(words))


def _same_by_pinyin(han: Name, latin: Name) -> bool | None:
    forms = pinyin.joined(han.han)
    if not forms:
        return None
    alone = len(latin.latin) < 2  # "lina" need not be 李娜; "chenjunqiang" is nobody else
    if any(form in forms for form in latin.joined if not alone or len(form) >= pinyin.SURE_LETTERS):
        return True
    return False if latin.is_full and all(map(pinyin.is_pinyin, latin.latin)) else None


def _may_be_nickname(one: Name, other: Name) -> bool:
    # "Jimmy Chen" may be Junqiang Chen; "Jun Chen" is somebody else.
    if not set(one.latin) & set(other.latin):
        return False
    return not all(pinyin.is_pinyin(word) for word in (*one.latin, *other.latin))


def _abbreviates(short: Name, full: Name) -> bool:
    initials = [word for word in short.latin if len(word) == 1]
    words = [word for word in short.latin if len(word) > 1]
    if not initials or len(words) != 1:
        return False
    return any(
        words[0] in spelt and any(word[0] == initials[0] for word in spelt if word != words[0])
        for spelt in full.spelt
        if len(spelt) > 1
    )


def _orders(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {words, (*words[1:], words[0]), (words[-1], *words[:-1])}


def parse(text: str) -> list[Name]:
    """Read the names in one field: "Hui Cheng (Sina)", "陈俊强 Junqiang Chen", "A Li and B Wu"."""
    plain = _ASIDE.sub(" ", fold(text))
    pieces = _SEVERAL.split(plain)
    if all(len(part.split()) > 1 or _HAN_NAME.search(part) for part in plain.split(",")):
        pieces = [name for piece in pieces for name in piece.split(",")]  # but "Chen, Junqiang" is one
    names = (_name(piece) for piece in pieces)
    return [name for name in names if name.latin or name.han]


def _name(text: str) -> Name:
    runs = (_HAN_TITLE.sub("", run) for run in _HAN_NAME.findall(text))
    return Name(tuple(_LATIN.findall(text))[:6], next(filter(None, runs), ""))


def parse_all(texts: Iterable[str]) -> tuple[Name, ...]:
    """Read the names in several fields: the first `MAX_NAMES`, a crowd tells no talk from another."""
    return tuple(islice((name for text in texts for name in parse(text)), MAX_NAMES))


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds one person's name in folded titles. `anchors` are texts of which one must be there."""

    name: Name
    anchors: tuple[str, ...]
    pattern: re.Pattern[str] | None
    pinyin: frozenset[str]

    @classmethod
    def of(cls, name: Name) -> Finder:
        """Make a finder; a name of one word is not looked for."""
        han = [name.han] if name.han else []
        spelt = [words for words in name.spelt if _is_sure(words)]
        forms = [re.escape(form) for form in han]
        forms += [
            rf"(?<![^\W\d_]){_GAP.join(order)}(?![^\W\d_])"
            for words in spelt
            for order in sorted({tuple(map(re.escape, order)) for order in _orders(words)})
        ]
        anchors = dict.fromkeys((*han, *(max(words, key=len) for words in spelt)))
        pattern = re.compile("|".join(forms)) if forms else None
        return cls(name, tuple(anchors), pattern, frozenset() if han or len(name.latin) < 2 else name.joined)

    def is_in(self, folded: str) -> bool:
        """Say whether a title names this person in the programme's own letters or in pinyin."""
        for anchor in self.anchors:
            if anchor in folded:
                return bool(self.pattern and self.pattern.search(folded))
        return False


def _is_sure(words: Sequence[str]) -> bool:
    return len(words) >= 2 and all(len(word) > 1 for word in (words[0], words[-1]))


def mentioned(finders: Iterable[Finder], folded: str) -> tuple[tuple[Name, ...], str]:
    """Tell which people a title names, and give it without them.

    Chinese words that are the pinyin of somebody in the programme are names: "Swift_陈俊强.pptx" where
    the programme has Junqiang Chen.
    """
    people = tuple(finders)
    found = [finder for finder in people if finder.is_in(folded)]
    rest = folded
    for finder in found:
        assert finder.pattern is not None
        rest = finder.pattern.sub(" ", rest)
    names = [finder.name for finder in found]
    for word in _HAN_WORD.findall(rest):
        plain = _HAN_TITLE.sub("", word)
        forms = pinyin.joined(plain)
        if forms and any(not forms.isdisjoint(person.pinyin) for person in people):
            names.append(Name((), plain))
            rest = rest.replace(word, " ", 1)
    return tuple(dict.fromkeys(names)), _tidy(rest) if rest != folded else folded


def without(finders: Iterable[Finder], folded: str) -> str:
    """Take the names out of a title."""
    return mentioned(finders, folded)[1]


def _tidy(text: str) -> str:
    return re.sub(r"\(\s*\)|\[\s*\]", " ", text).strip(" -–—_|:,@/")


@dataclass(frozen=True, slots=True)
class Company:
    """The names on a material, seen against everybody in the programme."""

    names: tuple[Name, ...]
    agreeing: frozenset[Name]  # speakers of the event that a name is
    resembling: frozenset[Name]  # the one speaker whom an abbreviated name may mean

    @classmethod
    def of(cls, names: Sequence[Name], people: Sequence[Name]) -> Company:
        """Compare the names on a material with all speakers of the event, once."""
        agreeing = frozenset(one for one in people if any(name.same_as(one) for name in names))
        similar: set[Name] = set()
        for name in names:
            like = {one for one in people if (name.has_initials or one.has_initials) and name.resembles(one)}
            similar |= like if len(like) == 1 else set()
        return cls(tuple(names), agreeing, frozenset(similar))

    def relate(self, talk: Iterable[Name]) -> Relation:
        """Say what the names mean for a talk with these speakers."""
        speakers = tuple(talk)
        if self.agreeing.intersection(speakers):
            return Relation.AGREES
        if self.agreeing:
            return Relation.OTHER
        if self.resembling.intersection(speakers):
            return Relation.RESEMBLES
        verdicts = [name.same_as(speaker) for name in self.names for speaker in speakers]
        return Relation.STRANGER if False in verdicts and None not in verdicts else Relation.UNKNOWN
