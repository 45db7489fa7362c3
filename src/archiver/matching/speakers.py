"""Names of people: told apart as far as they can be, and no further."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import islice

from archiver.matching.titles import fold

MAX_NAMES = 50

_HAN_NAME = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]{2,}")
_LATIN = re.compile(r"[^\W\d_\u3400-\u4dbf\u4e00-\u9fff]+")
_ASIDE = re.compile(r"[(\[<].*?(?:[)\]>]|$)")  # "Hui Cheng (Sina)"
_GAP = r"[\W_]*(?:\b[a-z]\b[\W_]*)?"  # "chen_junqiang", "chenjunqiang", "bruce k. lok"
_SEVERAL = re.compile(r"\s*(?:[;、&/]|\band\b)\s*")


class Relation(Enum):
    """What the names on a material say about a talk."""

    AGREES = "agrees"
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
        words = tuple(word for word in self.latin if len(word) > 1)
        if len(words) < 2:
            return frozenset(words)
        return frozenset("".join(order) for order in _orders(words))

    def same_as(self, other: Name) -> bool | None:
        """Compare two names; `None` when they cannot be: "陈俊强" with "Junqiang Chen", "J. Chen"."""
        if self.han and other.han:
            return self.han == other.han
        mine, theirs = self.joined, other.joined
        if mine and mine & theirs:
            return True
        if not self.is_full or not other.is_full:
            return None
        return False

    @property
    def is_full(self) -> bool:
        """Say whether the name has a first and a family name, both spelt out."""
        return len(self.latin) >= 2 and all(len(word) > 1 for word in (self.latin[0], self.latin[-1]))

    def patterns(self) -> list[str]:
        """Give regular expressions that find the name in a folded title, in either order."""
        found = [re.escape(self.han)] if self.han else []
        if self.is_full:
            orders = sorted({tuple(map(re.escape, order)) for order in _orders(self.latin)})
            found += [rf"(?<![^\W\d_]){_GAP.join(order)}(?![^\W\d_])" for order in orders]
        return found


def _orders(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {words, (*words[1:], words[0]), (words[-1], *words[:-1])}


def parse(text: str) -> list[Name]:
    """Read the names in one field: "Hui Cheng (Sina)", "陈俊强 Junqiang Chen", "A Li and B Wu"."""
    plain = _ASIDE.sub(" ", fold(text))
    pieces = _SEVERAL.split(plain)
    if all(len(part.split()) > 1 for part in plain.split(",")):  # but "Chen, Junqiang" is one person
        pieces = [name for piece in pieces for name in piece.split(",")]
    names = (_name(piece) for piece in pieces)
    return [name for name in names if name.latin or name.han]


def _name(text: str) -> Name:
    han = "".join(_HAN_NAME.findall(text)[:1])
    return Name(tuple(_LATIN.findall(text))[:6], han)


def parse_all(texts: Iterable[str]) -> tuple[Name, ...]:
    """Read the names in several fields: the first `MAX_NAMES`, a crowd tells no talk from another."""
    return tuple(islice((name for text in texts for name in parse(text)), MAX_NAMES))


def mentioned(names: Iterable[Name], folded: str) -> tuple[Name, ...]:
    """Tell which of the names a title mentions."""
    return tuple(name for name in names if any(re.search(form, folded) for form in name.patterns()))


def without(names: Iterable[Name], folded: str) -> str:
    """Take the names out of a title."""
    for name in names:
        for form in name.patterns():
            folded = re.sub(form, " ", folded)
    return re.sub(r"\(\s*\)|\[\s*\]", " ", folded).strip(" -–—_|:,@/")


def relate(material: Iterable[Name], talk: tuple[Name, ...], event: Iterable[Name]) -> Relation:
    """Say what the names on a material mean for a talk: `talk` its speakers, `event` all of the event's."""
    names = tuple(material)
    verdicts = [name.same_as(speaker) for name in names for speaker in talk]
    if any(verdicts):
        return Relation.AGREES
    if any(name.same_as(speaker) for name in names for speaker in event):
        return Relation.OTHER
    if False in verdicts and None not in verdicts:
        return Relation.STRANGER
    return Relation.UNKNOWN
