"""What programs read: JSON-LD of each page, `catalog.json`, the feed, the sitemap."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from archiver.pages import places
from archiver.pages.model import EventView, Item, Site, SpeakerView, TalkView

#: Raised when a field of `catalog.json` changes its meaning; new fields may come at any time.
CATALOG_VERSION: Final = 1
_ATOM: Final = "http://www.w3.org/2005/Atom"
_SITEMAP: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
_FEED_ENTRIES: Final = 50
_SITEMAP_PAGES: Final = 50_000
#: What XML 1.0 (section 2.2) cannot hold.
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SCHEMA_TYPES: Final = {
    "slides": "PresentationDigitalDocument", "video": "VideoObject", "photo": "Photograph",
    "report": "Report", "other": "DigitalDocument",
}  # fmt: skip


def _trim(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value not in ("", None, [], {}, ())}


def _people(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"@type": "Person", "name": name} for name in names]


def archive_data(site: Site) -> dict[str, Any]:
    """Describe the archive in terms of schema.org."""
    events = [_trim(_event(view)) for view in site.events]
    organizer = {"@type": "Organization", "name": site.organizer} if site.organizer else None
    return _trim({
        "@context": "https://schema.org", "@type": "EventSeries", "name": site.title,
        "organizer": organizer, "inLanguage": site.language, "subEvent": events,
    })  # fmt: skip


def _event(view: EventView) -> dict[str, Any]:
    event = view.event
    place = _trim({"@type": "Place", "name": event.venue, "address": event.city})
    return {
        "@type": "Event", "name": event.title, "startDate": event.date, "endDate": event.end_date,
        "location": place if len(place) > 1 else None,
    }  # fmt: skip


def event_data(view: EventView, site: Site) -> dict[str, Any]:
    """Describe one event."""
    names = dict.fromkeys(name for talk in view.talks for name in talk.talk.speakers)
    works = [_trim({"@type": "CreativeWork", "name": talk.talk.title}) for talk in view.talks]
    series = {"@type": "EventSeries", "name": site.title}
    more = {"superEvent": series, "performer": _people(names), "workFeatured": works}
    return {"@context": "https://schema.org", **_trim({**_event(view), **more})}


def talk_data(talk: TalkView) -> dict[str, Any]:
    """Describe one talk with what is held of it."""
    return {
        "@context": "https://schema.org",
        **_trim({
            "@type": "CreativeWork", "name": talk.talk.title, "author": _people(talk.talk.speakers),
            "recordedAt": _trim({"@type": "Event", "name": talk.event.title, "startDate": talk.event.date}),
            "associatedMedia": [_trim(_item(item)) for item in talk.items],
        }),
    }  # fmt: skip


def item_data(item: Item) -> dict[str, Any]:
    """Describe one material."""
    return {"@context": "https://schema.org", **_trim(_item(item))}


def _item(item: Item) -> dict[str, Any]:
    main = item.main
    return {
        "@type": _SCHEMA_TYPES[item.kind.value], "name": item.title, "author": _people(item.authors),
        "datePublished": item.date, "description": item.description[:1000], "license": item.licence,
        "sameAs": item.url, "encodingFormat": main.media_type if main else "",
        "contentSize": str(main.size) if main else "", "sha256": main.sha256 if main else "",
    }  # fmt: skip


def speaker_data(speaker: SpeakerView) -> dict[str, Any]:
    """Describe one speaker."""
    return {"@context": "https://schema.org", "@type": "Person", "name": speaker.name}


def gallery_data(view: EventView) -> dict[str, Any]:
    """Describe a photo wall."""
    about = _trim(_event(view))
    return {
        "@context": "https://schema.org",
        "@type": "ImageGallery",
        "name": view.event.title,
        "about": about,
    }


def catalog(site: Site) -> bytes:
    """Write everything that is shown, for programs. Paths start at the root of the archive."""
    data = {
        "version": CATALOG_VERSION, "title": site.title, "organizer": site.organizer,
        "language": site.language, "facts": dict(site.facts),
        "coverage": round(site.coverage.share, 4),
    }  # fmt: skip
    events = _rows(_catalog_event(view) for view in site.events)
    return f'{_json(data)[:-1]},"events":{events}}}\n'.encode("utf-8", "replace")


# One encoder for 10,000 photos; without `indent`, with which it would be Python's own, ten times slower.
_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _rows(texts: Iterable[str]) -> str:
    """Write a list with an entry to each line, so that two versions can be compared."""
    return "[\n" + ",\n".join(texts) + "\n]"


def _catalog_event(view: EventView) -> str:
    event = view.event
    names = ("id", "title", "date", "end_date", "city", "venue")
    talks = [
        {"id": t.talk.id, "title": t.talk.title, "speakers": list(t.talk.speakers), "page": t.page}
        for t in view.talks
    ]
    data = {
        **{name: getattr(event, name) for name in names},
        "page": view.page, "facts": dict(event.facts), "talks": talks,
    }  # fmt: skip
    materials = _rows(_json(_catalog_item(item)) for item in view.items)
    return f'{_json(data)[:-1]},"materials":{materials}}}'


def _catalog_item(item: Item) -> dict[str, Any]:
    names = (
        "id",
        "title",
        "talk",
        "date",
        "description",
        "licence",
        "url",
        "page",
        "withdrawn",
        "grade",
        "added",
    )
    files = [
        {"path": f.path, "size": f.size, "sha256": f.sha256, "media_type": f.media_type, "label": f.label}
        for f in item.files
    ]
    pictures = [
        [{"path": path, "width": width, "height": height} for path, width, height in pic.sizes]
        for pic in item.pages
    ]
    plain = {name: getattr(item, name) for name in names}
    return {
        **plain,
        "kind": item.kind.value,
        "authors": list(item.authors),
        "files": files,
        "pictures": pictures,
    }


def feed(site: Site) -> bytes:
    """Write the Atom feed (RFC 4287) of what came last, newest first."""
    newest = sorted(site.items, key=lambda item: (item.added, item.id), reverse=True)[:_FEED_ENTRIES]
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed")
    _add(root, "title", site.title)
    _add(root, "id", _urn(site.title))
    _add(root, "updated", newest[0].added if newest else "1970-01-01T00:00:00Z")
    _add(ET.SubElement(root, f"{{{_ATOM}}}author"), "name", site.organizer or site.title)
    _link(root, _address(site, places.FEED), "self")
    _link(root, _address(site, places.HOME), "alternate")
    for item in newest:
        _feed_entry(ET.SubElement(root, f"{{{_ATOM}}}entry"), site, item)
    return _xml(root)


def _feed_entry(entry: ET.Element, site: Site, item: Item) -> None:
    _add(entry, "title", item.title)
    _add(entry, "id", _urn("\n".join((site.title, *item.record.key))))
    _add(entry, "updated", item.added or "1970-01-01T00:00:00Z")
    _link(entry, _address(site, item.page), "alternate")
    for name in item.authors:
        _add(ET.SubElement(entry, f"{{{_ATOM}}}author"), "name", name)
    if item.description:
        _add(entry, "summary", item.description[:500])


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{_ATOM}}}{name}").text = _NO_XML.sub("\ufffd", text)


def _link(parent: ET.Element, address: str, rel: str) -> None:
    ET.SubElement(parent, f"{{{_ATOM}}}link", {"rel": rel, "href": address})


def _urn(text: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, text.encode("utf-8", "backslashreplace").decode()).urn


def _address(site: Site, target: str) -> str:
    """Give the public address of a page where the site's own is known, else the way from the feed."""
    if not site.url:
        return places.relative(target, places.FEED)
    path, mark, rest = target.partition("#")
    return f"{site.url.rstrip('/')}/{quote(path)}{mark}{rest}"


def sitemap(site: Site, pages: Sequence[str]) -> bytes:
    """Write the sitemap: absolute addresses, as its format asks for."""
    ET.register_namespace("", _SITEMAP)
    root = ET.Element(f"{{{_SITEMAP}}}urlset")
    for page in pages[:_SITEMAP_PAGES]:
        place = ET.SubElement(root, f"{{{_SITEMAP}}}url")
        ET.SubElement(place, f"{{{_SITEMAP}}}loc").text = _address(site, page)
    return _xml(root)


def _xml(root: ET.Element) -> bytes:
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"
