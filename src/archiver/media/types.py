"""The media types that we tell apart, their file endings, and which kind of material may have which."""

from __future__ import annotations

from typing import Final

from archiver.model import Kind, Role

UNKNOWN: Final = "application/octet-stream"
HTML: Final = "text/html"
PDF: Final = "application/pdf"
PLAIN: Final = "text/plain"
SRT: Final = "application/x-subrip"
VTT: Final = "text/vtt"
JSON: Final = "application/json"
XML: Final = "application/xml"
SVG: Final = "image/svg+xml"
RTF: Final = "application/rtf"
ZIP: Final = "application/zip"
GZIP: Final = "application/gzip"
WARC: Final = "application/warc"
WACZ: Final = "application/wacz"
EPUB: Final = "application/epub+zip"
OLE: Final = "application/x-ole-storage"
PPT: Final = "application/vnd.ms-powerpoint"
DOC: Final = "application/msword"
XLS: Final = "application/vnd.ms-excel"
_OOXML: Final = "application/vnd.openxmlformats-officedocument."
PPTX: Final = _OOXML + "presentationml.presentation"
PPSX: Final = _OOXML + "presentationml.slideshow"
DOCX: Final = _OOXML + "wordprocessingml.document"
XLSX: Final = _OOXML + "spreadsheetml.sheet"
PPTM: Final = "application/vnd.ms-powerpoint.presentation.macroenabled.12"
_ODF: Final = "application/vnd.oasis.opendocument."
ODP: Final = _ODF + "presentation"
ODT: Final = _ODF + "text"
ODS: Final = _ODF + "spreadsheet"
KEYNOTE: Final = "application/vnd.apple.keynote"

#: The ending of our names, without the dot (IANA registrations where they name one).
_ENDINGS: Final = {
    UNKNOWN: "bin", HTML: "html", PDF: "pdf", PLAIN: "txt", SRT: "srt", VTT: "vtt", JSON: "json",
    XML: "xml", SVG: "svg", RTF: "rtf", ZIP: "zip", GZIP: "gz", WARC: "warc", WACZ: "wacz",
    EPUB: "epub", OLE: "ole", PPT: "ppt", DOC: "doc", XLS: "xls", PPTX: "pptx", PPSX: "ppsx",
    PPTM: "pptm", DOCX: "docx", XLSX: "xlsx", ODP: "odp", ODT: "odt", ODS: "ods", KEYNOTE: "key",
    "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp",
    "image/tiff": "tif", "image/bmp": "bmp", "image/avif": "avif", "image/heic": "heic",
    "image/x-canon-cr3": "cr3",
    "video/mp4": "mp4", "video/quicktime": "mov", "video/3gpp": "3gp", "video/webm": "webm",
    "video/x-matroska": "mkv", "video/x-msvideo": "avi", "video/x-flv": "flv", "video/mp2t": "ts",
    "video/mpeg": "mpg", "video/x-ms-wmv": "wmv", "video/ogg": "ogv",
    "audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/wav": "wav", "audio/flac": "flac",
    "audio/ogg": "ogg", "audio/aac": "aac",
}  # fmt: skip

_NAMES: Final = {
    "image/jpeg": "a JPEG image",
    HTML: "a web page", PDF: "a PDF", PLAIN: "plain text", SRT: "subtitles", VTT: "subtitles",
    JSON: "JSON data", XML: "XML data", ZIP: "a ZIP archive", GZIP: "a gzip archive",
    PPTX: "a PowerPoint deck", PPSX: "a PowerPoint show", PPTM: "a PowerPoint deck with macros",
    PPT: "an old PowerPoint deck", DOCX: "a Word document", DOC: "an old Word document",
    XLSX: "an Excel sheet", XLS: "an old Excel sheet", ODP: "an OpenDocument presentation",
    ODT: "an OpenDocument text", ODS: "an OpenDocument sheet", KEYNOTE: "a Keynote deck",
    EPUB: "an EPUB book", WACZ: "a web archive", WARC: "a web archive", RTF: "a rich text document",
    OLE: "an old Office file", UNKNOWN: "of no known type",
}  # fmt: skip

_DECKS: Final = frozenset({PDF, PPTX, PPSX, PPTM, PPT, ODP, KEYNOTE, ZIP})
_TEXTS: Final = frozenset({HTML, PLAIN, SRT, VTT, JSON, XML})
_REPORTS: Final = frozenset({HTML, PLAIN, PDF, WACZ, WARC, DOC, DOCX, ODT, RTF, EPUB})

#: What a person calls each kind.
EXPECTED: Final = {
    Kind.SLIDES: "a slide deck (PDF, PowerPoint, OpenDocument, Keynote, ZIP or page images)",
    Kind.PHOTO: "a photo or a video clip",
    Kind.VIDEO: "a video or sound recording",
    Kind.REPORT: "a report (web page, PDF, text or document)",
    Kind.OTHER: "a file",
}


def extension(media_type: str) -> str:
    """Give the file ending of a media type without the dot, "bin" for one that we do not know."""
    return _ENDINGS.get(media_type, "bin")


def describe(media_type: str) -> str:
    """Name a media type for people: "a JPEG image", "a Word document"."""
    if media_type in _NAMES:
        return _NAMES[media_type]
    family, _, form = media_type.partition("/")
    word = _ENDINGS.get(media_type, form).upper()
    article = "an" if word[:1] in "AEFHILMNORSX" else "a"
    return f"{article} {word} {'recording' if family == 'audio' else family}"


def is_text(media_type: str) -> bool:
    """Say whether a file of this type is made of characters."""
    return media_type in _TEXTS or media_type == SVG


def fits(kind: Kind, role: Role, media_type: str) -> bool:
    """Say whether a file of this type may stand in this role for a material of this kind.

    Sidecars (transcripts, subtitles, metadata) are text or images whatever they belong to.
    """
    family = media_type.partition("/")[0]
    if kind is Kind.OTHER:
        return True
    if role is Role.SIDECAR:
        return is_text(media_type) or family == "image"
    if role is not Role.ORIGINAL and (family == "image" or media_type in {PDF, PLAIN}):
        return True
    return _fits_original(kind, family, media_type)


def _fits_original(kind: Kind, family: str, media_type: str) -> bool:
    match kind:
        case Kind.PHOTO:
            return family in {"image", "video"}
        case Kind.VIDEO:
            return family in {"video", "audio"}
        case Kind.SLIDES:
            return media_type in _DECKS or (family == "image" and media_type != SVG)
        case _:
            return media_type in _REPORTS
