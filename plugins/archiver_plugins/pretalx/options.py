"""What a user may write for pretalx."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, SecretStr

from archiver import api

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _schedule(url: str) -> str:
    address = api.schedule_address(url.strip())
    if "@" in urlsplit(address).netloc:
        raise ValueError("an address has no user name here; write the API token as `token`")
    return address


def _day(text: str) -> str:
    if text and not _DAY.fullmatch(text):
        raise ValueError(f"{text[:50]!r} is not a day such as 2012-09-16")
    return text


class PretalxOptions(api.Options):
    """Options of the source."""

    token: SecretStr = SecretStr("")
    """API token, for a schedule that is not public. It is sent to the service itself only."""
    base_url: api.BaseUrl | Literal[""] = ""
    """Where to reach the service, when that is not the address that everybody uses."""


class PretalxEntry(api.Options):
    """What one event takes from pretalx or frab."""

    url: Annotated[str, AfterValidator(_schedule)]
    """Address of the event at pretalx, `https://pretalx.com/EVENT`, or of a schedule in JSON."""
    day: Annotated[str, AfterValidator(_day)] = ""
    """Only the talks of this day, `2012-09-16`."""
    links: bool = True
    """Note recordings and decks that lie elsewhere, so that the archive knows their addresses."""


def moved(url: str, to: str) -> str:
    """Give the same path at another place."""
    there, parts = urlsplit(to), urlsplit(url)
    return urlunsplit(parts._replace(scheme=there.scheme, netloc=there.netloc, path=there.path + parts.path))
