"""Where each page lies, and how one page names another: by relative, percent-encoded links."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from archiver.ledger import Record
from archiver.naming import slug

SITE: Final = "site/"
HOME: Final = f"{SITE}index.html"
ROOT_PAGE: Final = "index.html"
SPEAKERS: Final = f"{SITE}speakers.html"
PHOTOS: Final = f"{SITE}photos.html"
COVERAGE: Final = f"{SITE}coverage.html"
REVIEW: Final = f"{SITE}review.html"
SEARCH: Final = f"{SITE}search.html"
CATALOG: Final = f"{SITE}catalog.json"
CATALOG_SCHEMA: Final = f"{SITE}catalog.schema.json"
FEED: Final = f"{SITE}feed.xml"
SITEMAP: Final = f"{SITE}sitemap.xml"
#: What a link takes as it is (RFC 3986, 2.3, and the slash).
_PLAIN: Final = re.compile(r"[A-Za-z0-9/._~-]*", re.ASCII)
#: Photos on one page of a wall.
WALL: Final = 240
#: What a build leaves for the next one.
STATE: Final = f"{SITE}state/"


def is_page(path: str) -> bool:
    """Say whether a build writes files of such a path, state aside."""
    parts = path.split("/")
    return path == ROOT_PAGE or (
        path.startswith(SITE) and not path.startswith(STATE) and not {"", ".", ".."} & {*parts}
    )


def event_page(event: str) -> str:
    """Say where the page of an event lies."""
    return f"{SITE}event/{event}.html"


def talk_page(event: str, talk: str) -> str:
    """Say where the page of a talk lies: its id, made of letters and digits of any script."""
    name = talk if talk and talk == slug(talk) else f"{slug(talk)}-{short_hash(talk)}".strip("-")
    return f"{SITE}talk/{event}/{name}.html"


def item_page(event: str, item: str) -> str:
    """Say where the page of one material lies."""
    return f"{SITE}item/{event or '-'}/{item}.html"


def speaker_page(name: str) -> str:
    """Say where the page of a speaker lies; names that differ in capitals alone share it."""
    folded = " ".join(name.casefold().split())
    return f"{SITE}speaker/{slug(folded) or short_hash(folded)}.html"


def wall_page(event: str, number: int = 1) -> str:
    """Say where a page of an event's photo wall lies, counted from 1."""
    # No id of an event holds a point: page 2 of `day` is not page 1 of `day-2`.
    return f"{SITE}photos/{event or '-'}{'' if number == 1 else f'.{number}'}.html"


def item_id(record: Record) -> str:
    """Give a material its short name among the pages, the same on every machine."""
    return short_hash("\n".join(record.key))


def short_hash(text: str) -> str:
    """Give 12 hex digits of a hash."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def relative(target: str, page: str) -> str:
    """Give the link from a page to another path in the sink, `#fragment` and `?query` kept."""
    path, mark, rest = target, "", ""
    for sign in "#?":
        if sign in target:
            path, mark, rest = target.partition(sign)
            break
    way = _way(path.split("/"), page.split("/")[:-1])
    return f"{way if _PLAIN.fullmatch(way) else quote(way, safe='/-._~')}{mark}{rest}"


def _way(path: Sequence[str], folder: Sequence[str]) -> str:
    # A wall of photos has thousands of links; posixpath.relpath takes ten times as long.
    same = 0
    for one, other in zip(path[:-1], folder, strict=False):
        if one != other:
            break
        same += 1
    return "../" * (len(folder) - same) + "/".join(path[same:])
