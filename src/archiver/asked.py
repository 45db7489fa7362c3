"""Who was asked for which talks, as the archive remembers it: what recognises the answers.

No mail address and no text of a mail is kept: a name, the talks, the Message-ID and the token.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from archiver.logbook import Line, text, texts
from archiver.model import Event

#: No vowels and nothing that looks like something else: a token spells no word and is read out safely.
ALPHABET = "23456789bcdfghjkmnpqrstvwxz"
#: 27 ** 8 tokens: nobody hits one of a few hundred by trying.
TOKEN_LENGTH = 8
#: Days in which nobody is asked twice, unless the user says so.
PAUSE = 7


class Way(StrEnum):
    """What became of a mail."""

    DRAFT = "draft"  # written to a file, for somebody to send
    BEGUN = "begun"  # about to be sent; it stays so when the program is killed right then
    SENT = "sent"  # the server took it
    REFUSED = "refused"  # the server did not


@dataclass(frozen=True, slots=True)
class Ask:
    """One mail to one speaker. `message_id` is without angle brackets; `at` is UTC, RFC 3339."""

    token: str
    event: str
    talks: tuple[str, ...]
    speaker: str
    message_id: str
    at: str
    way: Way

    def to_json(self) -> dict[str, Any]:
        """Give its line in the logbook."""
        return {**asdict(self), "talks": list(self.talks), "way": self.way.value}

    def days(self, now: datetime) -> int:
        """Count the whole days since."""
        try:
            return max(0, (now - datetime.fromisoformat(self.at)).days)
        except (ValueError, TypeError):
            return 0


@dataclass(frozen=True)
class Asks:
    """All mails that asked for something in the programme, by their tokens."""

    by_token: Mapping[str, Ask]
    by_message_id: Mapping[str, Ask]

    @classmethod
    def of(cls, lines: Iterable[Line], events: Iterable[Event]) -> Asks:
        """Read a logbook; the latest line of a token counts. What the programme no longer has is left out."""
        talks = {event.id: {talk.id for talk in event.talks} for event in events}
        latest = {text(line, "token"): line for line in sorted(lines, key=lambda line: text(line, "at"))}
        read = [_ask(line, talks) for line in latest.values()]
        asks = [each for each in read if each is not None]
        return cls({each.token: each for each in asks}, {each.message_id: each for each in asks})

    def last(self, event: str, talk: str) -> Ask | None:
        """Give the newest mail that asked for a talk and was not refused."""
        asks = (
            each
            for each in self.by_token.values()
            if each.event == event and talk in each.talks and each.way is not Way.REFUSED
        )
        return max(asks, key=lambda each: each.at, default=None)


NOBODY_ASKED = Asks({}, {})


def new_token() -> str:
    """Make a token."""
    return "".join(secrets.choice(ALPHABET) for _ in range(TOKEN_LENGTH))


def how_long_ago(ask: Ask, now: datetime | None = None) -> str:
    """Say when somebody was asked: "asked 3 days ago", "asked today (as a draft)"."""
    days = ask.days(now or datetime.now(UTC))
    when = "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"
    return f"asked {when}" + (" (as a draft)" if ask.way is Way.DRAFT else "")


def _ask(line: Line, programme: Mapping[str, set[str]]) -> Ask | None:
    event = text(line, "event")
    talks = tuple(talk for talk in texts(line, "talks") if talk in programme.get(event, ()))
    token, way = text(line, "token"), text(line, "way")
    if not talks or not token or way not in set(Way):
        return None
    return Ask(
        token, event, talks, text(line, "speaker"), text(line, "message_id"), text(line, "at"), Way(way)
    )
