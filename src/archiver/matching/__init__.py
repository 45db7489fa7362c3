"""Find the talk that a material belongs to, or say why none is certain enough.

A wrong talk is worse than none: a talk that seems to have its slides is never asked for again. So
near equals stay unmatched, with the candidates named for whoever decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archiver.ledger import Match
from archiver.matching import clues, titles
from archiver.matching.candidates import Candidate, Reading, candidates, of_speaker, read
from archiver.matching.programme import Programme, prepare
from archiver.matching.speakers import Relation
from archiver.model import Event, Kind, Material, Talk

__all__ = ["MARGIN", "THRESHOLD", "Rank", "hold", "match", "rank"]

#: The least score that makes a match, and the least distance to the second best.
THRESHOLD = 0.78
MARGIN = 0.1
#: The score of a match by the speaker in the title alone, and by a link in the description.
BY_SPEAKER, BY_LINK = 0.8, 0.9

# Photos and reports show a whole event; a title in common with a talk says nothing.
_BY_TITLE = frozenset({Kind.SLIDES, Kind.VIDEO, Kind.OTHER})


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
    programme = prepare(event)
    reading = read(material, programme, titles.fold(series))
    found = candidates(reading, programme, every=True)
    return [_ranked(each) for each in found if each.total > 0]


def _ranked(found: Candidate) -> Rank:
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

    What the source says (`material.talk`: a talk's id, or the title of exactly one) decides, then the
    code that its programme gives a talk; else titles, names and times are compared. `series` is the name
    of the series or archive ("OpenStack China Tour"), which file names often begin with. Pure: equal
    arguments give equal answers.
    """
    if not event.talks:
        return Match(why="the event lists no talks")
    if stated := _stated(material, event):
        return stated
    if obstacle := _obstacle(material, event):
        return Match(why=obstacle)
    programme, folded = prepare(event), titles.fold(series)
    reading = read(material, programme, folded)
    return _decide(material, reading, programme, folded)


def hold(before: Match, found: Match, material: Material, event: Event, *, series: str = "") -> Match:
    """Choose between the match that a material has and the one found for it now.

    A talk keeps what was found for it when it gets another title: "Containers for Choirs.pdf" stays with
    talk 1, which is "Docker in Music" by now. What is as strong as the earlier match was, less the margin,
    ends it: another talk that the title fits, or several. So does a talk that is gone. Pure.
    """
    if not before.talk or before.talk not in prepare(event).by_id:
        return found
    strength = found.score or 0.0 if found.talk else _best(material, event, titles.fold(series))
    return before if strength <= (before.score or 0.0) - MARGIN else found


def _best(material: Material, event: Event, series: str) -> float:
    """Give the score of the best of several talks between which nothing was decided; 0 when none is near."""
    if _obstacle(material, event):
        return 0.0
    programme = prepare(event)
    near = candidates(read(material, programme, series), programme)
    return min(near[0].total, 1.0) if near and near[0].total >= THRESHOLD else 0.0


def _stated(material: Material, event: Event) -> Match | None:
    """Find the talk that is named, without comparing anything."""
    if not (material.talk or material.url or "talk" in material.extra):
        return None
    programme = prepare(event)
    same_title = programme.by_title.get(titles.fold(material.talk), ()) if material.talk else ()
    explicit = programme.by_id.get(material.talk) or (same_title[0] if len(same_title) == 1 else None)
    if explicit is not None:
        return Match(explicit.id, "explicit", 1.0)
    coded = clues.named(material, programme)
    return None if coded is None else Match(coded.id, "id", 1.0)


def _obstacle(material: Material, event: Event) -> str:
    if not event.talks:
        return "the event lists no talks"
    if material.kind not in _BY_TITLE:
        return f"a {material.kind} shows the event as a whole unless its source names the talk"
    if not (material.talk or material.title).strip():
        return "it has no title"
    return ""


def _decide(material: Material, reading: Reading, programme: Programme, series: str) -> Match:
    found = candidates(reading, programme)
    if not found or found[0].total < THRESHOLD:
        return _without_title(material, reading, programme, series) or Match(why=_far(found))
    best, *others = found
    rivals = [best, *(other for other in others if _is_rival(other, best))]
    if len(rivals) > 1:
        return _among(material, rivals)
    by_title = _clear_title(found)
    if by_title is not None and by_title is not best:
        return Match(why=f"the title points to {by_title}, the speaker to {best}")
    method = "title+speaker" if best.relation is Relation.AGREES else "title"
    return Match(best.expected.talk.id, method, round(min(best.total, 1.0), 3))


def _far(found: Sequence[Candidate]) -> str:
    near = found and found[0].total
    return f"no talk is near enough; the nearest is {found[0]}" if near else "no talk is near"


def _without_title(material: Material, reading: Reading, programme: Programme, series: str) -> Match | None:
    """Go by what the description links to, or by the one talk of whom the title names and nothing else."""
    link = clues.linked(material, programme)
    talks = of_speaker(reading, programme, series) if material.kind is not Kind.OTHER else ()
    if link is not None and all(each.talk is link for each in talks):
        return Match(link.id, "id", BY_LINK)
    if link is None and len(talks) == 1:
        return Match(talks[0].talk.id, "speaker", BY_SPEAKER)
    return None


def _among(material: Material, rivals: Sequence[Candidate]) -> Match:
    """Choose between near equals by time, or not at all."""
    on_time = clues.on_time(material, [each.expected.talk for each in rivals])
    for each in rivals:
        if each.expected.talk is on_time and each.relation is rivals[0].relation and each.total >= THRESHOLD:
            return Match(on_time.id, "title+time", round(min(each.total, 1.0), 3))
    return Match(why=f"several talks are equally near: {'; '.join(map(str, rivals[:5]))}")


def _is_rival(other: Candidate, best: Candidate) -> bool:
    if best.like.exact and not other.like.exact:
        return other.total > best.total - MARGIN and other.relation is Relation.AGREES
    return other.total > best.total - MARGIN


def _clear_title(found: Sequence[Candidate]) -> Candidate | None:
    """Give the talk that the title alone would choose."""
    ranked = sorted(found, key=lambda candidate: (-candidate.like.score, not candidate.like.exact))
    if ranked[0].like.score < THRESHOLD:
        return None
    if len(ranked) > 1 and ranked[0].like.score - ranked[1].like.score < MARGIN:
        return None
    return ranked[0]
