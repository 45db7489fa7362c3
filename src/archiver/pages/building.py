"""Build the site of one sink: pictures first, then pages, then what programs read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, NamedTuple
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
from archiver.pages.model import EventView, Item, Site, SpeakerView, TalkView
from archiver.pages.origins import Origins
from archiver.pages.pictures import Pictures
from archiver.pages.words import Words
from archiver.pages.writing import Writer, is_stamped, stamp

_NEWEST: Final = 8


class Page(NamedTuple):
    """One file of the site. `made_of` stands for all that it is made of; empty where that was not told."""

    path: str
    render: Callable[[], bytes]
    made_of: str = ""


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
    made again, and every page. `progress` hears how many files were drawn. Raises `SinkError`.
    """
    sink, locate = head.sink, cache(lambda event, path: head.object(event).locate(path))
    known = Pictures() if anew else Pictures.load(sink)
    shown = gathering.visible(head.records.values())
    needed = (each for record in shown for each in gathering.needed(record, locate))
    lent = [(each.sink, Pictures.load(each.sink)) for each in lenders]
    drawn = pictures.make(sink, known, needed, lent, progress, anew=anew)
    writer = Writer.open(sink, url, anew=anew)
    site = gathering.gather(config, head, known, locate, asks, url=writer.url)
    pages = _Pages(site, sink, cache(texts_of(head)), head.digests)
    for page in pages.everything():
        writer.put(page.path, page.render, page.made_of)
    writer.close(pages.stub)
    stamp(head, gathering.digest(config, asks))
    undrawn = pictures.counts(known.entries)
    return Built(writer.written, writer.stubs, drawn, undrawn, sum(p.endswith(".html") for p in writer.seen))


def is_stale(head: Head, config: Config, asks: Asks = NOBODY_ASKED) -> bool:
    """Say whether the pages of a sink were made of anything else than they would be now, or never."""
    return not is_stamped(head, gathering.digest(config, asks))


class _Pages:
    """Renders every page of a site."""

    def __init__(
        self, site: Site, sink: Sink[Any], read: Callable[[str], str | None], digests: Mapping[str, str]
    ) -> None:
        self.site, self.sink, self.read, self.digests = site, sink, read, digests
        self.words = Words(site.language)
        self.again = comparing.given_again(site.talks)
        self.reports = {i.id: texts.report(i, read) for i in site.items if i.kind is Kind.REPORT}
        self.cues: dict[str, str] = {}

    def everything(self) -> Iterator[Page]:
        """Yield each file of the site: pages, assets, data."""
        for name in rendering.ASSETS:
            yield Page(rendering.asset(name), partial(rendering.static, name))
        yield from self._subtitles()
        done: list[str] = []
        for page in (*self._front(), *self._parts()):
            done.append(page.path)
            yield page
        yield Page(places.ROOT_PAGE, partial(self._render, "root.html", places.ROOT_PAGE, site=self.site))
        yield from self._data(done)

    def stub(self, path: str) -> bytes:
        """Render what stands where a page was."""
        return self._render("stub.html", path)

    def _render(self, template: str, path: str, **values: Any) -> bytes:
        # What frames a page, and no more: what else it shows of the site has to be handed to it.
        frame = {"title": self.site.title, "organizer": self.site.organizer}
        empty = {"title": "", "description": "", "linked_data": None, "cues": self.cues}
        return rendering.render(template, path, self.words, {**empty, "frame": frame, **values})

    def _parts(self) -> Iterator[Page]:
        """Yield the pages of parts of the archive; they say what they are made of."""
        site, origins = self.site, Origins(self.site, self.digests, self.cues, self.again)
        # With nothing cleared a public sink shows no event at all.
        row: list[EventView | None] = [None, *site.events, None]
        for view, earlier, later in zip(site.events, row[:-2], row[2:], strict=True):
            event = partial(self._event, view, earlier, later)
            yield Page(view.page, event, origins.event(view, earlier, later))
            for talk in view.talks:
                yield Page(talk.page, partial(self._talk, talk), origins.talk(talk))
            for item in (each for each in view.items if each.page.startswith("site/item/")):
                yield Page(item.page, partial(self._item, item, view), origins.part(item.page, view))
            for number in range(1, -(-len(view.of("photo")) // places.WALL) + 1):
                path = places.wall_page(view.event.id, number)
                yield Page(path, partial(self._wall, path, view, number), origins.part(path, view))
        for speaker in site.speakers:
            yield Page(speaker.page, partial(self._speaker, speaker), origins.speaker(speaker))

    def _front(self) -> Iterator[Page]:
        """Yield the pages of the whole archive."""
        plain = {
            "@context": "https://schema.org", "@type": "CollectionPage", "name": self.site.title
        }  # fmt: skip
        kinds = " ".join(self.words[f"kind_{kind}"] for kind in searching.KINDS)
        told = reviewing.review(self.site, self.reports)
        coverage = {
            "gaps": covering.missing(self.site), "sheets": covering.sheets(self.site),
            "waived": list(covering.waived(self.site)),
        }  # fmt: skip
        yield Page(places.HOME, self._home)
        shared = {"linked_data": plain, "site": self.site}
        for path, word, more in (
            (places.SPEAKERS, "speakers", {}),
            (places.PHOTOS, "photos", {}),
            (places.SEARCH, "search", {"kinds": kinds}),
            (places.COVERAGE, "coverage", coverage),
            (places.REVIEW, "review", {"told": told, "say": reviewing.Saying(told, self.words)}),
        ):
            values = {"title": self.words[word], **shared, **more}
            yield Page(path, partial(self._render, f"{word}.html", path, **values))

    def _home(self) -> bytes:
        site = self.site
        dates = sorted(view.event.date for view in site.events if view.event.date)
        span = self.words.dates(dates[0], dates[-1]) if dates else ""
        held = (item for item in site.items if item.kind is not Kind.PHOTO)
        newest = sorted(held, key=lambda item: (item.added, item.id), reverse=True)[:_NEWEST]
        return self._render(
            "archive.html", places.HOME, span=span, newest=newest, linked_data=machine.archive_data(site),
            facts=self._facts(site.facts), description=site.organizer, site=site,
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

    def _wall(self, path: str, view: EventView, number: int) -> bytes:
        photos = view.of("photo")
        return self._render(
            "wall.html", path, event=view,
            photos=photos[(number - 1) * places.WALL : number * places.WALL],
            total=len(photos), number=number, pages=-(-len(photos) // places.WALL),
            title=f"{view.event.title} · {self.words['photos']}", linked_data=machine.gallery_data(view),
        )  # fmt: skip

    def _speaker(self, speaker: SpeakerView) -> bytes:
        return self._render(
            "speaker.html", speaker.page, speaker=speaker, title=speaker.name,
            linked_data=machine.speaker_data(speaker),
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
            yield Page(path, partial(searching.script, "archiveCues", file.sha256, cues))

    def _data(self, pages: Sequence[str]) -> Iterator[Page]:
        found = list(searching.entries(self.site, self.read))
        scripts = searching.scripts(self.site, found, partial(places.relative, page=places.SEARCH))
        yield from (Page(path, partial(bytes, data)) for path, data in scripts)
        yield Page(places.CATALOG, partial(machine.catalog, self.site))
        yield Page(places.CATALOG_SCHEMA, partial(rendering.static, "catalog.schema.json"))
        yield Page(places.FEED, partial(machine.feed, self.site))
        if self.site.url:
            yield Page(places.SITEMAP, partial(machine.sitemap, self.site, pages))
