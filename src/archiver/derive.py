"""Text out of files: what search finds them by.

The text of a file depends on its bytes and on `RECIPE` alone, so it is made once and kept under the
file's digest.
"""

from __future__ import annotations

import errno
import io
import logging
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from archiver.errors import InvalidError
from archiver.media import pdf, types, zips
from archiver.media import text as encodings

log = logging.getLogger(__name__)

#: Names the way text is made. Raise the number when the same file would give text that search should
#: have instead (a new format, a better order, other characters); not for a refactoring. All texts are
#: then made again from the stored files.
RECIPE: Final = "text-v1"

#: Characters of text that are kept of one file: about 1,500 pages of a book.
MAX_CHARACTERS: Final = 4_000_000
MAX_PAGES: Final = 2_000
#: Bytes of a web page or text file that are looked at.
_MAX_READ: Final = 16 << 20
#: Bytes of XML that a deck or document may unpack to.
_MAX_XML: Final = 96 << 20
_MAX_DEPTH: Final = 20
#: Errors of the disk, not of the file: they are the caller's.
_DISK: Final = frozenset({errno.EIO, errno.ENOENT, errno.EACCES, errno.EMFILE, errno.ENFILE, errno.ENOMEM})

_A: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ODF: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_DRAW: Final = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"


def path(sha256: str) -> str:
    """Say where in a sink the text of a file lies."""
    return f"derived/{sha256}/{RECIPE}"


def has_text(media_type: str) -> bool:
    """Say whether text can be taken out of files of this type."""
    return media_type in _EXTRACTORS


def text(path: Path, media_type: str) -> str | None:
    """Extract the text of a file: NFC, pages or slides parted by form feeds, None when there is none.

    Knows PDF, PowerPoint, Word, OpenDocument, web pages, subtitles and plain text; bounded in pages,
    characters and memory. Never raises on what the file holds (damage was judged before, and a file
    without text is still worth keeping): only `OSError` when the file is not there or cannot be read.
    """
    extract = _EXTRACTORS.get(media_type)
    if extract is None:
        return None
    try:
        found = _join(extract(path))
    except Exception as error:  # python-pptx and lxml raise what the hostile file makes them raise
        if isinstance(error, OSError) and error.errno in _DISK:
            raise
        log.warning("No text could be read from a file of type %s: %s", media_type, _short(error))
        return None
    return found or None


def _short(error: Exception) -> str:
    return " ".join(clean(f"{type(error).__name__}: {error}"[:200]).split())


def _join(pages: Iterable[str]) -> str:
    """Put pages together, clean, until there is enough."""
    kept: list[str] = []
    room = MAX_CHARACTERS
    for page in pages:
        tidy = clean(page[:room])
        kept.append(tidy)
        room -= len(tidy) + 1
        if room <= 0:
            log.info("The text was cut after %d characters.", MAX_CHARACTERS)
            break
    return "\f".join(kept).rstrip("\f")


# PDFium writes U+FFFE where a word was hyphenated at the end of a line ("exam\ufffe\r\nple").
_HYPHENATED: Final = re.compile("[\ufffe\u0002\u00ad](?:[ \t]*\n)?")
# Controls, surrogates, noncharacters, and characters that turn the direction of what follows.
_DROPPED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufdd0-\ufdef\ufff9-\uffff]"
)
# Fonts in PDFs map 工 (U+5DE5) to its look-alike radical ⼯ (U+2F2F): nobody searches for that one.
_RADICALS: Final = {
    code: unicodedata.normalize("NFKC", chr(code)) for code in [*range(0x2F00, 0x2FD6), 0x2E9F, 0x2EF3]
}


