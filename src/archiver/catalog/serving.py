"""The catalog of one sink: built from what the sink holds, and brought to this machine for reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from archiver import derive
from archiver.archive import Head
from archiver.catalog import is_current
from archiver.catalog.building import ArchiveFacts, build
from archiver.config import Config
from archiver.errors import DamageError, MissingError
from archiver.ocfl_object import read

#: Where the catalog lies in a sink.
CATALOG = "catalog.sqlite"
#: A text that we extracted has at most so many bytes, four for each character.
_TEXT_BYTES = 4 * derive.MAX_CHARACTERS
#: A catalog larger than this is not brought here: it is not ours, and building one anew takes less.
_CATALOG_BYTES = 4 << 30
_CHUNK = 1 << 20


def build_from(head: Head, config: Config, path: Path) -> None:
    """Build at `path` the catalog of all that a sink holds. Raises `SinkError`."""
    about = config.archive
    facts = ArchiveFacts(about.title, about.organizer, about.language, head.digests)
    build(path, config.events, head.records.values(), texts_of(head), facts, locate=locate_in(head))


def locate_in(head: Head) -> Callable[[str, str], str]:
    """Say where in the sink a file of an event lies."""
    return lambda event, logical: head.object(event).locate(logical)


def texts_of(head: Head) -> Callable[[str], str | None]:
    """Read the extracted texts that lie in the sink."""

    def text(sha256: str) -> str | None:
        try:
            data = read(head.sink, derive.path(sha256), _TEXT_BYTES)
        except (MissingError, DamageError):
            return None  # a photo, a file whose text could not be read, or a text that is none of ours
        return data.decode("utf-8", "replace")

    return text


@contextmanager
def local(head: Head, config: Config) -> Iterator[Path]:
    """Lend a current catalog of the sink on this machine: its own, a copy of it, or one built for now.

    Nothing is written to the sink: whoever searches may be allowed to read only.
    """
    root = head.sink.local_root
    if root is not None and is_current(root / CATALOG, head.digests):
        yield root / CATALOG
        return
    with TemporaryDirectory(prefix="archive-catalog-") as folder:
        path = Path(folder, CATALOG)
        if root is None:
            _copy(head, path)
        if not is_current(path, head.digests):
            build_from(head, config, path)
        yield path


def _copy(head: Head, path: Path) -> None:
    try:
        with head.sink.open(CATALOG) as stream, path.open("wb") as file:
            left = _CATALOG_BYTES
            while left > 0 and (piece := stream.read(_CHUNK)):
                file.write(piece)
                left -= len(piece)
    except MissingError:
        path.unlink(missing_ok=True)
