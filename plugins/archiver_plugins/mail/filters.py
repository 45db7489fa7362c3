"""Which messages an event takes: asked of the server first where that helps, and decided here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from archiver_plugins.mail import headers
from archiver_plugins.mail.head import Head
from archiver_plugins.mail.options import EmailEntry

#: The characters of codes: no vowels. "#12345678" is the number of something else.
_CHARACTER: Final = "[2-9b-df-hjkmnp-tv-xz]"
_CODE: Final = re.compile(rf"(?=[2-9]*[a-z]){_CHARACTER}{{8}}", re.IGNORECASE)
#: "Re: [beijing/chef#k3f9h2xz] Your slides", also where a mailer took the brackets away.
_IN_SUBJECT: Final = re.compile(rf"#\s*{_CODE.pattern}(?![a-z0-9])|\[[^\[\]]*#{_CHARACTER}{{8}}\]")
_OUR_ID: Final = re.compile(rf"{_CHARACTER}{{8}}\.[0-9a-f]{{16}}@")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def takes(entry: EmailEntry, head: Head) -> bool:
    """Say whether an entry takes a message. One without a date is within any period."""
    day = head.date[:10]
    return (
        _any_in(entry.subjects, head.subject, headers.text(headers.first(head.fields, "subject")))
        and _any_in(entry.senders, head.sender_address, head.sender)
        and _any_in(entry.recipients, *head.addresses)
        and (not day or entry.since is None or day >= entry.since.isoformat())
        and (not day or entry.until is None or day <= entry.until.isoformat())
    )


def is_answer(head: Head) -> bool:
    """Say whether a message answers a mail in which `archive ask` asked for something.

    Such a mail has a code of eight characters: in its subject, after the + of its Reply-To, and in front of
    its Message-ID. Whether that code was ever given out is for the core to say.
    """
    subject = unicodedata.normalize("NFKC", head.subject).casefold()
    return (
        _IN_SUBJECT.search(subject) is not None
        or any(map(is_code, head.tokens))
        or any(_OUR_ID.match(each) for each in (*head.in_reply_to, *head.references))
    )


def is_code(text: str) -> bool:
    """Say whether a text looks like the code of a mail of ours."""
    return _CODE.fullmatch(text) is not None


def recent(since: date | None, head: Head) -> bool:
    """Say whether a message is not from before a day."""
    return since is None or not head.date or head.date[:10] >= since.isoformat()


def _any_in(wanted: Sequence[str], *texts: str) -> bool:
    plain = [_plain(text) for text in texts]
    return not wanted or any(_plain(each) in text for each in wanted for text in plain)


def _plain(text: str) -> str:
    """Ignore case, width (ＯｐｅｎＳｔａｃｋ) and white space."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class Query:
    """A search: criteria in ASCII, and one word in another script, which is sent as a literal."""

    criteria: str
    literal: bytes = b""


def query(entry: EmailEntry, since: date | None) -> Query:
    """Ask for at least what an entry takes.

    One alternative of several in another script cannot be asked for, nor can two such words: the rest is
    decided here. `SINCE` and `BEFORE` go by the day of arrival in the server's zone (RFC 9051, 6.4.4), so
    the first day is taken a day early, and the last is not asked for: late mail may be old.
    """
    criteria: list[str] = []
    first = max(filter(None, (since, entry.since)), default=None)
    if first:
        criteria.append(f"SINCE {_day(first - timedelta(days=1))}")
    criteria += _alternatives(["FROM"], entry.senders)
    criteria += _alternatives(["TO", "CC", "HEADER Delivered-To", "HEADER X-Original-To"], entry.recipients)
    if len(entry.subjects) == 1 and not entry.subjects[0].isascii():
        return Query(" ".join([*criteria, "SUBJECT"]), entry.subjects[0].strip().encode())
    return Query(" ".join([*criteria, *_alternatives(["SUBJECT"], entry.subjects)]))


def answers(since: date | None) -> Query:
    """Ask for at least the answers to our mails, which pass all filters: replies, "#", plus addresses.

    A search for an empty text finds all messages that have the field (RFC 9051, 6.4.4).
    """
    keys = ("TO", "CC", "HEADER Delivered-To", "HEADER X-Original-To")
    found = ['HEADER In-Reply-To ""', 'SUBJECT "#"', *(f'{key} "+"' for key in keys)]
    first = [f"SINCE {_day(since - timedelta(days=1))}"] if since else []
    return Query(" ".join([*first, *["OR"] * (len(found) - 1), *found]))


def _alternatives(keys: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Write `OR (SUBJECT "a" SUBJECT "b") (SUBJECT "c")`; nothing when any cannot be written in ASCII.

    Of several words each must be there: servers compare white space too, and we do not.
    """
    if not texts or not all(text.isascii() and text.isprintable() for text in texts):
        return []
    found = [
        "(" + " ".join(f"{key} {quoted(word)}" for word in text.split()) + ")"
        for text in texts
        for key in keys
    ]
    return [" ".join(["OR"] * (len(found) - 1) + found)]


def quoted(text: str) -> str:
    """Write a quoted string (RFC 9051, 4.3)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _day(day: date) -> str:
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"