def clean(raw: str) -> str:
    """Normalise text to NFC with plain line ends; drop control characters and trailing blanks."""
    lines = raw.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n").replace("\u2028", "\n")
    joined = _HYPHENATED.sub("", lines).replace("\f", "\n").replace("\u00a0", " ")
    plain = unicodedata.normalize("NFC", _DROPPED.sub("", joined).translate(_RADICALS))
    short = "\n".join(line.rstrip() for line in plain.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", short).strip("\n")


def _pdf(path: Path) -> Iterator[str]:
    import pypdfium2

    room = MAX_CHARACTERS
    with pdf.opened(path) as document:
        for number in range(min(len(document), MAX_PAGES)):
            try:
                page = pdf.page_text(document, number, room)
            except pypdfium2.PdfiumError:
                page = ""  # one bad page does not hide the others
            room = max(0, room - len(page))
            yield page
            if not room:
                return


def _pptx(path: Path) -> Iterator[str]:
    import pptx

    deck = pptx.Presentation(_without_media(path))
    for number, slide in enumerate(deck.slides):
        if number == MAX_PAGES:
            return
        yield "\n".join(_slide(slide))


def _without_media(path: Path) -> io.BytesIO:
    """Copy a deck without its pictures and films: python-pptx reads every part into memory."""
    slim = io.BytesIO()
    with zips.opened(path) as archive, zipfile.ZipFile(slim, "w") as out:
        members = [info for info in archive.infolist() if not info.is_dir()]
        _check_xml(members)
        for info in members:
            out.writestr(info.filename, _as_deck(archive.read(info)) if _is_xml(info) else b"")
    slim.seek(0)
    return slim


def _as_deck(part: bytes) -> bytes:
    # python-pptx opens nothing that calls itself a show or a template, though they differ in no more.
    return (
        part if b"<Types" not in part[:2048] else _OTHER_DECKS.sub(b"presentationml.presentation.main", part)
    )


_OTHER_DECKS: Final = re.compile(rb"presentationml\.(?:slideshow|template)\.main")


def _is_xml(info: zipfile.ZipInfo) -> bool:
    return info.filename.lower().endswith((".xml", ".rels"))


def _check_xml(members: Iterable[zipfile.ZipInfo]) -> None:
    total = sum(info.file_size for info in members if _is_xml(info))
    if total > _MAX_XML:
        raise InvalidError(f"The document unpacks to {total:,} bytes of XML.")


def _slide(slide: Any) -> Iterator[str]:
    for shape in slide.shapes:
        yield from _shape(shape, 0)
    yield from _diagrams(slide)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        yield slide.notes_slide.notes_text_frame.text


def _shape(shape: Any, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        return
    if hasattr(shape, "shapes"):  # a group
        for inner in shape.shapes:
            yield from _shape(inner, depth + 1)
    elif getattr(shape, "has_table", False):
        for row in shape.table.rows:
            yield "\t".join(cell.text for cell in row.cells)
    elif shape.has_text_frame and shape.text_frame.text:
        yield shape.text_frame.text


def _diagrams(slide: Any) -> Iterator[str]:
    # SmartArt keeps its words in a part of its own, which python-pptx does not open.
    for relation in slide.part.rels.values():
        if relation.reltype.endswith("/diagramData"):
            root = _xml(relation.target_part.blob)
            yield from (node.text for node in root.iter(_A + "t") if node.text)


def _xml(data: bytes) -> Any:
    from lxml import etree

    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


def _part(path: Path, name: str) -> Any:
    with zips.opened(path) as archive:
        info = archive.getinfo(name)
        if info.file_size > _MAX_XML:
            raise InvalidError(f"The document unpacks to {info.file_size:,} bytes of XML.")
        return _xml(archive.read(info))


def _docx(path: Path) -> Iterator[str]:
    root = _part(path, "word/document.xml")
    yield "\n".join("".join(_run(node) for node in line.iter()) for line in root.iter(_W + "p"))


def _run(node: Any) -> str:
    if node.tag == _W + "t":
        return node.text or ""
    return {_W + "tab": "\t", _W + "br": "\n", _W + "cr": "\n"}.get(node.tag, "")


def _odf(path: Path) -> Iterator[str]:
    root = _part(path, "content.xml")
    slides = list(root.iter(_DRAW + "page"))
    for part in slides or [root]:
        lines = (node for node in part.iter(_ODF + "p", _ODF + "h"))
        yield "\n".join("".join(line.itertext()) for line in lines)


_HIDDEN: Final = frozenset(
    {"script", "style", "noscript", "template", "svg", "iframe", "object", "select", "button", "nav"}
)
_BLOCKS: Final = frozenset(
    {"address", "article", "aside", "blockquote", "body", "br", "dd", "div", "dl", "dt", "fieldset"}
    | {"figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li"}
    | {"main", "ol", "p", "pre", "section", "table", "tbody", "td", "th", "thead", "title", "tr", "ul"}
)


def _html(path: Path) -> Iterator[str]:
    from lxml import html

    page = encodings.decode(encodings.head(path, _MAX_READ))
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    root = html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    for node in [node for node in root.iter() if node.tag in _HIDDEN]:
        if node.getparent() is not None:
            node.drop_tree()
    words = "".join(_words(root))
    yield "\n".join(line for line in (" ".join(raw.split()) for raw in words.split("\n")) if line)


def _words(root: Any) -> Iterator[str]:
    """Walk a page in reading order, starting a line at every block; without recursion."""
    from lxml import etree

    for event, node in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            yield "\n" if node.tag in _BLOCKS else ""
            yield _flat(node.text)
        else:
            yield "\n" if node.tag in _BLOCKS else ""
            yield _flat(node.tail)


def _flat(words: str | None) -> str:
    # A line end inside a paragraph is a blank.
    return re.sub(r"\s+", " ", words or "")


def _plain(path: Path) -> Iterator[str]:
    yield from encodings.decode(encodings.head(path, _MAX_READ)).split("\f")


# "00:01:02,500 --> 00:01:05,000", cue numbers, and tags such as <i>, <v Hui Cheng>, <00:00:01.500>.
_TIMES: Final = re.compile(r"^\s*[\d:.,]+\s+-->\s")
_TAG: Final = re.compile(r"<[^<>\n]{0,200}>|\{\\[^{}\n]{0,100}\}")


def _subtitles(path: Path) -> Iterator[str]:
    lines = encodings.decode(encodings.head(path, _MAX_READ)).splitlines()
    said: list[str] = []
    for block in _blocks(lines):
        for line in block:
            words = _TAG.sub("", line).strip()
            # Rolling captions repeat the line before.
            if words and words not in said[-2:]:
                said.append(words)
    yield "\n".join(said)


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Give the lines of each cue that stand below its times; headers, styles and notes have none."""
    block: list[str] | None = None
    for line in [*lines, ""]:
        if _TIMES.match(line):
            block = []
        elif line.strip() and block is not None:
            block.append(line)
        elif block is not None:
            yield block
            block = None


_EXTRACTORS: Final[dict[str, Callable[[Path], Iterator[str]]]] = {
    types.PDF: _pdf,
    types.PPTX: _pptx,
    types.PPSX: _pptx,
    types.PPTM: _pptx,
    types.DOCX: _docx,
    types.ODP: _odf,
    types.ODT: _odf,
    types.HTML: _html,
    types.PLAIN: _plain,
    types.SRT: _subtitles,
    types.VTT: _subtitles,
}
