"""Make what the pages show from the configuration, the ledgers and the index of pictures. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from archiver import previews, waivers
from archiver.archive import COMMON, EVENT, Head
from archiver.asked import Asks
from archiver.catalog.words import clean
from archiver.config import Config
from archiver.coverage import coverage
from archiver.decisions import is_rejected
from archiver.errors import DamageError, MissingError
from archiver.inventory import UNREADABLE
from archiver.ledger import Record, State, StoredFile, best_grade
from archiver.logbook import WAIVERS
from archiver.model import Event, Grade, Kind, Role, Talk
from archiver.pages import places
from archiver.pages.model import EventView, FileLink, Item, Site, SpeakerView, TalkView
from archiver.pages.pictures import Needed, Pic, Pictures

Locate = Callable[[str, str], str]


def visible(records: Iterable[Record]) -> list[Record]:
    """Choose what pages may show: what is held, and neither taken down nor rejected; by time, then by id."""
    held = (each for each in records if each.state is not State.TAKEN_DOWN and each.files)
    shown = (each for each in held if not is_rejected(each))
    return sorted(shown, key=lambda record: (record.material.date or "~", record.key))


def needed(record: Record, locate: Locate) -> Iterator[Needed]:
    """Say which pictures a material needs, and where the files lie that they are made of."""
    for file, each in previews.wanted(record.material.kind, record.files):
        yield locate(record.material.event, file.path), each


def stops(config: Config, head: Head) -> list[Event]:
    """Give the events of the programme, then those that only the archive still knows."""
    known = {event.id for event in config.events}
    gone = (_kept(head, name) for name in sorted(head.objects) if name not in {*known, COMMON})
    return [*map(_clean_event, config.events), *(_clean_event(event) for event in gone if event)]


def _kept(head: Head, name: str) -> Event | None:
    try:
        data = json.loads(head.object(name).read(EVENT))
        talks = tuple(
            Talk(str(each["id"]), str(each["title"]), tuple(map(str, each.get("speakers", ()))), expect=())
            for each in data.get("talks", ())
        )
        texts: dict[str, Any] = {
            key: str(data.get(key, "")) for key in ("title", "date", "end_date", "city", "venue")
        }
        return Event(name, **texts, talks=talks, expect=(), facts=_plain(data.get("facts", {})))
    except (DamageError, MissingError, *UNREADABLE):
        return None


def _plain(facts: Mapping[str, Any]) -> dict[str, str | int]:
    return {str(key): value if isinstance(value, int) else str(value) for key, value in facts.items()}


def _clean_event(event: Event) -> Event:
    texts: dict[str, Any] = {
        name: clean(getattr(event, name)) for name in ("title", "date", "end_date", "city", "venue")
    }
    talks = tuple(
        replace(talk, title=clean(talk.title), speakers=tuple(map(clean, talk.speakers)), email="")
        for talk in event.talks
    )
    return Event(event.id, **texts, talks=talks, expect=event.expect, facts=_clean_facts(event.facts))


def _clean_waiver(waiver: waivers.Waiver) -> waivers.Waiver:
    return replace(waiver, why=clean(waiver.why))


def _clean_facts(facts: Mapping[str, str | int]) -> dict[str, str | int]:
    return {clean(key): clean(value) if isinstance(value, str) else value for key, value in facts.items()}


def digest(config: Config, asks: Asks) -> str:
    """Give a digest of what pages show and no version holds: the programme as configured, who was asked."""
    settings, events = config.archive, [*map(_clean_event, config.events)]
    asked = [asks.last(event.id, talk.id) for event in events for talk in event.talks]
    shown = (
        settings.title, settings.organizer, settings.language, dict(settings.facts), events,
        [ask and (ask.event, ask.talks, ask.at) for ask in asked],
    )  # fmt: skip
    return hashlib.sha256(repr(shown).encode("utf-8", "surrogatepass")).hexdigest()


def gather(
    config: Config, head: Head, pictures: Pictures, locate: Locate, asks: Asks, *, url: str = ""
) -> Site:
    """Bring together everything that is shown. Nothing of what was taken down or rejected is in it."""
    records = visible(head.records.values())
    events = stops(config, head)
    by_event: dict[str, list[Record]] = {}
    for record in records:
        by_event.setdefault(record.material.event, []).append(record)
    views = tuple(_event(event, by_event.get(event.id, []), pictures, locate) for event in events)
    settings = config.archive
    waived = waivers.read(head.logbooks.get(WAIVERS, ()), config.events)
    last = {
        (event.id, talk.id): asks.last(event.id, talk.id) for event in config.events for talk in event.talks
    }
    return Site(
        clean(settings.title), clean(settings.organizer), settings.language, _clean_facts(settings.facts),
        views, speakers(views), coverage(events[: len(config.events)], head.records.values(), waived),
        {key: ask.at for key, ask in last.items() if ask}, url, asks, tuple(map(_clean_waiver, waived)),
    )  # fmt: skip


def _event(event: Event, records: Sequence[Record], pictures: Pictures, locate: Locate) -> EventView:
    known = {talk.id for talk in event.talks}
    items = tuple(_on_walls(event.id, [item(record, pictures, locate, known) for record in records]))
    loose = [each for each in items if each.talk not in known]
    own = [_talk(event, talk, items) for talk in event.talks]
    shown = tuple(talk for talk in own if talk.items or not talk.talk.cancelled)
    return EventView(event, places.event_page(event.id), shown, tuple(loose), items)


def _on_walls(event: str, items: Iterable[Item]) -> Iterator[Item]:
    """Say of each photo on which page of the event's wall it is."""
    photos = 0
    for each in items:
        if each.kind is not Kind.PHOTO:
            yield each
            continue
        number = photos // places.WALL + 1
        photos += 1
        yield replace(each, page=f"{places.wall_page(event, number)}#p-{each.id}") if number > 1 else each


