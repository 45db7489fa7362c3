"""The talks that a material may belong to, each with what speaks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archiver.matching import speakers, titles
from archiver.matching.likeness import Likeness, compare
from archiver.matching.programme import Expected, Programme
from archiver.matching.speakers import Company, Name, Relation
from archiver.matching.titles import Title
from archiver.model import Material

#: What the names add. An uploader is often not the speaker, so strangers weigh little.
BONUS = {
    Relation.AGREES: 0.25,
    Relation.RESEMBLES: 0.05,
    Relation.UNKNOWN: 0.0,
    Relation.STRANGER: -0.05,
    Relation.OTHER: -0.15,
}
#: A short title whose speaker has this one talk counts as at least this: "Chef" by Junqiang Chen.
SHORT_TITLE = 0.55


@dataclass(frozen=True, slots=True)
class Candidate:
    """A talk with what speaks for it. `total` may pass 1: it is for ranking."""

    expected: Expected
    like: Likeness
    relation: Relation
    total: float

    def __str__(self) -> str:
        talk = self.expected.talk
        by = f" by {', '.join(talk.speakers)}" if talk.speakers else ""
        return f"“{talk.title}”{by} ({min(self.total, 1.0):.2f})"


@dataclass(frozen=True, slots=True)
class Reading:
    """A material's title in every way that makes sense of it, and the names on the material.

    `in_title` are the names that its title mentions, `rest` what is left without them.
    """

    titles: tuple[Title, ...]
    company: Company
    in_title: tuple[Name, ...]
    rest: str


def read(material: Material, programme: Programme, series: str) -> Reading:
    """Read what a material says of itself, seen against an event. `series` is folded."""
    text = titles.fold(material.talk or material.title)
    authors = speakers.parse_all(material.authors)
    in_title, rest = speakers.mentioned(programme.finders, text)
    plain = speakers.without(map(speakers.Finder.of, authors), rest) if authors else rest
    found = [
        title
        for variant in dict.fromkeys((text, plain))
        for title in titles.read_material(variant, series, programme.noise, programme.years)
    ]
    company = programme.company(tuple(dict.fromkeys((*authors, *in_title))))
    return Reading(tuple(dict.fromkeys(found)), company, in_title, plain)


def candidates(reading: Reading, programme: Programme, *, every: bool = False) -> list[Candidate]:
    """Give the talks that come into question, the nearest first; with `every` all that share a word."""
    near = programme.near(reading.titles, reading.company.agreeing, every=every)
    found = [_candidate(expected, reading, programme) for expected in near]
    return sorted(found, key=lambda candidate: -candidate.total)


def _candidate(expected: Expected, reading: Reading, programme: Programme) -> Candidate:
    pairs = (
        compare(mine, theirs, sisters=expected.sisters, known=programme.words, common=programme.common)
        for mine in expected.titles
        for theirs in reading.titles
    )
    like = max(pairs, key=lambda pair: (pair.score, pair.exact), default=Likeness(0.0))
    relation = reading.company.relate(expected.speakers)
    return Candidate(expected, like, relation, _total(expected, like, relation))


def _total(expected: Expected, like: Likeness, relation: Relation) -> float:
    if like.score == 0:
        return 0.0
    if relation is not Relation.AGREES or like.exact:
        return max(0.0, like.score + BONUS[relation])
    if not like.shared & expected.own:  # only "OpenStack" in common, at an OpenStack event
        return like.score
    short = like.subset and expected.only_talk
    return max(like.score, SHORT_TITLE if short else 0.0) + BONUS[relation]


def of_speaker(reading: Reading, programme: Programme, series: str) -> Sequence[Expected]:
    """Give the talks of the people in the title, when it says nothing else: "03 陈俊强.pptx".

    Only names in the title count: who uploads is often not who speaks.
    """
    if not reading.in_title:
        return ()
    rest: Title = titles.read_rest(reading.rest, series, programme.noise, programme.years)
    if rest.words - rest.soft or rest.numbers - rest.soft_numbers:
        return ()
    talks = [programme.talks_of(name) for name in reading.company.agreeing]
    return list({each.talk.id: each for found in talks for each in found}.values())
