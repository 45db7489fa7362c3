"""Gather what is to be handed off, from the ledgers and the newest run report."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from archiver.bundle.model import Item, Refused
from archiver.config import SourceSpec
from archiver.decisions import ACCEPTED
from archiver.errors import BlockedError, GoneError, LinkOnlyError, SourceError
from archiver.ledger import Record, State
from archiver.plan import is_settled
from archiver.pointers import LINK
from archiver.route import REJECTED, UNROUTED

#: Why a material is in a bundle: what a person's machine may get, and what failed otherwise.
BLOCKED = frozenset({BlockedError.reason})
FAILED = frozenset({SourceError.reason, "invalid"})

#: States that no fetch from another machine changes.
_SETTLED = frozenset({GoneError.reason, LinkOnlyError.reason, UNROUTED, REJECTED, ACCEPTED})


def is_open(record: Record) -> bool:
    """Say whether a fetch from elsewhere could still help: known, wanted, and not had as it is now."""
    return (
        record.problem is not None
        and record.problem.reason not in _SETTLED
        and record.state in {State.PENDING, State.STORED}
        and bool(record.material.event)
        and not record.material.id.startswith(LINK)
        and not is_settled(record)
    )


def gather(
    records: Iterable[Record],
    report: Mapping[str, Any],
    sources: Iterable[SourceSpec],
    reasons: Collection[str] = BLOCKED,
    events: Collection[str] = (),
) -> tuple[tuple[Item, ...], tuple[Refused, ...]]:
    """Take from the ledgers, and from the newest run report, what is to be handed off.

    `sources` are the configured ones: nothing else could be fetched anywhere. `events` are those asked for,
    all when empty.
    """
    types = {spec.name: spec.type for spec in sources}
    wanted = (record for record in records if is_open(record) and record.source in types)
    items = [
        Item(each.source, each.type_name, each.material, each.problem.reason, each.problem.detail)
        for each in wanted
        if each.problem and each.problem.reason in reasons and (not events or each.material.event in events)
    ]
    items.sort(key=lambda item: item.key)
    return tuple(items), tuple(_refused(types, report, reasons))


def _refused(
    types: Mapping[str, str], report: Mapping[str, Any], reasons: Collection[str]
) -> Iterator[Refused]:
    told = report.get("sources")
    for name, data in sorted(told.items()) if isinstance(told, Mapping) else ():
        reason = data.get("error_reason") if isinstance(data, Mapping) else None
        if name in types and isinstance(reason, str) and reason in reasons:
            yield Refused(name, types[name], reason, str(data.get("error") or ""))
