"""The talks of a configuration's events: read where they are, or as the archive keeps them."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from archiver.archive import COMMON, TALKS, Head
from archiver.config import Config
from archiver.config.programmes import Programme, TalksSection
from archiver.contracts import Http
from archiver.errors import DamageError, FatalError, InvalidError, MissingError, SinkError, SourceError
from archiver.inventory import UNREADABLE
from archiver.model import Event, Kind, Talk
from archiver.redact import redact
from archiver.report import ItemProblem, Report
from archiver.schedule import schedule_address
from archiver.talks.merging import merge
from archiver.talks.reading import MAX_BYTES, ListedTalk, read_calendar, read_schedule_talks
from archiver.talks.tables import Listing, read_table
from archiver.web import PoliteClient

_LOG = logging.getLogger("archiver.talks")
Kept = Mapping[str, Sequence[Talk]]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Talks that could not be read; those that the archive keeps stand for them. `where` is redacted."""

    event: str
    where: str
    error: SourceError


def refreshed(
    config: Config,
    heads: Iterable[Head],
    report: Report,
    events: Collection[str] = (),
    *,
    offline: bool = False,
) -> Config:
    """Give a configuration with the talks of its programmes, as they are read now, for a run.

    What could not be read is noted in the report. `offline` takes the talks that the archive keeps.
    """
    if not config.programmes:
        return config
    if offline:
        return with_kept(config, heads)
    result, troubles = updated(config, kept_talks(config, heads), events)
    for each in troubles:
        detail = str(each.error)
        title = f"the talks from {each.where}"
        report.problems.append(ItemProblem(each.event, "talks", each.where, title, each.error.reason, detail))
    return result


def with_kept(config: Config, heads: Iterable[Head]) -> Config:
    """Give a configuration whose events have the talks that the archive keeps of their programmes."""
    kept = kept_talks(config, heads)
    return replace(config, events=tuple(_kept_event(event, kept) for event in config.events))


def updated(
    config: Config, kept: Kept, events: Collection[str] = (), http: Http | None = None
) -> tuple[Config, list[Trouble]]:
    """Read the programmes of the events (all by default); give the configuration with their talks.

    An event with a programme that cannot be read has the talks that the archive keeps.
    """
    by_event: dict[str, list[Programme]] = {}
    for each in config.programmes:
        by_event.setdefault(each.event, []).append(each)
    troubles: list[Trouble] = []
    result = []
    for event in config.events:
        programmes = by_event.get(event.id, []) if not events or event.id in events else []
        found = _read_all(config, event, programmes, troubles, http) if programmes else None
        result.append(_kept_event(event, kept) if found is None else _merged(event, kept, found))
    return replace(config, events=tuple(result)), troubles


def _kept_event(event: Event, kept: Kept) -> Event:
    known = {talk.id for talk in event.talks}
    talks = (talk for talk in kept.get(event.id, ()) if talk.id not in known)
    return replace(event, talks=(*event.talks, *talks))


def _merged(event: Event, kept: Kept, found: list[tuple[ListedTalk, Sequence[Kind]]]) -> Event:
    return replace(event, talks=merge(event.talks, kept.get(event.id, ()), found))


def _read_all(
    config: Config,
    event: Event,
    programmes: Sequence[Programme],
    troubles: list[Trouble],
    http: Http | None,
) -> list[tuple[ListedTalk, Sequence[Kind]]] | None:
    """Read all programmes of one event; None when one of them failed."""
    found: list[tuple[ListedTalk, Sequence[Kind]]] = []
    before = len(troubles)
    for programme in programmes:
        section = programme.section
        try:
            listing = read_programme(config, section, http)
        except SourceError as error:
            troubles.append(Trouble(event.id, place(section), error))
            continue
        if listing.note:
            _LOG.warning("The talks of %s: %s", event.id, listing.note)
        found += [(talk, section.expect) for talk in listing.talks]
    return found if len(troubles) == before else None


