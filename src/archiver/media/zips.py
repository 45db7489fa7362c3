"""ZIP files and what is made of them: decks, documents, books, web archives.

The directory of a ZIP is read only after its size was looked up, and members only within bounds: a
file of 40 kB can claim terabytes.
"""

from __future__ import annotations

import logging
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from archiver.errors import InvalidError
from archiver.media import types

log = logging.getLogger(__name__)

MAX_MEMBERS: Final = 50_000
MAX_TOTAL: Final = 16 << 30
#: Of the whole file: real decks reach 20, sheets of repeated XML 100.
MAX_RATIO: Final = 250
_RATIO_FREE: Final = 256 << 20
_MAX_DIRECTORY: Final = 32 << 20
_MAX_NOTE: Final = 4 << 20
_CHUNK: Final = 1 << 20
_ENCRYPTED: Final = 0x1

_END: Final = struct.Struct("<4s4H2LH")  # end of central directory (APPNOTE 4.3.16)
_END64: Final = struct.Struct("<4sQ2H2L4Q")  # its 64-bit form (4.3.14)

_MAIN_PARTS: Final = {
    "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml": types.PPTX,
    "application/vnd.openxmlformats-officedocument.presentationml.template.main+xml": types.PPTX,
    "application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml": types.PPSX,
    "application/vnd.ms-powerpoint.presentation.macroenabled.main+xml": types.PPTM,
    "application/vnd.ms-powerpoint.slideshow.macroenabled.main+xml": types.PPTM,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml": types.DOCX,
    "application/vnd.ms-word.document.macroenabled.main+xml": types.DOCX,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml": types.XLSX,
    "application/vnd.ms-excel.sheet.macroenabled.main+xml": types.XLSX,
}
_SLIDE: Final = "application/vnd.openxmlformats-officedocument.presentationml.slide+xml"
_DECKS: Final = frozenset({types.PPTX, types.PPSX, types.PPTM})
_BY_NOTE: Final = {types.ODP, types.ODT, types.ODS, types.EPUB}


def identify(path: Path) -> str:
    """Tell what a ZIP is: a deck, a document, a web archive, or just a ZIP (also when damaged)."""
    try:
        with opened(path) as archive:
            return _identify(archive)
    except InvalidError:
        return types.ZIP


def _identify(archive: zipfile.ZipFile) -> str:
    names = set(archive.namelist())
    if "[Content_Types].xml" in names:
        return next((_MAIN_PARTS[kind] for kind in _parts(archive) if kind in _MAIN_PARTS), types.ZIP)
    if "mimetype" in names:
        note = _read(archive, "mimetype").decode("ascii", "replace").strip().removesuffix("-template")
        return note if note in _BY_NOTE else types.ZIP
    if "datapackage.json" in names and "pages/pages.jsonl" in names:
        return types.WACZ
    if "index.apxl" in names or "index.apxl.gz" in names or _has_slide(names):
        return types.KEYNOTE
    return types.ZIP


def _has_slide(names: set[str]) -> bool:
    # Keynote since 2013: one file per slide beside the document.
    return "Index/Document.iwa" in names and any(name.startswith("Index/Slide") for name in names)


def _parts(archive: zipfile.ZipFile) -> dict[str, list[str]]:
    """Read the parts of an Office file by content type, in lower case (ECMA-376 part 2)."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(_read(archive, "[Content_Types].xml"), parser)
    except etree.XMLSyntaxError as error:
        raise InvalidError("The Office file is damaged: its list of parts cannot be read.") from error
    parts: dict[str, list[str]] = {}
    for entry in root.iter("{*}Override"):
        kind = entry.get("ContentType", "").lower()
        parts.setdefault(kind, []).append(entry.get("PartName", "").lstrip("/"))
    return parts


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a ZIP whose directory is of sane size. Raises `InvalidError` when it cannot be read."""
    with path.open("rb") as stream:
        _check_directory(stream)
        try:
            archive = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error) as error:
            raise InvalidError(f"The ZIP structure is damaged: {error}.") from error
        with archive:
            if len(archive.infolist()) > MAX_MEMBERS:
                raise InvalidError(f"The ZIP holds more than {MAX_MEMBERS:,} files.")
            yield archive


