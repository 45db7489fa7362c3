"""What people did so far, for a run to go by: their decisions, whom they asked, what they waived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archiver.archive import Head, lines
from archiver.asked import Asks
from archiver.audience import Clearance
from archiver.config import Config
from archiver.consents import Consents
from archiver.decisions import Decisions
from archiver.logbook import ASKED, CONSENTS, DECISIONS, WAIVERS
from archiver.plan import Knowledge, Standing
from archiver.route import Filters, Found
from archiver.routing import Router, reconsidered
from archiver.waivers import Waiver, read


def router(heads: Iterable[Head], config: Config, filters: Filters | None = None) -> Router:
    """Make what routes materials, from the logbooks of all sinks."""
    known = list(heads)
    decisions = Decisions.of(lines(known, DECISIONS), config.events)
    asks = Asks.of(lines(known, ASKED), config.events)
    partial = bool(filters and filters.events)
    return Router(config.events, decisions, asks, config.archive.title, partial)


def waivers(heads: Iterable[Head], config: Config) -> tuple[Waiver, ...]:
    """Give what nobody waits for any more, from the logbooks of all sinks."""
    return read(lines(heads, WAIVERS), config.events)


def clearance(heads: Iterable[Head], config: Config) -> Clearance:
    """Give what says what is public, by the configuration and the logbooks of all internal sinks."""
    known = list(heads)
    decisions = Decisions.of(lines(known, DECISIONS), config.events)
    return Clearance(config, Consents.of(lines(known, CONSENTS)), decisions)


def again(made: Router, config: Config, found: Sequence[Found], known: Knowledge) -> Iterator[Found]:
    """Look again at what waits for an event and is not listed anew, by a source that lists only news."""
    for spec in config.sources:
        if known.standing(spec.name) is not Standing.PARTIAL:
            continue
        ids = [each.material.id for each in found if each.source == spec.name]
        users = [entry.event.id for entry in spec.entries]
        for each in reconsidered(known.ledger.values(), made, spec.name, users, ids):
            if known.filters.takes(each.material.event, each.source, each.material.kind):
                yield each
