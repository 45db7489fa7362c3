"""The interface of a source, and what it is asked to list."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic

from archiver.contracts.context import Context
from archiver.contracts.options import API_VERSION, EntryT, Options, OptionsT
from archiver.model import Checkpoint, Event, Fetched, Material, Unavailable


@dataclass(frozen=True)
class ScopeEntry(Generic[EntryT]):
    """One use of a source by one event: the event, and the entry's own options."""

    event: Event
    options: EntryT


@dataclass(frozen=True)
class Scope(Generic[EntryT]):
    """What to list: every use of this source in the configuration.

    `limit` is how many materials the run wants at most; a source may stop there.
    """

    entries: tuple[ScopeEntry[EntryT], ...]
    limit: int | None = None


class Source(ABC, Generic[OptionsT, EntryT]):
    """A place where material is found. Made once per configured source; used by several threads.

    The first line of the class's docstring is what `archive plugins list` shows.
    """

    #: The word for `type:` in the configuration.
    type_name: ClassVar[str]
    api_version: ClassVar[int] = API_VERSION
    #: Options of the source itself, and of each entry of an event that uses it.
    options_class: ClassVar[type[Options]] = Options
    entry_class: ClassVar[type[Options]] = Options
    #: How many fetches may run at once; 1 when the instance is not thread-safe.
    max_fetches: ClassVar[int] = 8

    def __init__(self, options: OptionsT, context: Context) -> None:
        self.options = options
        self.context = context

    @abstractmethod
    def discover(self, scope: Scope[EntryT], cursor: str) -> Iterator[Material | Unavailable | Checkpoint]:
        """List what exists in scope, lazily and cheaply, and end with one `Checkpoint`.

        `cursor` is the one of an earlier checkpoint over the same scope, or empty: list everything.
        Raises `SourceError` when the listing itself fails; nothing is then held against any item.
        """

    @abstractmethod
    def fetch(self, material: Material, into: Path) -> Iterable[Fetched | Material]:
        """Get the files of one material into the empty directory `into`.

        Yield the material again, same id, when its own page tells more than the listing did. Its
        `revision` is what the next listing is compared with: keep the listing's, unless what came is
        to be fetched once more.
        Raises `SourceError`; whatever is left in `into` is then thrown away.
        """

    def entry_for(self, url: str) -> Mapping[str, object] | None:
        """Give the entry with which this source would list what an address names; None for all others.

        Asked about addresses that stand in reports, which strangers wrote. So take only what is one thing
        of bounded size, a deck, an album, a recording, and no user's or channel's whole work; tell it
        from the address alone, without a network. The entry is checked as one of `entry_class`.
        """
        del url
        return None

    def check(self) -> None:
        """Raise when this source cannot work as configured. Changes nothing, fetches nothing."""

    def close(self) -> None:
        """Give back what the source holds: connections, processes. Called once, after the last fetch.

        `http` still works then. What it raises is logged and holds up nothing.
        """
