"""What people decided not to wait for: a kind of material of an event, or of one of its talks.

A waiver lowers what is expected, and hides nothing: what arrives all the same is stored and counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from archiver.logbook import Line, text
from archiver.model import Event, Kind


@dataclass(frozen=True, slots=True)
class Waiver:
    """The decision not to wait for a kind of material of an event, or of one talk of it.

    `why` is for whoever reads it later, also on the pages. `at` is UTC, RFC 3339.
    """

    event: str
    kind: Kind
    talk: str = ""
    why: str = ""
    at: str = ""

    @property
    def place(self) -> str:
        """Write what it is about as `archive waive` takes it: "beijing/chef"."""
        return "/".join(part for part in (self.event, self.talk) if part)

    def to_json(self) -> dict[str, str]:
        """Give it as plain data."""
        return {
            "event": self.event,
            "talk": self.talk,
            "kind": self.kind.value,
            "reason": self.why,
            "at": self.at,
        }

    def line(self, *, waived: bool = True) -> dict[str, Any]:
        """Give its line in the logbook; one that is not `waived` ends it."""
        return {**self.to_json(), "waived": waived}


def read(lines: Iterable[Line], events: Iterable[Event]) -> tuple[Waiver, ...]:
    """Read a logbook: the waivers that hold, in the order of the programme. Pure.

    The latest line about an event, talk and kind counts. Lines about an event or a talk that the
    programme does not have (any more) are passed over, and hold again when it comes back.
    """
    places: dict[tuple[str, str], int] = {}
    for event in events:
        for talk in ("", *(talk.id for talk in event.talks)):
            places.setdefault((event.id, talk), len(places))
    latest: dict[tuple[str, str, str], Line] = {}
    for line in sorted(lines, key=lambda line: text(line, "at")):
        latest[text(line, "event"), text(line, "talk"), text(line, "kind")] = line
    made = [
        Waiver(event, Kind(kind), talk, text(line, "reason"), text(line, "at"))
        for (event, talk, kind), line in latest.items()
        if line.get("waived") is True and kind in set(Kind) and (event, talk) in places
    ]
    kinds = list(Kind)
    return tuple(sorted(made, key=lambda each: (places[each.event, each.talk], kinds.index(each.kind))))
