"""Turn planned work into tasks, and take over what a killed run has already put."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from archiver import journal, ocfl
from archiver.archive import Head
from archiver.errors import ArchiverError
from archiver.instances import Workshop
from archiver.journal import Entry
from archiver.ledger import Key, Record, StoredFile
from archiver.plan import Work
from archiver.work import Destination, Outcome, Task


def tasks(
    planned: Iterable[Work],
    workshop: Workshop,
    heads: Mapping[str, Head],
    known: Mapping[Key, Record],
    *,
    pictures: bool = False,
) -> list[Task]:
    """Give each piece of work its destinations: the version to come of its event in every sink.

    With `pictures`, the small ones that pages show are made along with the fetch.
    """
    made = (_task(work, workshop, heads, known.get(work.found.key)) for work in planned)
    return [replace(task, pictures=pictures) for task in made]


def _task(work: Work, workshop: Workshop, heads: Mapping[str, Head], before: Record | None) -> Task:
    found = work.found
    files = _all_files(before)
    event = found.material.event
    return Task(
        workshop=workshop,
        source=found.source,
        type_name=found.type_name,
        material=found.material,
        reason=work.reason,
        destinations=tuple(_destination(name, head, event, files) for name, head in heads.items()),
        known=files,
    )


def _all_files(record: Record | None) -> tuple[StoredFile, ...]:
    """Name the files of now and of earlier editions: what upstream changes back is here already."""
    if record is None:
        return ()
    return (*(file for edition in record.earlier for file in edition.files), *record.files)


def _destination(name: str, head: Head, event: str, files: Iterable[StoredFile]) -> Destination:
    target = head.object(event)
    # What the object holds counts, not what a ledger says: this sink may have missed a version.
    have = frozenset(file.path for file in files if target.state.get(file.path) == file.sha256)
    return Destination(name, target.next_content, have)


def adopt(waiting: Sequence[Task], heads: Mapping[str, Head]) -> Iterator[Outcome]:
    """Prove what journals of killed runs say was put, and yield the outcomes of the tasks they spare.

    One sink is enough: the others are given it from there, not from upstream.
    """
    entries = {name: _unfinished(head) for name, head in heads.items()}
    if any(entries.values()):
        outcomes = (_adopted(task, entries, heads) for task in waiting)
        yield from (outcome for outcome in outcomes if outcome is not None)


def _unfinished(head: Head) -> dict[Key, Entry]:
    found = {}
    try:
        for entry in journal.unfinished(head.sink, head.runs):
            if entry.files and entry.content == head.object(entry.event).next_content:
                found[entry.event, entry.source, entry.material.id] = entry
    except ArchiverError:
        pass  # what a journal does not tell is fetched again; a sink that is broken will say so then
    return found


def _adopted(
    task: Task, entries: Mapping[str, Mapping[Key, Entry]], heads: Mapping[str, Head]
) -> Outcome | None:
    key = (task.material.event, task.source, task.material.id)
    chosen: Entry | None = None
    stored = []
    for destination in reversed(task.destinations):
        entry = entries[destination.sink].get(key)
        if entry is None or not _fits(task, entry) or (chosen and entry.files != chosen.files):
            continue
        if _proven(heads[destination.sink], entry, destination):
            chosen = chosen or entry
            stored.append(destination.sink)
    return Outcome(task, chosen.material, chosen.files, tuple(stored)) if chosen else None


def _fits(task: Task, entry: Entry) -> bool:
    return entry.material.revision == task.material.revision


def _proven(head: Head, entry: Entry, destination: Destination) -> bool:
    fresh = [file for file in entry.files if file.path not in destination.have]
    try:
        return all(ocfl.digest(head.sink, entry.content + file.path) == file.sha256 for file in fresh)
    except ArchiverError:
        return False  # not there or not readable: it is fetched again
