"""Decide which items of a bundle a run fetches, and say why it leaves the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archiver.bundle.gathering import is_open
from archiver.bundle.model import Bundle, Item, Refused
from archiver.config import SourceSpec
from archiver.contracts import Source
from archiver.ledger import Key, Record
from archiver.plan import Plan, Work
from archiver.report import LEFT, LEFT_ALONE, Report, SourceReport
from archiver.route import Filters, Found


@dataclass
class Handed:
    """What a run does about a bundle. `left` says, by source, why it leaves which of it, for people."""

    plan: Plan = field(default_factory=Plan)
    left: dict[str, list[str]] = field(default_factory=dict)

    def tell(self, report: Report) -> None:
        """Name what is left alone; the cursors that the report has from earlier runs stay."""
        for name, why in self.left.items():
            before = report.sources.get(name, SourceReport())
            told = "; ".join([*filter(None, [before.error]), *why])
            # Where the listing failed too, that is what there is to look after.
            reason = before.error_reason if before.error else LEFT
            report.sources[name] = replace(before, error=told, error_reason=reason)


@dataclass(frozen=True)
class Taking:
    """Decides which items of a bundle are fetched.

    What a ledger knows is fetched by what the ledger says of it. What no ledger knows is taken only when
    its source deals in public addresses (`Source.entry_for`) and knows this one. Otherwise a forged bundle
    could name any file of a folder, any letter of a mailbox, and have it archived. `source` gives the made
    source of a name.
    """

    sources: Sequence[SourceSpec]
    events: Collection[str]
    known: Mapping[Key, Record]
    source: Callable[[str], Source[Any, Any]]
    filters: Filters = field(default_factory=Filters)

    def take(self, bundle: Bundle, planned: Plan) -> Handed:
        """Plan the items of a bundle, beside what the listings of the same run have planned."""
        handed = Handed()
        why_not: dict[tuple[str, str], list[Item | Refused]] = {}
        types = {spec.name: spec.type for spec in self.sources}
        seen = _keys(planned)
        both: tuple[Item | Refused, ...] = (*bundle.listings, *bundle.items)
        for each in both:
            why = self._unfit(each, types)
            if why:
                why_not.setdefault((each.source, why), []).append(each)
            elif isinstance(each, Item) and each.key not in seen and self._wanted(each):
                self._plan(each, handed.plan)
        for (source, why), these in why_not.items():
            handed.left.setdefault(source, []).append(_told(why, these))
        if self.filters.limit is not None:
            handed.plan.keep(max(0, self.filters.limit - len(planned.work)))
        return handed

    def _unfit(self, each: Item | Refused, types: Mapping[str, str]) -> str:
        """Say why this machine leaves it; "" when it can be done here."""
        if each.source not in types:
            return "no source of this name is configured here"
        if types[each.source] != each.type_name:
            return f"it is of type {types[each.source]} here, and of type {each.type_name} in the bundle"
        if isinstance(each, Refused):
            return ""
        if each.material.event not in self.events:
            return f"there is no event {each.material.event!r:.60} in the configuration"
        if each.key in self.known or self._recognises(each.source, each.material.url):
            return ""
        return "no sink here knows of it, and its address is none that the source knows"

    def _recognises(self, name: str, url: str) -> bool:
        try:
            return bool(url) and self.source(name).entry_for(url) is not None
        except (Exception, SystemExit):  # noqa: BLE001  # a plugin may raise anything: then it does not know it
            return False

    def _wanted(self, item: Item) -> bool:
        return self.filters.takes(item.material.event, item.source, item.material.kind)

    def _plan(self, item: Item, result: Plan) -> None:
        record = self.known.get(item.key)
        if record is None:
            result.work.append(Work(Found(item.source, item.type_name, item.material, "bundle"), "new"))
            return
        found = Found(item.source, record.type_name, record.material, "bundle")
        if is_open(record):
            result.work.append(Work(found, "retry"))
        else:
            result.same.append(found)  # stored meanwhile, taken down, or gone: it stays as it is


def _keys(planned: Plan) -> set[Key]:
    found = (*planned.same, *planned.obstacles, *(work.found for work in planned.work))
    return {each.key for each in found} | {change.key for change in planned.changes}


def _told(why: str, these: Sequence[Item | Refused]) -> str:
    items = [each for each in these if isinstance(each, Item)]
    number = "1 item" if len(items) == 1 else f"{len(items):,} items"
    waits = f"{number} of the bundle" if items else "its listing"
    return f"{waits} {LEFT_ALONE}: {why}"
