"""Whether the programmes of a configuration can be read, before a run reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archiver.config import Config
from archiver.config.programmes import Programme
from archiver.errors import SourceError
from archiver.model import Kind
from archiver.talks.merging import merge
from archiver.talks.programme import place, read_programme
from archiver.talks.reading import ListedTalk


@dataclass(frozen=True, slots=True)
class Inspected:
    """One programme. `talks` is None when it was not read: it is on the network, or `error` says why."""

    programme: Programme
    talks: int | None = None
    note: str = ""
    error: SourceError | None = None

    @property
    def place(self) -> str:
        """Name where it is read from."""
        return place(self.programme.section)


@dataclass
class Inspection:
    """All programmes, and how many talks there are with those that could be read."""

    programmes: list[Inspected] = field(default_factory=list)
    talks: int = 0

    @property
    def unread(self) -> int:
        """Count the programmes whose talks are not counted."""
        return sum(each.talks is None for each in self.programmes)


def inspect(config: Config) -> Inspection:
    """Read the programmes that are files beside the configuration; nothing is asked of the network."""
    found = Inspection()
    for event in config.events:
        listed: list[tuple[ListedTalk, Sequence[Kind]]] = []
        for programme in (each for each in config.programmes if each.event == event.id):
            inspected, talks = _inspected(config, programme)
            found.programmes.append(inspected)
            listed += [(talk, programme.section.expect) for talk in talks]
        found.talks += len(merge(event.talks, (), listed))
    return found


def _inspected(config: Config, programme: Programme) -> tuple[Inspected, list[ListedTalk]]:
    if programme.section.url:
        return Inspected(programme), []
    try:
        listing = read_programme(config, programme.section)
    except SourceError as error:
        return Inspected(programme, error=error), []
    return Inspected(programme, len(listing.talks), listing.note), listing.talks
