"""Who may see a material, once all that the archive holds is looked at together. Pure.

A material that is listed twice, the same bytes under two names, a deck that a report led to: what is closed
in one place is open in no other. Rulings become stricter here, never less strict.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from archiver.ledger import Key, Record, StoredFile
from archiver.model import Consent
from archiver.pointers import FOUND_AT, FOUND_IN, is_handed
from archiver.shown import without_letters

_STRICTEST = (Consent.INTERNAL, Consent.UNKNOWN, Consent.PUBLIC)
#: Empty files are alike and say nothing.
_EMPTY = hashlib.sha256(b"").hexdigest()
_SAME, _SHARED = "listed elsewhere, too", "the same bytes are in"
#: How two records belong together, and the names of what they have in common.
_Tie = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ruling:
    """Who may see something, and what says so.

    It is `firm` when a person decided it for this very material: what the configuration says elsewhere does
    not change it then.
    """

    consent: Consent
    why: str
    firm: bool = field(default=False, compare=False)

    @property
    def public(self) -> bool:
        """Say whether it may go into a public sink."""
        return self.consent is Consent.PUBLIC

    def is_stricter(self, other: Ruling) -> bool:
        """Say whether fewer may see it by this ruling than by another."""
        return _STRICTEST.index(self.consent) < _STRICTEST.index(other.consent)


def strictest(rulings: Iterable[Ruling]) -> Ruling:
    """Give the strictest of several, which must not be none; the first of those that are equal."""
    return min(rulings, key=lambda each: _STRICTEST.index(each.consent))


def strictest_word(words: Iterable[Consent]) -> Consent:
    """Give the strictest of several words, which must not be none."""
    return min(words, key=_STRICTEST.index)


def together(known: Sequence[Record], alone: Mapping[Key, Ruling]) -> dict[Key, Ruling]:
    """Give the rulings of all records, from those of each by itself.

    `known` has to be everything: a record that is left out closes nothing.
    """
    found, ties, reports = dict(alone), {each.key: [*_ties(each)] for each in known}, _Reports(known)
    handed = [each for each in known if is_handed(each.material)]
    changed = True
    # What becomes stricter may close something else: a deck found in an internal report is the same file
    # as one that an entry lists. It ends, for nothing ever becomes less strict.
    while changed:
        closers = (_closers(known, found, ties, firm=False), _closers(known, found, ties, firm=True))
        changed = _narrow(found, {each.key: reports.ruling(each, found) for each in handed})
        changed |= _narrow(found, {key: _of_ties(found[key], ties[key], closers) for key in ties})
    return found


def _narrow(found: dict[Key, Ruling], stricter: Mapping[Key, Ruling | None]) -> bool:
    """Take over what is stricter; say whether anything was."""
    taken = {key: each for key, each in stricter.items() if each and each.is_stricter(found[key])}
    found.update(taken)
    return bool(taken)


def _ties(record: Record) -> Iterator[_Tie]:
    """Name what ties a record to others: its material, that within its event, and its bytes."""
    item = (record.type_name, record.material.id)
    yield ("item", *item)
    # Two records of one material in one event share the names of their files: both have to be public.
    yield ("place", *item, record.material.event)
    digests = {file.sha256 for file in _files(record)} - {_EMPTY}
    yield from (("bytes", sha256) for sha256 in digests)


def _files(record: Record) -> Iterator[StoredFile]:
    # Two attachments of one mail have its text in common, which no public sink gets.
    plain = without_letters(record)
    yield from plain.files
    yield from (file for edition in plain.earlier for file in edition.files)


def _closers(
    known: Iterable[Record], found: Mapping[Key, Ruling], ties: Mapping[Key, Sequence[_Tie]], *, firm: bool
) -> dict[_Tie, Ruling]:
    """Give the strictest ruling that closes all that a tie holds together; with `firm` of firm ones alone."""
    closed: dict[_Tie, Ruling] = {}
    for record in known:
        ruling = found[record.key]
        if firm and not ruling.firm:
            continue
        for tie in ties[record.key]:
            if ruling.consent is Consent.INTERNAL or (tie[0] == "place" and not ruling.public):
                named = replace(ruling, why=_told(tie, record, ruling))
                closed[tie] = strictest([closed.get(tie, named), named])
    return closed


def _told(tie: _Tie, record: Record, ruling: Ruling) -> str:
    if tie[0] != "bytes":
        return ruling.why if ruling.why.startswith(_SAME) else f"{_SAME}: {ruling.why}"
    if ruling.why.startswith(_SHARED):
        return ruling.why
    return f"{_SHARED} “{record.material.title or record.material.id}” of {record.source}: {ruling.why}"


def _of_ties(
    own: Ruling, ties: Iterable[_Tie], closers: tuple[Mapping[_Tie, Ruling], Mapping[_Tie, Ruling]]
) -> Ruling | None:
    # What a person decided for this very material is changed by another decision alone.
    closed = closers[own.firm]
    stricter = [closed[tie] for tie in ties if tie in closed]
    return strictest(stricter) if stricter else None


class _Reports:
    """The reports of all events, by what a material says of the one that it was found in."""

    def __init__(self, known: Iterable[Record]) -> None:
        self._by: defaultdict[tuple[str, str, str], list[Key]] = defaultdict(list)
        for each in known:
            if not is_handed(each.material):
                event, url, title = each.material.event, each.material.url, each.material.title
                self._by[event, FOUND_AT, url].append(each.key)
                self._by[event, FOUND_IN, title or url or each.material.id].append(each.key)

    def ruling(self, record: Record, found: Mapping[Key, Ruling]) -> Ruling | None:
        """Give what the report that led to a material allows at most; None where a person decided."""
        if found[record.key].firm:
            return None
        marks, event = record.material.extra, record.material.event
        mark = FOUND_AT if marks.get(FOUND_AT) else FOUND_IN
        keys = self._by.get((event, mark, marks.get(mark, "")), [])
        if not keys:
            return Ruling(Consent.UNKNOWN, "the report that it was found in is not known any more")
        limit = strictest(found[key] for key in keys)
        return replace(limit, why=f"the report that it was found in: {limit.why}", firm=False)
