"""The words of the archive as plain data: no behaviour, no imports above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from archiver.errors import SourceError


class Kind(StrEnum):
    """What a material is to an organizer."""

    SLIDES = "slides"
    VIDEO = "video"
    PHOTO = "photo"
    REPORT = "report"
    OTHER = "other"


class Role(StrEnum):
    """What a file is to its material."""

    ORIGINAL = "original"  # what the author made, or the best that stands for it
    RENDITION = "rendition"  # upstream's own conversion: page images, another size
    DERIVATIVE = "derivative"  # made here from the files above
    SIDECAR = "sidecar"  # about the material: transcript, subtitles, metadata


class Grade(StrEnum):
    """How good the file is that stands for its material, best first.

    `reduced` is a photo in a smaller size than the original's, a recording that its site encoded anew.
    """

    ORIGINAL = "original"
    PDF = "pdf"
    REDUCED = "reduced"
    PAGES = "pages"
    THUMBNAIL = "thumbnail"


class Consent(StrEnum):
    """Who may see something. Only what is `public` reaches a public sink: `unknown` does not count as it."""

    PUBLIC = "public"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


class Audience(StrEnum):
    """For whom a sink is: an internal one holds everything, a public one what is cleared."""

    INTERNAL = "internal"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Talk:
    """One expected talk of an event. `email` is private: it reaches no sink.

    Where several give it, `email` has all their addresses with commas between, as a mail's header has.
    `uid` is what the programme that it was read from calls it; a typed talk has none. A `cancelled` one
    is in that programme no more: it stays known, and nothing is expected of it. `consent` is what was
    said of this talk itself, if anything. `start` is when it begins, ISO 8601, as exactly as the programme
    says it.
    """

    id: str
    title: str
    speakers: tuple[str, ...] = ()
    email: str = ""
    expect: tuple[Kind, ...] = (Kind.SLIDES,)
    uid: str = ""
    cancelled: bool = False
    consent: Consent | None = None
    start: str = ""

    @property
    def emails(self) -> tuple[str, ...]:
        """Give each address by itself."""
        return tuple(each.strip() for each in self.email.split(",") if each.strip())


@dataclass(frozen=True, slots=True)
class Event:
    """One stop, meetup or conference day. `date` is ISO 8601 or empty: a stop without one is normal.

    `consent` holds for the event and all in it that says nothing else.
    """

    id: str
    title: str
    date: str = ""
    end_date: str = ""
    city: str = ""
    venue: str = ""
    talks: tuple[Talk, ...] = ()
    expect: tuple[Kind, ...] = (Kind.REPORT, Kind.PHOTO, Kind.VIDEO)
    facts: Mapping[str, str | int] = field(default_factory=dict, hash=False)
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """One thing that a source lists: a deck, an album photo, a recording, a report.

    `id` is the source's own stable name for it. `revision` is opaque; a different one means that
    the content may have changed, an empty one that the source cannot tell. `event` and `talk` are
    filled in when the source knows them from its entry (`talk` takes a talk id or a title); else the
    core works them out. `date` is ISO 8601, as coarse as it is known. `size` is in bytes.
    `url` is the public address, never one of a mirror. `extra` is for the source's own fetch and is
    kept in the ledger: no secrets.
    """

    id: str
    kind: Kind
    title: str = ""
    url: str = ""
    revision: str = ""
    event: str = ""
    talk: str = ""
    authors: tuple[str, ...] = ()
    date: str = ""
    description: str = ""
    licence: str = ""
    language: str = ""
    tags: tuple[str, ...] = ()
    size: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Something a source knows of but could not list in full: a deleted deck, a private page.

    A `GoneError` on something we hold marks it withdrawn; any other error changes nothing there.
    What we do not hold becomes pending with the error as its reason.
    """

    material: Material
    error: SourceError


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The end of a listing.

    `complete` says that everything that exists in scope was yielded: only then can the absence of
    an item mean something. `cursor` (opaque text) is handed to the next listing.
    """

    cursor: str = ""
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """One file that `fetch` left in its directory.

    `path` is relative to that directory. `label` tells files of one material apart ("p001", "en").
    `media_type` is what upstream claims: the core looks for itself.
    """

    path: Path
    role: Role = Role.ORIGINAL
    grade: Grade = Grade.ORIGINAL
    label: str = ""
    media_type: str = ""
