"""What is expected and not fully held, cell by cell: what is known of why, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
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
            yield _Lack(event, None, kind, cell).gap(now)
    for talk in event.talks:
        yield from _of_talk(event, talk, asks.last(event.event.id, talk.talk.id), now)


def _of_talk(event: EventCoverage, talk: TalkCoverage, asked: Ask | None, now: datetime) -> Iterator[Gap]:
    for kind, cell in talk.kinds.items():
        if cell.expected and cell.state not in _FINE:
            # Speakers are asked for slides alone.
            yield _Lack(event, talk.talk, kind, cell, asked if kind is Kind.SLIDES else None).gap(now)


@dataclass(frozen=True)
class _Lack:
    """One cell that is not fully held, and what says why and what to do about it."""

    event: EventCoverage
    talk: Talk | None
    kind: Kind
    cell: Cell
    asked: Ask | None = None

    def gap(self, now: datetime) -> Gap:
        """Work out the reason and the next step."""
        url = self.known.material.url if self.known else ""
        shown = url if url.startswith(("http://", "https://")) and url.isprintable() else ""
        return Gap(
            self.event.event, self.talk, self.kind, self.cell, self._why(), self._step(now), shown, self.asked
        )

    @cached_property
    def known(self) -> Record | None:
        """The material that would fill it, the one first that a person can do something about."""
        return min(
            filter(self._would_fill, (*self.event.pending, *self.event.outdated)), key=_urgency, default=None
        )

    def _would_fill(self, record: Record) -> bool:
        of_talk = self.talk is None or record.match.talk == self.talk.id
        return of_talk and record.material.kind is self.kind

    @cached_property
    def loose(self) -> int:
        """The number of materials that may be it, and have no talk yet."""
        return sum(each.material.kind is self.kind for each in self.event.unmatched) if self.talk else 0

    def _why(self) -> str:
        problem = self.known.problem if self.known else None
        told = problem.detail or problem.reason if problem else ""
        if self.cell.state is Standing.PARTIAL:
            return "; ".join(part for part in ("only a thumbnail is here", told) if part)
        if told or self.known is not None:
            return told or "not fetched yet"
        if self.loose:
            here = "1 material here has" if self.loose == 1 else f"{self.loose} materials here have"
            return f"{here} no talk yet"
        return ""

    def _step(self, now: datetime) -> Step:
        if self.known is not None and (step := _with(_reason(self.known))) is not None:
            return step
        if self.cell.state is Standing.LINK:
            return Step.OPEN
        if self.asked is not None and self.asked.days(now) < PAUSE:
            return Step.WAIT
        if self.loose:
            return Step.DECIDE
        if self.talk is not None and self.talk.email and self.kind is Kind.SLIDES:
            return Step.ASK
        return Step.BETTER if self.cell.state is Standing.PARTIAL else Step.ADD


def _reason(record: Record) -> str:
    return record.problem.reason if record.problem else ""


def _urgency(record: Record) -> tuple[int, str, str]:
    """Put first what a person can do something about."""
    reasons = [BlockedError.reason, InvalidError.reason, "failed", "", GoneError.reason]
    reason = _reason(record)
    return (reasons.index(reason) if reason in reasons else 2, *record.key[1:])


def _with(reason: str) -> Step | None:
    """Say what to do about a material that is known and not held; None when it will not come from there."""
    steps = {BlockedError.reason: Step.ACT, InvalidError.reason: Step.OPEN}
    return Step.RETRY if reason in ("", "failed", "accepted") else steps.get(reason)
