"""Files that somebody handed over: a source like the others, made from a command line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archiver.contracts import Context, Options, Scope, Source
from archiver.errors import GoneError, InvalidError
from archiver.model import Checkpoint, Event, Fetched, Kind, Material, Unavailable

#: The name under which the ledger keeps them. Configured sources cannot take it.
NAME = "added"

_CHUNK = 1 << 20
_ENDINGS = {
    Kind.SLIDES: "pdf ppt pptx ppsx pptm odp key zip",
    Kind.PHOTO: "jpg jpeg png gif webp tif tiff bmp avif heic heif cr2 cr3 nef arw dng",
    Kind.VIDEO: "mp4 m4v mov mkv webm avi flv ts mpg mpeg wmv ogv 3gp mp3 m4a wav flac ogg opus aac",
    Kind.REPORT: "html htm md txt wacz warc doc docx odt rtf epub",
}
_KINDS = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}


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

    @property
    def digests(self) -> Mapping[str, Path]:
        """Give the files by their SHA-256, which is their id."""
        return {digest: item.path for digest, item in self._given.items()}

    def discover(self, scope: Scope[Any], cursor: str) -> Iterator[Material | Unavailable | Checkpoint]:
        """List the files. Their id is their digest: the same file given twice is one material."""
        del scope, cursor
        for digest, item in self._given.items():
            title = item.title or item.path.stem
            yield Material(
                id=digest,
                kind=item.kind,
                title=title,
                # Given again as something else, it is looked at again; its bytes cannot have changed.
                revision=f"{item.kind}: {title}"[:1000],
                event=item.event.id,
                talk=item.talk,
                size=item.path.stat().st_size,
                extra={"name": item.path.name},
            )
        yield Checkpoint()  # never complete: what was added earlier is not gone

    def fetch(self, material: Material, into: Path) -> Iterable[Fetched | Material]:
        """Copy the file in. Raises `InvalidError` when it has changed since it was listed."""
        item = self._given.get(material.id)
        if item is None:
            raise GoneError("this file was added by hand", hint="give it again with `archive add`")
        target = into / "file"
        if self._copy(item.path, target) != material.id:
            raise InvalidError(
                f"{item.path} changed while it was read",
                hint="wait until nobody writes it, then add it again",
            )
        yield Fetched(target.relative_to(into))

    def _copy(self, path: Path, target: Path) -> str:
        digest, size = hashlib.sha256(), path.stat().st_size
        with path.open("rb") as source, target.open("xb") as copy:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                copy.write(chunk)
                self.context.progress(len(chunk), size)
        return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def guess_kind(path: Path) -> Kind:
    """Say what a file most likely is to an organizer, by the ending of its name."""
    return _KINDS.get(path.suffix.lower().removeprefix("."), Kind.OTHER)
