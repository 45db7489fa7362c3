"""Hand over what reports point to: each address to the source that fetches such things.

`archiver.pointers` says what the reports of the ledgers name. Here each address is shown to the sources of
the archive; the one that takes it lists it, and what it lists is routed, planned and fetched like all else.
What the organizer's own entries list already stays theirs. What no source takes is known by its address.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from typing import Any

from pydantic import ValidationError

from archiver.config import Config, SourceSpec
from archiver.config.values import secret_names
from archiver.contracts import ScopeEntry, Source
from archiver.discover import Discovery, Listable, Listing
from archiver.errors import InvalidError, LinkOnlyError
from archiver.instances import Instances
from archiver.ledger import Key, Problem, Record, State
from archiver.model import Event, Material
from archiver.plan import Knowledge, Plan, Standing, is_settled, plan
from archiver.pointers import FOUND_AS, LINK, Pointer, is_handed, marked, pointers
from archiver.registry import Registry
from archiver.route import REJECTED, Found

_LOG = logging.getLogger("archiver")
#: Materials of one address: an album may have so many photos, more is a collection.
MAX_LISTED = 1_000


def with_defaults(specs: Sequence[SourceSpec], config: Config, registry: Registry) -> tuple[SourceSpec, ...]:
    """Add, with `follow: any`, the sources that nobody configured and that need nothing to work.

    That is each type that knows addresses, has no secret among its options and needs none of them.
    """
    if config.archive.follow != "any":
        return tuple(specs)
    taken, types = {spec.name for spec in specs}, {spec.type for spec in specs}
    made = list(specs)
    for name, kind in registry.sources.items():
        if name not in types and (options := _plain_options(kind)) is not None:
            made.append(SourceSpec(f"{name}-linked" if name in taken else name, name, options))
    return tuple(made)


def _plain_options(kind: type[Source[Any, Any]]) -> Any:
    if kind.entry_for is Source.entry_for or secret_names(kind.options_class):
        return None
    try:
        return kind.options_class()
    except ValidationError:
        return None


@dataclass(frozen=True)
class _Address:
    """A pointer, and the source that takes its address with the entry for it."""

    pointer: Pointer
    spec: SourceSpec
    entry: ScopeEntry[Any]


@dataclass(frozen=True)
class Handing:
    """One look at everything that the reports point to.

    `known` are the ledgers, with what this run stored; `listed` is what the organizer's entries listed in
    this run. `discovery` lists and routes; its limit and filters hold.
    """

    config: Config
    made: Instances
    discovery: Discovery
    known: Mapping[Key, Record]
    listed: Sequence[Found] = ()
    revisions: Mapping[str, str] = field(default_factory=dict)

    def plan(self) -> Plan:
        """Plan what the reports point to. Nothing is marked as withdrawn because it is not found here."""
        found = self._found() if self.config.archive.follow != "none" else []
        names = {spec.name for spec in self.made.workshop.sources} | {each.source for each in found}
        result = plan(
            found,
            Knowledge(
                self.known,
                dict.fromkeys(names, Standing.HANDED),
                frozenset(self._events),
                self.discovery.filters,
                self.revisions,
            ),
        )
        if not (self.discovery.filters.any or self.discovery.stop.is_set()):
            result.dropped += self._forgotten({each.key for each in found})
        return result

    def _forgotten(self, found: set[Key]) -> Iterator[Key]:
        """Name what was never stored, and is known some other way by now or named by no report any more."""
        named = {(each.event, each.url) for each in self._pointers}
        for key, record in self.known.items():
            marks = record.material.extra
            if key in found or record.state is not State.PENDING or not is_handed(record.material):
                continue
            if key[2].startswith(LINK) or (key[0], marks[FOUND_AS]) not in named:
                yield key

    @cached_property
    def _pointers(self) -> list[Pointer]:
        filters = self.discovery.filters
        asked = [event for event in self._events if not filters.events or event in filters.events]
        return pointers((each for each in self.known.values() if not is_settled(each)), asked)

    @cached_property
    def _events(self) -> dict[str, Event]:
        return {event.id: event for event in self.config.events}

    @cached_property
    def _own(self) -> frozenset[str]:
        """Give the addresses of what the organizer's entries list, now or before."""
        held = (each.material for each in self.known.values() if each.files and not is_handed(each.material))
        listed = (each.material for each in self.listed if each.material.event)
        return frozenset(material.url for material in (*listed, *held))

    def _found(self) -> list[Found]:
        waiting = [each for each in self._pointers if each.url not in self._own]
        taken = {each.url: self._taken(each) for each in waiting}
        addresses = _distinct(self._address(each, taken[each.url]) for each in waiting)
        alone = [_alone(each, self._untaken(each)) for each in waiting if not taken[each.url]]
        found = [*(each for each in alone if each), *self._listed(addresses)]
        return [each for each in self._at_home(found) if self._is_wanted(each)]

    def _is_wanted(self, found: Found) -> bool:
        return self.discovery.filters.takes(found.material.event, found.source, found.material.kind)

    def _taken(self, pointer: Pointer) -> list[tuple[SourceSpec, Any]]:
        """Give the sources that take an address, each with the options of the entry for it."""
        asked = self.discovery.filters.sources
        made = (
            (spec, self._options(spec, pointer.url))
            for spec in self.made.workshop.sources
            if not asked or spec.name in asked
        )
        return [(spec, options) for spec, options in made if options is not None]

    def _options(self, spec: SourceSpec, url: str) -> Any:
        try:
            source = self.made.source(spec.name)
            entry = source.entry_for(url)
            return None if entry is None else source.entry_class.model_validate(dict(entry))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin may raise anything: then it does not take it
            _LOG.debug("source %s does not take a link: %s", spec.name, self.made.workshop.mask(str(error)))
            return None

    def _untaken(self, pointer: Pointer) -> Problem:
        """Say why an address is all that is known, and what to do about it."""
        types = {spec.type: spec.name for spec in reversed(self.made.workshop.sources)}
        known = self.made.registry.sources.keys() - {pointer.report.type_name}
        if pointer.source in types:
            to_do = f"if it belongs here, give it an entry: use: {types[pointer.source]}"
        elif pointer.source in known:
            to_do = f"a source of type {pointer.source} fetches such addresses"
        else:
            to_do = "save it yourself and add it with: archive add EVENT FILE"
        why = f"found in the report {pointer.told}, and no source took it from there"
        return Problem(LinkOnlyError.reason, f"{why} ({to_do})")

    def _address(self, pointer: Pointer, taken: Sequence[tuple[SourceSpec, Any]]) -> _Address | None:
        """Choose the source: one that the event uses already, else the first."""
        if not taken:
            return None

        def is_stranger(each: tuple[SourceSpec, Any]) -> bool:
            return all(entry.event.id != pointer.event for entry in each[0].entries)

        spec, options = min(taken, key=is_stranger)
        return _Address(pointer, spec, ScopeEntry(self._events[pointer.event], options))

    def _listed(self, addresses: Iterable[_Address]) -> Iterator[Found]:
        """List the addresses; each source is asked one thing at a time, several sources at once."""
        queues: dict[str, list[_Address]] = {}
        for each in addresses:
            if not self._own & set(_urls_of(each.entry)):
                queues.setdefault(each.spec.name, []).append(each)
        for row in zip_longest(*queues.values()):
            batch = [each for each in row if each is not None]
            if self.discovery.stop.is_set():
                return
            listables = [
                Listable(each.spec.name, self.made.source(each.spec.name), (each.entry,)) for each in batch
            ]
            for each, listing in zip(batch, self.discovery.listings(listables), strict=True):
                yield from self._judged(each, listing)

    def _judged(self, address: _Address, listing: Listing) -> Iterator[Found]:
        for each in listing.found[:MAX_LISTED]:
            found = replace(each, material=marked(each.material, address.pointer), routed="report")
            # Upstream's word that it is gone counts as ever; all else is no fault of the organizer's.
            yield replace(found, problem=_as_link(each.problem)) if each.problem else found
        if len(listing.found) > MAX_LISTED:
            _LOG.warning(
                "%s, named by the report %s, has more than %d materials: the first are taken. "
                "Give it an entry of its own.",
                address.pointer.url,
                address.pointer.told,
                MAX_LISTED,
            )
        if listing.error is not None:
            told = self.discovery.mask(str(listing.error))
            if listing.found or self._holds_from(address.pointer):
                _LOG.warning("%s could not be listed in full: %s", address.pointer.url, told)
            elif failed := _alone(address.pointer, Problem(listing.error.reason, told)):
                yield failed

    def _holds_from(self, pointer: Pointer) -> bool:
        key = (pointer.event, pointer.url)
        return any(
            (each.material.event, each.material.extra.get(FOUND_AS)) == key and each.files
            for each in self.known.values()
        )

    def _at_home(self, found: Iterable[Found]) -> Iterator[Found]:
        """Leave out what has its place: by an entry of the organizer's, or by a report of another event."""
        homes = {
            (each.type_name, each.material.id): None
            for each in self.listed
            if each.material.event or (each.problem and each.problem.reason == REJECTED)
        }
        held: dict[tuple[str, str], set[Key]] = {}
        for key, record in self.known.items():
            if record.files:
                held.setdefault((record.type_name, key[2]), set()).add(key)
        placed: dict[tuple[str, str], Key] = {}
        for each in found:
            thing = (each.type_name, each.material.id)
            if thing in homes or (thing in held and each.key not in held[thing]):
                continue
            if placed.setdefault(thing, each.key) == each.key:
                yield each


def _alone(pointer: Pointer, problem: Problem) -> Found | None:
    """Make what is known by its address alone; None where nobody can say what it is."""
    if pointer.kind is None:
        return None
    title = pointer.title or pointer.url
    material = Material(LINK + pointer.url, pointer.kind, title, pointer.url, event=pointer.event)
    report = pointer.report
    return Found(report.source, report.type_name, marked(material, pointer), "report", _as_link(problem))


def _as_link(problem: Problem) -> Problem:
    """Take what is no usable material for what it is: an address in a report."""
    if problem.reason != InvalidError.reason:
        return problem
    return replace(problem, reason=LinkOnlyError.reason)


def _distinct(addresses: Iterable[_Address | None]) -> list[_Address]:
    """Keep one of each: two forms of an address make the same entry."""
    found: dict[tuple[str, str, str], _Address] = {}
    for each in addresses:
        if each is not None:
            options = each.entry.options.model_dump_json()
            found.setdefault((each.spec.name, each.entry.event.id, options), each)
    return list(found.values())


def _urls_of(entry: ScopeEntry[Any]) -> list[str]:
    """Give the address of an entry in the source's own form."""
    url = getattr(entry.options, "url", "")
    return [url] if isinstance(url, str) and url else []