def _check_directory(stream: BinaryIO) -> None:
    """Look up the directory's size before anything reads it into memory."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END.size - 0xFFFF - 20))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise InvalidError(
            "The file is cut off: the directory that ends every ZIP, PowerPoint or OpenDocument file "
            "is missing.",
            hint="get it again, and compare its size",
        )
    length = _END.unpack_from(tail, at)[5]
    if length == 0xFFFFFFFF:
        length = _length64(stream, tail, at)
    stream.seek(0)
    if length > _MAX_DIRECTORY:
        raise InvalidError(f"The ZIP claims a directory of {length:,} bytes.")


def _length64(stream: BinaryIO, tail: bytes, at: int) -> int:
    if at < 20 or tail[at - 20 : at - 16] != b"PK\x06\x07":
        raise InvalidError("The ZIP structure is damaged: its 64-bit directory is missing.")
    stream.seek(struct.unpack_from("<Q", tail, at - 12)[0])
    record = stream.read(_END64.size)
    if len(record) < _END64.size or not record.startswith(b"PK\x06\x06"):
        raise InvalidError("The ZIP structure is damaged: its 64-bit directory cannot be read.")
    return int(_END64.unpack(record)[8])


def _read(archive: zipfile.ZipFile, name: str, limit: int = _MAX_NOTE) -> bytes:
    """Read a small member. Raises `InvalidError` when it is damaged or larger than `limit` bytes."""
    info = archive.getinfo(name)
    if info.file_size > limit:
        raise InvalidError(f"The file is damaged: its part {name!r} claims {info.file_size:,} bytes.")
    with _damage(info), archive.open(info) as member:
        return member.read(limit)


@contextmanager
def _damage(info: zipfile.ZipInfo) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise InvalidError(
            f"The file is damaged: its part {info.filename[:120]!r} cannot be read ({error})."
        ) from error


def check(path: Path) -> None:
    """Read every member and compare its CRC-32, within bounds. Raises `InvalidError`."""
    with opened(path) as archive:
        members = archive.infolist()
        check_sizes(members, path.stat().st_size)
        if not any(not member.is_dir() for member in members):
            raise InvalidError("The ZIP is empty: it holds no file.")
        for member in members:
            _check_member(archive, member)
        _check_parts(archive)


def check_sizes(members: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse what unpacks to far more than it should. `size` of the ZIP itself, in bytes."""
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL or (total > _RATIO_FREE and total > MAX_RATIO * size):
        raise InvalidError(
            f"The ZIP of {size:,} bytes claims to unpack to {total:,} bytes: it looks like a trap.",
            hint="if it is real, archive it as kind `other`",
        )


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    if member.flag_bits & _ENCRYPTED:
        log.warning("A part of the ZIP is protected by a password: it is kept, but could not be checked.")
        return
    try:
        with _damage(member), archive.open(member) as stream:
            while stream.read(_CHUNK):
                pass
    except InvalidError as error:
        if not isinstance(error.__cause__, NotImplementedError):
            raise
        # Deflate64 or another method that Python does not have: nothing can be said.
        log.warning("A part of the ZIP is packed by a rare method: it is kept, but could not be checked.")


def _check_parts(archive: zipfile.ZipFile) -> None:
    media_type = _identify(archive)
    names = {name.casefold() for name in archive.namelist()}
    if media_type in _MAIN_PARTS.values():
        parts = _parts(archive)
        main = [name for kind in parts if kind in _MAIN_PARTS for name in parts[kind]]
        if not any(name.casefold() in names for name in main):
            raise InvalidError(
                f"The file is damaged: it is {types.describe(media_type)} without its main part."
            )
        if media_type in _DECKS and not parts.get(_SLIDE):
            raise InvalidError("The deck has no slides.")
    elif media_type.startswith("application/vnd.oasis.") and "content.xml" not in names:
        raise InvalidError(f"The file is damaged: it is {types.describe(media_type)} without its content.")
