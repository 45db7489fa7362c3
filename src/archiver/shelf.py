"""One sink during a run: its ledgers, what was put there, and the versions that are made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from archiver import crate, heads, ledger, ocfl
from archiver.archive import COMMON, EVENT, LEDGERS, Head
from archiver.errors import SinkError
from archiver.journal import Entry, Journal
from archiver.ledger import Key, Record, State, StoredFile
from archiver.model import Material
from archiver.ocfl import Addition, OcflObject


@dataclass
class Shelf:
    """The records of one sink, what was put there in this run, and whether it still takes anything.

    Its ledgers name only files that it holds: it may have missed what other sinks got.
    """

    head: Head
    journal: Journal
    #: By event: logical path → SHA-256 of what is proven under the version to come.
    additions: dict[str, dict[str, str]] = field(default_factory=dict)
    #: By object: metadata files that another sink has and the run itself does not make.
    borrowed: dict[str, dict[str, bytes]] = field(default_factory=dict)
    #: By object: paths that its next version does not have any more. Only public sinks leave out any.
    unwanted: dict[str, frozenset[str]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    error: SinkError | None = None
    _noted: list[Entry] = field(default_factory=list)

    def put(self, source: str, type_name: str, material: Material, files: Sequence[StoredFile]) -> None:
        """Note files that are proven here; `acknowledge` journals them."""
        target = self.head.object(material.event)
        fresh = {file.path: file.sha256 for file in files if target.state.get(file.path) != file.sha256}
        if fresh:
            self.additions.setdefault(material.event, {}).update(fresh)
            content = target.next_content
            self._noted.append(Entry(material.event, source, type_name, material, content, tuple(files)))

    def take(self, event: str, path: str, sha256: str) -> None:
        """Note one file that is proven here and stands for no material now, such as an earlier edition."""
        self.additions.setdefault(event, {})[path] = sha256

    def borrow(self, name: str, path: str, data: bytes) -> None:
        """Note a metadata file of another sink for the next version of an object."""
        self.borrowed.setdefault(name, {})[path] = data

    def acknowledge(self) -> None:
        """Journal what was put since the last time. Raises `SinkError`."""
        if self._noted:
            noted, self._noted = self._noted, []
            self.journal.add(*noted)

    def enter(self, record: Record) -> None:
        """Take a record into the ledger, as far as the files that it names are here."""
        own = self._own(record)
        if own is not None and self.head.records.get(record.key) != own:
            self.head.records[record.key] = own
            self._touch(record.key)

    def drop(self, key: Key) -> None:
        """Take a record out of the ledger."""
        if self.head.records.pop(key, None) is not None:
            self._touch(key)

    def holds(self, record: Record) -> bool:
        """Say whether every file that stands for a material now is here."""
        return self._all_here(record.material.event, record.files)

    def lacks(self, record: Record) -> bool:
        """Say whether a file of a material is not here, be it of now or of earlier."""
        if record.state is State.TAKEN_DOWN:
            return False
        event, earlier = record.material.event, record.earlier
        return not (self.holds(record) and all(self._all_here(event, each.files) for each in earlier))

    def has(self, event: str, path: str) -> bool:
        """Say whether anything is stored here under a logical path."""
        return path in self.head.object(event).state or path in self.additions.get(event, {})

    def commit(
        self, documents: Mapping[str, Mapping[str, bytes]], message: str, now: Callable[[], str]
    ) -> Iterator[dict[str, int]]:
        """Make one version of every object that changes; yield its name and number as it is made.

        Raises `SinkError` or `DamageError`; what was made until then stays.
        """
        self.acknowledge()
        self.journal.close_segment()
        held = {name for name, known in self.head.objects.items() if known.inventory}
        changed = {*self.touched, *self.additions, *self.borrowed, *self.unwanted}
        changed = changed.union(held & documents.keys()) - {COMMON}
        made = set()
        # What says of which format all this is comes first.
        for name in (COMMON, *sorted(changed)):
            additions = [Addition(path, sha256) for path, sha256 in self.additions.get(name, {}).items()]
            content = {**self.borrowed.get(name, {}), **documents.get(name, {}), **self._ledger_files(name)}
            target, without = self.head.object(name), self.unwanted.get(name, frozenset())
            content = {path: data for path, data in content.items() if path not in without}
            if (
                name != COMMON
                and crate.CRATE not in without
                and (additions or _differ(target, content, without))
            ):
                content[crate.CRATE] = self._crate(target, content, now())
            after = ocfl.commit(target, additions, content, created=now(), message=message, without=without)
            self.additions.pop(name, None)
            self.borrowed.pop(name, None)
            self.unwanted.pop(name, None)
            self.touched.discard(name)
            if after is not None:
                self.head.objects[name] = after
                made.add(name)
                yield {name: after.head}
        self._note_heads(made)

    def _note_heads(self, made: AbstractSet[str]) -> None:
        """Note at which version each object is left. One that is lost stays missed until it is made again."""
        lost = {loss.name: loss.noted for loss in self.head.losses if loss.name not in made}
        newest = self.head.newest | lost
        # A list that is damaged may name what is gone: a repair makes it again, and says so.
        if newest != self.head.noted and not self.head.trouble:
            heads.note(self.head.sink, newest)
            self.head.noted = newest

    def _crate(self, target: OcflObject, content: Mapping[str, bytes], now: str) -> bytes:
        """Describe the version to come: from its documents and ledgers alone, so that sinks agree."""
        document = content[EVENT] if EVENT in content else _held_document(target, EVENT)
        records = (record for key, record in self.head.records.items() if key[0] == target.name)
        return crate.crate(crate.event_of(document, target.name), crate.held(records), otherwise=now)

    def _own(self, record: Record) -> Record | None:
        """Give a record as this sink may keep it; None when files of now are missing here."""
        event = record.material.event
        if not self.holds(record):
            if record.state is not State.TAKEN_DOWN:
                return None
            # A takedown counts everywhere, whatever of it lies here.
            record = replace(record, files=tuple(f for f in record.files if self._all_here(event, [f])))
        earlier = tuple(edition for edition in record.earlier if self._all_here(event, edition.files))
        return replace(record, earlier=earlier) if len(earlier) < len(record.earlier) else record

    def _all_here(self, event: str, files: Iterable[StoredFile]) -> bool:
        state, added = self.head.object(event).state, self.additions.get(event, {})
        return all(file.sha256 in {state.get(file.path), added.get(file.path)} for file in files)

    def _touch(self, key: Key) -> None:
        self.touched.add(key[0] or COMMON)

    def _ledger_files(self, name: str) -> dict[str, bytes]:
        if name not in self.touched:
            return {}
        event = "" if name == COMMON else name
        by_source: dict[str, list[Record]] = {}
        for key, record in self.head.records.items():
            if key[0] == event:
                by_source.setdefault(record.source, []).append(record)
        # A ledger whose last record was dropped is written too: empty.
        old = [path for path in self.head.object(name).state if path.startswith(LEDGERS)]
        new = {f"{LEDGERS}{source}.jsonl": ledger.dump(rows) for source, rows in by_source.items()}
        return {**dict.fromkeys(old, b""), **new}


def _differ(
    target: OcflObject, documents: Mapping[str, bytes], without: AbstractSet[str] = frozenset()
) -> bool:
    """Say whether documents, or what is left out, would make a new version."""
    if target.inventory is None or without & target.state.keys():
        return True
    return any(target.state.get(path) != ocfl.blob(data).sha256 for path, data in documents.items())


def _held_document(target: OcflObject, path: str) -> bytes:
    return target.read(path) if path in target.state else b""