def read_programme(config: Config, section: TalksSection, http: Http | None = None) -> Listing:
    """Read the talks of one programme, with the uids that the archive knows them by. Raises `SourceError`."""
    listing = _listing(config, section, http)
    if not listing.talks:
        hint = "The talks that the archive knows stay expected."
        raise InvalidError(f"{place(section)} lists no talks", hint=hint)
    wanted = [talk for talk in listing.talks if not section.day or talk.date[:10] == section.day]
    # Two programmes of one event may use the same uid for different talks.
    return replace(listing, talks=[replace(talk, uid=f"{section.from_} {talk.uid}") for talk in wanted])


def _listing(config: Config, section: TalksSection, http: Http | None) -> Listing:
    content, base = _content(config, section, http)
    name = place(section)
    if section.from_ == "csv":
        return read_table(content, name, config.archive.language)
    if section.from_ == "ical":
        return Listing(read_calendar(content, name))
    return Listing(read_schedule_talks(content, name, base))


def place(section: TalksSection) -> str:
    """Name where a programme is read from, without secrets."""
    return section.file or redact(section.url)


def _content(config: Config, section: TalksSection, http: Http | None) -> tuple[bytes, str]:
    """Give the bytes, and the address that relative ones in it start from."""
    if section.file:
        path = config.folder / section.file
        if path.exists() and not path.is_file():  # a pipe nobody writes into would be waited for without end
            raise FatalError(f"{section.file} is no plain file", hint="Correct `file` under `talks`.")
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise FatalError(
                f"{section.file} cannot be read: {error.strerror}",
                hint="Correct `file` under `talks`; it starts at the folder of the configuration.",
            ) from error
        if len(content) > MAX_BYTES:
            raise InvalidError(f"{section.file} has more than {MAX_BYTES:,} bytes")
        return content, ""
    url = schedule_address(section.url) if section.from_ == "pretalx" else section.url
    return _get(_way(url, section.base_url), section, http), url


def _get(url: str, section: TalksSection, http: Http | None) -> bytes:
    token = section.token.get_secret_value()
    headers = {"authorization": f"Token {token}"} if token else {}
    if http is not None:
        return http.get(url, headers=headers, max_bytes=MAX_BYTES).content
    with PoliteClient(hosts_allowed=[section.base_url] if section.base_url else []) as client:
        return client.get(url, headers=headers, max_bytes=MAX_BYTES).content


def _way(url: str, base: str) -> str:
    if not base:
        return url
    there, parts = urlsplit(base), urlsplit(url)
    return urlunsplit(parts._replace(scheme=there.scheme, netloc=there.netloc, path=there.path + parts.path))


def kept_talks(config: Config, heads: Iterable[Head]) -> dict[str, tuple[Talk, ...]]:
    """Read the imported talks that the sinks keep, by event; of two states the newest run's stands."""
    found: dict[str, tuple[Talk, ...]] = {}
    for head in sorted(heads, key=lambda head: str(head.report.get("run", ""))):
        data = _document(head)
        for event in {each.event for each in config.programmes} & data.keys():
            rows = data[event] if isinstance(data[event], list) else ()
            found[event] = tuple(talk for row in rows if (talk := _kept_talk(row)) is not None)
    return found


def _document(head: Head) -> dict[str, Any]:
    try:
        data = json.loads(head.object(COMMON).read(TALKS))
    except (MissingError, SinkError, DamageError, *UNREADABLE):
        return {}  # nothing was read yet, or it is read again in this run
    return data if isinstance(data, dict) else {}


def _kept_talk(data: Any) -> Talk | None:
    if not isinstance(data, dict) or not data.get("uid"):
        return None
    try:
        return Talk(
            str(data["id"]),
            str(data["title"]),
            tuple(map(str, data.get("speakers") or ())),
            expect=tuple(map(Kind, data.get("expect") or ())),
            uid=str(data["uid"]),
            cancelled=data.get("cancelled") is True,
            start=str(data.get("start") or ""),
        )
    except (KeyError, ValueError, TypeError):
        return None
