"""Archives with a public sink, in which every string and every byte carries a marker of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from archiver import logbook
from archiver.amend import amending
from archiver.config import Config
from archiver.consents import Given
from archiver.copying import Copied, Copying
from archiver.decisions import Decision, Verdict
from archiver.model import Audience, Consent, Event, Kind, Material, Talk
from line_kit import Item, World


def mark(*names: object) -> str:
    """Give a word that occurs nowhere else: letters alone, so that names and indexes keep it whole."""
    digits = hashlib.sha256("/".join(map(str, names)).encode()).hexdigest()[:20]
    return digits.translate(str.maketrans("0123456789", "ghijklmnop"))


@dataclass
class Marked(Item):
    """A thing upstream of which every string is a marker."""

    @property
    def material(self) -> Material:
        """How a source lists it."""
        plain = super().material
        return replace(
            plain,
            authors=(mark(self.id, "author"),),
            description=mark(self.id, "description"),
            tags=(mark(self.id, "tag"),),
            url=f"https://media.example.org/{mark(self.id, 'url')}",
            extra={"private": mark(self.id, "extra")},
            licence=mark(self.id, "licence"),
        )


def thing(name: str, event: str, **more: str) -> Marked:
    """Make a thing of an event, with marked bytes and a marked title."""
    data = (f"{mark(name, 'bytes')} is what the file says.\n".encode(),)
    return Marked(mark(name, "id"), data, event=event, title=mark(name, "title"), **more)  # type: ignore[arg-type]  # the kinds of line_kit


def strings_of(name: str) -> set[str]:
    """Every marker of a thing that may be shown once it is cleared."""
    item = mark(name, "id")
    shown = {mark(name, "bytes"), mark(name, "title"), item}
    return shown | {mark(item, what) for what in ("author", "description", "tag", "url", "licence")}


def talk(name: str, consent: Consent | None = None) -> Talk:
    """Make a talk of which everything is marked."""
    title = mark(name, "talk")
    return Talk(
        title,
        title,
        (mark(name, "speaker"),),
        f"{mark(name, 'mail')}@example.org",
        (Kind.OTHER,),
        consent=consent,
    )


def stop(name: str, talks: Iterable[Talk] = (), consent: Consent | None = None) -> Event:
    """Make an event of which everything but the id is marked."""
    facts = {mark(name, "fact"): mark(name, "figure")}
    words = (mark(name, "event"), "2012-09-16", "", mark(name, "city"), mark(name, "venue"))
    return Event(name, *words, tuple(talks), (), facts, consent)


def strings_of_stop(name: str) -> set[str]:
    """Every marker of an event."""
    return {mark(name, what) for what in ("event", "city", "venue", "fact", "figure")}


@dataclass
class PublicWorld(World):
    """A world with one sink for everything and one for everybody."""

    sinks: tuple[str, ...] = ("local", "public")
    public: tuple[str, ...] = ("public",)
    uses: dict[str, Consent | None] = field(default_factory=dict)

    @property
    def config(self) -> Config:
        """The configuration, with audiences and what each use says."""
        plain = super().config
        sinks = tuple(
            replace(each, audience=Audience.PUBLIC if each.name in self.public else Audience.INTERNAL)
            for each in plain.sinks
        )
        sources = tuple(
            replace(each, consents=tuple(self.uses.get(entry.event.id) for entry in each.entries))
            for each in plain.sources
        )
        return replace(plain, sinks=sinks, sources=sources)

    def decide(self, *given: Given) -> None:
        """Write decisions down, as `archive consent` does."""
        lines = [replace(each, at=logbook.now()).line() for each in given]
        with amending(self.config, self.registry()) as desk:
            desk.write(logbook.CONSENTS, lines, "decided")

    def reject(self, *names: str) -> None:
        """Reject things of the first source, as `archive matches reject` does."""
        ids = [mark(name, "id") for name in names]
        made = [Decision("memory", each, Verdict.REJECT, logbook.now()).to_json() for each in ids]
        with amending(self.config, self.registry()) as desk:
            desk.write(logbook.DECISIONS, made, "rejected")

    def copy(self, origin: str = "local", target: str = "public") -> Copied:
        """Fill one sink from another."""
        return Copying(self.config, self.registry(), origin, target, jobs=2).execute()

    def settle(self, name: str, consent: Consent | None) -> None:
        """Decide about one thing of the first source."""
        self.decide(Given(("item", "memory", mark(name, "id")), consent))


def everything_in(folder: Path) -> str:
    """All names and all bytes below a directory, as one text."""
    return "\n".join(_texts(folder)).casefold()


def _texts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        yield str(path.relative_to(folder))
        if path.is_file():
            yield path.read_bytes().decode("latin-1")


def found(markers: Iterable[str], text: str) -> set[str]:
    """Give the markers that occur.

    A search index leaves out the beginning of a word that is like its neighbour's.
    """
    return {each for each in markers if each[4:] in text}
