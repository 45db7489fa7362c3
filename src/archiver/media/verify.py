"""Whether a file can be what it should be."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from archiver.errors import InvalidError
from archiver.media import boxes, ebml, ole, pages, pdf, sniff, sound, text, types, zips
from archiver.model import Kind, Role

log = logging.getLogger(__name__)

_ANYWAY: Final = "to keep it all the same, archive it as kind `other`"

_CHECKS: Final[dict[str, Callable[[Path], None]]] = {
    types.PDF: pdf.check,
    types.PPT: ole.check,
    types.DOC: ole.check,
    types.XLS: ole.check,
    types.OLE: ole.check,
    "video/mp4": boxes.check_movie,
    "video/quicktime": boxes.check_movie,
    "video/3gpp": boxes.check_movie,
    "audio/mp4": boxes.check_movie,
    "video/webm": ebml.check,
    "video/x-matroska": ebml.check,
    "video/x-msvideo": sound.check_riff,
    "audio/wav": sound.check_riff,
    "audio/mpeg": sound.check_mp3,
    "video/x-ms-wmv": sound.check_asf,
}
_ZIPS: Final = frozenset(
    {types.ZIP, types.WACZ, types.EPUB, types.KEYNOTE, types.PPTX, types.PPSX, types.PPTM}
    | {types.DOCX, types.XLSX, types.ODP, types.ODT, types.ODS}
)
#: Whoever claims one of these and sends a web page sends an excuse.
_NEVER_PAGES: Final = ("image/", "video/", "audio/", "application/pdf", "application/vnd.", "application/zip")


def verify(path: Path, kind: Kind, role: Role, claimed: str = "") -> str:
    """Return the media type of a file that can be what it should be.

    `claimed` is what upstream said of its type. Raises `InvalidError` with a reason for people: empty,
    cut off, damaged, or another thing altogether (a login page instead of a deck). What is of kind
    `other` only has to hold something. Reads in bounded memory whatever the file's size; looks at the
    path's content alone.
    """
    if path.stat().st_size == 0:
        raise InvalidError("The file is empty (0 bytes).", hint="get it again from where it came from")
    media_type = sniff.identify(path)
    if kind is Kind.OTHER and role is not Role.SIDECAR:
        return media_type
    media_type = _protected(path, media_type, claimed)
    if not types.fits(kind, role, media_type):
        raise _misfit(path, kind, role, media_type)
    if media_type == types.HTML:
        _check_page(path, claimed, role)
    _check_content(path, media_type)
    return media_type


def _protected(path: Path, media_type: str, claimed: str) -> str:
    """Take upstream's word for an Office file that a password hides, as nothing else can tell its type."""
    if media_type != types.OLE or ole.ENCRYPTED not in ole.streams(path):
        return media_type
    claimed = claimed.partition(";")[0].strip().lower()
    log.warning("The Office file is protected by a password: it is kept, but could not be looked into.")
    return claimed if claimed in {types.PPTX, types.PPSX, types.DOCX, types.XLSX} else types.PPTX


def _check_content(path: Path, media_type: str) -> None:
    if _is_ole(path, media_type):
        ole.check(path)
    elif media_type in _ZIPS:
        zips.check(path)
    elif media_type.startswith("image/") and media_type != types.SVG:
        from archiver.media import images  # Pillow takes a while to import

        images.check(path, media_type)
    elif types.is_text(media_type):
        text.check(path)
    elif check := _CHECKS.get(media_type):
        check(path)


def _is_ole(path: Path, media_type: str) -> bool:
    # A protected pptx goes by its inner type but is a compound file outside.
    return media_type in _ZIPS and text.head(path, len(ole.MAGIC)) == ole.MAGIC


def _misfit(path: Path, kind: Kind, role: Role, media_type: str) -> InvalidError:
    if media_type == types.HTML:
        return _excuse(path, _expected(kind, role))
    if media_type == types.UNKNOWN:
        sniff.refuse_unknown(path)
    if media_type in {types.ZIP, types.OLE}:
        _check_content(path, media_type)  # half a deck is only known as its container
    return InvalidError(
        f"The file is {types.describe(media_type)} ({media_type}), not {_expected(kind, role)}.",
        hint=_ANYWAY,
    )


def _expected(kind: Kind, role: Role) -> str:
    """Name what should have come, for people."""
    return "text or subtitles" if role is Role.SIDECAR else types.EXPECTED[kind]


def _check_page(path: Path, claimed: str, role: Role) -> None:
    if claimed.strip().lower().startswith(_NEVER_PAGES):
        raise _excuse(path, f"the {'PDF' if 'pdf' in claimed else 'file'} that was announced")
    if role is Role.SIDECAR:
        return
    page = pages.look(path)
    if page.excuse:
        raise _excuse(path, "a report")


def _excuse(path: Path, expected: str) -> InvalidError:
    page = pages.look(path)
    title = f" titled “{page.title}”" if page.title else " without a title"
    looks = f"; it looks like {page.looks}" if page.looks else ""
    return InvalidError(
        f"The file is a web page{title}, not {expected}{looks}.",
        hint="open its address in a browser: it may need a login, or be gone",
    )
