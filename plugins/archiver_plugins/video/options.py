"""What a user may write for video sites."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import ByteSize, Field, field_validator, model_validator

from archiver import api

_LANGUAGE: Final = re.compile(r"all|[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url[:200]!r} is not an address like https://www.youtube.com/watch?v=…")
    if parts.username or parts.password:
        raise ValueError("an address may hold no user name or password; use cookies_file")
    return url


class VideoOptions(api.Options):
    """Options of the source."""

    max_height: Annotated[int, Field(ge=144, le=8640)] | None = None
    """The largest picture height to fetch, in pixels; the best there is without it. Where a site has
    nothing so small, its smallest is taken."""
    max_size: ByteSize = ByteSize(20 << 30)
    """The largest recording to fetch, like "2GB"; a larger one is an error."""
    subtitles: tuple[str, ...] = ("all",)
    """Languages of subtitles to keep, like [zh-Hans, en]; `zh` takes every kind of Chinese. `all` takes all,
    an empty list none."""
    automatic_subtitles: bool = False
    """Also take subtitles that a machine wrote, in the languages of `subtitles`."""
    cookies_file: str = ""
    """Cookies of a logged-in browser, as a file in the Netscape format: for videos that need a login."""
    rate: ByteSize | None = None
    """The most bytes to fetch in a second, like "2MB", in each of two fetches at a time."""
    pause: Annotated[float, Field(ge=0, le=600)] = 0.5
    """Seconds between two requests for pages and lists."""
    base_url: api.BaseUrl | Literal[""] = ""
    """A site inside your own network, or a twin of a public one."""
    public_url: api.BaseUrl | Literal[""] = ""
    """The public address of the site that `base_url` stands in for; the archive records this one."""

    @field_validator("subtitles")
    @classmethod
    def _languages(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for language in value:
            if not _LANGUAGE.fullmatch(language):
                raise ValueError(f"{language[:40]!r} is not a language like en or zh-Hans")
        return value

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if self.public_url and not self.base_url:
            raise ValueError("public_url says what base_url stands in for; give both")
        if self.automatic_subtitles and "all" in self.subtitles:
            raise ValueError("automatic_subtitles come in a hundred languages; name those of subtitles")
        return self

    def where(self, url: str) -> str:
        """Turn a public address into the one to ask."""
        return _moved(url, self.public_url, self.base_url)

    def public(self, url: str) -> str:
        """Turn an address that was asked into the public one."""
        return _moved(url, self.base_url, self.public_url)


def _moved(url: str, old: str, new: str) -> str:
    if old and new and (url == old or url.startswith((f"{old}/", f"{old}?"))):
        return new + url[len(old) :]
    return url


class VideoEntry(api.Options):
    """What one event takes: addresses of videos, playlists, channels."""

    url: str = ""
    """Address of one video, playlist or channel."""
    urls: tuple[str, ...] = ()
    """Several such addresses."""
    talk: str = ""
    """Which talk the video under `url` belongs to: its id or title."""

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return _web_address(value) if value else value

    @field_validator("urls")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_web_address(url) for url in value)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.addresses:
            raise ValueError("name a video, playlist or channel by url or urls")
        if self.talk and (not self.url or self.urls):
            raise ValueError("talk goes with a single url")
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """Give all addresses, each once."""
        return tuple(dict.fromkeys((self.url, *self.urls) if self.url else self.urls))
