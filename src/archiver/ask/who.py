"""Whom to ask for what: the talks of an event whose deck is missing, by speaker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from archiver.asked import PAUSE, Ask, Asks
from archiver.coverage import EventCoverage, Standing, TalkCoverage
from archiver.model import Event, Kind, Talk
from archiver.talks import Trouble

_LACKING = (Standing.MISSING, Standing.PARTIAL)


@dataclass(frozen=True, slots=True)
class Request:
    """One speaker and all that we ask of them. `speaker` is "" when the programme does not name them.

    `email` has the addresses of all speakers of talks that several give, with commas between.
    """

    event: Event
    talks: tuple[Talk, ...]
    speaker: str
    email: str


@dataclass
class Asking:
    """What asking for an event comes to."""

    requests: list[Request] = field(default_factory=list)
    no_address: list[Talk] = field(default_factory=list)
    recently: list[tuple[Talk, Ask]] = field(default_factory=list)
    #: Known at an address, or blocked: a person can get these without the speaker.
    within_reach: list[Talk] = field(default_factory=list)
    #: Talk's id → what to do so that it has an address.
    advice: dict[str, str] = field(default_factory=dict)
    #: Programmes that may tell addresses, and cannot be read.
    troubles: tuple[Trouble, ...] = ()
    #: Slides that are held in the event, and of no known talk: perhaps they are what is missing.
    loose: int = 0


def whom(found: EventCoverage, asks: Asks, now: datetime, *, talk: str = "", again: bool = False) -> Asking:
    """Say who is to be asked for the slides of an event's talks. Pure.

    With `talk` only that one counts, also when it is known at an address that nobody could fetch.
    """
    asking = Asking(loose=sum(record.material.kind is Kind.SLIDES for record in found.unmatched))
    open_talks = []
    for each in found.talks:
        if talk and each.talk.id != talk:
            continue
        if not _is_lacking(each, asked_for=bool(talk)):
            if _is_within_reach(each):
                asking.within_reach.append(each.talk)
            continue
        last = asks.last(found.event.id, each.talk.id)
        if last is not None and not again and last.days(now) < PAUSE:
            asking.recently.append((each.talk, last))
        elif not each.talk.email:
            asking.no_address.append(each.talk)
        else:
            open_talks.append(each.talk)
    asking.requests = list(_by_speaker(found.event, open_talks))
    return asking


def _is_lacking(each: TalkCoverage, *, asked_for: bool) -> bool:
    cell = each.kinds.get(Kind.SLIDES)
    if cell is None or not cell.expected:
        return False
    return cell.state in _LACKING or (asked_for and _is_within_reach(each))


def _is_within_reach(each: TalkCoverage) -> bool:
    cell = each.kinds.get(Kind.SLIDES)
    return cell is not None and cell.state in (Standing.LINK, Standing.BLOCKED)


def _by_speaker(event: Event, talks: Sequence[Talk]) -> Iterable[Request]:
    by_address: dict[str, list[Talk]] = {}
    for talk in talks:
        by_address.setdefault(talk.email.casefold(), []).append(talk)
    for own in by_address.values():
        yield Request(event, tuple(own), _speaker(own), own[0].email)


def _speaker(talks: Sequence[Talk]) -> str:
    """Name whose address it is: who gives all these talks, or nobody when that may be several people."""
    everywhere = [name for name in talks[0].speakers if all(name in talk.speakers for talk in talks)]
    return everywhere[0] if len(everywhere) == 1 else " & ".join(everywhere)
