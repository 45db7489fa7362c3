"""The small pictures that pages show: made once per file, kept in `derived/`, remembered in an index.

A file that cannot be drawn costs its own picture: the index says so, and it is not tried again until
`RECIPE` changes or somebody asks for everything anew.
"""

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
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from archiver import examine, seal
from archiver.contracts import Blob, Sink
from archiver.errors import DamageError, InvalidError, MissingError
from archiver.inventory import UNREADABLE
from archiver.ocfl import read

log = logging.getLogger(__name__)

#: Names the way pictures are made: raised when the same file would give other pictures.
RECIPE: Final = "v1"
INDEX: Final = "site/state/pictures.json"
#: Pages of one document that are drawn.
MAX_PAGES: Final = 150
_INDEX_BYTES: Final = 256 << 20
#: Files whose pictures are in memory at a time, per thread.
_AHEAD: Final = 3
#: The index is written down after so many files: a killed build goes on from there.
_SAVE_EVERY: Final = 500

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Pictures to make of one file. `path` is where it lies in the sink; `widths` in pixels."""

    sha256: str
    path: str
    size: int
    media_type: str
    widths: tuple[int, ...]
    form: str = "webp"
    all_pages: bool = False


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

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

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
        sink.replace(INDEX, blob(json.dumps(data, separators=(",", ":")).encode()))

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


def place(sha256: str, page: int, width: int, form: str) -> str:
    """Say where in a sink a picture lies. The first page has no number: most files have but one."""
    number = f"p{page + 1:03}-" if page else ""
    return f"derived/{sha256}/{number}w{width}-{RECIPE}.{'jpg' if form == 'jpeg' else form}"


def blob(data: bytes) -> Blob:
    """Make a blob of bytes in memory."""
    return Blob(len(data), hashlib.sha256(data).hexdigest(), data=data)


def make(
    sink: Sink[Any],
    known: Pictures,
    wanted: Iterable[Wanted],
    lenders: Sequence[tuple[Sink[Any], Pictures]] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Draw what the index does not know yet; return how many files were looked at.

    `lenders` are other sinks whose pictures are copied rather than drawn. Raises `SinkError`.
    """
    todo = list({each.sha256: each for each in wanted if each.sha256 not in known.entries}.values())
    if not todo:
        return 0
    workers = max(2, os.cpu_count() or 1)
    examine.start(min(workers, len(todo)))
    with ThreadPoolExecutor(workers, "picture") as pool:
        for number, (sha256, entry) in enumerate(_finished(pool, sink, lenders, todo, workers), 1):
            known.entries[sha256] = entry
            progress(number)
            if number % _SAVE_EVERY == 0:
                known.save(sink)
    sink.flush()
    known.save(sink)
    return len(todo)


def _finished(
    pool: ThreadPoolExecutor,
    sink: Sink[Any],
    lenders: Sequence[tuple[Sink[Any], Pictures]],
    todo: Sequence[Wanted],
    workers: int,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Draw with all threads, a bounded number of files ahead."""
    rest = iter(todo)
    running: set[Future[tuple[str, dict[str, Any]]]] = set()
    while True:
        for each in islice(rest, workers * _AHEAD - len(running)):
            running.add(pool.submit(_entry, sink, lenders, each))
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in done)


def _entry(
    sink: Sink[Any], lenders: Sequence[tuple[Sink[Any], Pictures]], each: Wanted
) -> tuple[str, dict[str, Any]]:
    for lender, known in lenders:
        if _copied(lender, sink, known.of(each.sha256)):
            return each.sha256, known.entries[each.sha256]
    try:
        with _here(sink, each.path) as path:
            return each.sha256, {"form": each.form, "pages": list(_drawn(sink, each, path))}
    except (InvalidError, MissingError) as error:
        log.info("No picture of %s: %s", each.path, error.message)
        return each.sha256, {"error": error.message[:300]}
    except OSError as error:  # the stored file is missing or its disk fails: tried again next time
        log.warning("No picture of %s: %s", each.path, error)
        return each.sha256, {"error": str(error)[:300], "again": True}


def _drawn(sink: Sink[Any], each: Wanted, path: Path) -> Iterator[list[Size]]:
    number, pages = 0, 1
    while number < min(pages, MAX_PAGES if each.all_pages else 1):
        try:
            pages, pictures = examine.draw(path, each.media_type, each.widths, page=number, form=each.form)
        except InvalidError:
            if number == 0:
                raise
            yield []  # one bad page does not hide the others
        else:
            for picture in pictures:
                here = place(each.sha256, number, picture.width, each.form)
                seal.replace(sink, here, blob(picture.data))
            yield [(picture.width, picture.height) for picture in pictures]
        number += 1


def _copied(lender: Sink[Any], sink: Sink[Any], pictures: Sequence[Pic]) -> bool:
    try:
        for path in (path for pic in pictures for path, _, _ in pic.sizes):
            with lender.open(path) as stream:
                seal.replace(sink, path, blob(stream.read()))
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
