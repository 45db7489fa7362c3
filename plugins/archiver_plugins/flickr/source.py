"""The source: entries become materials, and a material becomes files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from archiver import api
from archiver_plugins.flickr.addresses import Target, What, is_bounded, parse
from archiver_plugins.flickr.answers import Licences
from archiver_plugins.flickr.files import Files
from archiver_plugins.flickr.licences import LICENCES, written
from archiver_plugins.flickr.listing import Item, Listing
from archiver_plugins.flickr.materials import is_wanted, not_ready, of_info, of_photo, unknown
from archiver_plugins.flickr.options import FlickrEntry, FlickrOptions
from archiver_plugins.flickr.rest import KeyRefusedError, Rest
from archiver_plugins.flickr.search import PARTIAL

Listed = api.Material | api.Unavailable | api.Checkpoint


class Flickr(api.Source[FlickrOptions, FlickrEntry]):
    """Photos and videos from Flickr, in the best size that everybody can get.

    Entries name an album, a user, tags or words to search for, a group's pool, a gallery, or photos.
    """

    type_name = "flickr"
    options_class = FlickrOptions
    entry_class = FlickrEntry
    #: The file host turns away who comes with more (429, seen in 2025 and 2026).
    max_fetches = 4

    def __init__(self, options: FlickrOptions, context: api.Context) -> None:
        super().__init__(options, context)
        self._rest = Rest(context.http, options)
        self._files = Files(self._rest, context, options)
        self._licences: dict[int, str] = {}

    def check(self) -> None:
        """Raise `BlockedError` when there is no key."""
        self._rest.check()

    def discover(
        self, scope: api.Scope[FlickrEntry], cursor: str
    ) -> Iterator[api.Material | api.Unavailable | api.Checkpoint]:
        """List everything that the entries name, 500 photos to a request.

        There is no cursor. Without a login the service cannot be asked what changed, and "uploaded
        since" would miss edits, late tags, photos put into an album later, and whatever was deleted.
        """
        del cursor
        self.check()
        return api.list_entries(scope, _Discovery(self, scope).entry)

    def entry_for(self, url: str) -> Mapping[str, object] | None:
        """Take the addresses of photos, albums and galleries; a whole user, group or tag is for entries."""
        try:
            return {"url": url} if is_bounded(parse(url)) else None
        except ValueError:
            return None

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched | api.Material]:
        """Get the best file there is, and the camera data where they are wanted and not in it."""
        if not re.fullmatch(r"[0-9]{1,20}", material.id):
            raise api.InvalidError(
                f"{material.id!r} is a link that could not be looked up yet", hint="Run again later."
            )
        if "owner" not in material.extra:
            material = self._made_known(material)
            yield material
        is_video = material.kind is api.Kind.VIDEO
        yield from (self._files.video if is_video else self._files.photo)(material, into)

    def _made_known(self, material: api.Material) -> api.Material:
        """Ask for what is known by its number alone: an entry named it while it could not be had."""
        listing = Listing(self._rest, self.context.http, self.options)
        known = self.material_of(listing, material.id)
        return replace(known, event=material.event, talk=material.talk)

    def material_of(self, listing: Listing, photo_id: str) -> api.Material:
        """Make a material of one photo. Raises `SourceError`."""
        return of_info(listing.info(photo_id), self.licence, self._files.root)

    def licence(self, number: int) -> str:
        """Write a licence by its number; one that came after this program is asked for, once."""
        if number in LICENCES:
            return written(*LICENCES[number])
        if number not in self._licences:
            self._licences |= {number: f"Flickr's licence number {number}", **self._asked_licences()}
        return self._licences[number]

    def _asked_licences(self) -> dict[int, str]:
        try:
            found = self._rest.call("photos.licenses.getInfo", "licenses", Licences, {})
        except KeyRefusedError:
            raise
        except api.SourceError as error:
            self.context.log.info("Flickr does not tell what its licences are: %s", error)
            return {}
        return {each.id: written(each.name, each.url) for each in found.license if each.id and each.name}

    def made(self, items: Iterable[Item], entry: FlickrEntry) -> Iterator[Listed]:
        """Make materials of what a list holds and an entry wants."""
        for item in items:
            if isinstance(item, api.Checkpoint):
                yield item
            elif is_wanted(item, entry):
                material = of_photo(item, self.licence, self._files.root)
                problem = not_ready(item)
                yield api.Unavailable(material, problem) if problem else material


class _Discovery:
    """One listing of all entries. What several of them name is listed once."""

    def __init__(self, source: Flickr, scope: api.Scope[FlickrEntry]) -> None:
        self._source = source
        self._listing = Listing(source._rest, source.context.http, source.options)  # noqa: SLF001  # its own helper
        named = Counter(
            _key(target, each.options) for each in scope.entries for target in each.options.targets
        )
        self._shared = {key for key, count in named.items() if count > 1}
        self._lists: dict[object, Sequence[Item]] = {}

    def entry(self, entry: api.ScopeEntry[FlickrEntry]) -> Iterator[Listed]:
        """List one entry."""
        for target in entry.options.targets:
            yield from self._target(target, entry.options)

    def _target(self, target: Target, options: FlickrEntry) -> Iterator[Listed]:
        if target.what is What.LINK:
            try:
                target = self._listing.follow(target)
            except api.SourceError as error:
                # What it leads to may be in the archive, under a number that we do not know now.
                yield PARTIAL
                yield api.Unavailable(api.Material(target.link_id, api.Kind.PHOTO), error)
                return
        if target.what is What.PHOTO:
            yield self._photo(target.id)
        else:
            yield from self._source.made(self._items(target, options), options)

    def _photo(self, photo_id: str) -> Listed:
        """Look one photo up; whatever is wrong with it belongs to it alone."""
        try:
            return self._source.material_of(self._listing, photo_id)
        except KeyRefusedError:
            raise
        except api.SourceError as error:
            return api.Unavailable(unknown(photo_id), error)

    def _items(self, target: Target, options: FlickrEntry) -> Iterable[Item]:
        key = _key(target, options)
        if key not in self._shared:
            return self._listing.photos(target, options)
        if key not in self._lists:
            self._lists[key] = tuple(self._listing.photos(target, options))
        return self._lists[key]


def _key(target: Target, options: FlickrEntry) -> object:
    """Tell lists apart: the entry's filters count where the service applies them."""
    if target.what is not What.SEARCH:
        return target
    return target, options.tag_mode, options.since, options.until, options.licence
