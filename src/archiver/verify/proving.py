"""Prove many values of one sink, on all cores."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import wait
from dataclasses import dataclass, field

from archiver.errors import SinkError
from archiver.threads import DaemonPool
from archiver.verify.checking import check
from archiver.verify.findings import Finding
from archiver.verify.items import Item
from archiver.verify.reading import GivenUpError, Reader


@dataclass
class Proof:
    """What was looked at, what was found, and why it ended early, if it did."""

    done: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    error: SinkError | None = None


def prove(reader: Reader, items: Iterable[Item]) -> Proof:
    """Check each item; threads take the next one as they become free. A sink that fails is in `error`."""
    proof, waiting = Proof(), _Shared(items)
    pool = DaemonPool(reader.threads, "verify")
    futures = [pool.submit(_work, reader, waiting, proof) for _ in range(reader.threads)]
    try:
        wait(futures)
    finally:
        waiting.close()
        pool.shutdown(wait=False)
    for future in futures:
        future.result()
    return proof


class _Shared:
    """An iterator that several threads may take from."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self._lock = threading.Lock()
        self._closed = False

    def __iter__(self) -> Iterator[Item]:
        while True:
            with self._lock:
                item = None if self._closed else next(self._items, None)
            if item is None:
                return
            yield item

    def close(self) -> None:
        self._closed = True


def _work(reader: Reader, waiting: _Shared, proof: Proof) -> None:
    for item in waiting:
        try:
            if reader.stopped:
                raise GivenUpError
            found = check(reader, item)
        except GivenUpError:
            waiting.close()
            return
        except SinkError as error:
            proof.error = error
            waiting.close()
            return
        proof.done.add(item.path)
        if found is not None:
            proof.findings.append(found)
