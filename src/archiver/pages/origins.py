"""What each page is made of, in short: a page made of the same is the same, and need not be made again.

A digest covers the ledger of the page's event (through the object that holds it), the event as it is
configured, the pictures and subtitles that were made, what frames every page, and this package itself. A page
that shows more than one event is made of all of theirs. Only pages that are made of parts of the archive
have an origin: those of the whole change with every part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from archiver import __version__
from archiver.pages.model import EventView, Item, Site, SpeakerView, TalkView


class Origins:
    """Tells what pages are made of. `digests` are those of the sink's objects, `cues` the subtitles made."""

    def __init__(
        self,
        site: Site,
        digests: Mapping[str, str],
        cues: Mapping[str, str],
        again: Mapping[str, tuple[TalkView, ...]],
    ) -> None:
        self._frame = (site.title, site.organizer, site.language, site.url)
        self._asked, self._again, self._cues = site.asked, again, cues
        self._events = {view.page: self._of(view, digests) for view in site.events}
        self._by_event = {view.event.id: self._events[view.page] for view in site.events}

    def event(self, view: EventView, before: EventView | None, after: EventView | None) -> str:
        """Tell it of the page of an event, which names its neighbours."""
        turns = (each and (each.page, each.event.title) for each in (before, after))
        return self._digest("event", view.page, self._events[view.page], *turns)

    def part(self, page: str, view: EventView) -> str:
        """Tell it of a page that shows things of one event alone."""
        return self._digest("part", page, self._events[view.page])

    def talk(self, talk: TalkView) -> str:
        """Tell it of the page of a talk, which is compared with the same talk at other stops."""
        others = (self._by_event[other.event.id] for other in self._again[talk.page])
        asked = self._asked.get((talk.event.id, talk.talk.id), "")
        return self._digest("talk", talk.page, self._by_event[talk.event.id], asked, *others)

    def speaker(self, speaker: SpeakerView) -> str:
        """Tell it of the page of a speaker, which shows talks of any event."""
        events = dict.fromkeys(self._by_event[talk.event.id] for talk in speaker.talks)
        return self._digest("speaker", speaker.page, speaker.name, *events)

    def _of(self, view: EventView, digests: Mapping[str, str]) -> str:
        # The ledger tells the same, but what may not be shown must not stay for a mistake of ours.
        items = [(item.id, item.page, item.withdrawn) for item in view.items]
        pictures = [pic.sizes for item in view.items for pic in item.pages]
        cued = [*self._cued(view.items)]
        return self._digest(view.event, digests.get(view.event.id), items, pictures, cued)

    def _cued(self, items: Iterable[Item]) -> Iterable[str | None]:
        return (self._cues.get(file.sha256) for item in items for file in item.subtitles)

    def _digest(self, *parts: object) -> str:
        # `repr` of plain data with texts in it tells any two of them apart.
        text = repr((_package(), self._frame, parts))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _package() -> str:
    """Give a digest of all that makes pages: another template makes another page."""
    digest = hashlib.sha256(__version__.encode())
    for path, data in _files(resources.files("archiver.pages"), ""):
        digest.update(f"{path}\n{len(data)}\n".encode() + data)
    return digest.hexdigest()


def _files(folder: Traversable, above: str) -> Iterable[tuple[str, bytes]]:
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.is_dir():
            if each.name != "__pycache__":
                yield from _files(each, f"{above}{each.name}/")
        else:
            yield above + each.name, each.read_bytes()
