"""Mail addresses of speakers, read where the talks are read: the archive keeps none."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from archiver.config import Config
from archiver.config.programmes import TalksSection
from archiver.errors import SourceError
from archiver.model import Event, Talk
from archiver.talks.merging import fold
from archiver.talks.programme import Trouble, place, read_programme

#: What a programme must have, for a talk to have an address. Public schedules never tell any.
_WANTED = {
    "csv": "write it into the column `email` of {place}",
    "ical": "give its ATTENDEE in {place} a name (CN) and a `mailto:` address",
}
_TYPED = "add `email` to the talk in the configuration"


@dataclass(frozen=True, slots=True)
class Addressed:
    """An event whose talks have the addresses that could be found, and what could not be read for it."""

    event: Event
    troubles: tuple[Trouble, ...] = ()


def addressed(config: Config, event: Event) -> Addressed:
    """Give the talks of an event the addresses that its tables and calendars tell now."""
    troubles: list[Trouble] = []
    by_uid: dict[str, str] = {}
    by_title: dict[str, str] = {}
    for section in _telling(config, event):
        try:
            listed = read_programme(config, section).talks
        except SourceError as error:
            troubles.append(Trouble(event.id, place(section), error))
            continue
        by_uid.update((each.uid, each.email) for each in listed)
        by_title.update((fold(each.title), each.email) for each in reversed(listed))

    def found(talk: Talk) -> str:
        # A typed talk stands for the listed one of its title.
        return talk.email or (by_uid.get(talk.uid, "") if talk.uid else by_title.get(fold(talk.title), ""))

    talks = tuple(replace(talk, email=found(talk)) for talk in event.talks)
    return Addressed(replace(event, talks=talks), tuple(troubles))


def advice(config: Config, event: Event, talk: Talk) -> str:
    """Say what to do so that a talk of an event has an address."""
    kind = talk.uid.partition(" ")[0]
    if not kind:
        return _TYPED
    sections = [section for section in _telling(config, event) if section.from_ == kind]
    if not sections:
        title = json.dumps(talk.title, ensure_ascii=False)
        return (
            "its schedule tells none, so type the talk beside the `from` under `talks`: "
            f"{{id: {talk.id}, title: {title}, email: ADDRESS}}"
        )
    return _WANTED[kind].format(place=" or ".join(place(section) for section in sections))


def _telling(config: Config, event: Event) -> Iterable[TalksSection]:
    """Give the programmes of an event that may hold addresses."""
    sections = (each.section for each in config.programmes if each.event == event.id)
    return [section for section in sections if section.from_ in _WANTED]
