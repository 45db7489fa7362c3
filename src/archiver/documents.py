"""The metadata files that the configuration determines: what it says of the archive and of each event."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from archiver.archive import ABOUT, COMMON, EVENT, FORMAT, TALKS
from archiver.model import Audience, Event, Talk


def event_document(event: Event) -> bytes:
    """Write down what the configuration says of an event; mail addresses stay out."""
    data = {
        "id": event.id,
        "title": event.title,
        "date": event.date,
        "end_date": event.end_date,
        "city": event.city,
        "venue": event.venue,
        "facts": dict(event.facts),
        "expect": [str(kind) for kind in event.expect],
        "talks": [_talk(talk) for talk in event.talks],
    }
    return _document(data)


def talks_document(events: Iterable[Event]) -> bytes:
    """Write down the talks that were read from elsewhere, by event: also of events that hold nothing yet."""
    imported = {event.id: [_talk(talk) for talk in event.talks if talk.uid] for event in events}
    return _document({event: talks for event, talks in imported.items() if talks})


def _talk(talk: Talk) -> dict[str, Any]:
    return {
        "id": talk.id,
        "title": talk.title,
        "speakers": list(talk.speakers),
        "expect": [str(kind) for kind in talk.expect],
        **({"uid": talk.uid} if talk.uid else {}),
        **({"cancelled": True} if talk.cancelled else {}),
        **({"start": talk.start} if talk.start else {}),
    }


def archive_document(settings: Any, events: Iterable[Event]) -> bytes:
    """Write down what the configuration says of the whole archive, and the format of what we write."""
    data = {
        "format": FORMAT,
        "title": settings.title,
        "organizer": settings.organizer,
        "language": settings.language,
        "facts": dict(settings.facts),
        "events": [event.id for event in events],
    }
    return _document(data)


def documents(settings: Any, events: Iterable[Event]) -> dict[str, dict[str, bytes]]:
    """Give the metadata files that the configuration determines, by object."""
    listed = list(events)
    result = {event.id: {EVENT: event_document(event)} for event in listed}
    result[COMMON] = {ABOUT: archive_document(settings, listed)}
    if any(talk.uid for event in listed for talk in event.talks):
        result[COMMON][TALKS] = talks_document(listed)
    return result


def public_documents(settings: Any, events: Iterable[Event]) -> dict[str, dict[str, bytes]]:
    """Give the metadata files of a public sink: of the events that it shows, and marked as its own.

    Talks read from elsewhere are named in their events alone, where they are cleared.
    """
    listed = list(events)
    result = {event.id: {EVENT: event_document(event)} for event in listed}
    about = json.loads(archive_document(settings, listed))
    # A talk that is shown no more changes this even where its event holds nothing: its pages are made again.
    told = hashlib.sha256(b"".join(each[EVENT] for each in result.values())).hexdigest()
    result[COMMON] = {ABOUT: _document({**about, "audience": Audience.PUBLIC.value, "programme": told})}
    return result


def _document(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode()