def _talk(event: Event, talk: Talk, items: Iterable[Item]) -> TalkView:
    page = places.talk_page(event.id, talk.id)
    return TalkView(event, talk, page, tuple(each for each in items if each.talk == talk.id))


def item(record: Record, pictures: Pictures, locate: Locate, talks: Iterable[str]) -> Item:
    """Make one material fit to be shown."""
    material, name = record.material, places.item_id(record)
    files = tuple(_file(file, locate(material.event, file.path)) for file in record.files)
    grade = best_grade(record.files)
    return Item(
        name, record, material.kind, clean(material.title) or clean(material.id)[-80:], material.event,
        record.match.talk, tuple(filter(None, map(clean, material.authors))), clean(material.date),
        clean(material.description), clean(material.licence), _web(material.url),
        _page(record, name, talks), record.state is State.WITHDRAWN, grade.value if grade else "",
        _main(files, record.files), files, _pages(record, pictures),
        record.history[0].at if record.history else "",
    )  # fmt: skip


def _page(record: Record, name: str, talks: Iterable[str]) -> str:
    kind, event, talk = record.material.kind, record.material.event, record.match.talk
    if kind is Kind.PHOTO:
        return f"{places.wall_page(event)}#p-{name}"
    if talk in talks and kind is not Kind.REPORT:
        return places.talk_page(event, talk)
    return places.item_page(event, name)


def _web(url: str) -> str:
    """Let through addresses of the web alone: `javascript:` is one that runs something."""
    return url if url.startswith(("http://", "https://")) and url.isprintable() else ""


def _file(file: StoredFile, path: str) -> FileLink:
    name = file.path.rpartition("/")[2]
    return FileLink(path, name, file.size, file.media_type, file.sha256, file.grade.value, clean(file.label))


def _main(links: Sequence[FileLink], files: Sequence[StoredFile]) -> FileLink | None:
    """Choose the file to open: the original, or the PDF made of page images rather than page one."""

    def rank(at: int) -> tuple[bool, bool, bool, int, int, str]:
        file = files[at]
        one_of_many = file.grade is Grade.PAGES and file.role is not Role.DERIVATIVE
        places_ = list(Role).index(file.role), list(Grade).index(file.grade)
        return (file.role is Role.SIDECAR, file.grade is Grade.THUMBNAIL, one_of_many, *places_, file.label)

    if len(files) == 1:
        return links[0]  # as of nearly all photos
    return links[min(range(len(files)), key=rank)] if files else None


def _pages(record: Record, pictures: Pictures) -> tuple[Pic, ...]:
    drawn = previews.chosen(record.material.kind, record.files)
    return tuple(pic for file in drawn for pic in pictures.of(file.sha256))


def speakers(events: Iterable[EventView]) -> tuple[SpeakerView, ...]:
    """Give every name of the programme with its talks, in alphabetical order."""
    found: dict[str, tuple[str, list[TalkView]]] = {}
    for talk in (talk for event in events for talk in event.talks):
        for name in filter(None, talk.talk.speakers):
            found.setdefault(places.speaker_page(name), (name, []))[1].append(talk)
    views = [SpeakerView(name, page, tuple(talks)) for page, (name, talks) in found.items()]
    return tuple(sorted(views, key=lambda view: (view.name.casefold(), view.page)))
