"""The parts of the file that are ours, typed: what they may hold, and what it means.

The docstrings of the fields are the reference of the configuration and the hints in editors.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from archiver.config.wording import OURS
from archiver.contracts import Options
from archiver.errors import ConfigError
from archiver.model import Audience, Consent, Kind
from archiver.naming import check_event_id, slug

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,59}$"
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
# RFC 5646, section 2.1, without the grandfathered ones.
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
#: Letters of one text or title.
_MOST = 1000


def _expected(what: str, nearest: str = "") -> PydanticCustomError:
    return PydanticCustomError(OURS, "expected {expected}", {"expected": what, "nearest": nearest})


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise _expected("text on one line, without control characters")
    return text


def _event_id(text: str) -> str:
    try:
        check_event_id(text)
    except ConfigError:
        what = "small letters a-z, digits and hyphens, and no name that Windows keeps, such as con or nul"
        raise _expected(what, _as_id(text)) from None
    return text


def _as_id(text: str) -> str:
    # "Xi'an 2012" -> "xi-an-2012"; "北京" has no letters to offer.
    near = re.sub(r"[^a-z0-9-]+", "-", slug(text)).strip("-")
    return near if near and near != text else ""


def _talk_id(text: str) -> str:
    if text != slug(text):
        raise _expected("small letters and digits, joined by hyphens", slug(text))
    return text


def _language(text: str) -> str:
    if not _TAG.fullmatch(text):
        raise _expected("a language tag such as en, zh or pt-BR")
    return text


def _date(text: str) -> str:
    if text and not (_DATE.fullmatch(text) and _exists(text)):
        raise _expected("a date such as 2012-09-16, 2012-09 or 2012")
    return text


def _exists(date: str) -> bool:
    try:
        dt.date.fromisoformat(f"{date}-01-01"[:10])
    except ValueError:
        return False
    return True


def _email(text: str) -> str:
    name, _, host = text.rpartition("@")
    if text and not (name and host and text == "".join(text.split()) and "," not in text):
        raise _expected("a mail address such as name@example.org")
    return text


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _fact(value: Any) -> Any:
    # "31" is a figure, "over 150" and "007" are words.
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    # Said here: of two types that both refuse a value, only the first would be named.
    if not isinstance(value, str | int) or not 0 < len(str(value).strip()) <= _MOST:
        raise _expected(f"a whole number, or text of 1 to {_MOST:,} letters")
    return _one_line(value.strip()) if isinstance(value, str) else value


def _unique(kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
    return tuple(dict.fromkeys(kinds))


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=_MOST), AfterValidator(_one_line)]
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=_MOST), AfterValidator(_one_line)
]
EventId = Annotated[str, AfterValidator(_event_id)]
TalkId = Annotated[str, AfterValidator(_talk_id)]
Date = Annotated[str, AfterValidator(_date)]
Email = Annotated[Text, AfterValidator(_email)]
Emails = Annotated[
    tuple[Email, ...],
    BeforeValidator(_several, json_schema_input_type=Text | tuple[Text, ...]),
]
Language = Annotated[str, AfterValidator(_language)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Facts = dict[Title, Annotated[int | Title, BeforeValidator(_fact)]]
Kinds = Annotated[tuple[Kind, ...], AfterValidator(_unique)]


class Stated(Options):
    """Figures and facts that no material can yield."""

    enrolled: Count | None = None
    """How many people had enrolled."""
    attended: Count | None = None
    """How many people came."""
    lecturers: Count | None = None
    """How many people spoke."""
    facts: Facts = Field(default_factory=dict)
    """Other stated facts, as a label and a text or a whole number."""


class ArchiveSection(Stated):
    """What holds for the whole archive."""

    title: Title
    """The name of the archive, shown on every page."""
    organizer: Text = ""
    """Who held the events."""
    language: Language = "en"
    """The main language, as a BCP 47 tag such as `en` or `zh`."""
    expect: Kinds | None = None
    """The kinds expected of every event that does not say otherwise; `[report, photo, video]` if left out."""
    min_copies: Annotated[int, Field(ge=1, le=20)] = 1
    """How many sinks must hold everything for a run to succeed."""
    jobs: Annotated[int, Field(ge=1, le=64)] = 4
    """How many files are fetched at once."""
    staging: Path | None = None
    """A directory for files on their way to the sinks; chosen by the program if left out."""
    staging_limit: Annotated[int, Field(ge=1)] | None = None
    """How many bytes may lie there at a time; as many as there is room for if left out.

    Fetches wait for each other to stay within it. A file that is larger is not fetched, and named.
    """
    catch_up_limit: Annotated[int, Field(ge=1)] | None = None
    """How many bytes one run copies at most to a sink that missed earlier runs; all of them if left out."""
    follow: Literal["none", "configured", "any"] = "configured"
    """What becomes of decks, photos and recordings that a report links to.

    `configured` fetches those that a source of this file takes, `any` also those for which a source need not
    be configured, `none` leaves all of them alone.
    """
    consent: Consent = Consent.UNKNOWN
    """Who may see what nothing else is said of: `public`, `internal`, or `unknown`, which is not public."""
    site: bool = True
    """Whether a run that changed something also makes the pages of every sink; see `archive site`."""


class SinkKeys(Options):
    """What every sink may say, whatever its type."""

    audience: Audience = Audience.INTERNAL
    """For whom it is. A `public` one gets only what is cleared; at least one sink must be `internal`."""


class NotifyKeys(Options):
    """What every notifier may say, whatever its type."""

    when: Literal["always", "changes", "problems"] = "changes"
    """After which runs it tells: `always`, `changes` (something came, changed, went, or went wrong), or
    `problems` (somebody has to look after something that was not known before)."""


class UseKeys(Options):
    """What every use of a source may say, whatever its type."""

    consent: Consent | None = None
    """Who may see what it lists; what the event says if left out. Of it and the talk, the stricter counts."""


class TalkSection(Options):
    """One talk that the archive should have. A title alone may stand for it."""

    title: Title
    """The title, as announced."""
    id: TalkId = ""
    """A name for it inside its event; made from the title if left out.

    Two talks with the same title need one.
    """
    speaker: Text = ""
    """Who gives it."""
    speakers: tuple[Title, ...] = ()
    """Who gives it, when several do."""
    email: Emails = ()
    """Where the speaker can be asked for the slides, or a list when several give it. It is never stored in
    the archive."""
    expect: Kinds = (Kind.SLIDES,)
    """The kinds expected of it."""
    consent: Consent | None = None
    """Who may see it and what belongs to it; what the event says if left out."""


class EventSection(Stated):
    """One stop, meetup or conference day."""

    id: EventId
    """Its short name in the archive: small letters a-z, digits and hyphens. It cannot change later."""
    title: Text = ""
    """Its name; the id if left out."""
    date: Date = ""
    """When it was or began: `2012-09-16`, `2012-09` or `2012`. It may be unknown."""
    end_date: Date = ""
    """When it ended, if it lasted longer than a day."""
    city: Text = ""
    """The city."""
    venue: Text = ""
    """The place in the city."""
    expect: Kinds | None = None
    """The kinds expected of the event as a whole; what `archive.expect` says if left out."""
    consent: Consent | None = None
    """Who may see it and all in it that says nothing else; what `archive.consent` says if left out."""
    talks: tuple[TalkSection | str, ...] = ()
    """Its talks; or where they are read from, such as `{from: pretalx, url: …}`."""
    sources: tuple[dict[str, Any], ...] = ()
    """Where its material is found: uses of named sources, or sources written out."""
