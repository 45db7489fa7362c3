"""What points to a talk beside titles and names: codes, addresses, days and times of day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from archiver.matching import titles
from archiver.matching.programme import Programme
from archiver.model import Material, Talk

#: Recordings start a little early, and a talk's end is not known.
EARLY, LONGEST = timedelta(minutes=10), timedelta(minutes=100)
#: Characters of a description that are looked at.
MAX_DESCRIPTION = 20_000

_ADDRESS = re.compile(r"https?://[^\s<>\"'）)\]]+")
_PAGES = frozenset(("talk", "talks", "session", "sessions", "event", "events"))


def named(material: Material, programme: Programme) -> Talk | None:
    """Give the talk whose code the source or the material's own address has, if that is one."""
    codes = {titles.fold(material.extra.get("talk", ""))} | _codes(material.url)
    return _one(codes, programme)


def linked(material: Material, programme: Programme) -> Talk | None:
    """Give the talk whose page the description links to, if that is one."""
    addresses = _ADDRESS.findall(material.description[:MAX_DESCRIPTION])
    return _one({code for address in addresses for code in _codes(address)}, programme)


def _one(codes: set[str], programme: Programme) -> Talk | None:
    found = {talk.id: talk for code in codes for talk in programme.by_code.get(code, ())}
    return next(iter(found.values())) if len(found) == 1 else None


def _codes(address: str) -> set[str]:
    """Give what an address may call a talk: "https://pretalx.com/osc/talk/A7KX3Q/" A7KX3Q."""
    try:
        parts = [unquote(part) for part in urlsplit(address).path.split("/") if part]
    except ValueError:
        return set()
    return {titles.fold(code) for page, code in pairwise(parts) if page.casefold() in _PAGES}


def on_time(material: Material, talks: Sequence[Talk]) -> Talk | None:
    """Give the one of several talks that was on when the material says it was made.

    A day in its title counts, or its date when that tells the time of day: the mere day of an upload
    says nothing. Every talk must have a time that can be compared, and all but one another one.
    """
    days = titles.dates(titles.fold(material.title))
    if len(days) == 1 and all(talk.start for talk in talks):
        fitting = [talk for talk in talks if talk.start[:10] in days]
        if len(fitting) == 1:
            return fitting[0]
    return _in_slot(_moment(material.date), talks)


def _in_slot(made: datetime | None, talks: Sequence[Talk]) -> Talk | None:
    starts = [_moment(talk.start) for talk in talks]
    if made is None or any(start is None or _is_local(start) != _is_local(made) for start in starts):
        return None
    slots = [
        talk
        for talk, start in zip(talks, starts, strict=True)
        if start is not None and start - EARLY <= made <= start + LONGEST
    ]
    return slots[0] if len(slots) == 1 else None


def _is_local(moment: datetime) -> bool:
    return moment.utcoffset() is None


def _moment(text: str) -> datetime | None:
    """Read a date with a time of day; a mere day is no moment."""
    if len(text) <= len("2012-09-16"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    edge = timedelta(days=2)
    lowest, highest = datetime.min.replace(tzinfo=moment.tzinfo), datetime.max.replace(tzinfo=moment.tzinfo)
    return moment if lowest + edge < moment < highest - edge else None
