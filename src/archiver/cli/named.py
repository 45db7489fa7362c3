"""What people name on the command line: events, talks, sources and sinks of the configuration."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from archiver.config import Config
    from archiver.model import Event, Talk


def check_events(named: Iterable[str], config: Config) -> None:
    """Refuse an event that the configuration does not have, naming the nearest that it has."""
    _check("event", named, [event.id for event in config.events], config)


def check_sources(named: Iterable[str], config: Config) -> None:
    """Refuse a source that the configuration does not have, naming the nearest that it has."""
    _check("source", named, [spec.name for spec in config.sources], config)


def check_sinks(named: Iterable[str], config: Config) -> None:
    """Refuse a sink that the configuration does not have, naming the nearest that it has."""
    _check("sink", named, [spec.name for spec in config.sinks], config)


def _check(what: str, named: Iterable[str], known: list[str], config: Config) -> None:
    for name in named:
        if name not in known:
            guess = nearest(name, known)
            raise click.UsageError(f"There is no {what} {name!r} in {config.path.name}. {guess}")


def find_event(name: str, config: Config) -> Event:
    """Find an event by its id; refuse an unknown one, naming the nearest."""
    check_events([name], config)
    return next(event for event in config.events if event.id == name)


def find_talk(name: str, event: Event) -> Talk:
    """Find a talk by its id or title; refuse an unknown one, naming the nearest."""
    talks = {word.casefold(): talk for talk in event.talks for word in (talk.title, talk.id)}
    if (found := talks.get(name.casefold())) is not None:
        return found
    near = difflib.get_close_matches(name.casefold(), talks, n=1)
    guess = f"Did you mean {talks[near[0]].id!r}?" if near else _every_talk(event)
    raise click.UsageError(f"Event {event.id} has no talk {name!r}. {guess}")


def _every_talk(event: Event) -> str:
    if not event.talks:
        return "It has no talks: leave the talk out, or name its talks in the configuration."
    return "Its talks are:" + "".join(f"\n  {talk.id}" for talk in event.talks)


def read_place(place: str, config: Config) -> tuple[str, str]:
    """Read EVENT[/TALK], the talk by its id or title. Give their ids, "" for no talk."""
    name, _, talk = place.partition("/")
    event = find_event(name, config)
    return name, find_talk(talk, event).id if talk else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """Guess what was meant, or name all that there are."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known) or 'none'}."
