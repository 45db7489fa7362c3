"""Talks that are not typed but read from a schedule, a calendar or a table: `talks: {from: …}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from archiver.config.checking import Checker
from archiver.config.nodes import Mapping, Node, Sequence, given
from archiver.config.problems import Keys
from archiver.config.sections import Kinds, Text
from archiver.contracts import BaseUrl, Options
from archiver.model import Kind
from archiver.schedule import schedule_address


def _day(text: str) -> str:
    if text and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(f"{text[:50]!r} is not a day such as 2012-09-16")
    return text


def _address(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError("expected an address like https://www.example.org/schedule.ics")
    return text


class TalksSection(Options):
    """Where the talks of an event are read from, in each run. They are kept in the archive.

    It may stand in the place of the list of talks, or in that list among others.
    """

    from_: Literal["pretalx", "ical", "csv"] = Field(alias="from")
    """What is read: a schedule of pretalx or frab, a calendar (iCalendar), or a table (CSV)."""
    url: Annotated[Text, AfterValidator(_address)] = ""
    """Its address. For pretalx that of the event, `https://pretalx.com/EVENT`, is enough."""
    file: Text = ""
    """Or a file, relative to the configuration."""
    day: Annotated[Text, AfterValidator(_day)] = ""
    """Only the talks of this day, `2012-09-16`."""
    expect: Kinds = (Kind.SLIDES,)
    """The kinds expected of each of these talks."""
    token: SecretStr = SecretStr("")
    """API token, where pretalx wants one."""
    base_url: BaseUrl | Literal[""] = ""
    """Where to reach the host of `url`, when that is not the address that everybody uses."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.url) == bool(self.file):
            raise ValueError("name either a url or a file to read the talks from")
        if self.from_ == "pretalx" and self.url:
            schedule_address(self.url)
        return self


@dataclass(frozen=True, slots=True)
class Programme:
    """Where talks of one event come from."""

    event: str
    section: TalksSection


def is_programme(node: Node) -> bool:
    """Say whether a part of the file tells where talks come from."""
    return isinstance(node, Mapping) and "from" in node.items


def read_programmes(checker: Checker, event: str, node: Mapping, keys: Keys) -> Iterator[Programme]:
    """Read the programmes of one event, whose whole part of the file this is."""
    talks = given(node, "talks")
    places: list[tuple[Keys, Node]] = [((*keys, "talks"), talks)] if talks is not None else []
    if isinstance(talks, Sequence):
        places = [((*keys, "talks", index), item) for index, item in enumerate(talks.items)]
    for where, place in places:
        if isinstance(place, Mapping) and is_programme(place):
            section = checker.model(TalksSection, place, where)
            if section is not None:
                yield Programme(event, section)
