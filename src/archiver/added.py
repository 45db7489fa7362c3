"""Files that somebody handed over: a source like the others, made from a command line."""

from __future__ import annotations

import hashlib
import mimetypes
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archiver.contracts import Context, Options, Scope, Source
from archiver.errors import GoneError
from archiver.model import Checkpoint, Event, Fetched, Kind, Material, Unavailable

#: The name under which the ledger keeps them. Configured sources cannot take it.
NAME = "added"


@dataclass(frozen=True)
class Given:
    """One file and what the user said of it."""

    path: Path
    event: Event
    kind: Kind
    talk: str
    title: str


class AddedFiles(Source[Options, Options]):
    """Files that somebody handed over with `archive add`."""

    type_name = NAME

    def __init__(self, context: Context, given: Sequence[Given]) -> None:
        super().__init__(Options(), context)
        self._given = {_digest(item.path): item for item in given}

    def discover(self, scope: Scope[Any], cursor: str) -> Iterator[Material | Unavailable | Checkpoint]:
        """List the files. Their id is their digest: the same file given twice is one material."""
        del scope, cursor
        for digest, item in self._given.items():
            yield Material(
                id=digest,
                kind=item.kind,
                title=item.title or item.path.stem,
                event=item.event.id,
                talk=item.talk,
                size=item.path.stat().st_size,
                extra={"name": item.path.name},
            )
        yield Checkpoint()  # never complete: what was added earlier is not gone

    def fetch(self, material: Material, into: Path) -> Iterable[Fetched | Material]:
        """Copy the file in."""
        item = self._given.get(material.id)
        if item is None:
            raise GoneError("this file was added by hand", hint="give it again with `archive add`")
        target = into / "file"
        shutil.copyfile(item.path, target)
        yield Fetched(target.relative_to(into))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def guess_kind(path: Path) -> Kind:
    """Say what a file most likely is to an organizer, by its name."""
    kind = (mimetypes.guess_type(path.name)[0] or "").partition("/")[0]
    by_type = {"image": Kind.PHOTO, "video": Kind.VIDEO, "audio": Kind.VIDEO}
    if path.suffix.lower() in {".html", ".htm", ".md", ".txt", ".wacz"}:
        return Kind.REPORT
    return by_type.get(kind, Kind.SLIDES)
