"""Which of the listed talks are known, new, renamed or cancelled. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from archiver.model import Kind, Talk
from archiver.naming import slug
from archiver.talks.reading import ListedTalk


def merge(
    typed: Sequence[Talk],
    kept: Sequence[Talk],
    listed: Iterable[tuple[ListedTalk, Sequence[Kind]]],
) -> tuple[Talk, ...]:
    """Join typed talks, those that the archive keeps, and those listed today with the kinds expected of each.

    A listed talk keeps the id that it got once, by its uid, whatever its title is now; a new uid under the
    very title of a talk that is listed no more takes that one's place. A typed talk of the same title
    stands for a listed one. A kept talk that is not listed any more, or as cancelled, stays as cancelled:
    nothing is expected of it.
    """
    own = {fold(talk.title) for talk in typed} | {fold(talk.id) for talk in typed}
    wanted = [(each, expect) for each, expect in listed if fold(each.title) not in own]
    present = {each.uid for each, _ in wanted}
    by_uid = {talk.uid: talk for talk in kept}
    orphans = {fold(talk.title): talk for talk in kept if talk.uid not in present}
    taken = {talk.id for talk in (*typed, *kept)}
    result: dict[str, Talk] = {}
    for each, expect in wanted:
        before = by_uid.get(each.uid) or orphans.pop(fold(each.title), None)
        if each.cancelled and before is None:
            continue
        talk_id = before.id if before else _new_id(each, taken)
        taken.add(talk_id)
        result[talk_id] = _talk(talk_id, each, expect)
    for talk in kept:
        if talk.id not in result and fold(talk.title) not in own:
            result[talk.id] = replace(talk, cancelled=True, expect=())
    return (*typed, *result.values())


def _talk(talk_id: str, listed: ListedTalk, expect: Sequence[Kind]) -> Talk:
    wanted = () if listed.cancelled else tuple(expect)
    return Talk(
        talk_id,
        listed.title,
        listed.speakers,
        listed.email,
        wanted,
        uid=listed.uid,
        cancelled=listed.cancelled,
        start=listed.date,
    )


def _new_id(listed: ListedTalk, taken: Collection[str]) -> str:
    """Make an id of a title; where it is taken or empty, with what the talk is called there."""
    plain = slug(listed.title)
    if plain and plain not in taken:
        return plain
    longer = "-".join(filter(None, (plain, slug(listed.uid, 40)))) or "talk"
    number = 1
    while (made := longer if number == 1 else f"{longer}-{number}") in taken:
        number += 1
    return made


def fold(text: str) -> str:
    """Give what titles are compared by: without case and spaces."""
    return "".join(text.casefold().split())
