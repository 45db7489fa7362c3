"""The events of the file: their facts, their talks, and the ids that must not repeat."""

from __future__ import annotations

from collections.abc import Iterable

from archiver.config.checking import Checker
from archiver.config.nodes import Mapping, Node, Scalar, given, without
from archiver.config.problems import Keys
from archiver.config.programmes import is_programme
from archiver.config.sections import EventSection, Stated, TalkSection
from archiver.config.wording import found
from archiver.model import Event, Kind, Talk
from archiver.naming import slug

DEFAULT_EXPECT = (Kind.REPORT, Kind.PHOTO, Kind.VIDEO)


def stated_facts(checker: Checker, section: Stated, node: Mapping, keys: Keys) -> dict[str, str | int]:
    """Join the known figures and the free facts of an archive or an event."""
    known = {name: getattr(section, name) for name in ("enrolled", "attended", "lecturers")}
    figures = {name: value for name, value in known.items() if value is not None}
    for name in figures.keys() & section.facts.keys():
        checker.note(node.keys[name], (*keys, name), "this is stated here and under facts", "one of them")
    return {**figures, **section.facts}


def read_event(checker: Checker, node: Mapping, keys: Keys, expect: tuple[Kind, ...]) -> Event | None:
    """Read one event with its talks, without its sources; `None` when something is wrong."""
    before = len(checker.problems)
    section = checker.model(EventSection, without(node, ("talks", "sources")), keys)
    talks = _talks(checker, node, keys)
    if section is None:
        return None
    _check_dates(checker, section, node, keys)
    facts = stated_facts(checker, section, node, keys)
    if len(checker.problems) > before:
        return None
    return Event(
        id=section.id,
        title=section.title or section.id,
        date=section.date,
        end_date=section.end_date,
        city=section.city,
        venue=section.venue,
        talks=talks,
        expect=expect if section.expect is None else section.expect,
        facts=facts,
        consent=section.consent,
    )


def _check_dates(checker: Checker, section: EventSection, node: Mapping, keys: Keys) -> None:
    if not section.end_date:
        return
    length = min(len(section.date), len(section.end_date))  # "2012-09" ends no earlier than "2012-09-16"
    if not section.date:
        checker.note(node.items["end_date"], (*keys, "end_date"), "there is an end, but no date", "date:")
    elif section.end_date[:length] < section.date[:length]:
        message = f"the event ends before it begins ({section.date})"
        checker.note(node.items["end_date"], (*keys, "end_date"), message)


def _talks(checker: Checker, node: Mapping, keys: Keys) -> tuple[Talk, ...]:
    listed = given(node, "talks")
    if listed is not None and is_programme(listed):
        return ()
    items = checker.sequence(listed, (*keys, "talks"), "a list of talks, or from: pretalx, ical or csv")
    talks: dict[str, tuple[Talk, int]] = {}
    for index, item in enumerate(items.items if items else ()):
        here = (*keys, "talks", index)
        if is_programme(item):
            continue
        talk = _talk(checker, item, here)
        if talk is None:
            continue
        if talk.id in talks:
            message = f"the talk id {talk.id!r} is taken in line {talks[talk.id][1]}"
            checker.note(item, here, message, f"an id: of its own, such as {talk.id}-2")
        else:
            talks[talk.id] = (talk, item.line)
    return tuple(talk for talk, _ in talks.values())


def _talk(checker: Checker, node: Node, keys: Keys) -> Talk | None:
    if isinstance(node, Scalar) and not node.is_null:
        # "- Explanation of Keystone": a title alone. It is checked like the long form.
        node = Mapping(node.line, node.column, {"title": node}, {"title": node})
    if not isinstance(node, Mapping):
        checker.note(node, keys, found(node), "a title, or a mapping with a title")
        return None
    section = checker.model(TalkSection, node, keys)
    return None if section is None else _made(checker, section, node, keys)


def _made(checker: Checker, section: TalkSection, node: Mapping, keys: Keys) -> Talk | None:
    if section.speaker and section.speakers:
        checker.note(node.keys["speakers"], keys, "speaker and speakers are both given", "one of them")
    talk_id = section.id or slug(section.title)
    if not talk_id:
        checker.note(node, keys, "no id can be made from this title", "an id:, such as talk-1")
        return None
    speakers = section.speakers or ((section.speaker,) if section.speaker else ())
    email = ", ".join(filter(None, section.email))
    return Talk(talk_id, section.title, speakers, email, section.expect, consent=section.consent)


def check_unique(checker: Checker, nodes: Iterable[tuple[Keys, Mapping]]) -> None:
    """Note the event ids that are given twice."""
    first: dict[str, int] = {}
    for keys, node in nodes:
        value = node.items.get("id")
        if not isinstance(value, Scalar):
            continue
        if value.text in first:
            message = f"the event id {value.text!r} is taken in line {first[value.text]}"
            checker.note(value, (*keys, "id"), message, "an id of its own")
        first.setdefault(value.text, value.line)
