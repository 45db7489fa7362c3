"""Find the talk that a material belongs to, or say why none is certain enough.

A wrong talk is worse than none: a talk that seems to have its slides is never asked for again. So
near equals stay unmatched, with the candidates named for whoever decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from archiver.ledger import Match
from archiver.matching import speakers, titles
from archiver.matching.speakers import Name, Relation
from archiver.matching.titles import Likeness, Title
from archiver.model import Event, Kind, Material, Talk

__all__ = ["MARGIN", "THRESHOLD", "Rank", "match", "rank"]

#: The least score that makes a match, and the least distance to the second best.
THRESHOLD = 0.78
MARGIN = 0.1
#: What the names add. An uploader is often not the speaker, so strangers weigh little.
BONUS = {Relation.AGREES: 0.25, Relation.UNKNOWN: 0.0, Relation.STRANGER: -0.05, Relation.OTHER: -0.15}
#: A short title whose speaker has this one talk counts as at least this: "Chef" by Junqiang Chen.
SHORT_TITLE = 0.55

# Photos and reports show a whole event; a title in common with a talk says nothing.
_BY_TITLE = frozenset({Kind.SLIDES, Kind.VIDEO, Kind.OTHER})


@dataclass(frozen=True, slots=True)
class _Expected:
    """A talk made ready for comparing. `sister`: another one differs from it by number alone."""

    talk: Talk
    titles: tuple[Title, ...]
    speakers: tuple[Name, ...]
    sister: bool
    own: frozenset[str]  # words that no other talk of the event has
    only_talk: bool  # of its speaker at this event


@dataclass(frozen=True, slots=True)
class _Programme:
    """An event made ready for comparing."""

    expected: tuple[_Expected, ...]
    people: tuple[Name, ...]
    words: frozenset[str]
    noise: frozenset[str]
    years: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A talk with what speaks for it. `total` may pass 1: it is for ranking."""

    expected: _Expected
    like: Likeness
    relation: Relation
    total: float

    def __str__(self) -> str:
        talk = self.expected.talk
        by = f" by {', '.join(talk.speakers)}" if talk.speakers else ""
        return f"“{talk.title}”{by} ({min(self.total, 1.0):.2f})"


@dataclass(frozen=True, slots=True)
class Rank:
    """How near a talk is to a material: `score` with names, `title` without, both from 0 to 1.

    `words` counts the words in common, `own` says that one of them belongs to no other talk of the
    event, `agrees` that a name on the material is its speaker's.
    """

    talk: Talk
    score: float
    title: float
    words: int = 0
    own: bool = False
    agrees: bool = False


def rank(material: Material, event: Event, *, series: str = "") -> list[Rank]:
    """Give the talks that a material's title has anything in common with, the nearest first. Pure.

    Unlike `match` it decides nothing, and looks at no `material.talk`.
    """
    material = replace(material, talk="")
    if _obstacle(material, event):
        return []
    return [_ranked(each) for each in _candidates(material, event, titles.fold(series)) if each.total > 0]


def _ranked(found: _Candidate) -> Rank:
    like, expected = found.like, found.expected
    return Rank(
        expected.talk,
        round(min(found.total, 1.0), 3),
        round(like.score, 3),
        len(like.shared),
        bool(like.shared & expected.own),
        found.relation is Relation.AGREES,
    )


def match(material: Material, event: Event, *, series: str = "") -> Match:
    """Find the talk of `event` that `material` belongs to.

    What the source says (`material.talk`: a talk's id, or the title of exactly one) decides; else
    titles and names are compared. `series` is the name of the series or archive ("OpenStack China
    Tour"), which file names often begin with. Pure: equal arguments give equal answers.
    """
    same_title = _same_title(material.talk, event.talks)
    explicit = _explicit(material.talk, event.talks) or (same_title[0] if len(same_title) == 1 else None)
    if explicit is not None:
        return Match(explicit.id, "explicit", 1.0)
    if obstacle := _obstacle(material, event):
        return Match(why=obstacle)
    return _decide(_candidates(material, event, titles.fold(series)))


def _explicit(named: str, talks: Sequence[Talk]) -> Talk | None:
    return next((talk for talk in talks if named and talk.id == named), None)


def _same_title(named: str, talks: Sequence[Talk]) -> list[Talk]:
    folded = titles.fold(named)
    return [talk for talk in talks if folded and titles.fold(talk.title) == folded]


def _obstacle(material: Material, event: Event) -> str:
    if not event.talks:
        return "the event lists no talks"
    if material.kind not in _BY_TITLE:
        return f"a {material.kind} shows the event as a whole unless its source names the talk"
    if not (material.talk or material.title).strip():
        return "it has no title"
    return ""


