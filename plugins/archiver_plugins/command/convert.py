"""Between the classes of the core and the messages of the protocol."""

from __future__ import annotations

from archiver import api
from archiver_plugins.command import messages
from archiver_plugins.command.messages import EntryPart, EventPart, MaterialPart, TalkPart
from archiver_plugins.command.options import CommandEntry


def entry(use: api.ScopeEntry[CommandEntry]) -> EntryPart:
    """Tell of one use. Addresses of speakers are private and stay here."""
    event = use.event
    talks = [
        TalkPart(id=talk.id, title=talk.title, speakers=list(talk.speakers))
        for talk in event.talks
        if not talk.cancelled
    ]
    told = EventPart(
        id=event.id,
        title=event.title,
        date=event.date,
        end_date=event.end_date,
        city=event.city,
        venue=event.venue,
        talks=talks,
    )
    return EntryPart(event=told, options=dict(use.options.entry))


def told(material: api.Material) -> MaterialPart:
    """Tell a program which material to fetch."""
    return MaterialPart(
        id=material.id,
        kind=material.kind.value,
        title=material.title,
        url=material.url,
        revision=material.revision,
        event=material.event,
        talk=material.talk,
        authors=list(material.authors),
        date=material.date,
        description=material.description,
        licence=material.licence,
        language=material.language,
        tags=list(material.tags),
        size=material.size,
        extra=dict(material.extra),
    )


def material(part: MaterialPart) -> api.Material:
    """Give the core what a program listed; the core holds it to its bounds."""
    return api.Material(
        id=part.id,
        kind=api.Kind(part.kind),
        title=part.title,
        url=part.url,
        revision=part.revision,
        event=part.event,
        talk=part.talk,
        authors=tuple(part.authors),
        date=part.date,
        description=part.description,
        licence=part.licence,
        language=part.language,
        tags=tuple(part.tags),
        size=part.size,
        extra=dict(part.extra),
    )


def checkpoint(reply: messages.Checkpoint) -> api.Checkpoint:
    """Give the core the end of a listing."""
    return api.Checkpoint(reply.cursor, reply.complete)
