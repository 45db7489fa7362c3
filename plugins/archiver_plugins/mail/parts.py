"""The parts of a message, however it was read, and which of them are material."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from archiver.api import Kind
from archiver_plugins.mail import headers
from archiver_plugins.mail.head import Head

#: A message with more parts, or nested deeper, is not looked into: no mailer writes such. Servers cut what
#: is nested deeper still (Dovecot at 100), so that this bound is below theirs.
MAX_PARTS: Final = 1_000
MAX_DEPTH: Final = 80
#: Encoded bytes from which on an image inside the text is taken for a picture and not for a logo.
LARGE_INLINE: Final = 100 << 10


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of a message, or a forwarded message that arrived encoded.

    `number` counts as IMAP does (RFC 9051, 6.4.5): "1", "2.1". `name` is a label. `octets` is the encoded
    size in bytes. `around` are the media types of the parts that it stands in, outermost first. `nested`
    is the header of the forwarded message that it came in, if any. `start` and `end` are offsets in the
    file, for files; `cut` says that the file ended before the part did. `wrapped` is the number of the
    encoded message that holds it. `scrubbed` is where a list archive keeps what it took out of a message,
    below the list's own address.
    """

    number: str
    media_type: str = "text/plain"
    name: str = ""
    disposition: str = ""
    encoding: str = ""
    charset: str = ""
    content_id: str = ""
    octets: int = 0
    around: tuple[str, ...] = ()
    nested: Head | None = None
    start: int = 0
    end: int = 0
    cut: bool = False
    wrapped: str = ""
    scrubbed: str = ""

    @property
    def family(self) -> str:
        """Give the part of the media type before the slash."""
        return self.media_type.partition("/")[0]

    @property
    def is_body(self) -> bool:
        """Say whether it is text for reading, in which links may stand."""
        return self.media_type in {"text/plain", "text/html"} and not self.name and self.disposition in _SHOWN

    @property
    def is_wrapped_message(self) -> bool:
        """Say whether it is a forwarded message in base64 or the like, which has to be decoded first."""
        return self.media_type in MESSAGES and self.encoding in {"base64", "quoted-printable", "x-uuencode"}

    @property
    def size(self) -> int:
        """Estimate the decoded size in bytes: lines of 76 characters and a line end make 57."""
        return self.octets * 57 // 78 if self.encoding == "base64" else self.octets


_SHOWN: Final = {"", "inline"}
#: Media types of a message in a message.
MESSAGES: Final = frozenset({"message/rfc822", "message/global"})


def name_of(type_params: headers.Params, place_params: headers.Params) -> str:
    """Give the label from the parameters of Content-Type and Content-Disposition."""
    name = headers.param(place_params, "filename") or headers.param(type_params, "name")
    return headers.label(name) if name else ""


def encoding_of(name: str) -> str:
    """Give the content transfer encoding, "" for each that leaves the bytes as they are."""
    plain = name.strip().lower()
    return "" if plain in {"7bit", "8bit", "binary"} else plain


def charset_of(type_params: headers.Params) -> str:
    """Give the declared charset."""
    return headers.param(type_params, "charset")[:40]


def sound_type(media_type: str, default: str = "text/plain") -> str:
    """Check a media type: "text" or "application/" are none."""
    return media_type if re.fullmatch(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", media_type) else default


class Sort(StrEnum):
    """What a part is to the archive."""

    NOTHING = "nothing"  # the text itself, a signature, an invitation, a small picture inside the text
    ATTACHED = "attached"
    INLINE = "inline"  # a picture shown inside the text
    ENCRYPTED = "encrypted"  # kept as it is: only its reader can open it
    TNEF = "tnef"  # Outlook's winmail.dat, kept as it is


_NOTHING: Final = frozenset({
    "application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature",
    "application/pgp-encrypted", "application/pgp-keys", "text/calendar", "application/ics",
    "text/x-vcard", "text/vcard", "text/x-amp-html", "message/delivery-status",
    "message/disposition-notification", "text/rfc822-headers", "message/external-body",
})  # fmt: skip
_TNEF: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_ENCRYPTED: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})


