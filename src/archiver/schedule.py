"""Schedules in the JSON form of frab and pretalx: for expected talks and for sources.

Part of `archiver.api`. The form is described at c3voc.de/wiki/schedule. Both programs write
`schedule.conference.days[]`, each with `rooms`, a mapping from a room's name to its talks. What is missing
or of another type counts as empty; a talk without a title or without anything that names it is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from archiver.errors import InvalidError
from archiver.redact import redact

#: Days, rooms of a day, talks in all, links of a talk, characters of a text.
MAX_DAYS, MAX_ROOMS, MAX_TALKS, MAX_LINKS, MAX_TEXT = 400, 500, 20_000, 100, 20_000
EXPORT = "/schedule/export/schedule.json"


@dataclass(frozen=True, slots=True)
class ScheduleLink:
    """An address that belongs to a talk. `uploaded` tells a file at the service from a link elsewhere."""

    title: str
    url: str
    uploaded: bool


@dataclass(frozen=True, slots=True)
class Session:
    """One talk of a schedule. `code` is what names it for good; `date` is ISO 8601."""

    code: str
    title: str
    speakers: tuple[str, ...] = ()
    date: str = ""
    url: str = ""
    abstract: str = ""
    language: str = ""
    licence: str = ""
    links: tuple[ScheduleLink, ...] = ()


def schedule_address(url: str) -> str:
    """Give the address of the JSON schedule for any address of an event at pretalx.

    One that ends in .json is taken as it is: frab, mirrors, exports of a version.
    """
    parts = urlsplit(url)
    if parts.path.endswith(".json"):
        return url
    event = parts.path.strip("/").split("/")[0]
    if parts.scheme not in {"http", "https"} or not parts.hostname or not event:
        raise ValueError(f"{redact(url)!r:.200} is not like https://pretalx.com/EVENT or …/schedule.json")
    return urlunsplit((parts.scheme, parts.netloc, f"/{event}{EXPORT}", "", ""))


def read_schedule(data: Any, base: str, name: str = "") -> list[Session]:
    """Read a schedule out of parsed JSON; relative addresses start at `base`. `name` is for messages.

    A talk that stands there twice (a repeated session) comes once. Raises `InvalidError`.
    """
    name = name or redact(base)
    days = _at(data, "schedule", "conference", "days")
    if not isinstance(days, list) or len(days) > MAX_DAYS:
        raise InvalidError(
            f"{name} is no schedule: there is no list of days in it",
            hint=f"The address must be that of a schedule in JSON, such as https://pretalx.com/EVENT{EXPORT}",
        )
    sessions: dict[str, Session] = {}
    for where, talk in _talks(days, name):
        session = _session(talk, base, f"{name}, {where}")
        sessions.setdefault(session.code, session)
        if len(sessions) > MAX_TALKS:
            raise InvalidError(f"{name} has more than {MAX_TALKS:,} talks")
    return list(sessions.values())


def _talks(days: list[Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, day in enumerate(days, 1):
        rooms = _at(day, "rooms")
        if not isinstance(rooms, dict) or len(rooms) > MAX_ROOMS:
            raise InvalidError(f"{name}, day {number} has no rooms")
        for room, talks in rooms.items():
            for place, talk in enumerate(talks if isinstance(talks, list) else (), 1):
                where = f"day {number}, room {room[:50]!r}, talk {place}"
                if not isinstance(talk, dict):
                    raise InvalidError(f"{name}, {where} is no talk but {type(talk).__name__}")
                yield where, talk


def _session(talk: dict[str, Any], base: str, where: str) -> Session:
    # pretalx has a code and a guid; frab a number and a guid, or the number alone.
    code = _text(talk, "code") or _text(talk, "guid") or _text(talk, "id")
    title = " ".join(_text(talk, "title").split())
    if not code or not title:
        raise InvalidError(f"{where} has no {'title' if code else 'code, guid or id'}")
    links = [*_links(talk, "attachments", base), *_links(talk, "links", base)]
    return Session(
        code[:200],
        title[:1000],
        tuple(filter(None, (_person(each) for each in _list(talk, "persons")))),
        _text(talk, "date")[:40],
        _joined(base, _text(talk, "url")),
        _text(talk, "abstract") or _text(talk, "description"),
        _text(talk, "language")[:20],
        _text(talk, "recording_license")[:200],
        tuple(links),
    )


def _person(person: Any) -> str:
    names = (_text(person, key) for key in ("public_name", "full_public_name", "name"))
    return " ".join(next(filter(None, names), "").split())[:200]


def _links(talk: dict[str, Any], key: str, base: str) -> Iterator[ScheduleLink]:
    for link in _list(talk, key):
        if url := _joined(base, _text(link, "url")):
            yield ScheduleLink(_text(link, "title").strip()[:1000], url, key == "attachments")


def _joined(base: str, url: str) -> str:
    """Make an address absolute; uploads have relative ones (`/media/…`). No web address gives nothing."""
    try:
        parts = urlsplit(urljoin(base, url.strip())) if url.strip() else None
        if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
            return ""
        return urlunsplit(parts)[:8000]
    except ValueError:
        return ""


def _list(data: Any, key: str) -> list[Any]:
    found = _at(data, key)
    return found[:MAX_LINKS] if isinstance(found, list) else []


def _text(data: Any, key: str) -> str:
    """Give a text; pretalx writes some as `{"en": "…", "de": "…"}`: the first of these stands for all."""
    found = _at(data, key)
    if isinstance(found, dict):
        found = next(iter(found.values()), "")
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found) if abs(found) < 10**18 else ""
    return found[:MAX_TEXT] if isinstance(found, str) else ""


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data
