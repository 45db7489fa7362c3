"""Reads the labelled titles in `tests/data/matching`: who they are compared with, and what is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from archiver.ledger import Match
from archiver.matching import match
from archiver.model import Event, Kind, Material, Talk

FOLDER = Path(__file__).parents[1] / "data" / "matching"
SERIES = "2012 OpenStack China Tour"


@dataclass(frozen=True)
class Pair:
    """A material with the event it was routed to and the talk it belongs to, "" for none."""

    event: Event
    material: Material
    expected: str
    series: str = SERIES

    @property
    def found(self) -> Match:
        return match(self.material, self.event, series=self.series)

    def __str__(self) -> str:
        authors = f" by {', '.join(self.material.authors)}" if self.material.authors else ""
        return f"{self.event.id}/{self.expected or '-'}: {self.material.title!r}{authors}"


@dataclass
class Score:
    """How a set of pairs was matched. `wrong` and `missed` are pairs with what was found instead."""

    pairs: int = 0
    belonging: int = 0
    right: int = 0
    wrong: list[tuple[Pair, Match]] = field(default_factory=list)
    missed: list[tuple[Pair, Match]] = field(default_factory=list)
    methods: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        return self.right / (self.right + len(self.wrong)) if self.right or self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.belonging if self.belonging else 1.0


def score(pairs: Iterable[Pair]) -> Score:
    result = Score()
    for pair in pairs:
        found = pair.found
        result.pairs += 1
        result.belonging += bool(pair.expected)
        result.methods[found.method] += 1
        if found.talk and found.talk != pair.expected:
            result.wrong.append((pair, found))
        elif found.talk:
            result.right += 1
        elif pair.expected:
            result.missed.append((pair, found))
    return result


@cache
def programme() -> Mapping[str, Event]:
    return {block[0][0]: _event(block) for block in _blocks("programme.txt")}


def _event(block: list[list[str]]) -> Event:
    (id_, title, city, date, end), *rows = (_filled(row, 5) for row in block)
    talks = (Talk(talk, name, _several(who), start=start, uid=uid) for talk, name, who, start, uid in rows)
    return Event(id_, title, date=date, end_date=end, city=city, talks=tuple(talks))


@cache
def pairs(name: str) -> list[Pair]:
    """Read `tuning` or `heldout`."""
    events = programme()
    return [
        _pair(events[block[0][0]], row, f"{block[0][0]}-{number}")
        for block in _blocks(f"{name}.txt")
        for number, row in enumerate(block[1:])
    ]


def _pair(event: Event, row: list[str], id_: str) -> Pair:
    talk, title, authors, more = _filled(row, 4)
    assert talk == "-" or talk in {each.id for each in event.talks}, row
    kind, _, date = more.partition(" ")
    material = Material(id_, Kind(kind or "slides"), title, authors=_several(authors), date=date)
    return Pair(event, material, "" if talk == "-" else talk)


def _blocks(name: str) -> Iterator[list[list[str]]]:
    """Yield the lines of each event, its own first, split into their columns."""
    block: list[list[str]] = []
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("@"):
            if block:
                yield block
            block = []
        block.append([cell.strip() for cell in f" {line.removeprefix('@')} ".split(" :: ")])
    yield block


def _filled(row: list[str], length: int) -> list[str]:
    assert len(row) <= length, row
    return row + [""] * (length - len(row))


def _several(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())
