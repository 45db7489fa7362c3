"""PDF documents, through PDFium.

PDFium is not thread-safe, not even for different documents: whoever calls it holds `LOCK`, and closes
what it opened before letting go (a finalizer that runs later would call PDFium without the lock).
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from archiver.errors import InvalidError

log = logging.getLogger(__name__)

LOCK: Final = threading.RLock()
#: Looked at one by one; a longer document is judged by its first ones.
MAX_PAGES: Final = 5_000
_TAIL: Final = 4096
_BLOCK: Final = 1 << 16
_NEEDS_PASSWORD: Final = 4  # FPDF_ERR_PASSWORD


class _ProtectedError(InvalidError):
    """The document opens only with a password."""


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a PDF while holding the lock. Raises `InvalidError` when it cannot be opened.

    Yields a `pypdfium2.PdfDocument`. Hold it for short: all other PDFs wait.
    """
    import pypdfium2

    with LOCK:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            raise _unopened(error) from error
        with closing(document):
            yield document


def _unopened(error: Any) -> InvalidError:
    if error.err_code == _NEEDS_PASSWORD:
        return _ProtectedError("The PDF is protected by a password.")
    # For a document without pages PDFium gives no reason of its own, but the one of an earlier failure
    # in this process, if there was any: the two cases cannot be told apart.
    return InvalidError(
        f"The PDF is damaged or has no pages: it cannot be opened ({error}).",
        hint="open it yourself; if that works, save it again",
    )


def check(path: Path) -> None:
    """Look whether a PDF is whole and has pages. Raises `InvalidError`.

    A PDF that needs a password is kept, with a warning: it is what its author gave, intact as far as
    its end mark tells, and asking again would bring the same bytes.
    """
    _check_end(path)
    try:
        with opened(path) as document:
            _check_pages(document)
    except _ProtectedError:
        log.warning("The PDF is protected by a password: it is kept, but its pages could not be checked.")


def _check_end(path: Path) -> None:
    """Look for the end mark: PDFium repairs what is cut off, leaving out pages without a word."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        end = _content_end(stream, size)
        stream.seek(max(0, end - _TAIL))
        tail = stream.read(_TAIL)
    if b"%%EOF" not in tail:
        raise InvalidError(
            f"The PDF is cut off: its end mark (%%EOF) is missing after {size:,} bytes.",
            hint="get it again, and compare its size",
        )
    if not re.search(rb"startxref\s+\d+\s+%%EOF", tail):
        # "startxref" with nothing after it, as some exporters write: readers rebuild it, nothing is lost.
        log.debug("The PDF does not say where its table of contents is; it was rebuilt.")


def _content_end(stream: BinaryIO, end: int) -> int:
    """Find the end of what is not blank: servers have been seen to fill the last block with zeros."""
    while end > 0:
        start = max(0, end - _BLOCK)
        stream.seek(start)
        if kept := stream.read(end - start).rstrip(b"\0 \r\n"):
            return start + len(kept)
        end = start
    return end


def _check_pages(document: Any) -> None:
    import pypdfium2

    count = len(document)
    if count < 1:
        raise InvalidError("The PDF has no pages.", hint="ask its author to export it again")
    for number in range(min(count, MAX_PAGES)):
        try:
            document.get_page_size(number)
        except pypdfium2.PdfiumError as error:
            raise InvalidError(
                f"The PDF is damaged: page {number + 1} of {count} cannot be read.",
                hint="get it again, and compare its size",
            ) from error


def page_text(document: Any, number: int, limit: int) -> str:
    """Extract the text of one page, at most `limit` characters. Hold the lock (see `opened`)."""
    with closing(document[number]) as page, closing(page.get_textpage()) as text:
        return str(text.get_text_range(0, min(limit, text.count_chars())))
