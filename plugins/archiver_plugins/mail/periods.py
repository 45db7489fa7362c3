"""The files in which a list archive keeps its messages, one for each month or so.

Mailman 2 (pipermail) links them from the index page of the list: `2012-September.txt.gz`, or without `.gz`
until the nightly job has packed it; lists of other volume have files by year, quarter, week or day. Mailman 3
(HyperKitty) links pages of months, and exports any period: the end is the first day that is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from html import unescape
from itertools import islice
from typing import Final
from urllib.parse import quote, unquote, urlsplit

_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
#: Files that one list may have: sixty years of weeks.
MAX_PERIODS: Final = 4_000
#: Links of a page that are looked at; there are four or five to a month.
MAX_LINKS: Final = 40_000
_HREF: Final = re.compile(r"""<a\b[^>]{0,500}?\bhref\s*=\s*["']?([^"'\s>]{1,500})""", re.IGNORECASE)
_FILE: Final = re.compile(r"([A-Za-z0-9-]{4,40})((?:\.mbox|\.txt)(?:\.gz)?)")
#: Which form is read where a period has several: an mbox as it came before a text that was worked over.
_FORMS: Final = (".mbox.gz", ".mbox", ".txt.gz", ".txt")
#: Dates in messages and days of the archive differ by the zone of its server.
_SLACK: Final = timedelta(days=2)


class Software(StrEnum):
    """What runs a list archive."""

    HYPERKITTY = "hyperkitty"
    PIPERMAIL = "pipermail"


@dataclass(frozen=True, slots=True)
class ListArchive:
    """One configured list archive: `url` is its public address, with a slash at the end."""

    software: Software
    url: str

    @property
    def name(self) -> str:
        """Give the last folder of the address: the list's name, at HyperKitty its mail address."""
        return unquote(urlsplit(self.url).path).rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Period:
    """One file of a list archive. `first` and `last` are the days of its messages.

    `sign` is what the index says of the file: its size, as text; "" when it says nothing.
    """

    name: str
    url: str
    first: date
    last: date
    sign: str = ""

    def meets(self, since: date | None, until: date | None) -> bool:
        """Say whether messages between two days may be in it."""
        after = since is None or self.last + _SLACK >= since
        return after and (until is None or self.first - _SLACK <= until)


def address(value: str) -> str:
    """Check the address of a list archive and give it with a slash at the end. Raises `ValueError`."""
    parts = urlsplit(value.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise ValueError("expected the address of a list's archive, like https://lists.example.org/…/talks/")
    path = re.sub(r"/(?:index|thread|date|subject|author)\.html\Z", "/", parts.path).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}/"


def periods(archive: ListArchive, page: str) -> list[Period]:
    """Read the page of a list: its periods, the newest first."""
    links = islice(_HREF.finditer(page), MAX_LINKS)
    if archive.software is Software.HYPERKITTY:
        found = _of_hyperkitty(archive, (unescape(link[1]) for link in links))
    else:
        found = _of_pipermail(
            archive, ((unescape(link[1]), page[link.end() : link.end() + 200]) for link in links)
        )
    by_name: dict[str, Period] = {}
    for period in found:
        kept = by_name.setdefault(period.name, period)
        if _rank(period) < _rank(kept):
            by_name[period.name] = period
    ordered = sorted(by_name.values(), key=lambda each: (each.last, each.first), reverse=True)
    return ordered[:MAX_PERIODS]


def _rank(period: Period) -> int:
    path = urlsplit(period.url).path
    return next((number for number, form in enumerate(_FORMS) if path.endswith(form)), len(_FORMS))


def _of_hyperkitty(archive: ListArchive, links: Iterable[str]) -> Iterator[Period]:
    """Find the pages of months: `…/list/talks@lists.example.org/2012/9/`, the @ also as %40."""
    base = unquote(urlsplit(archive.url).path)
    local = archive.name.partition("@")[0]
    for link in links:
        path = unquote(urlsplit(link).path)
        rest = path.removeprefix(base) if path.startswith(base) else ""
        match = re.fullmatch(r"(\d{4})/(\d{1,2})/?", rest)
        span = match and month(int(match[1]), int(match[2]))
        if span:
            name = f"{span[0]:%Y-%m}"
            after = span[1] + timedelta(days=1)
            url = f"{archive.url}export/{quote(local)}-{name}.mbox.gz?start={span[0]}&end={after}"
            yield Period(name, url, *span)


def _of_pipermail(archive: ListArchive, links: Iterable[tuple[str, str]]) -> Iterator[Period]:
    """Find the files of months; what follows a link is what the index says of it: "[ Gzip'd Text 12 KB ]"."""
    for link, rest in links:
        # A link to another folder, such as ../talks.mbox/talks.mbox, is the whole archive: mostly closed.
        match = _FILE.fullmatch(link.removeprefix("./"))
        span = match and _span(match[1].lower())
        if match and span:
            shown = re.search(r">([^<]{0,100})", rest)
            sign = " ".join(unescape(shown[1]).split()) if shown else ""
            yield Period(match[1], archive.url + match[0], *span, sign)


def month(year: int, number: int) -> tuple[date, date] | None:
    """Give the first and last day of a month; None when there is none such."""
    if not (1970 <= year <= 9998 and 1 <= number <= 12):
        return None
    following = date(year + number // 12, number % 12 + 1, 1)
    return date(year, number, 1), following - timedelta(days=1)


def _span(name: str) -> tuple[date, date] | None:
    """Read the name of a file: 2012-september, 2012-09, 2012q3, 2012, 20120916, week-of-mon-20120910."""
    if match := re.fullmatch(r"(\d{4})-(?:([a-z]{3,9})|(\d{2}))", name):
        named = _MONTHS.index(match[2]) + 1 if match[2] in _MONTHS else 0
        return month(int(match[1]), int(match[3] or named))
    if match := re.fullmatch(r"(\d{4})(?:q([1-4]))?", name):
        last = int(match[2] or 4) * 3
        begin, end = month(int(match[1]), last - 2 if match[2] else 1), month(int(match[1]), last)
        return (begin[0], end[1]) if begin and end else None
    match = re.fullmatch(r"(week-of-mon-)?(\d{4})(\d{2})(\d{2})", name)
    return _days(*map(int, match.groups()[1:]), count=7 if match[1] else 1) if match else None


def _days(year: int, number: int, day: int, *, count: int) -> tuple[date, date] | None:
    try:
        first = date(year, number, day)
        return first, first + timedelta(days=count - 1)
    except (ValueError, OverflowError):
        return None
