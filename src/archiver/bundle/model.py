"""A bundle as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from archiver.errors import BlockedError
from archiver.ledger import Key
from archiver.model import Material


@dataclass(frozen=True, slots=True)
class Item:
    """One material that could not be fetched: from which source, and why not."""

    source: str
    type_name: str
    material: Material
    reason: str = BlockedError.reason
    detail: str = ""

    @property
    def key(self) -> Key:
        """The ledger's key for it."""
        return (self.material.event, self.source, self.material.id)


@dataclass(frozen=True, slots=True)
class Refused:
    """One source that could not be listed at all: what it has, nobody knows yet."""

    source: str
    type_name: str
    reason: str = BlockedError.reason
    detail: str = ""


@dataclass(frozen=True)
class Bundle:
    """What one machine could not get. `made` is UTC, RFC 3339; `left_out` is what did not fit in."""

    title: str = ""
    made: str = ""
    items: tuple[Item, ...] = ()
    listings: tuple[Refused, ...] = ()
    left_out: int = 0

    @property
    def listed(self) -> frozenset[str]:
        """Name the sources that are to be listed again."""
        return frozenset(each.source for each in self.listings)
