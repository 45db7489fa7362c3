"""What a user may write for links."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from archiver import api
from archiver_plugins.links.addresses import address, public

_DATE: Final = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


def _date(text: str) -> str:
    if text:
        if not _DATE.fullmatch(text):
            raise ValueError(f"{text[:50]!r} is not a date such as 2012-09-16, 2012-09 or 2012")
        dt.date.fromisoformat(f"{text}-01-01"[:10])
    return text


def _name(text: str) -> str:
    if not text.isprintable() or "://" in text:
        raise ValueError("an id is a short name on one line, and no address")
    return text


Url = Annotated[str, AfterValidator(address)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Date = Annotated[str, AfterValidator(_date)]
Name = Annotated[Text, StringConstraints(max_length=200), AfterValidator(_name)]


class LinksOptions(api.Options):
    """Options of the source."""

    checks: Annotated[int, Field(ge=1)] | None = None
    """How many known links one run asks for changes at most; the others have their turn in the next runs.
    All of them if left out."""
    public_url: api.BaseUrl | Literal[""] = ""
    """Address under which everybody finds the files that you take from `base_url`."""
    base_url: api.BaseUrl | Literal[""] = ""
    """Address of a server of your own, which may be inside your network. With `public_url`, what is linked
    there is fetched from here."""

    @model_validator(mode="after")
    def _both(self) -> Self:
        if self.public_url and not self.base_url:
            raise ValueError("public_url says what the files at base_url are called: name both, or neither")
        return self


class Link(api.Options):
    """One file at an address."""

    url: Url
    """Address of the file itself, not of a page that shows it."""
    title: Text = ""
    """Its title; made from the name of the file if left out."""
    talk: Text = ""
    """Which talk it belongs to: id or title."""
    kind: api.Kind | None = None
    """Its kind; told from its name and type if left out."""
    date: Date = ""
    """When it was made: `2012-09-16`, `2012-09` or `2012`."""
    id: Name = ""
    """A name that stays when the address changes. Needed where addresses differ in secrets alone."""

    @property
    def name(self) -> str:
        """Give what the archive calls it."""
        return self.id or public(self.url)


class LinksEntry(api.Options):
    """What one event takes from plain links: at least one of `url`, `urls` and `file`."""

    url: Url | Literal[""] = ""
    """Address of one file."""
    urls: tuple[Link | Url, ...] = ()
    """Several: addresses, or mappings with `url` and any of `title`, `talk`, `kind`, `date` and `id`."""
    file: str = ""
    """A list of links beside the configuration: a text file with one address a line, or a CSV file."""
    kind: api.Kind | None = None
    """The kind of every link that says none."""
    talk: Text = ""
    """The talk of every link that says none: id or title."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.url or self.urls or self.file):
            raise ValueError("name links by url, urls or file")
        return self

    @property
    def links(self) -> tuple[Link, ...]:
        """Give the links that stand in the configuration itself."""
        given = (self.url, *self.urls) if self.url else self.urls
        return tuple(link if isinstance(link, Link) else Link(url=link) for link in given)
