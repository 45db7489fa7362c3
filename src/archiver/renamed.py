"""Know again what the archive holds when its source has another name in the configuration.

A record belongs to a source by that source's configured name. When only the name changed, the plugin's word
and the item's own id are the same, and so is the event: then the record moves to the new name, files and
history with it, and nothing is fetched or counted twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, MutableMapping
from dataclasses import replace

from archiver.decisions import Settled
from archiver.ledger import Key, Record, StoredFile
from archiver.plan import ledger_name
from archiver.route import Found

#: The event, the plugin's word, and the id: what stays when a source is renamed.
Thing = tuple[str, str, str]


def renamed(
    found: Iterable[Found], known: Mapping[Key, Record], configured: Collection[str], at: str, run: str
) -> Settled:
    """Say which records move to the sources that list them now. Pure.

    Only records of a source that is not in the configuration any more move, each to the first source that
    lists it. One that another sink's ledger brings back later goes when the new name holds all its files.
    """
    result = Settled()
    orphans: dict[tuple[str, str], list[Record]] = {}
    for record in known.values():
        if record.source not in configured:
            orphans.setdefault((record.type_name, record.material.id), []).append(record)
    if not orphans:
        return result
    _drop_twins(orphans, known, configured, result)
    taken = set(result.dropped)
    for item in found:
        for record in orphans.get((item.type_name, item.material.id), ()):
            key = (record.material.event, item.source, item.material.id)
            at_home = item.material.event in {"", record.material.event}
            if not at_home or key in known or taken & {key, record.key}:
                continue
            taken |= {key, record.key}
            result.dropped.append(record.key)
            reason = f"source {record.source} is called {item.source} now"
            result.entered.append(replace(record, source=item.source).moved(record.state, at, run, reason))
    return result


def _drop_twins(
    orphans: Mapping[tuple[str, str], list[Record]],
    known: Mapping[Key, Record],
    configured: Collection[str],
    result: Settled,
) -> None:
    held: dict[Thing, set[StoredFile]] = {}
    for record in known.values():
        if record.source in configured and (record.type_name, record.material.id) in orphans:
            held.setdefault(_thing(record), set()).update(_files(record))
    for records in orphans.values():
        for record in records:
            twin = held.get(_thing(record))
            if twin is not None and twin.issuperset(_files(record)):
                result.dropped.append(record.key)


def _thing(record: Record) -> Thing:
    return (record.material.event, record.type_name, record.material.id)


def _files(record: Record) -> set[StoredFile]:
    return set(record.files) | {file for edition in record.earlier for file in edition.files}


def follow(revisions: MutableMapping[str, str], moved: Settled) -> None:
    """Keep what is known of revisions under the new names."""
    by_thing = {(record.material.event, record.material.id): record.key for record in moved.entered}
    for old in moved.dropped:
        revision = revisions.pop(ledger_name(old), None)
        new = by_thing.get((old[0], old[2]))
        if revision is not None and new is not None:
            revisions[ledger_name(new)] = revision
