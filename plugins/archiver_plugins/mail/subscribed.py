r"""List the messages of list archives: the newest first, and only files that may have changed.

The cursor's part is JSON: {"https://…/talks/": {"2012-09": ["12 KB", "\"3f9a-2c41\""]}}, for each file what
the index said of it and which version was read. A closed month of which the index says the same is not asked
for again; one of these days is, under the condition that it is another version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from archiver import api
from archiver_plugins.mail import files, mbox, scan
from archiver_plugins.mail import periods as calendar
from archiver_plugins.mail.files import letter_in
from archiver_plugins.mail.head import Head
from archiver_plugins.mail.headers import MAX_BLOCK
from archiver_plugins.mail.letter import Letter
from archiver_plugins.mail.obscured import notices, read_obscured, without_notices
from archiver_plugins.mail.options import EmailEntry
from archiver_plugins.mail.periods import ListArchive, Period, Software
from archiver_plugins.mail.stacks import Stacks
from archiver_plugins.mail.window import Window

#: Days after its end in which a month may still get messages: what is held for a moderator, wrong clocks.
_OPEN: Final = timedelta(days=35)

Known = Mapping[str, Mapping[str, tuple[str, str]]]
#: What an index says that has no messages yet.
_EMPTY: Final = ("currently no archives", "No messages have been posted")


@dataclass
class Listing:
    """One pass over the archives. `bounds` are first and last days that entries want.

    `seen` is for the next cursor; `skipped` counts the files that were not read.
    """

    archives: Iterable[ListArchive]
    stacks: Stacks
    wanted: Callable[[Head], bool]
    bounds: Iterable[tuple[date | None, date | None]]
    before: Known = field(default_factory=dict)
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    seen: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    failures: list[api.SourceError] = field(default_factory=list)
    skipped: int = 0

    def letters(self) -> Iterator[Letter]:
        """Read all archives; what cannot be read of one does not keep the rest from it."""
        for archive in self.archives:
            try:
                found = self._periods(archive)
            except api.SourceError as error:
                self.failures.append(error)
                continue
            for period in found:
                try:
                    yield from self._period(archive, period)
                except api.SourceError as error:
                    self.failures.append(error)

    def _periods(self, archive: ListArchive) -> list[Period]:
        found = periods_of(archive, self.stacks)
        bounds = list(self.bounds)
        return [period for period in found if any(period.meets(*each) for each in bounds)]

    def _period(self, archive: ListArchive, period: Period) -> Iterator[Letter]:
        known = self.before.get(archive.url, {}).get(period.name)
        seen = self.seen.setdefault(archive.url, {})
        if known and self._is_read(period, known):
            seen[period.name] = known
            self.skipped += 1
            return
        with self.stacks.opened(period.url) as (window, version):
            yield from letters_in(archive, period, window, self.wanted)
        seen[period.name] = (period.sign, version)

    def _is_read(self, period: Period, known: tuple[str, str]) -> bool:
        sign, version = known
        if period.last + _OPEN < self.today and sign == period.sign:
            return True
        return bool(version) and self.stacks.is_still(period.url, version)


def periods_of(archive: ListArchive, stacks: Stacks) -> list[Period]:
    """Read which files an archive has. Raises `InvalidError` when its page names none."""
    page = stacks.page(archive.url)
    found = calendar.periods(archive, page)
    if found or any(words in page for words in _EMPTY):
        return found
    raise api.InvalidError(
        f"{archive.url} names no month of messages",
        hint="Check that it is the page of the list that links its months, and that it runs "
        f"{archive.software}; an archive for members alone shows a login here.",
    )


def letters_in(
    archive: ListArchive, period: Period, window: Window, wanted: Callable[[Head], bool]
) -> Iterator[Letter]:
    """Read the messages of one file."""
    if window.end == window.start:
        return
    if not mbox.is_mbox(window.line(window.start)):
        raise api.InvalidError(
            f"{period.url} holds no messages", hint="Open it in a browser to see what the server gives."
        )
    place = {"list": archive.url, "period": period.url}
    for start, end in mbox.messages(window):
        part = window.part(start, end)
        where = place | {"at": f"{start}-{end}"}
        letter = letter_in(part, where, wanted, quoted=True, read=read_obscured)
        if letter is None:
            continue
        if archive.software is Software.PIPERMAIL:
            texts = {number: without_notices(text, archive.name) for number, text in letter.texts.items()}
            letter = replace(letter, parts=(*letter.parts, *notices(part)), texts=texts)
        yield replace(letter, archive=archive.url)


@contextmanager
def find_again(
    material: api.Material, archives: Iterable[ListArchive], stacks: Stacks
) -> Iterator[files.Found]:
    """Open the message of a material in the file where it was listed, or where that month is now.

    Raises `GoneError` when it is not there any more.
    """
    extra = material.extra
    archive = next((each for each in archives if each.url == extra.get("list")), None)
    if archive is None:
        raise api.GoneError(
            f"The list {extra.get('list', '?')} is not in the configuration any more",
            hint="Name it again in hyperkitty or pipermail, or waive the item.",
        )
    for url in _likely(archive, material, stacks):
        with stacks.opened(url) as (window, _):
            found = _in_window(window, extra)
            if found is not None:
                yield found
                return
    raise api.GoneError(
        f"The message <{extra.get('message_id', '?')}> is not in {archive.url} any more",
        hint="Waive the item, or hand the file in with: archive add EVENT FILE",
    )


def _likely(archive: ListArchive, material: api.Material, stacks: Stacks) -> Iterator[str]:
    """Name the file, then the one that its month has now: `2012-September.txt` gets its `.gz` at night."""
    url = material.extra.get("period", "")
    if url.startswith(archive.url):
        try:
            with stacks.opened(url):
                pass
            yield url
        except api.GoneError:
            pass
    name = url.removeprefix(archive.url).partition(".")[0]
    yield from (
        period.url
        for period in periods_of(archive, stacks)
        if period.url != url and period.url.removeprefix(archive.url).partition(".")[0] == name
    )


def _in_window(window: Window, extra: Mapping[str, str]) -> files.Found | None:
    for start, end in _places(window, extra.get("at", "")):
        part = window.part(start, end)
        head = read_obscured(scan.header_block(part, part.start, MAX_BLOCK)[0])
        if head.identity == extra.get("key"):
            return files.Found(head, part, quoted=True)
    return None


def _places(window: Window, at: str) -> Iterator[tuple[int, int]]:
    start, _, end = at.partition("-")
    if start.isdigit() and end.isdigit() and int(start) <= int(end) <= window.end:
        yield int(start), int(end)
    if window.end > window.start:
        yield from mbox.messages(window)


def bounds_of(since: date | None, entries: Iterable[EmailEntry]) -> Iterator[tuple[date | None, date | None]]:
    """Give the days that entries want, none of them before `since`."""
    for entry in entries:
        first = max(filter(None, (since, entry.since)), default=None)
        yield first, entry.until


def read_known(data: Any) -> dict[str, dict[str, tuple[str, str]]]:
    """Read the cursor's part; one that makes no sense counts as none."""
    try:
        return {
            str(url): {str(name): (str(sign), str(version)) for name, (sign, version) in known.items()}
            for url, known in data.items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}
