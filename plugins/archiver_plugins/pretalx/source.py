"""The source: a schedule becomes materials, and a material becomes its file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from archiver import api
from archiver_plugins.pretalx.links import file_kind, file_name, page_of
from archiver_plugins.pretalx.options import PretalxEntry, PretalxOptions, moved

Listed = api.Material | api.Unavailable | api.Checkpoint
MAX_BYTES: Final = 64 << 20
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})


class Pretalx(api.Source[PretalxOptions, PretalxEntry]):
    """Slides and other files that speakers uploaded to pretalx or frab, from the public schedule.

    One request lists a whole conference. Recordings and decks that lie elsewhere are noted with their
    addresses.
    """

    type_name = "pretalx"
    options_class = PretalxOptions
    entry_class = PretalxEntry
    max_fetches = 4

    def __init__(self, options: PretalxOptions, context: api.Context) -> None:
        super().__init__(options, context)
        #: Addresses with what the archive does not keep, such as a signature, by id.
        self._addresses: dict[str, str] = {}

    def discover(self, scope: api.Scope[PretalxEntry], cursor: str) -> Iterator[Listed]:
        """List the files of all talks; a schedule that several events use is read once."""
        del cursor  # one request brings everything
        read: dict[str, list[api.Session]] = {}
        return api.list_entries(scope, lambda entry: self._entry(entry.options, read))

    def _entry(self, entry: PretalxEntry, read: dict[str, list[api.Session]]) -> Iterator[Listed]:
        if entry.url not in read:
            read[entry.url] = self._schedule(entry.url)
        for session in read[entry.url]:
            if not entry.day or session.date[:10] == entry.day:
                yield from self._of_session(session, elsewhere=entry.links)
        if not read[entry.url]:
            yield api.Checkpoint(complete=False)  # rather a schedule taken back than an empty conference

    def _of_session(self, session: api.Session, *, elsewhere: bool) -> Iterator[Listed]:
        for link in session.links:
            kind = file_kind(link.url)
            if link.uploaded or kind:
                material = _material(session, link, kind or api.Kind.OTHER)
                self._addresses[material.id] = link.url
                yield material
            elif elsewhere and (page := page_of(link.url)):
                error = api.InvalidError(
                    f"{_told(link.url)} shows it on a page, and this source takes files only",
                    hint=f"Add the address to the event as a source of type {page[1]}.",
                )
                yield api.Unavailable(_material(session, link, page[0]), error)

    def _schedule(self, url: str) -> list[api.Session]:
        try:
            response = self.context.http.get(
                self._way(url, url), headers=self._headers(url, url), max_bytes=MAX_BYTES
            )
        except api.GoneError as error:
            # Also what pretalx says of a schedule that is not released.
            raise api.BlockedError(
                f"There is no public schedule at {url}",
                hint="Correct the address, wait until the schedule is released, or give an API token.",
            ) from error
        return api.read_schedule(response.json(), url)

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched | api.Material]:
        """Get the file."""
        schedule = material.extra.get("schedule", material.url)
        url = self._addresses.get(material.id, material.url)
        done = self.context.http.download(
            self._way(url, schedule), into / "file", headers=self._headers(url, schedule)
        )
        if done.media_type in _HTML and not file_name(url).lower().endswith((".html", ".htm")):
            raise api.InvalidError(
                f"{material.url} answered with a web page instead of a file",
                hint="Open it in a browser to see what it wants.",
            )
        grade = api.Grade.PDF if done.media_type == "application/pdf" else api.Grade.ORIGINAL
        yield replace(material, size=done.size)
        yield api.Fetched(Path("file"), grade=grade, media_type=done.media_type)

    def _way(self, url: str, schedule: str) -> str:
        """Give the address to fetch from: what lies at the service itself may be reached another way."""
        base = self.options.base_url
        return moved(url, base) if base and _same_place(url, schedule) else url

    def _headers(self, url: str, schedule: str) -> dict[str, str]:
        token = self.options.token.get_secret_value()
        return {"authorization": f"Token {token}"} if token and _same_place(url, schedule) else {}


def _same_place(one: str, other: str) -> bool:
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def _told(url: str) -> str:
    """Give an address as the archive keeps it: signed ones, as of files in an object store, without query."""
    parts = urlsplit(url)
    parts = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")
    told = urlunsplit(parts)
    return told if api.redact(told) == told else urlunsplit(parts._replace(query=""))


def _material(session: api.Session, link: api.ScheduleLink, kind: api.Kind) -> api.Material:
    # The name of an upload gets a random part each time, so another state has another address.
    public = _told(link.url)
    mark = hashlib.sha256(public.encode()).hexdigest()[:12]
    uploaded = {"schedule": session.url} if link.uploaded and session.url else {}
    return api.Material(
        f"{session.code}/{mark}",
        kind,
        title=_title(session, link, kind),
        url=public,
        talk=session.title,
        authors=session.speakers,
        date=session.date,
        description=session.abstract,
        licence=session.licence,
        language=session.language,
        extra={"talk": session.code, **uploaded},
    )


def _title(session: api.Session, link: api.ScheduleLink, kind: api.Kind) -> str:
    """Take the talk's title for a deck or recording of it: links are called "Slides" and "slides_v2.pdf"."""
    if kind in {api.Kind.SLIDES, api.Kind.VIDEO}:
        return session.title
    return f"{session.title}: {link.title or file_name(link.url)}"
