"""Reading EVENT or EVENT/TALK from the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from archiver.config import Config
    from archiver.model import Event


def read_place(place: str, config: Config) -> tuple[str, str]:
    """Read EVENT[/TALK], the talk by its id or title. Give their ids, "" for no talk.

    An unknown one is wrong usage, told with the nearest known one.
    """
    name, _, talk = place.partition("/")
    events = {event.id: event for event in config.events}
    if name not in events:
        raise click.UsageError(f"There is no event {name!r}. {nearest(name, events)}")
    if not talk:
        return name, ""
    known = _talks(events[name])
    if talk.casefold() not in known:
        guess = nearest(talk.casefold(), known, dict.fromkeys(known.values()))
        raise click.UsageError(f"Event {name} has no talk {talk!r}. {guess}")
    return name, known[talk.casefold()]


def _talks(event: Event) -> dict[str, str]:
    return {word.casefold(): talk.id for talk in event.talks for word in (talk.title, talk.id)}


def nearest(name: str, known: Iterable[str], told: Iterable[str] | None = None) -> str:
    """Guess what was meant, or name all that there are: `told`, where one thing has several names."""
    known = list(known)
    listed = known if told is None else list(told)
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(listed) or 'none'}."
