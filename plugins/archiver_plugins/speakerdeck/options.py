"""What a user may write for Speaker Deck, and the form of a deck's address."""

from __future__ import annotations

import re
from typing import Final, Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import field_validator, model_validator

from archiver import api

PUBLIC: Final = "https://speakerdeck.com"


class SpeakerDeckOptions(api.Options):
    """Options of the source."""

    base_url: api.BaseUrl = PUBLIC
    """Address of the service; another one for a mirror, a proxy or a test."""


class SpeakerDeckEntry(api.Options):
    """What one event takes from Speaker Deck: at least one of these."""

    url: str = ""
    """Address of one deck."""
    urls: tuple[str, ...] = ()
    """Addresses of several decks."""
    user: str = ""
    """User name: all public decks of this user."""
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
        if not (self.addresses or self.user):
            raise ValueError("name decks by url or urls, or a user")
        if self.talk and (not self.url or self.urls or self.user):
            raise ValueError("talk goes with a single url")
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """Give all addresses of decks."""
        return (self.url, *self.urls) if self.url else self.urls


_DECK: Final = re.compile(r"/(?!(?:player|presentations|c|p|features|signin)/)([^/]+)/([^/]+)")


def deck_path(url: str) -> str:
    """Reduce a deck's address to its path `/{user}/{slug}`, percent-encoded. Raises `ValueError`."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    path = unquote(parts.path).rstrip("/")
    if (parts.hostname or "").lower() not in {"speakerdeck.com", "www.speakerdeck.com"}:
        raise ValueError(f"{url!r} is not on speakerdeck.com; open it in a browser and copy the address")
    if not _DECK.fullmatch(path) or "/../" in f"{path}/":
        raise ValueError(f"{url!r} is not the address of a deck, like {PUBLIC}/USER/TITLE")
    return quote(path)
