"""Addresses become materials: one by one, no further than somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from archiver import api
from archiver_plugins.video.engine import Engine, Info
from archiver_plugins.video.materials import Place, clean_address, identity, material_of, text, waiting
from archiver_plugins.video.options import VideoOptions
from archiver_plugins.video.remembered import Remembered

#: Videos of one list.
MAX_LISTED: Final = 20_000
#: A channel is a list of its tabs, a tab a list of videos.
MAX_DEPTH: Final = 3
PARTIAL: Final = api.Checkpoint(complete=False)

Listed = api.Material | api.Unavailable | api.Checkpoint


class Listing:
    """Lists addresses through one engine; what it sees of single videos is remembered."""

    def __init__(self, engine: Engine, options: VideoOptions, remembered: Remembered) -> None:
        self._engine = engine
        self._options = options
        self._remembered = remembered

    def all(self, urls: Iterable[str]) -> Iterator[Listed]:
        """List several addresses; one that fails does not keep the others back. Raises the first error."""
        failures: list[api.SourceError] = []
        for url in urls:
            try:
                yield from self.of(url)
            except api.SourceError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def of(self, url: str) -> Iterator[Listed]:
        """List what is at a public address; what is wrong with a single video belongs to it alone."""
        address = self._options.where(url)
        try:
            found = self._engine.list(address)
        except (
            api.GoneError,
            api.BlockedError,
            api.TransientError,
            api.InvalidError,
            api.LinkOnlyError,
        ) as error:
            key, number = self._engine.identify(address)
            if self._engine.is_list(key, address):
                raise
            known = api.Material(identity(key, number, url), api.Kind.VIDEO, url, url)
            yield api.Unavailable(known, error)
            # Perhaps a list, of which nothing was seen.
            yield PARTIAL
            return
        if found.get("entries") is None:
            self._remembered.keep(address, found)
            yield self._listed(found, Place(address))
        else:
            yield from self._entries(found, address, 0)

    def _entries(self, found: Info, address: str, depth: int) -> Iterator[Listed]:
        count = 0
        for entry in self._walked(found, address):
            if entry is None:  # yt-dlp could not read it
                yield PARTIAL
                continue
            count += 1
            if count > MAX_LISTED:
                yield PARTIAL
                return
            yield from self._entry(entry, address, count, depth)
        announced = found.get("playlist_count")
        if isinstance(announced, int) and announced > count:
            # Sites leave out what is private; they also stop early.
            yield PARTIAL

    def _walked(self, found: Info, address: str) -> Iterator[Info | None]:
        """Go through entries, which may be a list, a generator, or fetched page by page."""
        entries: Any = found["entries"]
        items = iter(_indexed(entries) if hasattr(entries, "getslice") else entries)
        while True:
            with self._engine.guarded(address):
                try:
                    entry = next(items)
                except StopIteration:
                    return
            yield entry if isinstance(entry, dict) else None

    def _entry(self, entry: Info, page: str, number: int, depth: int) -> Iterator[Listed]:
        if entry.get("_type", "video") == "video":
            # Several players on one page: only the page has an address.
            yield self._listed({**entry, "webpage_url": page}, Place(page, text(entry, "id") or str(number)))
            return
        address, key = text(entry, "url"), text(entry, "ie_key")
        if entry.get("entries") is not None or (key and self._engine.is_list(key, address)):
            yield from self._deeper(entry, address, depth)
            return
        yield self._listed(self._named(entry, address), Place(address))

    def _deeper(self, entry: Info, address: str, depth: int) -> Iterator[Listed]:
        if depth >= MAX_DEPTH:
            yield PARTIAL
        elif entry.get("entries") is not None:
            yield from self._entries(entry, address, depth + 1)
        else:
            found = self._engine.list(address)
            yield from (
                self._entries(found, address, depth + 1)
                if found.get("entries") is not None
                else (self._listed(found, Place(address)),)
            )

    def _named(self, entry: Info, address: str) -> Info:
        """Fill in the id that the address tells, when the list does not."""
        page = clean_address(address)
        if text(entry, "ie_key") and text(entry, "id"):
            return {"webpage_url": page, **entry}
        key, number = self._engine.identify(page)
        return {"webpage_url": page, **entry, "ie_key": key, "id": number or entry.get("id")}

    def _listed(self, info: Info, place: Place) -> api.Material | api.Unavailable:
        material = material_of(info, place, self._options)
        why = waiting(info)
        if not why:
            return material
        error = api.TransientError(
            f"{material.title!r} {why}", hint="It is fetched by a later run, once it is over."
        )
        return api.Unavailable(material, error)


def _indexed(pages: Any) -> Iterable[Any]:
    """Go through yt-dlp's paged lists, which are made for slices; a page is asked for when it is reached."""
    number = 0
    while part := pages.getslice(number, number + 1):
        yield from part
        number += 1
