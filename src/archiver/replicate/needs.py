"""What one sink lacks that another has: files by their digest, and small metadata files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archiver import crate, seal
from archiver.archive import LEDGERS, Head
from archiver.contracts import Sink, Stat
from archiver.errors import DamageError, MissingError
from archiver.ledger import Key, Record, State
from archiver.shelf import Shelf

METADATA = "metadata/"
DERIVED = "derived/"
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Need:
    """One file that a sink lacks: its object, its logical path, the SHA-256 that it has to have.

    `owner` is the key of the material that it stands for now; None for an earlier edition and the like.
    `size` in bytes is what a sink that has it says.
    """

    event: str
    path: str
    sha256: str
    size: int
    owner: Key | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """A place where certain bytes should lie: a sink, and a path in it."""

    name: str
    sink: Sink[Any]
    where: str
    size: int


@dataclass(frozen=True)
class Stock:
    """What a sink has to give: what it committed, and what a killed run had put there and this one proved.

    `places` maps object and logical path to SHA-256, path in the sink, and size in bytes; `copies` maps
    a SHA-256 to every path where an inventory says that such bytes lie, and their size.
    """

    head: Head
    places: Mapping[tuple[str, str], tuple[str, str, int]]
    copies: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, head: Head, additions: Mapping[str, Mapping[str, str]]) -> Stock:
        """Take stock of a sink. What an inventory names and the sink has lost is left out."""
        copies = _copies(head)
        return cls(head, dict(_places(head, additions, copies)), copies)

    def holders(self, need: Need) -> Iterator[Holder]:
        """Say where the bytes lie that are needed: in their own place first, then wherever such bytes lie."""
        sha256, where, size = self.places.get((need.event, need.path), ("", "", 0))
        if sha256 == need.sha256:
            rest = (each for each in self.copies.get(sha256, ()) if each[0] != where)
            for path, length in ((where, size), *rest):
                yield Holder(self.head.name, self.head.sink, path, length)


def _copies(head: Head) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for each in head.objects.values():
        for sha256, paths in each.inventory.manifest.items() if each.inventory else ():
            there = ((each.prefix + path, each.files[path].size) for path in paths if path in each.files)
            found.setdefault(sha256, []).extend(there)
    return found


def _places(
    head: Head,
    additions: Mapping[str, Mapping[str, str]],
    copies: Mapping[str, Sequence[tuple[str, int]]],
) -> Iterator[tuple[tuple[str, str], tuple[str, str, int]]]:
    for name in head.objects.keys() | additions.keys():
        each = head.object(name)
        added = additions.get(name, {})
        wanted = {path: (sha256, each.next_content + path) for path, sha256 in added.items()}
        wanted |= {path: (sha256, each.locate(path)) for path, sha256 in each.state.items()}
        for path, (sha256, where) in wanted.items():
            stat = each.files.get(where.removeprefix(each.prefix))
            if path.startswith(METADATA):
                continue
            if stat is not None:
                yield (name, path), (sha256, where, stat.size)
            elif others := copies.get(sha256):
                yield (name, path), (sha256, *others[0])


def needs(
    shelf: Shelf, others: Iterable[Stock], known: Mapping[Key, Record], *, only_known: bool = False
) -> list[Need]:
    """List what a sink lacks and another has, the files of one material together.

    What was taken down is not spread. Of two files of one name that differ, each stays where it is.
    With `only_known` nothing is spread but the very files that `known` names.
    """
    owners, hidden = _owners(known.values())
    files = named(known.values()) if only_known else None
    found: dict[tuple[str, str], Need] = {}
    for stock in others:
        for place, (sha256, _, size) in stock.places.items():
            if files is not None and files.get(place) != sha256:
                continue
            if place not in found and place not in hidden and not shelf.has(*place):
                found[place] = Need(*place, sha256, size, owners.get(place))
    return sorted(found.values(), key=lambda need: (need.event, need.owner or ("",), need.path))


def named(records: Iterable[Record]) -> dict[tuple[str, str], str]:
    """Give the SHA-256 of every file that stands for a material, now or earlier, by event and path."""
    return {
        (record.material.event, file.path): file.sha256
        for record in records
        for files in (*(each.files for each in record.earlier), record.files)
        for file in files
    }


def _owners(records: Iterable[Record]) -> tuple[dict[tuple[str, str], Key], set[tuple[str, str]]]:
    """Say which material each file stands for, and which files nobody is to see."""
    owners: dict[tuple[str, str], Key] = {}
    hidden: set[tuple[str, str]] = set()
    shown: set[tuple[str, str]] = set()
    for record in records:
        event = record.material.event
        places = {(event, file.path) for edition in record.earlier for file in edition.files}
        now = {(event, file.path) for file in record.files}
        if record.state is State.TAKEN_DOWN:
            hidden |= now | places
        else:
            shown |= now | places
            owners.update(dict.fromkeys(now, record.key))
    return owners, hidden - shown


def holders(need: Need, others: Iterable[Stock]) -> list[Holder]:
    """Name the places to take a file from: those in sinks on this machine first."""
    found = [holder for stock in others for holder in stock.holders(need)]
    return sorted(found, key=lambda holder: holder.sink.local_root is None)


def borrow(shelf: Shelf, others: Iterable[Head], made: Mapping[str, Mapping[str, bytes]]) -> None:
    """Take over metadata files that the run does not make itself: of an event no longer configured.

    `made` are those that it makes. Of two that differ, that of the sink with the newer run counts.
    """
    heads = sorted([shelf.head, *others], key=_newness)
    for name in {name for head in heads for name in head.objects}:
        newest = {path: head for head in heads for path in head.object(name).state if _is_plain(path)}
        state = shelf.head.object(name).state
        for path, head in newest.items():
            if path not in made.get(name, {}) and state.get(path) != head.object(name).state[path]:
                _borrow_one(shelf, head, name, path)
        _borrow_emptied(shelf, heads, name)


def _newness(head: Head) -> tuple[str, str]:
    return (head.runs[-1] if head.runs else "", head.name)


def _is_plain(path: str) -> bool:
    """Say whether a path is metadata that is not made from a sink's own ledgers, as its RO-Crate is."""
    return path.startswith(METADATA) and not path.startswith(LEDGERS) and path != crate.CRATE


def _borrow_one(shelf: Shelf, head: Head, name: str, path: str) -> None:
    try:
        shelf.borrow(name, path, head.object(name).read(path))
    except (DamageError, MissingError):
        return  # it describes, nothing is kept by it alone; `archive verify` names it


def _borrow_emptied(shelf: Shelf, heads: Iterable[Head], name: str) -> None:
    """Have a ledger whose last record was dropped here too, where it never held any."""
    for head in heads:
        for path, sha256 in head.object(name).state.items():
            if sha256 == _EMPTY and path.startswith(LEDGERS) and not shelf.has(name, path):
                shelf.borrow(name, path, b"")


def derived(sink: Sink[Any]) -> dict[str, dict[str, Stat]]:
    """List what was derived from files, such as their text: SHA-256 of the file → path → what is there."""
    found: dict[str, dict[str, Stat]] = {}
    for stat in sink.list(DERIVED):
        sha256, slash, _ = stat.path.removeprefix(DERIVED).partition("/")
        if slash and not stat.path.endswith(seal.SUFFIX):
            found.setdefault(sha256, {})[stat.path] = stat
    return found
