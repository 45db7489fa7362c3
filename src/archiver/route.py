"""Find the event that a listed material belongs to, and leave out what nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archiver.ledger import Key, Problem
from archiver.model import Event, Kind, Material

#: Why something is pending: no event takes it; or nobody wants it, then it is not even pending.
UNROUTED, REJECTED = "unrouted", "rejected"


@dataclass(frozen=True, slots=True)
class Found:
    """One listed material with the event it was routed to ("" when none) and why."""

    source: str
    type_name: str
    material: Material
    routed: str
    problem: Problem | None = None

    @property
    def key(self) -> Key:
        """The ledger's key for it."""
        return (self.material.event, self.source, self.material.id)


@dataclass(frozen=True)
class Filters:
    """What the user asked to leave out. Any of these makes the listing a partial one."""

    events: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    limit: int | None = None

    @property
    def any(self) -> bool:
        """Say whether anything is left out."""
        return bool(self.events or self.sources or self.kinds or self.limit is not None)

    def takes(self, event: str, source: str, kind: Kind) -> bool:
        """Say whether a material is wanted."""
        return (
            (not self.events or event in self.events)
            and (not self.sources or source in self.sources)
            and (not self.kinds or kind in self.kinds)
        )


def route(material: Material, events: Sequence[Event], users: Sequence[str]) -> tuple[str, str]:
    """Give the event's id and how it was found, or ("", why not).

    `users` are the ids of all events that use the source. In this order: the source's own word (its
    entry), the only event that uses the source, one event's date, one event's name among the tags, the
    talk that the source names when one event alone has it.
    """
    if material.event:
        known = any(event.id == material.event for event in events)
        return (
            (material.event, "entry") if known else ("", f"no event {material.event!r} in the configuration")
        )
    if len(set(users)) == 1:
        return users[0], "only event"
    candidates = [event for event in events if not users or event.id in users]
    for how, fits in _HINTS.items():
        fitting = [event for event in candidates if fits(event, material)]
        if len(fitting) == 1:
            return fitting[0].id, how
    return "", "neither its entry, date, tags nor talk point to one event"


def _on(event: Event, material: Material) -> bool:
    # Only dates down to the day say anything: "2012-09" holds two stops.
    day = material.date[:10]
    return len(event.date) == 10 == len(day) and event.date <= day <= (event.end_date or event.date)


def _tagged(event: Event, material: Material) -> bool:
    names = {_plain(name) for name in (event.id, event.city) if name}
    return any(_plain(tag) in names for tag in material.tags)


def _has_talk(event: Event, material: Material) -> bool:
    named = _plain(material.talk)
    return bool(named) and any(named in {_plain(talk.id), _plain(talk.title)} for talk in event.talks)


def _plain(text: str) -> str:
    return "".join(text.casefold().split())


_HINTS: dict[str, Callable[[Event, Material], bool]] = {"date": _on, "tag": _tagged, "talk": _has_talk}
