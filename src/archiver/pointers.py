"""What reports point to, as data: decks, photos and recordings elsewhere. And the marks of what was found so.

A source that stores reports may tell in `Material.extra["links"]` what each links to or shows: a JSON list of
objects with `url`, and any of `kind` (of `archiver.model.Kind`), `source` (the type of source that fetches
such addresses) and `title`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archiver.errors import InvalidError, LinkOnlyError, SourceError
from archiver.inventory import UNREADABLE
from archiver.ledger import Record, State
from archiver.model import Kind, Material
from archiver.redact import redact

LINKS = "links"
#: Begins the id of what is known by its address alone: nothing fetches it.
LINK = "link:"
#: In `Material.extra` of what was found in a report: its title, its address, and the address in it.
FOUND_IN, FOUND_AT, FOUND_AS = "found_in", "found_at", "found_as"
_MARKS = (FOUND_IN, FOUND_AT, FOUND_AS)
#: Addresses of one report that are followed. A longer list is a collection of links, and no report.
MAX_FOLLOWED = 50
_MAX_URL = 1_900
_MAX_TITLE = 300


@dataclass(frozen=True, slots=True)
class Pointer:
    """One address in one report. `kind` is None when only a source can tell what it leads to.

    `source` is the type of source that would fetch it, as the report's source sees it; "" when unknown.
    """

    report: Record
    url: str
    kind: Kind | None = None
    source: str = ""
    title: str = ""

    @property
    def event(self) -> str:
        """The event of the report."""
        return self.report.material.event

    @property
    def told(self) -> str:
        """What the report is called."""
        return self.report.material.title or self.report.material.url or self.report.material.id


def pointers(records: Iterable[Record], events: Sequence[str]) -> list[Pointer]:
    """Give what the stored reports of some events point to: in the order of the events, each address once."""
    order = {event: number for number, event in enumerate(events)}
    reports = [each for each in records if each.material.event in order and _is_followed(each)]
    reports.sort(key=lambda each: (order[each.material.event], each.material.date, each.key))
    found = (pointer for report in reports for pointer in _of_report(report))
    return list({(pointer.event, pointer.url): pointer for pointer in reversed([*found])}.values())[::-1]


def _is_followed(record: Record) -> bool:
    # What a report led to leads no further: a chain of links has no end.
    known = record.state in {State.STORED, State.WITHDRAWN} and bool(record.files)
    return known and LINKS in record.material.extra and not is_handed(record.material)


def _of_report(report: Record) -> Iterator[Pointer]:
    rows = _rows(report.material.extra[LINKS])
    for row in rows[:MAX_FOLLOWED]:
        url = row.get("url")
        # An address with a secret is nobody's to use, nor to write down once more.
        if isinstance(url, str) and _is_public(url):
            yield Pointer(report, url, _kind(row), _text(row, "source")[:40], _text(row, "title"))


def _rows(text: str) -> list[Mapping[str, Any]]:
    try:
        rows = json.loads(text)
    except UNREADABLE:
        return []
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _is_public(url: str) -> bool:
    whole = url.startswith(("http://", "https://")) and url.isprintable() and len(url) <= _MAX_URL
    return whole and redact(url) == url


def _kind(row: Mapping[str, Any]) -> Kind | None:
    kind = _text(row, "kind")
    return Kind(kind) if kind in set(Kind) else None


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return " ".join(value.split())[:_MAX_TITLE] if isinstance(value, str) else ""


def marked(material: Material, pointer: Pointer) -> Material:
    """Write down in a material in which report it was found."""
    marks = {FOUND_IN: pointer.told, FOUND_AT: pointer.report.material.url, FOUND_AS: pointer.url}
    return replace(material, extra={**material.extra, **{name: text for name, text in marks.items() if text}})


def with_marks(material: Material, before: Material) -> Material:
    """Keep the marks of what was fetched: its source knows nothing of them."""
    marks = {name: before.extra[name] for name in _MARKS if name in before.extra}
    return replace(material, extra={**material.extra, **marks}) if marks else material


def reason_of(error: SourceError, material: Material) -> str:
    """Give the word for why something is not stored.

    A link in a report may lead to anything. What is no usable material there is no fault: it is a link.
    """
    linked = isinstance(error, InvalidError) and is_handed(material)
    return LinkOnlyError.reason if linked else error.reason


def is_handed(material: Material) -> bool:
    """Say whether a report led to this, and no entry of the organizer's."""
    return FOUND_AS in material.extra
