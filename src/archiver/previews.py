"""Small pictures of what files show: which are wanted, how they are made, where they lie.

They depend on a file's bytes and on `RECIPE` alone, so they are made once, while the bytes are on this
machine, and kept under the file's digest. A file that cannot be drawn costs its own pictures: what is kept
says so, and it is not tried again until `RECIPE` changes or somebody asks for everything anew.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from archiver import examine
from archiver.contracts import Sink
from archiver.errors import DamageError, InvalidError, MissingError
from archiver.inventory import UNREADABLE
from archiver.ledger import StoredFile
from archiver.model import Grade, Kind, Role
from archiver.ocfl_object import read

log = logging.getLogger(__name__)

#: Names the way pictures are made: raised when the same file would give other pictures.
RECIPE: Final = "v1"
#: Pages of one document that are drawn.
MAX_PAGES: Final = 150
#: Pixels.
_PHOTO_WIDTHS: Final = (360, 800, 1600)
_PAGE_WIDTHS: Final = (400, 1280)
_POSTER_WIDTHS: Final = (640, 1280)
_ENTRY_BYTES: Final = 1 << 20
_PLACE: Final = re.compile(
    rf"derived/([0-9a-f]{{64}})/(?:(?:p\d{{3}}-)?w\d+-{RECIPE}\.\w+|pictures-{RECIPE}\.json)"
)

#: What is known of the pictures of one file: `form` and, for each page, the sizes; or the `error`.
Entry = dict[str, Any]
#: Takes one finished picture: its path in a sink, its bytes.
Keep = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Pictures to make of one file; `widths` in pixels. `all_pages` of a document, or the first alone."""

    sha256: str
    media_type: str
    widths: tuple[int, ...]
    form: str
    all_pages: bool


def chosen(kind: Kind, files: Sequence[StoredFile]) -> list[StoredFile]:
    """Choose the files of a material that pictures are made of, in the order of its pages."""
    images = [file for file in files if file.media_type.startswith("image/")]
    if kind is Kind.PHOTO:
        return [file for file in images if file.role is not Role.SIDECAR][:1]
    if kind is Kind.VIDEO:
        return images[:1]
    pages = [file for file in images if file.grade is Grade.PAGES and file.role is not Role.SIDECAR]
    if pages:
        return sorted(pages, key=lambda file: file.label)
    rest = [file for file in files if file.role is not Role.SIDECAR and examine.can_draw(file.media_type)]
    return rest[:1] or images[:1]


def wanted(kind: Kind, files: Sequence[StoredFile]) -> Iterator[tuple[StoredFile, Wanted]]:
    """Say which pictures a material needs, each with the file that they are made of."""
    widths = {Kind.PHOTO: _PHOTO_WIDTHS, Kind.VIDEO: _POSTER_WIDTHS}.get(kind, _PAGE_WIDTHS)
    form = "jpeg" if kind in {Kind.PHOTO, Kind.VIDEO} else "webp"
    for file in chosen(kind, files):
        if examine.can_draw(file.media_type):
            yield file, Wanted(file.sha256, file.media_type, widths, form, kind is Kind.SLIDES)


def place(sha256: str, page: int, width: int, form: str) -> str:
    """Say where in a sink a picture lies. The first page has no number: most files have but one."""
    number = f"p{page + 1:03}-" if page else ""
    return f"derived/{sha256}/{number}w{width}-{RECIPE}.{'jpg' if form == 'jpeg' else form}"


def entry_place(sha256: str) -> str:
    """Say where in a sink it is written which pictures of a file there are."""
    return f"derived/{sha256}/pictures-{RECIPE}.json"


def source_of(path: str) -> str:
    """Give the digest of the file whose picture, or entry, lies at a path of a sink; "" for other paths."""
    found = _PLACE.fullmatch(path)
    return found[1] if found else ""


def make(each: Wanted, path: Path, keep: Keep) -> Entry:
    """Draw a file on this machine; hand over its pictures, then the entry that names them, and return it.

    Raises what `keep` raises, and `OSError` when the file itself cannot be read.
    """
    try:
        entry: Entry = {"form": each.form, "pages": list(_drawn(each, path, keep))}
    except InvalidError as error:
        log.info("No picture of %s: %s", each.sha256, error.message)
        entry = {"error": error.message[:300]}
    keep(entry_place(each.sha256), json.dumps(entry, separators=(",", ":")).encode())
    return entry


def _drawn(each: Wanted, path: Path, keep: Keep) -> Iterator[list[tuple[int, int]]]:
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
                keep(place(each.sha256, number, picture.width, each.form), picture.data)
            yield [(picture.width, picture.height) for picture in pictures]
        number += 1


def kept(sink: Sink[Any], each: Wanted) -> Entry | None:
    """Read which pictures of a file a sink holds already; None when they are to be made.

    Raises `SinkError` when the sink cannot be read.
    """
    try:
        entry = json.loads(read(sink, entry_place(each.sha256), _ENTRY_BYTES))
    except (DamageError, MissingError, *UNREADABLE):
        return None
    return entry if _fits(entry, each) else None


def _fits(entry: object, each: Wanted) -> bool:
    """Say whether an entry is what `make` writes: a sink's data may be torn, or somebody else's."""
    if not isinstance(entry, Mapping):
        return False
    if "error" in entry:
        return isinstance(entry["error"], str)
    pages = entry.get("pages")
    if entry.get("form") != each.form or not isinstance(pages, list) or not pages:
        return False
    return all(isinstance(page, list) and all(map(_is_size, page)) for page in pages)


def _is_size(size: object) -> bool:
    return (
        isinstance(size, list)
        and len(size) == 2  # width and height
        and all(isinstance(number, int) and 0 < number < 1 << 16 for number in size)
    )
