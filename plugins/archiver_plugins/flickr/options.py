"""What a user may write for Flickr."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from archiver import api
from archiver_plugins.flickr.addresses import PUBLIC, SHORT, Target, What, parse
from archiver_plugins.flickr.licences import licence_number

#: What the search takes at most; more is cut off without a word.
MAX_TAGS: Final = 20


class FlickrOptions(api.Options):
    """Options of the source."""

    api_key: SecretStr = SecretStr("")
    """Your own API key. Flickr gives keys to Pro members, at https://www.flickr.com/services/apps/create/."""
    base_url: api.BaseUrl = "https://api.flickr.com"
    """Address of the API; another one for a mirror, a proxy or a test."""
    web_base_url: api.BaseUrl = PUBLIC
    """Address of the web pages, where guest passes are looked up."""
    short_base_url: api.BaseUrl = SHORT
    """Address of the short links."""
    file_base_url: api.BaseUrl | Literal[""] = ""
    """Where the files are, when that is an address inside your own network; else not needed."""
    exif: bool = False
    """Ask for the camera data of photos whose original cannot be had: one more request for each."""


def _named(what: What, plain: str) -> Callable[[str], str]:
    """Check a value that is an id of its own kind or the address of one."""

    def check(value: str) -> str:
        value = value.strip()
        if re.fullmatch(plain, value):
            return value
        found = parse(value).what
        # A link says only when it is looked up what it leads to; a group is needed before.
        if found is not what and (found is not What.LINK or what is What.GROUP):
            raise ValueError(f"{value[:200]!r} is the address of: {found}; expected one of: {what}")
        return value

    return check


def _any_address(value: str) -> str:
    parse(value)
    return value


def _user_name(value: str) -> str:
    """Take a user's name out of an address; other names are kept, screen names hold almost anything."""
    value = value.strip()
    if "flickr.com/" not in value:
        return value
    found = parse(value)
    if found.what not in {What.USER, What.ALBUMS}:
        raise ValueError(f"{value[:200]!r} is the address of: {found.what}; expected one of: user")
    return found.user


_PHOTO_ID: Final = r"[0-9]{1,15}"
_ALBUM_ID: Final = r"[0-9]{1,20}"
_GALLERY_ID: Final = r"[0-9]{1,20}(?:-[0-9]{1,20})?"  # 6065-72157617483228192 in older documents
_NAME: Final = r"[^/\s\x00-\x1f]{1,80}"

_Photo = Annotated[str, AfterValidator(_named(What.PHOTO, _PHOTO_ID))]
_Album = Annotated[str, AfterValidator(_named(What.ALBUM, _ALBUM_ID))]
_Gallery = Annotated[str, AfterValidator(_named(What.GALLERY, _GALLERY_ID))]
_Group = Annotated[str, AfterValidator(_named(What.GROUP, _NAME))]
_User = Annotated[str, Field(max_length=200), AfterValidator(_user_name)]
_Url = Annotated[str, AfterValidator(_any_address)]
_Tag = Annotated[str, Field(pattern=r"^[^,\x00-\x1f]{1,200}$")]
_Licence = Annotated[str, AfterValidator(licence_number)]


class FlickrEntry(api.Options):
    """What one event takes from Flickr: an album, a user, tags, words, a group, a gallery, or photos."""

    url: _Url | Literal[""] = ""
    """Address of anything of these, in any form that the browser shows."""
    urls: tuple[_Url, ...] = ()
    """Several such addresses."""
    album: _Album | Literal[""] = ""
    """An album (a "set"): its number or address. With a number, name its `user` too."""
    group: _Group | Literal[""] = ""
    """A group's pool: its name in the address, its number, or its address."""
    gallery: _Gallery | Literal[""] = ""
    """A gallery: its number or address."""
    photo: _Photo | Literal[""] = ""
    """One photo or video: its number or address, short ones included."""
    photos: tuple[_Photo, ...] = ()
    """Several photos."""
    user: _User = ""
    """A user: name in the address, number, screen name or address. Alone: all public photos."""
    tag: _Tag | Literal[""] = ""
    """A tag to search for, in all of Flickr, or in the photos of `user` or the pool of `group`."""
    tags: Annotated[tuple[_Tag, ...], Field(max_length=MAX_TAGS)] = ()
    """Several tags; a minus before one leaves its photos out."""
    tag_mode: Literal["any", "all"] = "any"
    """Whether a photo needs one of the tags or all of them."""
    text: str = ""
    """Words to search for in title, description and tags."""
    since: date | None = None
    """Only what was taken on this day or later."""
    until: date | None = None
    """Only what was taken on this day or earlier."""
    licence: tuple[_Licence, ...] = ()
    """Only these licences, such as `CC BY 2.0` or `CC0 1.0`, or Flickr's numbers for them."""
    talk: str = ""
    """Which talk the single photo or video belongs to: its id or title."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.targets:
            raise ValueError("name an album, a user, tags, text, a group, a gallery, photos or an address")
        if self.talk and [target.what for target in self.targets] not in ([What.PHOTO], [What.LINK]):
            raise ValueError("talk goes with a single photo")
        if self.since and self.until and self.since > self.until:
            raise ValueError("since is later than until")
        if self.user and not (self.album or self.searches) and not self._user_alone:
            raise ValueError("user goes with an album, with tags or text, or alone")
        return self

    @property
    def searches(self) -> bool:
        """Say whether tags or words are searched for."""
        return bool(self.tag or self.tags or self.text)

    @property
    def _user_alone(self) -> bool:
        return not (self.url or self.urls or self.group or self.gallery or self.photo or self.photos)

    @property
    def targets(self) -> tuple[Target, ...]:
        """Give everything that this entry names."""
        named = [parse(url) for url in filter(None, (self.url, *self.urls))]
        if self.album:
            found = _target(What.ALBUM, self.album)
            named.append(Target(found.what, found.id, found.user or self.user))
        if self.gallery:
            named.append(_target(What.GALLERY, self.gallery))
        named += [_target(What.PHOTO, photo) for photo in filter(None, (self.photo, *self.photos))]
        return (*dict.fromkeys(named), *self._collection())

    def _collection(self) -> tuple[Target, ...]:
        group = _target(What.GROUP, self.group).id if self.group else ""
        if self.searches:
            tags = (self.tag, *self.tags) if self.tag else self.tags
            user = "" if self.album else self.user
            return (Target(What.SEARCH, group, user, tags, self.text.strip()),)
        if group:
            return (Target(What.GROUP, group),)
        return (Target(What.USER, user=self.user),) if self.user and not self.album else ()


def _target(what: What, value: str) -> Target:
    """Make a target of a checked value: an address, or an id of its own kind."""
    return parse(value) if "/" in value else Target(what, value)
