"""Build the site of one sink: pictures first, then pages, then what programs read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final
from urllib.parse import quote

from archiver.archive import Head
from archiver.asked import NOBODY_ASKED, Asks
from archiver.catalog.serving import texts_of
from archiver.config import Config
from archiver.contracts import Sink
from archiver.errors import MissingError
from archiver.media import types
from archiver.model import Kind
from archiver.pages import (
    comparing,
    covering,
    gathering,
    machine,
    pictures,
    places,
    rendering,
    reviewing,
    searching,
    texts,
)
from archiver.pages.model import EventView, Item, Site, TalkView
from archiver.pages.pictures import Pictures
from archiver.pages.words import Words
from archiver.pages.writing import Writer, stamp

_NEWEST: Final = 8

Page = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did: files written, of them stubs; files drawn; pages that there are."""

    written: int
    stubs: int
    drawn: int
    undrawn: int
    pages: int


def build(
    head: Head,
    config: Config,
    asks: Asks = NOBODY_ASKED,
    *,
    url: str = "",
    lenders: Sequence[Head] = (),
    anew: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Built:
    """Bring the site of a sink up to date with what the sink holds.

    `url` is the public address of the archive's root, remembered from build to build; it is needed for
    the sitemap alone. `lenders` are sinks whose pictures may be copied. With `anew` every picture is
    made again. `progress` hears how many files were drawn. Raises `SinkError`.
    """
    sink, locate = head.sink, cache(lambda event, path: head.object(event).locate(path))
    known = Pictures() if anew else Pictures.load(sink)
    shown = gathering.visible(head.records.values())
    needed = (each for record in shown for each in gathering.needed(record, locate))
    lent = [(each.sink, Pictures.load(each.sink)) for each in lenders]
    drawn = pictures.make(sink, known, needed, lent, progress, anew=anew)
    writer = Writer.open(sink, url)
    site = gathering.gather(config, head, known, locate, asks, url=writer.url)
    pages = _Pages(site, sink, cache(texts_of(head)))
    for path, data in pages.everything():
        writer.put(path, data)
    writer.close(pages.stub)
    stamp(head)
    undrawn = pictures.counts(known.entries)
    return Built(writer.written, writer.stubs, drawn, undrawn, sum(p.endswith(".html") for p in writer.seen))


class _Pages:
    """Renders every page of a site."""

    def __init__(self, site: Site, sink: Sink[Any], read: Callable[[str], str | None]) -> None:
        self.site, self.sink, self.read = site, sink, read
        self.words = Words(site.language)
        self.again = comparing.given_again(site.talks)
        self.reports = {i.id: texts.report(i, read) for i in site.items if i.kind is Kind.REPORT}
        self.cues: dict[str, str] = {}

    def everything(self) -> Iterator[Page]:
        """Yield each file of the site: pages, assets, data."""
        yield from ((rendering.asset(name), rendering.static(name)) for name in rendering.ASSETS)
        yield from self._subtitles()
        done: list[str] = []
        for path, data in self._pages():
            done.append(path)
            yield path, data
        yield places.ROOT_PAGE, self._render("root.html", places.ROOT_PAGE)
        yield from self._data(done)

    def stub(self, path: str) -> bytes:
        """Render what stands where a page was."""
        return self._render("stub.html", path)

    def _render(self, template: str, path: str, **values: Any) -> bytes:
        empty = {"title": "", "description": "", "linked_data": None, "cues": self.cues}
        return rendering.render(template, path, self.words, {**empty, "site": self.site, **values})

    def _pages(self) -> Iterator[Page]:
        yield from self._front()
        before: list[EventView | None] = [None, *self.site.events[:-1]]
        after: list[EventView | None] = [*self.site.events[1:], None]
        for earlier, view, later in zip(before, self.site.events, after, strict=True):
            yield view.page, self._event(view, earlier, later)
            yield from ((talk.page, self._talk(talk)) for talk in view.talks)
            yield from ((i.page, self._item(i, view)) for i in view.items if i.page.startswith("site/item/"))
            yield from self._walls(view)
        for speaker in self.site.speakers:
            data = machine.speaker_data(speaker)
            yield (
                speaker.page,
                self._render(
                    "speaker.html", speaker.page, speaker=speaker, title=speaker.name, linked_data=data
                ),
            )

    def _front(self) -> Iterator[Page]:
        site, t = self.site, self.words
        dates = sorted(view.event.date for view in site.events if view.event.date)
        span = t.dates(dates[0], dates[-1]) if dates else ""
        held = (item for item in site.items if item.kind is not Kind.PHOTO)
        newest = sorted(held, key=lambda item: (item.added, item.id), reverse=True)[:_NEWEST]
        data = machine.archive_data(site)
        yield places.HOME, self._render(
            "archive.html", places.HOME, span=span, newest=newest, linked_data=data,
            facts=self._facts(site.facts), description=site.organizer,
        )  # fmt: skip
        plain = {
            "linked_data": {"@context": "https://schema.org", "@type": "CollectionPage", "name": site.title}
        }
        for template, path, word in (
            ("speakers.html", places.SPEAKERS, "speakers"),
            ("photos.html", places.PHOTOS, "photos"),
        ):
            yield path, self._render(template, path, title=t[word], **plain)
        kinds = " ".join(t[f"kind_{kind}"] for kind in searching.KINDS)
        yield (
            places.SEARCH,
            self._render("search.html", places.SEARCH, title=t["search"], kinds=kinds, **plain),
        )
        yield places.COVERAGE, self._render(
            "coverage.html", places.COVERAGE, title=t["coverage"], gaps=covering.missing(site),
            sheets=covering.sheets(site), waived=list(covering.waived(site)), **plain,
        )  # fmt: skip
        told = reviewing.review(site, self.reports)
        yield places.REVIEW, self._render(
            "review.html", places.REVIEW, title=t["review"], told=told, say=reviewing.Saying(told, t),
            **plain,
        )  # fmt: skip

    def _facts(self, facts: Any) -> list[tuple[str, str]]:
        known = {"enrolled", "attended", "lecturers"}
        return [
            (
                self.words[label] if label in known else label,
                self.words.number(value) if isinstance(value, int) else self.words.date(value),
            )
            for label, value in facts.items()
        ]

    def _event(self, view: EventView, before: EventView | None, after: EventView | None) -> bytes:
        return self._render(
            "event.html", view.page, event=view, title=view.event.title, before=before, after=after,
            facts=self._facts(view.event.facts), reports=self.reports,
            linked_data=machine.event_data(view, self.site),
        )  # fmt: skip

    def _talk(self, talk: TalkView) -> bytes:
        others = [comparing.compare(talk, other, self.read) for other in self.again[talk.page]]
        slides = comparing.slides(talk.deck, self.read) if talk.deck else []
        return self._render(
            "talk.html", talk.page, talk=talk, title=talk.talk.title, others=others,
            description=", ".join(talk.talk.speakers), slide_text=[page for page in slides if page],
            asked=self.site.asked.get((talk.event.id, talk.talk.id), ""),
            linked_data=machine.talk_data(talk),
        )  # fmt: skip

    def _item(self, item: Item, view: EventView) -> bytes:
        report = self.reports.get(item.id)
        slides = comparing.slides(item, self.read) if item.kind is Kind.SLIDES else []
        return self._render(
            "item.html", item.page, item=item, event=view.event, title=report.title if report else item.title,
            description=report.lead if report else item.description, slide_text=[p for p in slides if p],
            paragraphs=report.paragraphs if report else (), replay=self._replay(item),
            linked_data=machine.item_data(item),
        )  # fmt: skip

    def _replay(self, item: Item) -> str:
        """Link to a replay where the public address is known: the player has to reach the web archive."""
        if not self.site.url or item.main is None or item.main.media_type != types.WACZ:
            return ""
        where = f"{self.site.url.rstrip('/')}/{quote(item.main.path)}"
        return f"https://replayweb.page/?source={quote(where, safe='')}"

    def _walls(self, view: EventView) -> Iterator[Page]:
        photos = view.of("photo")
        pages = -(-len(photos) // places.WALL)
        for number in range(1, pages + 1):
            path = places.wall_page(view.event.id, number)
            yield path, self._render(
                "wall.html", path, event=view,
                photos=photos[(number - 1) * places.WALL : number * places.WALL],
                total=len(photos), number=number, pages=pages,
                title=f"{view.event.title} · {self.words['photos']}", linked_data=machine.gallery_data(view),
            )  # fmt: skip

    def _subtitles(self) -> Iterator[Page]:
        for file in (file for item in self.site.items for file in item.subtitles):
            if file.sha256 in self.cues:
                continue
            try:
                with self.sink.open(file.path) as stream:
                    cues = texts.read_cues(stream)
            except MissingError:
                continue
            path = f"{places.SITE}cues/{file.sha256}.js"
            self.cues[file.sha256] = path
            yield path, searching.script("archiveCues", file.sha256, cues)

    def _data(self, pages: Sequence[str]) -> Iterator[Page]:
        found = list(searching.entries(self.site, self.read))
        yield from searching.scripts(self.site, found, partial(places.relative, page=places.SEARCH))
        yield places.CATALOG, machine.catalog(self.site)
        yield places.CATALOG_SCHEMA, rendering.static("catalog.schema.json")
        yield places.FEED, machine.feed(self.site)
        if self.site.url:
            yield places.SITEMAP, machine.sitemap(self.site, pages)
