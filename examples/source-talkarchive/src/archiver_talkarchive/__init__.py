"""The source type `talkarchive`: slides and transcripts from a JSON service, with a login and news only.

What it adds to the beginning that `archive plugins new source talkarchive` writes: a token, pages, listings
that bring only what changed, deleted talks, and several files for one talk.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, Field, SecretStr, ValidationError

from archiver import api

PUBLIC = "https://talks.example.org"
MAX_PAGES, MAX_BYTES = 1000, 500 << 20


class Settings(api.Options):
    base_url: api.BaseUrl = PUBLIC
    """Address of the service; another one for a mirror or a test."""
    token: SecretStr = SecretStr("")
    """Token of your account, where the service wants one."""


class Entry(api.Options):
    series: str
    """The series of talks that the event takes, as the service calls it."""


class Talk(BaseModel):
    """A talk in an answer. `updated` is a time in UTC, as text that sorts; it is the next cursor."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")
    updated: str = Field(pattern=r"^[0-9TZ:.-]{10,40}$")
    title: str = ""
    speaker: str = ""
    size: int | None = None
    transcript: bool = False
    deleted: bool = False


class Answer(BaseModel):
    talks: list[Talk]
    more: bool


class Talkarchive(api.Source[Settings, Entry]):
    """Talks from a small JSON service: slides, and the transcript where there is one."""

    type_name, options_class, entry_class, api_version = "talkarchive", Settings, Entry, 1

    def discover(
        self, scope: api.Scope[Entry], cursor: str
    ) -> Iterator[api.Material | api.Unavailable | api.Checkpoint]:
        """List all talks, or with a cursor those that changed since then, deleted ones too."""
        newest, listed = cursor, 0
        for entry in scope.entries:
            for talk in self._talks(entry.options.series, cursor):
                if listed == scope.limit:
                    yield api.Checkpoint(cursor)  # the next listing begins where this one did
                    return
                listed, newest = listed + 1, max(newest, talk.updated)
                material = replace(_material(talk), event=entry.event.id)
                gone = api.GoneError(f"talk {talk.id} was deleted from the service")
                yield api.Unavailable(material, gone) if talk.deleted else material
        # What did not change is not in a later listing: only the first one is complete.
        yield api.Checkpoint(newest, complete=not cursor)

    def _talks(self, series: str, since: str) -> Iterator[Talk]:
        """Walk over the pages; a talk that moves to the next one meanwhile is given once."""
        seen: set[str] = set()
        for page in range(1, MAX_PAGES + 1):
            found = self._page(series, {"page": str(page), **({"since": since} if since else {})})
            yield from (talk for talk in found.talks if talk.id not in seen)
            seen.update(talk.id for talk in found.talks)
            if not found.more:
                return
        raise api.InvalidError(f"the series {series} has more than {MAX_PAGES} pages")

    def _page(self, series: str, params: dict[str, str]) -> Answer:
        url = f"{self.options.base_url}/series/{quote(series, safe='')}"
        answer = self.context.http.get(url, params=params, headers=self._login)
        try:
            return Answer.model_validate(answer.json())
        except ValidationError as error:
            raise api.InvalidError(f"{url} answered with something else than a list of talks") from error

    @property
    def _login(self) -> dict[str, str]:
        token = self.options.token.get_secret_value()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched]:
        """Get the slides, and the transcript beside them."""
        yield self._file(material, into, api.Fetched(Path("slides.pdf"), grade=api.Grade.PDF), material.size)
        if material.extra.get("transcript"):
            told = api.Fetched(Path("transcript.txt"), api.Role.SIDECAR, label="transcript")
            yield self._file(material, into, told, None)
            _expect_text(into / told.path)

    def _file(self, material: api.Material, into: Path, file: api.Fetched, size: int | None) -> api.Fetched:
        url = f"{self.options.base_url}/talks/{quote(material.id, safe='')}/{file.path}"
        target = into / file.path
        self.context.http.download(url, target, headers=self._login, size=size, max_bytes=MAX_BYTES)
        return file


def _expect_text(path: Path) -> None:
    """Refuse a web page: where a plain text belongs, it asks for a login or excuses itself."""
    with path.open("rb") as file:
        start = file.read(200).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        raise api.InvalidError(
            "a web page came instead of the transcript", hint="see whether the token is good"
        )


def _material(talk: Talk) -> api.Material:
    return api.Material(
        id=talk.id,
        kind=api.Kind.SLIDES,
        title=talk.title,
        url=f"{PUBLIC}/talks/{talk.id}",
        revision=talk.updated,
        authors=(talk.speaker,) if talk.speaker else (),
        size=talk.size,
        extra={"transcript": "yes"} if talk.transcript else {},
    )


@api.hookimpl
def archiver_sources() -> Sequence[type[api.Source[Any, Any]]]:
    return [Talkarchive]
