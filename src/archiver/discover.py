"""List every configured source once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from archiver.contracts import Scope, ScopeEntry, Source
from archiver.errors import ArchiverError, FatalError, SourceError
from archiver.ledger import Problem
from archiver.model import Checkpoint, Event, Kind, Material, Unavailable
from archiver.route import Filters, Found, route

_LOG = logging.getLogger("archiver")
#: What one listing may hold; a source that goes on past it is broken.
MAX_LISTED = 1_000_000
#: Characters that the ledger keeps of an id, a title, a description.
MAX_ID, MAX_TITLE, MAX_TEXT = 2_000, 1_000, 100_000


@dataclass(frozen=True)
class Listing:
    """What one source listed. `checkpoint` is None when the listing did not come to its end."""

    source: str
    found: Sequence[Found] = ()
    checkpoint: Checkpoint | None = None
    error: SourceError | None = None

    @property
    def complete(self) -> bool:
        """Say whether everything that exists in scope was listed."""
        return self.error is None and self.checkpoint is not None and self.checkpoint.complete


@dataclass(frozen=True)
class Listable:
    """A configured source, made, with its entries and the cursor to go on from."""

    name: str
    source: Source[Any, Any]
    entries: tuple[ScopeEntry[Any], ...]
    cursor: str = ""


@dataclass
class _Sieve:
    """Takes what one source yields."""

    name: str
    type_name: str
    events: Sequence[Event]
    users: Sequence[str]
    filters: Filters
    found: list[Found] = field(default_factory=list)

    def take(self, item: Material | Unavailable) -> None:
        material = _checked(item.material if isinstance(item, Unavailable) else item)
        problem = _problem(item) if isinstance(item, Unavailable) else None
        event, how = route(material, self.events, self.users)
        if not self.filters.takes(event, self.name, material.kind):
            return
        if not event and problem is None:
            problem = Problem("unrouted", how, material.revision)
        routed = _with_event(material, event)
        self.found.append(Found(self.name, self.type_name, routed, how, problem))


def discover(
    sources: Sequence[Listable],
    events: Sequence[Event],
    filters: Filters,
    *,
    jobs: int,
    stop: threading.Event,
    listed: Callable[[Listing], None] = lambda _: None,
) -> list[Listing]:
    """List all sources, several at a time, and route what they list. `listed` hears of each as it ends."""

    def one(each: Listable) -> Listing:
        listing = _list(each, events, filters, stop)
        listed(listing)
        return listing

    with ThreadPoolExecutor(max_workers=max(1, jobs), thread_name_prefix="discover") as pool:
        return list(pool.map(one, sources))


def _list(each: Listable, events: Sequence[Event], filters: Filters, stop: threading.Event) -> Listing:
    entries = tuple(entry for entry in each.entries if not filters.events or entry.event.id in filters.events)
    users = tuple(dict.fromkeys(entry.event.id for entry in entries))
    sieve = _Sieve(each.name, each.source.type_name, events, users, filters)
    checkpoint = None
    try:
        for item in each.source.discover(Scope(entries, filters.limit), each.cursor):
            if isinstance(item, Checkpoint):
                checkpoint = item
                break
            if stop.is_set():
                break
            sieve.take(item)
            if filters.limit is not None and len(sieve.found) >= filters.limit:
                break
            if len(sieve.found) > MAX_LISTED:
                raise FatalError(f"source {each.name} lists more than {MAX_LISTED} materials")
    except Exception as error:  # noqa: BLE001  # a plugin may raise anything; the run goes on without it
        return Listing(each.name, sieve.found, None, _as_source_error(each.name, error))
    return Listing(each.name, sieve.found, checkpoint)


def _as_source_error(name: str, error: Exception) -> SourceError:
    if isinstance(error, SourceError):
        return error
    if not isinstance(error, ArchiverError):
        _LOG.debug("source %s failed", name, exc_info=error)
    return FatalError(
        f"source {name} failed: {type(error).__name__}: {error}",
        hint="this looks like a fault of the source's plugin; run with -v for the details",
    )


def _checked(material: Material) -> Material:
    """Hold a plugin to the types of `Material`, and bound what goes into the ledger."""
    texts = (material.id, material.title, material.url, material.revision, material.event, material.talk)
    if not all(isinstance(text, str) for text in texts) or not 0 < len(material.id) <= MAX_ID:
        raise FatalError(f"a listed material has no usable id: {material.id!r:.100}")
    return replace(
        material,
        kind=Kind(material.kind),
        title=material.title[:MAX_TITLE],
        description=material.description[:MAX_TEXT],
        authors=tuple(author[:MAX_TITLE] for author in material.authors[:100]),
        tags=tuple(tag[:MAX_TITLE] for tag in material.tags[:200]),
    )


def _problem(item: Unavailable) -> Problem:
    return Problem(item.error.reason, str(item.error), item.material.revision)


def _with_event(material: Material, event: str) -> Material:
    if material.event == event:
        return material
    return replace(material, event=event)
