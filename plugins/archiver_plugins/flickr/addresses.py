"""The forms that an address on Flickr has, and what each of them names. No network here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

PUBLIC: Final = "https://www.flickr.com"
SHORT: Final = "https://flic.kr"

#: Digits and letters of short links, without 0, O, I and l.
BASE58: Final = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
_HOSTS: Final = frozenset({"flickr.com", "www.flickr.com", "m.flickr.com", "secure.flickr.com"})
#: How Flickr numbers users and groups: 10000001@N02.
_NSID: Final = re.compile(r"[0-9]{1,12}@N[0-9]{2}")


class What(StrEnum):
    """What an address names."""

    PHOTO = "photo"
    ALBUM = "album"
    ALBUMS = "albums"  # all albums of a user
    USER = "user"
    GROUP = "group"
    GALLERY = "gallery"
    SEARCH = "search"
    LINK = "link"  # only the service knows where it leads


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to list. `id` is a number, a group's name or number, or the path of a link.

    `user` is a number, the name in addresses, an address or a screen name. A search may be within a
    user's photos and within a group (`id`).
    """

    what: What
    id: str = ""
    user: str = ""
    tags: tuple[str, ...] = ()
    text: str = ""

    @property
    def shown(self) -> str:
        """Name it in messages. The code of a guest pass opens private photos, so it is left out."""
        if self.what is not What.LINK:
            words = (self.id, self.user and f"of {self.user}", ", ".join(self.tags), self.text)
            return f"the {self.what} {' '.join(filter(None, words))}"
        return f"the link {self.id.rpartition('/')[0]}/…"

    @property
    def link_id(self) -> str:
        """Give the id of a link that could not be looked up; its code cannot be read from it."""
        return f"link-{hashlib.sha256(self.id.encode()).hexdigest()[:16]}"


def is_bounded(target: Target) -> bool:
    """Say whether this is one thing: not all that a user, a group or a tag will ever have.

    Of links, that holds for those to albums, `flic.kr/s/…`; a guest pass may open a whole photostream.
    """
    if target.what is What.LINK:
        return target.id.startswith(f"{SHORT}/s/")
    return target.what in {What.PHOTO, What.ALBUM, What.GALLERY}


def is_nsid(name: str) -> bool:
    """Say whether this is the number of a user or group."""
    return _NSID.fullmatch(name) is not None


def decode58(text: str) -> int:
    """Read the number in a short link. Raises `ValueError` on other characters and on absurd lengths."""
    if not 0 < len(text) <= 12:
        raise ValueError(f"{text[:20]!r} is not the code of a short link")
    number = 0
    for char in text:
        number = number * 58 + BASE58.index(char)
    return number


def encode58(number: int) -> str:
    """Write a photo's number as in short links."""
    text = ""
    while number or not text:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return text


def parse(url: str) -> Target:
    """Tell what an address names, in any form that a browser or a share button gives.

    Queries and fragments fall away, except for those of a search. Raises `ValueError`.
    """
    parts = urlsplit(url if "://" in url else f"https://{url}")
    host = (parts.hostname or "").lower()
    path = unquote(parts.path).rstrip("/")
    if parts.scheme in {"http", "https"} and path.isprintable():
        if host == "flic.kr":
            return _short(path, url)
        if host in _HOSTS:
            return _page(path, parts, url)
        if host.endswith((".staticflickr.com", ".static.flickr.com")) and (match := _FILE.search(path)):
            return Target(What.PHOTO, match[1])
    raise _unknown(url)


# https://live.staticflickr.com/65535/54000000001_bbbbbbbbbb_o.jpg
_FILE: Final = re.compile(r"/([0-9]{1,15})_[0-9a-f]+(?:_[0-9a-z]{1,2})?(?:_d)?\.[a-z0-9]+\Z")
_SHORT_PHOTO: Final = re.compile(r"/p/([^/]+)")
# Albums, sets, photostreams and guest passes: only a look-up tells where these lead.
_SHORT_LINK: Final = re.compile(r"/(?:s|y|ps)/[A-Za-z0-9]{1,20}|/gp/[A-Za-z0-9@_.-]{1,80}/[A-Za-z0-9]{1,40}")
_PAGE_SUFFIX: Final = re.compile(r"/page[0-9]{1,6}\Z")


def _short(path: str, url: str) -> Target:
    if match := _SHORT_PHOTO.fullmatch(path):
        return Target(What.PHOTO, str(decode58(match[1])))
    if _SHORT_LINK.fullmatch(path):
        return Target(What.LINK, f"{SHORT}{path}")
    raise _unknown(url)


_U: Final = r"/(?:photos|people)/(?P<user>(?!tags(?:/|\Z))[A-Za-z0-9@_.-]{1,80})"
_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Target]], ...]] = (
    (re.compile(_U), lambda m: Target(What.USER, user=m["user"])),
    (re.compile(_U + r"/(?P<id>[0-9]{1,15})(?:/.*)?"), lambda m: Target(What.PHOTO, m["id"])),
    (re.compile(_U + r"/(?:albums|sets)"), lambda m: Target(What.ALBUMS, user=m["user"])),
    (
        re.compile(_U + r"/(?:albums|sets)/(?P<id>[0-9]{1,20})(?:/.*)?"),
        lambda m: Target(What.ALBUM, m["id"], m["user"]),
    ),
    (
        re.compile(_U + r"/(?:galleries|gallery)/(?P<id>[0-9]{1,20})(?:/.*)?"),
        lambda m: Target(What.GALLERY, m["id"]),
    ),
    (
        re.compile(_U + r"/tags/(?P<tag>[^/,]{1,200})"),
        lambda m: Target(What.SEARCH, user=m["user"], tags=(m["tag"],)),
    ),
    (re.compile(r"/photos/tags/(?P<tag>[^/,]{1,200})"), lambda m: Target(What.SEARCH, tags=(m["tag"],))),
    (
        re.compile(r"/groups/(?P<id>[A-Za-z0-9@_.-]{1,80})(?:/pool(?:/.*)?)?"),
        lambda m: Target(What.GROUP, m["id"]),
    ),
    (
        re.compile(r"/gp/[A-Za-z0-9@_.-]{1,80}/[A-Za-z0-9]{1,40}"),
        lambda m: Target(What.LINK, f"{PUBLIC}{m[0]}"),
    ),
)


def _page(path: str, parts: SplitResult, url: str) -> Target:
    path = _PAGE_SUFFIX.sub("", path)
    if path == "/search":
        return _search(parts, url)
    for form, target in _FORMS:
        match = form.fullmatch(path)
        if match and "/../" not in f"{path}/":
            return target(match)
    raise _unknown(url)


def _search(parts: SplitResult, url: str) -> Target:
    query = {name: values[-1] for name, values in parse_qs(parts.query, max_num_fields=50).items()}
    tags = tuple(tag.strip() for tag in query.get("tags", "").split(",") if tag.strip())
    text = query.get("text", query.get("q", "")).strip()
    if not (tags or text):
        raise _unknown(url)
    return Target(What.SEARCH, user=query.get("user_id", ""), tags=tags, text=text)


def _unknown(url: str) -> ValueError:
    return ValueError(
        f"{url[:200]!r} is not the address of a photo, album, user, group, gallery, tag or search on"
        " flickr.com; open it in a browser and copy the address that it shows"
    )