def sort(part: Part, shown: frozenset[str] = frozenset()) -> Sort:
    """Tell what a part is. `shown` are the Content-IDs that the HTML text refers to as `cid:`."""
    if part.media_type in _NOTHING or part.is_body:
        return Sort.NOTHING
    if part.media_type in _ENCRYPTED or "multipart/encrypted" in part.around:
        return Sort.ENCRYPTED
    if part.media_type in _TNEF or _is_winmail(part):
        return Sort.TNEF
    if _is_inline(part, shown):
        return Sort.INLINE
    return Sort.ATTACHED if _is_file(part) else Sort.NOTHING


def _is_file(part: Part) -> bool:
    """Say whether a part is something else than text or structure."""
    named = part.disposition == "attachment" or bool(part.name)
    # A forwarded message that came encoded is one, unless it was looked into.
    return named or part.is_wrapped_message or part.family not in {"text", "multipart", "message"}


def _is_winmail(part: Part) -> bool:
    return part.name.lower() in {"winmail.dat", "win.dat"} and part.media_type == "application/octet-stream"


def _is_inline(part: Part, shown: frozenset[str]) -> bool:
    """Say whether a picture belongs into the text.

    Named by the HTML, or small and delivered as related to it, or small and to be shown in place.
    """
    if part.family != "image" or part.disposition == "attachment":
        return bool(part.content_id) and part.content_id in shown and part.family == "image"
    small = part.octets < LARGE_INLINE
    related = bool(part.around) and part.around[-1] == "multipart/related"
    return part.content_id in shown or (small and (related or part.disposition == "inline"))


_ENDINGS: Final = {
    Kind.SLIDES: {"pdf", "ppt", "pptx", "pptm", "pps", "ppsx", "odp", "key"},
    Kind.PHOTO: {"jpg", "jpeg", "jpe", "png", "gif", "webp", "tif", "tiff", "bmp", "heic", "heif", "avif"},
    Kind.VIDEO: {"mp4", "m4v", "mov", "qt", "webm", "mkv", "avi", "flv", "wmv", "mpg", "mpeg", "3gp", "mp3",
                 "m4a", "wav", "flac", "ogg", "aac"},
}  # fmt: skip
_BY_ENDING: Final = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings}
_DECK_TYPES: Final = frozenset({
    "application/pdf", "application/vnd.ms-powerpoint", "application/vnd.oasis.opendocument.presentation",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.presentationml.slideshow",
    "application/vnd.ms-powerpoint.presentation.macroenabled.12",
    "application/x-iwork-keynote-sffkey", "application/vnd.apple.keynote",
})  # fmt: skip
_FAMILIES: Final = {"image": Kind.PHOTO, "video": Kind.VIDEO, "audio": Kind.VIDEO}
_DECK_WORDS: Final = re.compile(r"ppt|slides?|deck|keynote|幻灯|课件|讲稿|演讲|演示", re.IGNORECASE)


def kind(name: str, media_type: str = "") -> Kind:
    """Tell the kind by a file's name, else by its media type.

    Names come first: mailers send decks as application/octet-stream. A ZIP is a deck when its name says
    so; all else, documents too, is `other`.
    """
    stem, _, ending = name.lower().rpartition(".")
    if ending in _BY_ENDING and stem:
        return _BY_ENDING[ending]
    if ending == "zip" or media_type == "application/zip":
        return Kind.SLIDES if _DECK_WORDS.search(stem) else Kind.OTHER
    if stem and re.fullmatch(r"[a-z0-9]{1,5}", ending):
        return Kind.OTHER  # a name that claims something else: "notes.docx"
    if media_type in _DECK_TYPES:
        return Kind.SLIDES
    return (
        _FAMILIES.get(media_type.partition("/")[0], Kind.OTHER)
        if media_type != "image/svg+xml"
        else Kind.OTHER
    )
