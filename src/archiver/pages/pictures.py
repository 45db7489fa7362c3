"""The small pictures that pages show: found in `derived/` or made there, and remembered in an index."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from archiver import examine, previews, seal
from archiver.contracts import Blob, Sink
from archiver.errors import DamageError, MissingError
from archiver.inventory import UNREADABLE
from archiver.ocfl import read
from archiver.previews import RECIPE, Entry, Wanted, place

log = logging.getLogger(__name__)

INDEX: Final = "site/state/pictures.json"
_INDEX_BYTES: Final = 256 << 20
#: A picture of ours, or the entry that names the pictures of one file, is far smaller.
_PICTURE_BYTES: Final = 16 << 20
#: Files whose pictures are in memory at a time, per thread.
_AHEAD: Final = 3
#: The index is written down after so many files: a killed build goes on from there.
_SAVE_EVERY: Final = 500

#: Pictures to make, and where in the sink the file lies that they are made of.
Needed = tuple[str, Wanted]


@dataclass(frozen=True, slots=True)
class Pic:
    """One picture in several sizes, narrowest first: (path in the sink, width, height)."""

    sizes: tuple[tuple[str, int, int], ...]

    @property
    def small(self) -> tuple[str, int, int]:
        """The narrowest."""
        return self.sizes[0]

    @property
    def large(self) -> tuple[str, int, int]:
        """The widest."""
        return self.sizes[-1]


@dataclass
class Pictures:
    """What was drawn: SHA-256 → form and, for each page, the sizes; or why nothing was."""

    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def load(cls, sink: Sink[Any]) -> Pictures:
        """Read the index of a sink; a missing or torn one is empty: everything is made again."""
        try:
            data = json.loads(read(sink, INDEX, _INDEX_BYTES))
            if data["recipe"] == RECIPE:
                kept = {sha: entry for sha, entry in data["files"].items() if not entry.get("again")}
                return cls(kept)
        except (DamageError, MissingError, *UNREADABLE):
            pass
        return cls()

    def save(self, sink: Sink[Any]) -> None:
        """Write the index into a sink."""
        data = {"recipe": RECIPE, "files": dict(sorted(self.entries.items()))}
        seal.replace(sink, INDEX, blob(json.dumps(data, separators=(",", ":")).encode()))

    def of(self, sha256: str) -> tuple[Pic, ...]:
        """Give the pictures of a file, one for each page; none when it could not be drawn."""
        entry = self.entries.get(sha256)
        if not entry or "pages" not in entry:
            return ()
        ending = entry["form"]
        return tuple(
            Pic(tuple((place(sha256, number, width, ending), width, height) for width, height in sizes))
            for number, sizes in enumerate(entry["pages"])
            if sizes
        )


def blob(data: bytes) -> Blob:
    """Make a blob of bytes in memory."""
    return Blob(len(data), hashlib.sha256(data).hexdigest(), data=data)


def make(
    sink: Sink[Any],
    known: Pictures,
    needed: Iterable[Needed],
    lenders: Sequence[tuple[Sink[Any], Pictures]] = (),
    progress: Callable[[int], None] = lambda _: None,
    *,
    anew: bool = False,
) -> int:
    """Find or draw what the index does not know yet; return how many files were looked at.

    `lenders` are other sinks whose pictures are copied rather than drawn; with `anew` everything is drawn.
    Raises `SinkError`.
    """
    missing = {each.sha256: (path, each) for path, each in needed if each.sha256 not in known.entries}
    todo = list(missing.values())
    if not todo:
        return 0
    workers = max(2, os.cpu_count() or 1)
    examine.start(min(workers, len(todo)))
    entry_of = partial(_entry, sink, () if anew else lenders, anew=anew)
    with ThreadPoolExecutor(workers, "picture") as pool:
        for number, (sha256, entry) in enumerate(_finished(pool, entry_of, todo, workers), 1):
            known.entries[sha256] = entry
            progress(number)
            if number % _SAVE_EVERY == 0:
                known.save(sink)
    sink.flush()
    known.save(sink)
    return len(todo)


def _finished(
    pool: ThreadPoolExecutor,
    entry_of: Callable[[Needed], tuple[str, Entry]],
    todo: Sequence[Needed],
    workers: int,
) -> Iterator[tuple[str, Entry]]:
    """Draw with all threads, a bounded number of files ahead."""
    rest = iter(todo)
    running: set[Future[tuple[str, Entry]]] = set()
    while True:
        for each in islice(rest, workers * _AHEAD - len(running)):
            running.add(pool.submit(entry_of, each))
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in done)


def _entry(
    sink: Sink[Any],
    lenders: Sequence[tuple[Sink[Any], Pictures]],
    needed: Needed,
    *,
    anew: bool,
) -> tuple[str, Entry]:
    stored, each = needed
    there = None if anew else previews.kept(sink, each)
    if there is not None:
        return each.sha256, there
    for lender, known in lenders:
        if _copied(lender, sink, known.of(each.sha256), previews.entry_place(each.sha256)):
            return each.sha256, known.entries[each.sha256]
    try:
        with _here(sink, stored) as path:
            return each.sha256, previews.make(each, path, partial(_keep, sink))
    except MissingError as error:
        log.info("No picture of %s: %s", stored, error.message)
        return each.sha256, {"error": error.message[:300], "again": True}
    except OSError as error:  # the stored file is missing or its disk fails: tried again next time
        log.warning("No picture of %s: %s", stored, error)
        return each.sha256, {"error": str(error)[:300], "again": True}


def _keep(sink: Sink[Any], path: str, data: bytes) -> None:
    seal.replace(sink, path, blob(data))


def _copied(lender: Sink[Any], sink: Sink[Any], pictures: Sequence[Pic], entry: str) -> bool:
    try:
        for path in [*(path for pic in pictures for path, _, _ in pic.sizes), entry]:
            with lender.open(path) as stream:
                data = stream.read(_PICTURE_BYTES + 1)
                if len(data) > _PICTURE_BYTES:
                    return False  # none of ours: it is drawn anew
                _keep(sink, path, data)
    except MissingError:
        return False
    return bool(pictures)


@contextmanager
def _here(sink: Sink[Any], path: str) -> Iterator[Path]:
    """Lend a stored file as one of this machine."""
    root = sink.local_root
    if root is not None:
        yield root / path
        return
    with TemporaryDirectory(prefix="archive-picture-") as folder:
        copy = Path(folder, "file")
        with sink.open(path) as stream, copy.open("wb") as file:
            shutil.copyfileobj(stream, file)
        yield copy


def counts(known: Mapping[str, Any]) -> int:
    """Count the files of an index that could not be drawn."""
    return sum("error" in entry for entry in known.values())