def _candidates(material: Material, event: Event, series: str) -> list[_Candidate]:
    programme = _prepare(event)
    text = titles.fold(material.talk or material.title)
    authors = speakers.parse_all(material.authors)
    names = (*authors, *speakers.mentioned(programme.people, text))
    plain = speakers.without((*programme.people, *authors), text)
    readings = [
        title
        for variant in dict.fromkeys((text, plain))
        for title in titles.read_material(variant, series, programme.noise, programme.years)
    ]
    found = [_candidate(expected, readings, names, programme) for expected in programme.expected]
    return sorted(found, key=lambda candidate: -candidate.total)


def _candidate(
    expected: _Expected, readings: Sequence[Title], names: Sequence[Name], programme: _Programme
) -> _Candidate:
    pairs = (
        titles.compare(mine, theirs, strict_numbers=expected.sister, known=programme.words)
        for mine in expected.titles
        for theirs in readings
    )
    like = max(pairs, key=lambda pair: (pair.score, pair.exact), default=Likeness(0.0))
    relation = speakers.relate(names, expected.speakers, programme.people)
    return _Candidate(expected, like, relation, _total(expected, like, relation))


def _total(expected: _Expected, like: Likeness, relation: Relation) -> float:
    if like.score == 0:
        return 0.0
    if relation is not Relation.AGREES or like.exact:
        return max(0.0, like.score + BONUS[relation])
    if not like.shared & expected.own:  # only "OpenStack" in common, at an OpenStack event
        return like.score
    short = like.subset and expected.only_talk
    return max(like.score, SHORT_TITLE if short else 0.0) + BONUS[relation]


def _decide(candidates: Sequence[_Candidate]) -> Match:
    best, *others = candidates
    if best.total < THRESHOLD:
        return Match(
            why=f"no talk is near enough; the nearest is {best}" if best.total else "no talk is near"
        )
    rivals = [other for other in others if _is_rival(other, best)]
    if rivals:
        return Match(why=f"several talks are equally near: {'; '.join(map(str, [best, *rivals[:4]]))}")
    by_title = _clear_title(candidates)
    if by_title is not None and by_title is not best:
        return Match(why=f"the title points to {by_title}, the speaker to {best}")
    method = "title+speaker" if best.relation is Relation.AGREES else "title"
    return Match(best.expected.talk.id, method, round(min(best.total, 1.0), 3))


def _is_rival(other: _Candidate, best: _Candidate) -> bool:
    if best.like.exact and not other.like.exact:
        return other.total > best.total - MARGIN and other.relation is Relation.AGREES
    return other.total > best.total - MARGIN


def _clear_title(candidates: Sequence[_Candidate]) -> _Candidate | None:
    """Give the talk that the title alone would choose."""
    ranked = sorted(candidates, key=lambda candidate: (-candidate.like.score, not candidate.like.exact))
    if ranked[0].like.score < THRESHOLD:
        return None
    if len(ranked) > 1 and ranked[0].like.score - ranked[1].like.score < MARGIN:
        return None
    return ranked[0]


@lru_cache(maxsize=32)
def _prepare(event: Event) -> _Programme:
    people = {talk.id: speakers.parse_all(talk.speakers) for talk in event.talks}
    everyone = tuple(dict.fromkeys(name for names in people.values() for name in names))
    read = {talk.id: _titles(talk, people[talk.id]) for talk in event.talks}
    expected = tuple(_expect(talk, read, people) for talk in event.talks)
    words = frozenset(word for titles_ in read.values() for title in titles_ for word in title.words)
    return _Programme(expected, everyone, words, _noise(event), _years(event))


def _titles(talk: Talk, names: tuple[Name, ...]) -> tuple[Title, ...]:
    folded = titles.fold(talk.title)
    variants = dict.fromkeys((folded, speakers.without(names, folded)))
    parts = dict.fromkeys(half for variant in variants for half in titles.halves(variant))
    return tuple(titles.read_talk(part) for part in parts if part)


def _expect(talk: Talk, read: dict[str, tuple[Title, ...]], people: dict[str, tuple[Name, ...]]) -> _Expected:
    mine = read[talk.id]
    others = [title for key, found in read.items() if key != talk.id for title in found]
    sister = any(
        title.words == own.words and title.numbers != own.numbers for title in others for own in mine
    )
    own_words = frozenset(word for title in mine for word in title.words)
    elsewhere = frozenset(word for title in others for word in title.words)
    busy = [name for key, names in people.items() if key != talk.id for name in names]
    only = not any(name.same_as(other) for name in people[talk.id] for other in busy)
    return _Expected(talk, mine, people[talk.id], sister, own_words - elsewhere, only)


def _noise(event: Event) -> frozenset[str]:
    return titles.read_talk(titles.fold(f"{event.id} {event.title} {event.city}")).words


def _years(event: Event) -> frozenset[str]:
    return frozenset(date[:4] for date in (event.date, event.end_date) if date)
