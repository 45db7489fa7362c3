"""Which values to look at, and in what order, when not all can be.

Content lies on a ring, by its SHA-256: spread evenly, so any stretch of it is a random sample. A partial look
takes the stretch that follows the last one, so what was looked at longest ago always comes first, and all
that has to be remembered is one place.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from archiver import ocfl
from archiver.archive import RUNS
from archiver.contracts import Sink
from archiver.errors import DamageError, MissingError
from archiver.inventory import UNREADABLE
from archiver.verify.findings import Looked
from archiver.verify.items import Item

#: What the names of these reports end with: runs go by their own reports alone.
ENDING = "-verify.json"
#: A report larger than this is not ours.
REPORT_BYTES = 64 << 20


@dataclass(frozen=True)
class Wanted:
    """What the user asked for.

    `sample` is the share of the bytes to look at, from 0 to 1; `since` an RFC 3339 time or the beginning of
    one; `budget` is in seconds, and ends the look at contents alone. `accepted` are objects that are right
    as they are now, whatever version of them was stored before.
    """

    sinks: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    sample: float = 1.0
    since: str = ""
    budget: float | None = None
    repair: bool = False
    accepted: frozenset[str] = frozenset()

    @property
    def partial(self) -> bool:
        """Say whether content is looked at along the ring."""
        return self.sample < 1 or self.budget is not None

    def to_json(self) -> dict[str, Any]:
        """Give what is noted in the report."""
        return {
            "sinks": sorted(self.sinks),
            "events": sorted(self.events),
            "sample": self.sample,
            "since": self.since,
            "budget": self.budget,
            "repair": self.repair,
            "accept_loss": sorted(self.accepted),
        }


def select(items: Iterable[Item], wanted: Wanted, start: str) -> list[Item]:
    """Put in order what is to be looked at: structure first, then content, from `start` when partial."""
    known = list(items)
    recent = [item for item in known if not item.created or item.created >= wanted.since]
    structure = [item for item in recent if not item.is_content]
    content = [item for item in recent if item.is_content]
    if not wanted.partial:
        return structure + sorted(content, key=lambda item: item.path)
    ring = sorted(content, key=lambda item: (item.place < start, item.place, item.path))
    enough = sum(item.size for item in content) * wanted.sample
    return structure + list(_stretch(ring, enough))


def _stretch(ring: Iterable[Item], enough: float) -> Iterable[Item]:
    taken = 0
    for item in ring:
        if taken >= enough and taken:
            return
        taken += item.size
        yield item


def following(items: Sequence[Item], done: Container[str], start: str) -> str:
    """Say where the next partial look begins: at the first content that this one did not come to."""
    ring = sorted(
        (item for item in items if item.is_content), key=lambda item: (item.place < start, item.place)
    )
    return next((item.place for item in ring if item.path not in done), start)


def tally(items: Iterable[Item], done: Container[str]) -> dict[str, Looked]:
    """Count what was looked at and what was not, by object."""
    groups: dict[str, Looked] = {}
    for item in items:
        each = groups.setdefault(item.group, Looked())
        if item.path in done:
            each.files, each.bytes = each.files + 1, each.bytes + item.size
        else:
            each.left_files, each.left_bytes = each.left_files + 1, each.left_bytes + item.size
    return groups


def remembered(sink: Sink[Any], name: str) -> str:
    """Read where the last verification of a sink left off; "" when none did, or its report makes no sense."""
    reports = sorted(stat.path for stat in sink.list(RUNS) if stat.path.endswith(ENDING))
    for path in reversed(reports):
        with suppress(MissingError, DamageError, *UNREADABLE):
            place = _place(json.loads(ocfl.read(sink, path, REPORT_BYTES)), name)
            if place is not None:
                return place
    return ""


def _place(report: Mapping[str, Any], name: str) -> str | None:
    place = report["sinks"].get(name, {}).get("next")
    return place if isinstance(place, str) and len(place) in {0, 64} else None
