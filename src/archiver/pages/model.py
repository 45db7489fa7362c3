"""What the pages show, as plain data: text cleaned, files located, links still paths in the sink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from archiver.asked import NOBODY_ASKED, Asks
from archiver.coverage import Coverage
from archiver.ledger import Record
from archiver.model import Event, Kind, Talk
from archiver.pages.pictures import Pic
from archiver.waivers import Waiver


@dataclass(frozen=True, slots=True)
class FileLink:
    """One stored file: where it lies in the sink, how it is called, what it is."""

    path: str
    name: str
    size: int
    media_type: str
    sha256: str
    grade: str
    label: str


@dataclass(frozen=True, slots=True)
class Item:
    """One material that is held. `page` is where it is shown; `pages` are pictures of what is in it."""

    id: str
    record: Record
    kind: Kind
    title: str
    event: str
    talk: str
    authors: tuple[str, ...]
    date: str
    description: str
    licence: str
    url: str
    page: str
    withdrawn: bool
    grade: str
    main: FileLink | None
    files: tuple[FileLink, ...]
    pages: tuple[Pic, ...]
    added: str

    @property
    def cover(self) -> Pic | None:
        """What stands for it among others."""
        return self.pages[0] if self.pages else None

    @property
    def subtitles(self) -> tuple[FileLink, ...]:
        """The subtitles of a recording."""
        return tuple(f for f in self.files if f.media_type in {"text/vtt", "application/x-subrip"})


@dataclass(frozen=True, slots=True)
class TalkView:
    """One talk of one event with what is held of it. `talk.id` is empty for a deck that has no talk."""

    event: Event
    talk: Talk
    page: str
    items: tuple[Item, ...]

    def of(self, kind: str) -> tuple[Item, ...]:
        """Give what is held of one kind."""
        return tuple(item for item in self.items if item.kind == kind)

    @property
    def deck(self) -> Item | None:
        """The deck that stands for it: the one with pictures first."""
        decks = self.of("slides")
        return next((deck for deck in decks if deck.pages), decks[0] if decks else None)


@dataclass(frozen=True, slots=True)
class EventView:
    """One event with its talks and what belongs to it as a whole."""

    event: Event
    page: str
    talks: tuple[TalkView, ...]
    loose: tuple[Item, ...]
    items: tuple[Item, ...]

    def of(self, kind: str) -> tuple[Item, ...]:
        """Give everything of one kind, of the talks too."""
        return tuple(item for item in self.items if item.kind == kind)

    def loose_of(self, kind: str) -> tuple[Item, ...]:
        """Give what belongs to no talk, of one kind."""
        return tuple(item for item in self.loose if item.kind == kind)

    @property
    def cover(self) -> Pic | None:
        """A picture that stands for the event: a photo, else the first page of a deck."""
        pictured = [item for kind in ("photo", "slides") for item in self.of(kind) if item.cover]
        return pictured[0].cover if pictured else None


@dataclass(frozen=True, slots=True)
class SpeakerView:
    """One speaker and the talks that this name gave."""

    name: str
    page: str
    talks: tuple[TalkView, ...]


@dataclass(frozen=True)
class Site:
    """Everything that is shown."""

    title: str
    organizer: str
    language: str
    facts: Mapping[str, str | int]
    events: tuple[EventView, ...]
    speakers: tuple[SpeakerView, ...]
    coverage: Coverage
    asked: Mapping[tuple[str, str], str] = field(default_factory=dict)
    url: str = ""
    asks: Asks = NOBODY_ASKED
    waivers: tuple[Waiver, ...] = ()

    @property
    def items(self) -> Iterator[Item]:
        """Every material, in the order of the programme."""
        return (item for event in self.events for item in event.items)

    @property
    def totals(self) -> dict[str, int]:
        """Count what is held, by kind."""
        kinds = [item.kind.value for item in self.items]
        return {kind.value: kinds.count(kind.value) for kind in Kind if kind.value in kinds}

    @property
    def talks(self) -> Iterator[TalkView]:
        """Every talk, in the order of the programme."""
        return (talk for event in self.events for talk in event.talks)
