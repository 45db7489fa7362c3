"""What the page about coverage shows: every cell, what is not here and why, what nobody waits for."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from archiver import gaps
from archiver.catalog.words import clean
from archiver.coverage import Cell, EventCoverage
from archiver.gaps import Gap
from archiver.model import Event, Kind, Talk
from archiver.pages import texts
from archiver.pages.model import Site
from archiver.waivers import Waiver

#: Characters of an upstream's error that are shown.
_MOST = 160


@dataclass(frozen=True, slots=True)
class Row:
    """One talk, with a cell for each kind of its table; None where nothing is expected or here."""

    talk: Talk
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The talks of one event by kinds of material. `have` and `wanted` count its cells."""

    event: Event
    kinds: tuple[Kind, ...]
    rows: tuple[Row, ...]
    have: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Waived:
    """One thing that nobody waits for. `talk` is None for the event as a whole."""

    event: Event
    talk: Talk | None
    waiver: Waiver


def missing(site: Site) -> list[Gap]:
    """List what is not fully here, its reasons fit to be shown."""
    found = gaps.gaps(site.coverage, site.asks)
    return [replace(gap, why=texts.shorten(clean(gap.why), _MOST)) for gap in found]


def sheets(site: Site) -> list[Sheet]:
    """Lay out each event that has talks."""
    shown = {(view.event.id, talk.talk.id) for view in site.events for talk in view.talks}
    return [_sheet(event, shown) for event in site.coverage.events if event.talks]


def _sheet(event: EventCoverage, shown: Container[tuple[str, str]]) -> Sheet:
    # A cancelled talk of which nothing is here has no page.
    talks = [talk for talk in event.talks if (event.event.id, talk.talk.id) in shown]
    kinds = tuple(kind for kind in Kind if any(kind in talk.kinds for talk in talks))
    rows = tuple(Row(talk.talk, tuple(talk.kinds.get(kind) for kind in kinds)) for talk in talks)
    have, wanted = event.tally()
    return Sheet(event.event, kinds, rows, have, wanted)


def waived(site: Site) -> Iterator[Waived]:
    """List what nobody waits for, by the programme as it is shown."""
    events = {each.event.id: each.event for each in site.coverage.events}
    for waiver in site.waivers:
        event = events.get(waiver.event)
        if event is not None:
            talk = next((talk for talk in event.talks if talk.id == waiver.talk), None)
            yield Waived(event, talk, waiver)
