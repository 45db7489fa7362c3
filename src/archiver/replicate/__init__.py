"""Give each sink what it lacks and another has: from a healthy sink, not from upstream.

A sink was away for a night, or is new. What it lacks is told by the heads of the others alone, so it does
not matter who was away when, nor where a run was cut off: what is there already is proven and taken in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from archiver.archive import Head
from archiver.contracts import Stat
from archiver.errors import ArchiverError
from archiver.ledger import Key
from archiver.record import Recorder
from archiver.replicate.carry import Carried, Desk, Parcel, carry
from archiver.replicate.needs import Need, Stock, borrow, derived, holders, needs
from archiver.shelf import Shelf
from archiver.threads import DaemonPool, Patience, Stopped

__all__ = ["Copies", "Desk", "Replication", "borrow"]

Said = Callable[..., None]


@dataclass
class Copies:
    """What one sink was given: files and bytes; and what could not be: by path, with the reason."""

    files: int = 0
    bytes: int = 0
    left: dict[str, str] = field(default_factory=dict)


@dataclass
class Replication:
    """Brings sinks up to date from each other. What is copied is in the journals, and waits for a commit.

    `readable` are heads that may be read besides those of the recorder's own sinks. `limit` is how many
    bytes one sink gets at most. `damage` collects by sink what was found not to be what it should be.
    With `only_known` a sink gets the files of the recorder's own records alone: one that is public.
    """

    recorder: Recorder
    jobs: int = 4
    desk: Desk = field(default_factory=Desk)
    said: Said = lambda *_, **__: None
    readable: Mapping[str, Head] = field(default_factory=dict)
    limit: int | None = None
    damage: dict[str, list[str]] = field(default_factory=dict)
    only_known: bool = False
    _stocks: dict[str, Stock] = field(default_factory=dict)

    def catch_up(self) -> dict[str, Copies]:
        """Copy to every sink what it lacks, then let its ledgers name it. Returns what was done, by sink."""
        done = {}
        shelves = self.recorder.shelves
        if len(heads := self._heads()) > 1:
            taken = {name: shelf.additions for name, shelf in shelves.items()}
            self._stocks = {name: Stock.of(head, taken.get(name, {})) for name, head in heads.items()}
        for name, shelf in self.recorder.healthy.items():
            beside, known = self._stocks_beside(name), self.recorder.known
            wanted = needs(shelf, beside, known, only_known=self.only_known)
            if wanted and not self.desk.stop.is_set():
                done[name] = self._fill(name, shelf, wanted)
        self.recorder.level()
        return done

    def borrow(self, made: Mapping[str, Mapping[str, bytes]]) -> None:
        """Let every sink have the metadata files of the others. `made` are those that the run makes."""
        for name, shelf in self.recorder.healthy.items():
            try:
                borrow(shelf, self._others(name), made)
            except ArchiverError as error:
                self.recorder.stop(name, error)

    def _others(self, name: str) -> list[Head]:
        """Give the heads to read from, of sinks that work."""
        return [head for each, head in self._heads().items() if each != name]

    def _heads(self) -> dict[str, Head]:
        healthy = {name: shelf.head for name, shelf in self.recorder.healthy.items()}
        return {**healthy, **self.readable}

    def _stocks_beside(self, name: str) -> list[Stock]:
        """Give what there is to read from, of sinks that still work."""
        working = self._heads().keys() - {name}
        return [stock for each, stock in self._stocks.items() if each in working]

    def _fill(self, name: str, shelf: Shelf, wanted: list[Need]) -> Copies:
        chosen = _within(wanted, self.limit)
        copies = Copies()
        size = sum(need.size for need in chosen)
        self.said("copying", sink=name, files=len(chosen), bytes=size)
        waiting = _Waiting(shelf, self.recorder, wanted)
        desk = self._desk(shelf)
        try:
            with closing(self._carried(name, shelf, chosen, desk)) as results:
                for carried in results:
                    self._take(name, waiting, copies, carried)
                    if shelf.error is not None:
                        break
        except ArchiverError as error:
            self.recorder.stop(name, error)
        self.said("copied", sink=name, files=copies.files, bytes=copies.bytes, left=len(copies.left))
        return copies

    def _desk(self, shelf: Shelf) -> Desk:
        root = shelf.head.sink.local_root
        # Inside the sink itself, so that files are moved in.
        inside = self.desk.staging is None and root is not None
        return replace(self.desk, staging=root / "tmp") if inside and root else self.desk

    def _take(self, name: str, waiting: _Waiting, copies: Copies, carried: Carried) -> None:
        need = carried.parcel.need
        for sink, error in carried.failed.items():
            self._stop(sink, error)
        for sink, text in carried.damage.items():
            self.damage.setdefault(sink, []).append(text)
        if not carried.stored:
            if name not in carried.failed:
                copies.left[f"{need.event}/{need.path}"] = carried.problem or "no sink has its bytes intact"
            return
        copies.files += 1
        copies.bytes += need.size
        waiting.arrived(need)
        self.recorder.acknowledge()
        self.said("copy.moved", sink=name, bytes=need.size)

    def _stop(self, sink: str, error: ArchiverError) -> None:
        if sink in self.recorder.shelves:
            self.recorder.stop(sink, error)
        elif sink in self.readable:
            raise error

    def _carried(
        self, name: str, shelf: Shelf, wanted: Iterable[Need], desk: Desk
    ) -> Generator[Carried, None, None]:
        """Carry several files at a time; yield what became of each. Ends early at a stop."""
        texts = self._derived(name, shelf)
        pool = DaemonPool(self.jobs, "copy")
        running: set[Future[Carried]] = set()
        queue, patience = iter(wanted), Patience(self.desk.stop)
        try:
            while not patience.over:
                # Asked one by one, so that a sink that fails meanwhile is not asked any more.
                while len(running) < 2 * self.jobs and not self.desk.stop.is_set():
                    if (need := next(queue, None)) is None:
                        break
                    running.add(pool.submit(carry, self._parcel(name, shelf, need, texts), desk))
                if not running:
                    return
                ended, running = wait(running, 0.2, FIRST_COMPLETED)
                yield from (each.result() for each in ended if not isinstance(each.exception(), Stopped))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _parcel(
        self, name: str, shelf: Shelf, need: Need, texts: Mapping[str, Mapping[str, list[Stat]]]
    ) -> Parcel:
        target = shelf.head.object(need.event)
        content = target.next_content
        there = content.removeprefix(target.prefix) + need.path in target.files
        made = {each: found[need.sha256] for each, found in texts.items() if need.sha256 in found}
        found = tuple(holders(need, self._stocks_beside(name)))
        return Parcel(need, shelf.head.sink, content, found, there, made)

    def _derived(self, name: str, shelf: Shelf) -> dict[str, dict[str, list[Stat]]]:
        """List what the others derived and this sink lacks: sink → SHA-256 of the file → what is there."""
        own = {path: stat.size for each in derived(shelf.head.sink).values() for path, stat in each.items()}
        lacking: dict[str, dict[str, list[Stat]]] = {}
        for head in self._others(name):
            try:
                found = derived(head.sink)
            except ArchiverError as error:
                self._stop(head.name, error)
                continue
            lacking[head.name] = {
                sha256: [stat for path, stat in paths.items() if own.get(path) != stat.size]
                for sha256, paths in found.items()
            }
        return lacking


class _Waiting:
    """What came, until all files of its material have: then the journal may name it."""

    def __init__(self, shelf: Shelf, recorder: Recorder, wanted: Iterable[Need]) -> None:
        self._shelf, self._known = shelf, recorder.known
        self._left: Counter[Key] = Counter(need.owner for need in wanted if need.owner is not None)

    def arrived(self, need: Need) -> None:
        """Note a file that is proven in the sink."""
        self._shelf.take(need.event, need.path, need.sha256)
        if need.owner is None:
            return
        self._left[need.owner] -= 1
        record: Any = self._known[need.owner]
        if not self._left[need.owner] and self._shelf.holds(record):
            self._shelf.put(record.source, record.type_name, record.material, record.files)


def _within(wanted: list[Need], limit: int | None) -> list[Need]:
    """Choose what one run copies; a single file that is larger than the limit is copied alone."""
    if limit is None:
        return wanted
    chosen: list[Need] = []
    for need in wanted:
        limit -= need.size
        if limit < 0 and chosen:
            break
        chosen.append(need)
    return chosen
