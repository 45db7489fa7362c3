"""What a user may write for SlideShare, and the forms that a deck's address has."""

from __future__ import annotations

import re
from typing import Final, Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import field_validator, model_validator

from archiver import api

PUBLIC: Final = "https://www.slideshare.net"


class SlideShareOptions(api.Options):
    """Options of the source."""

    base_url: api.BaseUrl = PUBLIC
    """Address of the service; another one for a mirror, a proxy or a test."""


class SlideShareEntry(api.Options):
    """What one event takes from SlideShare: at least one of these."""

    url: str = ""
    """Address of one deck, in any form that the browser shows."""
    urls: tuple[str, ...] = ()
    """Addresses of several decks."""
    user: str = ""
    """Login name: all public decks of this user."""
    tag: str = ""
    """A tag; it is searched for, because the tag pages are no longer reliable."""
    search: str = ""
    """Words to search for."""
    talk: str = ""
    """Which talk the deck under `url` belongs to: its id or title."""

    @field_validator("url", "urls")
    @classmethod
    def _deck_address(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for url in (value,) if isinstance(value, str) else value:
            if url:
                deck_path(url)
        return value

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.addresses or self.user or self.tag or self.search):
            raise ValueError("name decks by url or urls, or a user, a tag or words to search for")
        if self.talk and (not self.url or self.urls or self.user or self.tag or self.search):
            raise ValueError("talk goes with a single url")
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """Give all addresses of decks."""
        return (self.url, *self.urls) if self.url else self.urls


# The forms of a deck's address, by path:
#   /slideshow/deploy-openstack-with-chef/14567001     canonical since about 2020
#   /slideshow/embed_code/14567001, /slideshow/embed_code/key/a1B2c3
#   /junqiang/deploy-openstack-with-chef, /mobile/junqiang/deploy-openstack-with-chef
#   /secret/a1B2c3                                      unlisted
_NUMBERED: Final = re.compile(r"/slideshow/[^/]+/([0-9]{1,15})")
_KEYED: Final = re.compile(r"/slideshow/embed_code/key/[A-Za-z0-9]+|/secret/[A-Za-z0-9]+")
_NAMED: Final = re.compile(r"(?:/mobile)?/(?!(?:slideshow|search|tag|api|secret|mobile|login)/)[^/]+/[^/]+")


def deck_path(url: str) -> str:
    """Reduce any form of a deck's address to its path, percent-encoded.

    Language hosts (`fr.slideshare.net`), queries and fragments fall away. Raises `ValueError`.
    """
    parts = urlsplit(url if "://" in url else f"https://{url}")
    host = (parts.hostname or "").lower()
    path = unquote(parts.path).rstrip("/")
    if host != "slideshare.net" and not host.endswith(".slideshare.net"):
        raise ValueError(f"{url!r} is not on slideshare.net; open it in a browser and copy the address")
    if not any(form.fullmatch(path) for form in (_NUMBERED, _KEYED, _NAMED)) or "/../" in f"{path}/":
        raise ValueError(f"{url!r} is not the address of a deck, like {PUBLIC}/slideshow/TITLE/NUMBER")
    return quote(path)


def native_id(path: str) -> str:
    """Give the deck's number, or the path of an address that does not tell it."""
    match = _NUMBERED.fullmatch(path)
    return match[1] if match else unquote(path).lstrip("/")
