"""What a target of an entry holds: one request for up to 500 photos, and none for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urljoin

from archiver import api
from archiver_plugins.flickr.addresses import PUBLIC, SHORT, Target, What, is_nsid, parse
from archiver_plugins.flickr.answers import SIDES, Albums, Info, Page, Photo, User
from archiver_plugins.flickr.options import FlickrEntry, FlickrOptions
from archiver_plugins.flickr.paging import MAX_PAGES, PER_PAGE, Tally, turn
from archiver_plugins.flickr.rest import Rest
from archiver_plugins.flickr.search import PARTIAL, search

Item = Photo | api.Checkpoint

_SMALLEST: Final = 500
#: Asked for with every list, so that nothing has to be asked about a single photo.
EXTRAS: Final = ",".join(
    (
        "description,license,date_upload,date_taken,owner_name,original_format,last_update,geo",
        "tags,machine_tags,media",
        # The best of these counts; a photo that is nowhere larger is asked about when it is fetched.
        # Nobody has seen url_f answered.
        *(f"url_{name}" for name, side in SIDES.items() if side == 0 or (side >= _SMALLEST and name != "f")),
    )
)
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_MAX_HOPS: Final = 5


@dataclass
class Listing:
    """One run's listing: what was looked up for one entry is not looked up again for the next."""

    rest: Rest
    http: api.Http
    options: FlickrOptions
    _users: dict[str, str] = field(default_factory=dict)
    _links: dict[str, Target] = field(default_factory=dict)
    _infos: dict[str, Info | api.SourceError] = field(default_factory=dict)

    def photos(self, target: Target, entry: FlickrEntry) -> Iterator[Item]:
        """Yield what a target holds; an incomplete `Checkpoint` when something may be missing.

        Raises `SourceError` when the list itself cannot be had.
        """
        match target.what:
            case What.ALBUM:
                yield from self._album(target)
            case What.ALBUMS:
                yield from self._albums(self.user(target.user))
            case What.USER:
                params = {"user_id": self.user(target.user)}
                yield from self._list("people.getPublicPhotos", "photos", params)
            case What.GROUP:
                params = {"group_id": self.group(target.id)}
                yield from self._list("groups.pools.getPhotos", "photos", params)
            case What.GALLERY:
                yield from self._list("galleries.getPhotos", "photos", {"gallery_id": target.id})
            case What.SEARCH:
                fixed = self._search_params(target, entry)
                yield from search(lambda more, number: self._found({**fixed, **more}, number))
            case What.PHOTO | What.LINK:
                raise AssertionError(f"{target.what} is looked up, not listed")

    def info(self, photo_id: str) -> Info:
        """Ask for one photo. Raises `SourceError`."""
        if photo_id not in self._infos:
            self._infos[photo_id] = self._ask_info(photo_id)
        found = self._infos[photo_id]
        if isinstance(found, api.SourceError):
            raise found
        return found

    def _ask_info(self, photo_id: str) -> Info | api.SourceError:
        try:
            found = self.rest.call("photos.getInfo", "photo", Info, {"photo_id": photo_id})
        except api.SourceError as error:
            return error
        if found.id != photo_id:
            return api.InvalidError(f"Flickr answered for photo {found.id} when asked for {photo_id}")
        return found

    def follow(self, link: Target) -> Target:
        """Look up where a short link or guest pass leads. Raises `SourceError`."""
        if link.id not in self._links:
            self._links[link.id] = self._follow(link)
        return self._links[link.id]

    def _follow(self, link: Target) -> Target:
        target = link
        for _ in range(_MAX_HOPS):
            target = self._hop(target, link)
            if target.what is not What.LINK:
                return target
        raise _leads_nowhere(link)

    def _hop(self, target: Target, link: Target) -> Target:
        public, base = (PUBLIC, self.options.web_base_url)
        if target.id.startswith(SHORT):
            public, base = (SHORT, self.options.short_base_url)
        answer = self.http.get(base + quote(target.id.removeprefix(public)), accept=_REDIRECTS)
        location = urljoin(target.id, answer.headers.get("location", ""))
        # A mirror may name itself where the service names its public address.
        location = PUBLIC + location.removeprefix(base) if location.startswith(f"{base}/") else location
        try:
            return parse(location)
        except ValueError as error:
            # Guest passes of private photos end at the login page.
            raise _leads_nowhere(link) from error

    def user(self, name: str) -> str:
        """Give a user's number for the name in addresses, or the screen name. Raises `GoneError`."""
        if is_nsid(name):
            return name
        if name not in self._users:
            self._users[name] = self._look_up_user(name)
        return self._users[name]

    def _look_up_user(self, name: str) -> str:
        page = f"{PUBLIC}/photos/{quote(name, safe='')}/"
        try:
            found = self.rest.call("urls.lookupUser", "user", User, {"url": page})
        except api.GoneError:
            found = self.rest.call("people.findByUsername", "user", User, {"username": name})
        return _number(found, name)

    def group(self, name: str) -> str:
        """Give a group's number for its name in addresses. Raises `GoneError`."""
        if is_nsid(name):
            return name
        if name not in self._users:
            page = f"{PUBLIC}/groups/{quote(name, safe='')}/"
            self._users[name] = _number(
                self.rest.call("urls.lookupGroup", "group", User, {"url": page}), name
            )
        return self._users[name]

    def _album(self, album: Target) -> Iterator[Item]:
        # The documentation demands the user; the service answers without, for now.
        user = {"user_id": self.user(album.user)} if album.user else {}
        yield from self._list("photosets.getPhotos", "photoset", {"photoset_id": album.id, **user})

    def _albums(self, user: str) -> Iterator[Item]:
        seen: set[str] = set()
        for number in range(1, MAX_PAGES + 1):
            params = {"user_id": user, "per_page": str(PER_PAGE), "page": str(number)}
            page = self.rest.call("photosets.getList", "photosets", Albums, params)
            fresh = [album.id for album in page.photoset if album.id not in seen]
            for album in fresh:
                yield from self._album(Target(What.ALBUM, album, user))
            seen.update(fresh)
            if not fresh or number >= (page.pages or 0):
                break
        if len(seen) < (page.total or 0):
            yield PARTIAL

    def _list(self, method: str, key: str, params: Mapping[str, str]) -> Iterator[Item]:
        def ask(number: int) -> Page:
            return _with_owner(self._page(method, key, params, number))

        tally = Tally()
        yield from turn(ask, tally)
        if not tally.complete:
            yield PARTIAL

    def _found(self, params: Mapping[str, str], number: int) -> Page:
        return self._page("photos.search", "photos", params, number)

    def _page(self, method: str, key: str, params: Mapping[str, str], number: int) -> Page:
        turned = {"extras": EXTRAS, "per_page": str(PER_PAGE), "page": str(number)}
        return self.rest.call(method, key, Page, {**params, **turned})

    def _search_params(self, target: Target, entry: FlickrEntry) -> dict[str, str]:
        given = {
            "user_id": self.user(target.user) if target.user else "",
            "group_id": self.group(target.id) if target.id else "",
            "tags": ",".join(target.tags),
            "tag_mode": entry.tag_mode if len(target.tags) > 1 else "",
            "text": target.text,
            "license": ",".join(entry.licence),
            "min_taken_date": f"{entry.since} 00:00:00" if entry.since else "",
            "max_taken_date": f"{entry.until} 23:59:59" if entry.until else "",
            # Screenshots and drawings too: what a default leaves out depends on the key's owner.
            "content_type": "7",
            "media": "all",
        }
        return {name: value for name, value in given.items() if value}


def _number(found: User, name: str) -> str:
    number = found.nsid or found.id
    if not is_nsid(number):
        raise api.InvalidError(f"Flickr gave {number[:40]!r} as the number of {name!r}")
    return number


def _with_owner(page: Page) -> Page:
    """Give the items of an album the owner that is named once above them."""
    if not page.owner:
        return page
    owner = {"owner": page.owner, "ownername": page.ownername}
    photos = (photo if photo.owner else photo.model_copy(update=owner) for photo in page.photo)
    return page.model_copy(update={"photo": tuple(photos)})


def _leads_nowhere(link: Target) -> api.BlockedError:
    return api.BlockedError(
        f"Flickr does not say what {link.shown} leads to without a login",
        hint="Open it in a browser, and put the address of the photo or album that it shows instead.",
    )
