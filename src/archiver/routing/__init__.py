"""Route what a source lists: a decision, then what came by mail, then the hints of all other materials.

`hints` reads what a source tells of a message, `evidence` finds what speaks for which talk, `letters`
weighs it. What is unclear becomes pending, to be looked at with `archive matches`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from archiver.asked import NOBODY_ASKED, Asks
from archiver.decisions import Decision, Decisions, Verdict
from archiver.ledger import Problem, Record
from archiver.model import Event, Material
from archiver.route import REJECTED, UNROUTED, Found, route
from archiver.routing import hints as mail
from archiver.routing.letters import Letter, Programme

__all__ = ["Router", "message_of", "reconsidered"]


@dataclass(frozen=True)
class Router:
    """Routes materials. `partial` says that a listing was of some events alone."""

    events: Sequence[Event]
    decisions: Decisions = field(default_factory=Decisions)
    asks: Asks = NOBODY_ASKED
    series: str = ""
    partial: bool = False

    def route(
        self,
        source: str,
        type_name: str,
        listed: Sequence[tuple[Material, Problem | None]],
        users: Sequence[str],
    ) -> list[Found]:
        """Route what one message brought, or any single material.

        `users` are the ids of all events that use the source. A problem that a material came with stays,
        unless it was rejected; what no event takes gets one that says why.
        """
        materials = [material for material, _ in listed]
        return [
            self._routed(Found(source, type_name, material, "", problem), materials, users)
            for material, problem in listed
        ]

    def _routed(self, found: Found, siblings: Sequence[Material], users: Sequence[str]) -> Found:
        material, problem = found.material, found.problem
        hints = mail.read(material)
        if hints is None:
            event, how = route(material, self.events, users)
            placed = material if material.event == event else replace(material, event=event)
        else:
            programme = Programme(self.events, self.asks, self.series, self.partial, users)
            verdict = Letter(hints, siblings, programme).verdict(material)
            event, how = verdict.event, verdict.how
            placed = self._named(material, event, verdict.talk)
        # Where it would go without anybody's word: a decision may be about the copy in one event alone.
        decision = self.decisions.about(found.type_name, material.id, event)
        if decision is not None:
            return self._decided(found, decision)
        if not event and problem is None:
            problem = Problem(UNROUTED, how, material.revision)
        return Found(found.source, found.type_name, placed, how, problem)

    def _decided(self, found: Found, decision: Decision) -> Found:
        material = found.material
        if decision.verdict is Verdict.REJECT:
            rejected = Problem(REJECTED, decision.reason, material.revision)
            return replace(found, material=replace(material, event=""), routed="decision", problem=rejected)
        plain = replace(material, talk="")
        if message_of(material):
            placed = self._named(plain, decision.event, decision.talk)
        else:
            placed = replace(plain, event=decision.event, talk=decision.talk)
        return replace(found, material=placed, routed="decision")

    def _named(self, material: Material, event: str, talk: str) -> Material:
        """Give what came by mail its place, and the talk's title where it has none of its own."""
        talks = (
            each.title for own in self.events if own.id == event for each in own.talks if each.id == talk
        )
        title = mail.own_title(material) or next(talks, "") or mail.without_code(material.title)
        return replace(material, event=event, talk=talk or material.talk, title=title)


def message_of(material: Material) -> str:
    """Name the message that a material came in; "" when it came in none."""
    hints = mail.read(material)
    return hints.key if hints else ""


def reconsidered(
    records: Iterable[Record], router: Router, source: str, users: Sequence[str], listed: Iterable[str]
) -> list[Found]:
    """Route again what waits since an earlier listing, and is not listed now: the programme may have grown.

    `listed` are the ids of what the source lists now. Only what is clear by now is given.
    """
    own = [record for record in records if record.source == source]
    skipped = set(listed)
    waiting = [record for record in own if _waits(record) and record.material.id not in skipped]
    together: dict[str, list[Record]] = {}
    for record in own if waiting else ():
        if key := message_of(record.material):
            together.setdefault(key, []).append(record)
    found = []
    for record in waiting:
        siblings = together.get(message_of(record.material), [record])
        # What else came in the message counts, wherever it is now: two decks are two decks.
        materials = [record.material, *(each.material for each in siblings if each is not record)]
        pairs = [(replace(each, event="", talk=""), None) for each in materials]
        found += router.route(source, record.type_name, pairs, users)[:1]
    return [each for each in found if each.problem is None]


def _waits(record: Record) -> bool:
    reason = record.problem.reason if record.problem else ""
    return not record.material.event and not record.files and reason == UNROUTED
