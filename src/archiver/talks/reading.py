"""Talks out of a schedule, a calendar or a table, under bounds; errors name the line."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from archiver.errors import InvalidError
from archiver.naming import slug
from archiver.schedule import read_schedule

MAX_BYTES: Final = 16 << 20
MAX_TALKS: Final = 20_000
_COLUMNS: Final = ("id", "title", "speaker", "speakers", "email", "date")
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
    """Read the events of a calendar (RFC 5545). Those with CN parameters among their attendees have speakers.

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
        line = _line(raw.decode("utf-8-sig", "replace"))
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
    uid, title = (_line(event.get(key)) for key in ("UID", "SUMMARY"))
    if not uid or not title:
        raise InvalidError(f"{where}: an event has no {'SUMMARY' if uid else 'UID'}")
    people = event.get("ATTENDEE") or []
    people = people if isinstance(people, list) else [people]
    names = [_line(_part(person, "params", {}).get("CN")) for person in people[:100]]
    start = _part(event.get("DTSTART"), "dt", None)
    return ListedTalk(
        uid[:300],
        title,
        tuple(filter(None, names)),
        date=start.isoformat() if start is not None else "",
        cancelled=_line(event.get("STATUS")).upper() == "CANCELLED",
    )


def _part(value: Any, name: str, default: Any) -> Any:
    """Look at a part of a property; one that could not be parsed raises as soon as it is touched."""
    try:
        return getattr(value, name, default)
    except ValueError:
        return default


def read_table(content: bytes, name: str) -> list[ListedTalk]:
    """Read a table with a header: `title`, and any of `id`, `speaker(s)`, `email`, `date`.

    Several speakers are separated by semicolons. Without an id the title names a talk. Raises
    `InvalidError`.
    """
    rows = csv.DictReader(io.StringIO(_text(content, name), newline=""), strict=True)
    talks: dict[str, tuple[int, ListedTalk]] = {}
    try:
        _check_header(rows.fieldnames or (), name)
        for row in rows:
            talk = _of_row(row, f"{name}, line {rows.line_num}")
            if talk is None:
                continue
            if talk.uid in talks:
                raise InvalidError(
                    f"{name}, line {rows.line_num}: the talk of line {talks[talk.uid][0]} again",
                    hint="Give each talk an id of its own in a column `id`.",
                )
            talks[talk.uid] = rows.line_num, talk
            if len(talks) > MAX_TALKS:
                raise InvalidError(f"{name} has more than {MAX_TALKS:,} talks")
    except csv.Error as error:
        raise InvalidError(f"{name}, line {rows.line_num}: {error}") from error
    return [talk for _, talk in talks.values()]


def _text(content: bytes, name: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):  # spreadsheets in China save CSV as GB 18030
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidError(f"{name} is no text", hint="Save it as CSV in UTF-8.")


def _check_header(names: Any, name: str) -> None:
    found = [str(each).strip().lower() for each in names]
    if "title" not in found or len(set(found)) < len(found) or not set(found) <= set(_COLUMNS):
        raise InvalidError(
            f"{name}, line 1: the columns are {', '.join(found)[:300] or 'missing'}",
            hint=f"A column title is needed; there may be {', '.join(_COLUMNS)}, each once.",
        )


def _of_row(row: dict[Any, Any], where: str) -> ListedTalk | None:
    cells = {str(key).strip().lower(): _line(value) for key, value in row.items() if key is not None}
    if not any(cells.values()) and None not in row:
        return None
    if None in row or not cells.get("title"):
        raise InvalidError(f"{where}: {'more cells than the header has' if None in row else 'no title'}")
    people = (cells.get("speakers") or cells.get("speaker") or "").split(";")
    return ListedTalk(
        (cells.get("id") or slug(cells["title"]) or cells["title"])[:300],
        cells["title"],
        tuple(name for each in people if (name := each.strip())),
        cells.get("email", ""),
        cells.get("date", ""),
    )


def _line(value: Any) -> str:
    """Make one line of what may be missing or of several: control characters come out."""
    text = " ".join(str(value if value is not None else "").split())
    return "".join(char for char in text if char.isprintable())[:1000]


def _short(error: BaseException) -> str:
    return _line(error)[:200]
