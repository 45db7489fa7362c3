"""Talks out of a schedule or a calendar, under bounds; errors name the line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from archiver.errors import InvalidError
from archiver.schedule import read_schedule

MAX_BYTES: Final = 16 << 20
MAX_TALKS: Final = 20_000
_BEGIN: Final = re.compile(rb"^BEGIN:VEVENT\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ListedTalk:
    """One talk as it is listed. `uid` is what names it there for good; `date` is ISO 8601."""

    uid: str
    title: str
    speakers: tuple[str, ...] = ()
    email: str = ""
    date: str = ""
    cancelled: bool = False


def read_schedule_talks(content: bytes, name: str, base: str) -> list[ListedTalk]:
    """Read a schedule of pretalx or frab. Raises `InvalidError`."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 0)
        where = f", line {line}" if line else ""
        raise InvalidError(f"{name}{where} is no JSON: {_short(error)}") from error
    sessions = read_schedule(data, base, name)
    return [ListedTalk(each.code, each.title, each.speakers, date=each.date) for each in sessions]


def read_calendar(content: bytes, name: str) -> list[ListedTalk]:
    """Read the events of a calendar (RFC 5545). Attendees with a name (CN) are the speakers.

    A repeated event, or a changed instance of one, counts once. Raises `InvalidError`.
    """
    from icalendar import Calendar

    lines = [content.count(b"\n", 0, match.start()) + 1 for match in _BEGIN.finditer(content)]
    if len(lines) > MAX_TALKS:
        raise InvalidError(f"{name} has more than {MAX_TALKS:,} events")
    try:
        calendar = Calendar.from_ical(content)
        events = list(calendar.walk("VEVENT"))
    except (ValueError, IndexError, KeyError, AttributeError, RecursionError) as error:
        line, fault = _fault(content)
        told = f"{name}, line {line}: {fault}" if line else f"{name} is no calendar: {_plain(error)}"
        hint = "Expected is iCalendar, a file that ends in .ics. Get it again, or correct that line."
        raise InvalidError(told, hint=hint) from error
    talks: dict[str, ListedTalk] = {}
    for number, event in enumerate(events):
        where = f"{name}, line {lines[number]}" if number < len(lines) else f"{name}, event {number + 1}"
        talk = _of_event(event, where)
        talks.setdefault(talk.uid, talk)
    return list(talks.values())


def _fault(content: bytes) -> tuple[int, str]:
    """Find the line where the parts of a calendar do not nest (RFC 5545, section 3.6); (0, "") for none."""
    opened: list[tuple[int, str]] = []
    for number, raw in enumerate(content.splitlines(), 1):
        line = one_line(raw.decode("utf-8-sig", "replace"))
        word, _, part = line.upper().partition(":")
        if word == "BEGIN":
            opened.append((number, part[:60]))
        elif word == "END" and opened and opened[-1][1] == part[:60]:
            opened.pop()
        elif word == "END":
            return number, f"END:{part[:60]} ends nothing that has begun"
        elif line and not opened:
            return number, f"nothing has begun here with BEGIN:VCALENDAR, and there is “{line[:60]}”"
    return (opened[-1][0], f"BEGIN:{opened[-1][1]} has no END: is the file cut off?") if opened else (0, "")


def _plain(error: BaseException) -> str:
    """Leave out the bytes that the library quotes as Python writes them: "…: b'BEGIN…'"."""
    return _short(error).partition(": b'")[0]


def _of_event(event: Any, where: str) -> ListedTalk:
    uid, title = (one_line(event.get(key)) for key in ("UID", "SUMMARY"))
    if not uid or not title:
        raise InvalidError(f"{where}: an event has no {'SUMMARY' if uid else 'UID'}")
    people = list(_people(event))
    start = _part(event.get("DTSTART"), "dt", None)
    return ListedTalk(
        uid[:300],
        title,
        tuple(name for name, _ in people),
        ", ".join(filter(None, (address for _, address in people))),
        date=start.isoformat() if start is not None else "",
        cancelled=one_line(event.get("STATUS")).upper() == "CANCELLED",
    )


def _people(event: Any) -> Iterator[tuple[str, str]]:
    """Give the attendees that have a name, each with the mail address or ""; a room is none of them."""
    found = event.get("ATTENDEE") or []
    for person in (found if isinstance(found, list) else [found])[:100]:
        about = _part(person, "params", {})
        name = one_line(about.get("CN"))
        # RFC 5545, section 3.2.3; Google writes CUTYPE=RESOURCE;CN="Room 3":mailto:c_18…@resource.calendar…
        if name and one_line(about.get("CUTYPE")).upper() not in {"ROOM", "RESOURCE"}:
            scheme, _, address = one_line(person).partition(":")
            yield name, address if scheme.lower() == "mailto" else ""


def _part(value: Any, name: str, default: Any) -> Any:
    """Look at a part of a property; one that could not be parsed raises as soon as it is touched."""
    try:
        return getattr(value, name, default)
    except ValueError:
        return default


def one_line(value: Any) -> str:
    """Make one line of what may be missing or of several: control characters come out."""
    text = " ".join(str(value if value is not None else "").split())
    return "".join(char for char in text if char.isprintable())[:1000]


def _short(error: BaseException) -> str:
    return one_line(error)[:200]
