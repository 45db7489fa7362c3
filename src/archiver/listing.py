"""For sources whose listing is that of their entries, one after the other. Part of `archiver.api`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from archiver.contracts import EntryT, Scope, ScopeEntry
from archiver.errors import SourceError
from archiver.model import Checkpoint, Material, Unavailable

Listed = Material | Unavailable | Checkpoint


def list_entries(
    scope: Scope[EntryT], list_one: Callable[[ScopeEntry[EntryT]], Iterable[Listed]]
) -> Iterator[Listed]:
    """List every entry of a scope, and end with one `Checkpoint` for all.

    `list_one` lists one entry; it need not know of the others. Each material gets the event of its
    entry, and the entry's `talk` when it has none; within an entry each id is yielded once. An entry
    that saw less than everything says so with `Checkpoint(complete=False)`. An entry that fails does
    not keep the others from being listed: the first error is raised at the end. The listing stops at
    the scope's limit, and is then not complete.
    """
    failures: list[SourceError] = []
    complete, left = True, scope.limit
    for entry in scope.entries:
        try:
            for item in _of_entry(entry, list_one) if left != 0 else ():
                if isinstance(item, Checkpoint):
                    complete = complete and item.complete
                    continue
                yield item
                left = None if left is None else left - 1
                if left == 0:  # ask for no further page
                    break
        except SourceError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    yield Checkpoint(complete=complete and left != 0)


def _of_entry(
    entry: ScopeEntry[EntryT], list_one: Callable[[ScopeEntry[EntryT]], Iterable[Listed]]
) -> Iterator[Listed]:
    seen: set[str] = set()
    for item in list_one(entry):
        if isinstance(item, Checkpoint):
            yield item
            continue
        material = item.material if isinstance(item, Unavailable) else item
        if material.id in seen:  # named twice, perhaps by two forms of its address
            continue
        seen.add(material.id)
        talk = material.talk or str(getattr(entry.options, "talk", ""))
        placed = replace(material, event=entry.event.id, talk=talk)
        yield replace(item, material=placed) if isinstance(item, Unavailable) else placed
