"""Turn planned work into tasks, and take over what a killed run has already put."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from archiver import journal, ocfl
from archiver.archive import Head
from archiver.errors import MissingError
from archiver.instances import Workshop
from archiver.journal import Entry
from archiver.ledger import Key, Record
from archiver.plan import Work
from archiver.work import Destination, Outcome, Task


def tasks(
    planned: Iterable[Work],
    workshop: Workshop,
    heads: Mapping[str, Head],
    known: Mapping[Key, Record],
    staging: Path | None,
) -> list[Task]:
    """Give each piece of work its destinations: the version to come of its event in every sink."""
    return [_task(work, workshop, heads, known.get(work.found.key), staging) for work in planned]


def _task(
    work: Work, workshop: Workshop, heads: Mapping[str, Head], before: Record | None, staging: Path | None
) -> Task:
    found = work.found
    files = before.files if before else ()
    event = found.material.event
    return Task(
        workshop=workshop,
        source=found.source,
        type_name=found.type_name,
        material=found.material,
        reason=work.reason,
        destinations=tuple(_destination(name, head, event, found.key) for name, head in heads.items()),
        known=files,
        staging=staging,
    )


def _destination(name: str, head: Head, event: str, key: Key) -> Destination:
    record = head.records.get(key)
    have = frozenset(file.path for file in record.files) if record else frozenset[str]()
    return Destination(name, head.object(event).next_content, have)


def adopt(waiting: Sequence[Task], heads: Mapping[str, Head]) -> list[Outcome]:
    """Prove what journals of killed runs say was put, and give the outcomes of the tasks they spare."""
    entries = {name: _unfinished(head) for name, head in heads.items()}
    if not any(entries.values()):
        return []
    outcomes = (_adopted(task, entries, heads) for task in waiting)
    return [outcome for outcome in outcomes if outcome is not None]


def _unfinished(head: Head) -> dict[Key, Entry]:
    found = {}
    for entry in journal.unfinished(head.sink, head.runs):
        if entry.content == head.object(entry.event).next_content:
            found[entry.event, entry.source, entry.material.id] = entry
    return found


def _adopted(
    task: Task, entries: Mapping[str, Mapping[Key, Entry]], heads: Mapping[str, Head]
) -> Outcome | None:
    key = (task.material.event, task.source, task.material.id)
    entry = None
    for destination in task.destinations:
        entry = entries[destination.sink].get(key)
        if entry is None or entry.material.revision != task.material.revision:
            return None
        if not _proven(heads[destination.sink], entry, destination):
            return None
    if entry is None:
        return None
    return Outcome(task, entry.material, entry.files, tuple(each.sink for each in task.destinations))


def _proven(head: Head, entry: Entry, destination: Destination) -> bool:
    fresh = [file for file in entry.files if file.path not in destination.have]
    try:
        return all(ocfl.digest(head.sink, entry.content + file.path) == file.sha256 for file in fresh)
    except MissingError:
        return False
