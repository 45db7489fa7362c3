"""What is expected and not fully held, cell by cell: what is known of why, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from archiver.asked import NOBODY_ASKED, PAUSE, Ask, Asks
from archiver.coverage import Cell, Coverage, EventCoverage, Standing, TalkCoverage
from archiver.errors import BlockedError, GoneError, InvalidError
from archiver.ledger import Record
from archiver.model import Event, Kind, Talk

_FINE = frozenset({Standing.HAVE, Standing.WAIVED})


class Step(StrEnum):
    """What to do next about something that is not here."""

    ADD = "add"  # ask around, and add the file
    ASK = "ask"  # write to the speaker, whose address is known
    WAIT = "wait"  # the speaker was asked lately
    ACT = "act"  # log in, lift a quota, answer a question; then run again
    OPEN = "open"  # an address is all there is: open it, save the file, add it
    RETRY = "retry"  # nothing: the next run tries again
    DECIDE = "decide"  # something here has no talk yet, and may be it
    BETTER = "better"  # a poor copy is here: ask for a better one, and add it


@dataclass(frozen=True, slots=True)
class Gap:
    """One cell that is not fully held. `talk` is None for what the event as a whole should have.

    `why` may hold words from upstream; `url` is an address where the material is known to be, or "";
    `asked` the last mail that asked for it.
    """

    event: Event
    talk: Talk | None
    kind: Kind
    cell: Cell
    why: str
    step: Step
    url: str = ""
    asked: Ask | None = None

    @property
    def command(self) -> str:
        """Give the command of the next step, to be typed as it is but for FILE."""
        event, talk = self.event.id, self.talk.id if self.talk else ""
        of_talk = f" --talk {_word(talk)}" if talk else ""
        kind = "" if self.kind is Kind.SLIDES and talk else f" --kind {self.kind.value}"
        if self.step in (Step.ACT, Step.RETRY):
            return f"archive run {event}"
        if self.step is Step.DECIDE:
            return "archive matches list"
        if self.step is Step.ASK:
            again = " --again" if self.asked else ""
            return f"archive ask {event}{of_talk}{again}"
        return f"archive add {event} FILE{of_talk}{kind}"

    def to_json(self) -> dict[str, Any]:
        """Give its entry in `archive status --json`."""
        return {
            "event": self.event.id,
            "talk": self.talk.id if self.talk else "",
            "kind": self.kind.value,
            "state": self.cell.state.value,
            "why": self.why,
            "next": self.step.value,
            "command": self.command,
            "url": self.url,
            "asked": self.asked.at if self.asked else None,
        }


def _word(talk: str) -> str:
    # shlex quotes every word with a letter outside ASCII; shells take 架构 as it is.
    return talk if talk.replace("-", "").isalnum() else shlex.quote(talk)


def gaps(result: Coverage, asks: Asks = NOBODY_ASKED, now: datetime | None = None) -> list[Gap]:
    """List every cell that coverage counts and that is not fully held, in the order of the programme. Pure.

    `now` (with a time zone) says how long ago somebody was asked.
    """
    at = now or datetime.now(UTC)
    return [gap for event in result.events for gap in _of_event(event, asks, at)]


def _of_event(event: EventCoverage, asks: Asks, now: datetime) -> Iterator[Gap]:
    by_talks = {kind for talk in event.talks for kind in talk.talk.expect}
    for kind, cell in event.kinds.items():
        if cell.expected and kind not in by_talks and cell.state not in _FINE:
            found = [each for each in _open(event) if each.material.kind is kind]
            yield _gap(event, None, kind, cell, found, None, now)
    for talk in event.talks:
        yield from _of_talk(event, talk, asks.last(event.event.id, talk.talk.id), now)


def _of_talk(event: EventCoverage, talk: TalkCoverage, asked: Ask | None, now: datetime) -> Iterator[Gap]:
    for kind, cell in talk.kinds.items():
        if cell.expected and cell.state not in _FINE:
            own = [each for each in _open(event) if each.match.talk == talk.talk.id]
            found = [each for each in own if each.material.kind is kind]
            # Speakers are asked for slides alone.
            yield _gap(event, talk.talk, kind, cell, found, asked if kind is Kind.SLIDES else None, now)


def _open(event: EventCoverage) -> Iterable[Record]:
    return (*event.pending, *event.outdated)


def _gap(
    event: EventCoverage,
    talk: Talk | None,
    kind: Kind,
    cell: Cell,
    found: Sequence[Record],
    asked: Ask | None,
    now: datetime,
) -> Gap:
    known = min(found, key=_urgency, default=None)
    loose = sum(each.material.kind is kind for each in event.unmatched) if talk else 0
    step = _step(talk, kind, cell, known, asked, loose, now)
    return Gap(event.event, talk, kind, cell, _why(cell, known, loose), step, _url(known), asked)


def _reason(record: Record | None) -> str:
    return record.problem.reason if record and record.problem else ""


def _urgency(record: Record) -> tuple[int, str, str]:
    """Put first what a person can do something about."""
    reasons = [BlockedError.reason, InvalidError.reason, "failed", "", GoneError.reason]
    reason = _reason(record)
    return (reasons.index(reason) if reason in reasons else 2, *record.key[1:])


def _url(record: Record | None) -> str:
    url = record.material.url if record else ""
    return url if url.startswith(("http://", "https://")) and url.isprintable() else ""


def _why(cell: Cell, known: Record | None, loose: int) -> str:
    told = known.problem.detail or known.problem.reason if known and known.problem else ""
    if cell.state is Standing.PARTIAL:
        return "; ".join(part for part in ("only a thumbnail is here", told) if part)
    if told or known is not None:
        return told or "not fetched yet"
    if loose:
        here = "1 material here has" if loose == 1 else f"{loose} materials here have"
        return f"{here} no talk yet"
    return ""


def _step(
    talk: Talk | None,
    kind: Kind,
    cell: Cell,
    known: Record | None,
    asked: Ask | None,
    loose: int,
    now: datetime,
) -> Step:
    if known is not None and (step := _with(_reason(known))) is not None:
        return step
    if cell.state is Standing.LINK:
        return Step.OPEN
    if asked is not None and asked.days(now) < PAUSE:
        return Step.WAIT
    if loose:
        return Step.DECIDE
    if talk is not None and talk.email and kind is Kind.SLIDES:
        return Step.ASK
    return Step.BETTER if cell.state is Standing.PARTIAL else Step.ADD


def _with(reason: str) -> Step | None:
    """Say what to do about a material that is known and not held; None when it will not come from there."""
    steps = {BlockedError.reason: Step.ACT, InvalidError.reason: Step.OPEN}
    return Step.RETRY if reason in ("", "failed", "accepted") else steps.get(reason)
