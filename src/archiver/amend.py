"""Write what a person did into every sink: lines of a logbook, and what they change in the ledgers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from archiver import hold, index, logbook, recall
from archiver.archive import COMMON, logbooks, new_run
from archiver.config import Config
from archiver.decisions import settle
from archiver.documents import documents
from archiver.errors import ArchiverError
from archiver.hold import Hold
from archiver.instances import Instances, Workshop
from archiver.journal import Journal
from archiver.ledger import Key, Record, union
from archiver.logbook import Line
from archiver.record import Recorder
from archiver.registry import Registry
from archiver.routing import Router
from archiver.shelf import Shelf

_LOG = logging.getLogger("archiver")


@dataclass
class Amendment:
    """The archive, held for writing: what it knows now, and a way to add to it."""

    config: Config
    held: Hold
    recorder: Recorder

    @property
    def known(self) -> Mapping[Key, Record]:
        """The union of all ledgers."""
        return self.recorder.known

    @property
    def router(self) -> Router:
        """What routes materials, by all that is written down so far."""
        return recall.router(self.held.heads.values(), self.config)

    @property
    def troubles(self) -> dict[str, str]:
        """Name the sinks that did not take everything, and why: the next run gives it to them."""
        told = {name: str(error) for name, error in self.held.errors.items()} | self.held.notes
        shelves = self.recorder.shelves.items()
        return told | {name: str(each.error) for name, each in shelves if each.error is not None}

    def write(self, path: str, lines: Iterable[Line], message: str) -> None:
        """Add lines to a logbook and follow them. Raises `SinkError` when no sink takes them."""
        added = list(lines)
        for head in self.held.heads.values():
            head.logbooks[path] = logbook.union([head.logbooks.get(path, ()), added])
        decided = self.router.decisions
        self.recorder.decisions = decided
        self.recorder.settle(settle(self.known, decided, _now(), self.recorder.run))
        self._commit(message)

    def _commit(self, message: str) -> None:
        for name, error in self.held.confirm().items():
            self.recorder.stop(name, error)
        heads = self.held.heads.values()
        common = documents(self.config.archive, self.config.events)[COMMON] | logbooks(heads)
        self.recorder.commit({COMMON: common}, message)
        errors = [each.error for each in self.recorder.shelves.values() if each.error is not None]
        if not self.recorder.healthy and errors:
            raise errors[0]

    def refresh_index(self) -> None:
        """Bring the catalogs up to date; one that cannot be made now is made by the next run."""
        for name, shelf in self.recorder.healthy.items():
            try:
                index.refresh(shelf.head, self.config, changed=True)
            except ArchiverError as error:
                self.recorder.stop(name, error)
            except Exception as error:  # noqa: BLE001  # what is written down is safe
                _LOG.debug("the catalog of sink %s failed", name, exc_info=error)


@contextmanager
def amending(config: Config, registry: Registry) -> Iterator[Amendment]:
    """Hold every sink that can be written. Raises `SinkError` when none can, or another run holds it."""
    run = new_run()
    shop = Workshop(run, config.folder, config.sources, config.sinks, config.plugins, config.path)
    instances = Instances(shop, registry)
    try:
        held = hold.take(instances, [spec.name for spec in config.sinks], run)
        try:
            yield Amendment(config, held, _recorder(config, held, run))
        finally:
            held.release()
    finally:
        instances.close()


def _recorder(config: Config, held: Hold, run: str) -> Recorder:
    shelves = {name: Shelf(head, Journal(head.sink, run)) for name, head in held.heads.items()}
    events = {event.id: event for event in config.events}
    known = union(head.records for head in held.heads.values())
    return Recorder(run, events, known, shelves, _now, series=config.archive.title)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
