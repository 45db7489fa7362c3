"""Which talks are the same talk given again, and how their decks differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from archiver.naming import slug
from archiver.pages.model import Item, TalkView

#: Pages of a deck that are compared.
_MAX_PAGES: Final = 300
#: A line that begins the text of a slide in a transcript: [p001]
_MARK: Final = re.compile(r"^\[p\d+\]$", re.MULTILINE)

Texts = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Other:
    """The same talk at another stop; the counts are of slides, None when they cannot be told."""

    talk: TalkView
    identical: bool = False
    same: int | None = None
    here: int = 0
    there: int = 0


def given_again(talks: Iterable[TalkView]) -> Mapping[str, tuple[TalkView, ...]]:
    """Group talks by their titles, letters and digits only: page of a talk → the others of its title."""
    groups: dict[str, list[TalkView]] = {}
    for talk in talks:
        groups.setdefault(slug(talk.talk.title) or talk.page, []).append(talk)
    return {
        talk.page: tuple(other for other in group if other.page != talk.page)
        for group in groups.values()
        for talk in group
    }


def compare(talk: TalkView, other: TalkView, texts: Texts) -> Other:
    """Say how the deck of another stop differs from this one's: by bytes, then by the text of each slide."""
    one, two = talk.deck, other.deck
    if one is None or two is None:
        return Other(other)
    if one.main and two.main and one.main.sha256 == two.main.sha256:
        return Other(other, identical=True)
    mine, theirs = slides(one, texts), slides(two, texts)
    if not mine or not theirs:
        return Other(other)
    same = _common(mine, theirs)
    return Other(other, same=same, here=len(mine) - same, there=len(theirs) - same)


def _common(mine: Sequence[str], theirs: Sequence[str]) -> int:
    blocks = SequenceMatcher(None, mine, theirs, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks)


def slides(deck: Item, texts: Texts) -> list[str]:
    """Give the text of each slide, white space made even; empty when none could be read."""
    files = sorted(deck.files, key=lambda file: file.path != (deck.main.path if deck.main else ""))
    for file in files:
        text = texts(file.sha256) or ""
        pages = text.split("\f") if "\f" in text else _MARK.split(text)[1:]
        if pages:
            return [" ".join(page.split()) for page in pages[:_MAX_PAGES]]
    return []
