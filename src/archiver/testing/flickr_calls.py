"""The methods of a Flickr-like API: what each finds, in pages, and how each fails."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from archiver.testing.flickr_answers import Shapes, exif, normalised, taken_of
from archiver.testing.flickr_data import Album, Gallery, Group, Photo, User

#: Distinct results of one search; pages behind them repeat the last one before.
SEARCH_CAP: Final = 4_000
#: Pages above this one are answered with this one.
LAST_PAGE: Final = 10_000
_MOST_PER_PAGE: Final = 500
_MOST_WITH_PLACE: Final = 250

Query = Mapping[str, str]
Answer = dict[str, Any]
Method = Callable[[Query], Answer]


class Failure(Exception):  # noqa: N818  # an answer of the API, not an error of the double
    """The API says no: `{"stat": "fail", "code": …, "message": …}`."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class Holdings:
    """All that the service holds, and the habits of its lists (see `FlickrDouble`)."""

    photos: dict[int, Photo] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    albums: dict[int, Album] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    galleries: dict[int, Gallery] = field(default_factory=dict)
    duplicates: bool = False
    strict_albums: bool = False

    def visible(self, number: str) -> Photo | None:
        """Find a photo that everybody may see."""
        photo = self.photos.get(int(number)) if number.isdecimal() else None
        return None if photo is None or photo.private else photo

    def user(self, nsid: str) -> User:
        """Find a user; the owner of a photo is one, known or not."""
        return self.users.get(nsid) or User(nsid, nsid)

    def is_user(self, nsid: str) -> bool:
        """Say whether there is such a user."""
        return nsid in self.users or any(photo.owner == nsid for photo in self.photos.values())


@dataclass(frozen=True)
class Calls:
    """Answers one call."""

    holdings: Holdings
    shapes: Shapes

    def answer(self, name: str, query: Query) -> Answer:
        """Call a method by its name without `flickr.`. Raises `Failure`."""
        if name not in self._methods:
            raise Failure(112, f'Method "{name}" not found')
        method, needed = self._methods[name]
        for parameter in needed:
            if not query.get(parameter):
                raise Failure(1, f"Required parameter missing: {parameter}")
        return method(query)

    @property
    def _methods(self) -> dict[str, tuple[Method, tuple[str, ...]]]:
        owner = ("user_id",) if self.holdings.strict_albums else ()
        return {
            "urls.lookupUser": (self._lookup_user, ("url",)),
            "urls.lookupGroup": (self._lookup_group, ("url",)),
            "people.findByUsername": (self._find_user, ("username",)),
            "people.getPublicPhotos": (self._users_photos, ("user_id",)),
            "photosets.getInfo": (self._album_info, ("photoset_id", *owner)),
            "photosets.getPhotos": (self._album, ("photoset_id", *owner)),
            "photosets.getList": (self._albums, ("user_id",)),
            "groups.pools.getPhotos": (self._pool, ("group_id",)),
            "galleries.getPhotos": (self._gallery, ("gallery_id",)),
            "photos.search": (self._search, ()),
            "photos.getInfo": (self._info, ("photo_id",)),
            "photos.getSizes": (self._sizes, ("photo_id",)),
            "photos.getExif": (self._exif, ("photo_id",)),
            "photos.licenses.getInfo": (self._licences, ()),
        }

    # Look-ups take whole addresses: https://www.flickr.com/photos/cosug/

    def _lookup_user(self, query: Query) -> Answer:
        name = _segment(query["url"], ("photos", "people"))
        for user in self.holdings.users.values():
            if name and name in {user.alias, user.nsid}:
                return {"user": {"id": user.nsid, "username": {"_content": user.name}}}
        raise Failure(1, "User not found")

    def _lookup_group(self, query: Query) -> Answer:
        name = _segment(query["url"], ("groups",))
        for group in self.holdings.groups.values():
            if name and name in {group.alias, group.nsid}:
                return {"group": {"id": group.nsid, "groupname": {"_content": group.name}}}
        raise Failure(1, "Group not found")

    def _find_user(self, query: Query) -> Answer:
        for user in self.holdings.users.values():
            if user.name == query["username"]:
                content = {"_content": user.name}
                return {"user": {"id": user.nsid, "nsid": user.nsid, "username": content}}
        raise Failure(1, "User not found")

    # Lists.

    def _users_photos(self, query: Query) -> Answer:
        if not self.holdings.is_user(query["user_id"]):
            raise Failure(1, "User not found")
        photos = [photo for photo in self._all() if photo.owner == query["user_id"]]
        photos.sort(key=_newest_first)
        return {"photos": self._page(query, photos, 100)}

    def _album_of(self, query: Query) -> Album:
        number = query["photoset_id"]
        album = self.holdings.albums.get(int(number)) if number.isdecimal() else None
        if album is None:
            raise Failure(1, "Photoset not found")
        if query.get("user_id", album.owner) != album.owner:
            raise Failure(2, "User not found")
        return album

    def _album_info(self, query: Query) -> Answer:
        album = self._album_of(query)
        photos = self._chosen(album.photos)
        videos = sum(photo.video is not None for photo in photos)
        return {
            "photoset": {
                "id": str(album.id),
                "owner": album.owner,
                "title": {"_content": album.title},
                "description": {"_content": ""},
                "count_photos": self.shapes.number(len(photos) - videos),
                "count_videos": self.shapes.number(videos),
            }
        }

    def _album(self, query: Query) -> Answer:
        album = self._album_of(query)
        page = self._page(query, self._chosen(album.photos), 500)
        # The owner stands once above the items, which have none.
        for number, item in enumerate(page["photo"]):
            item.pop("owner", None)
            item["isprimary"] = self.shapes.number(int(number == 0), text=True)
        name = self.holdings.user(album.owner).name
        about = {"id": str(album.id), "owner": album.owner, "ownername": name, "title": album.title}
        return {"photoset": {**about, "primary": str(album.photos[0]) if album.photos else "", **page}}

    def _albums(self, query: Query) -> Answer:
        if not self.holdings.is_user(query["user_id"]):
            raise Failure(1, "User not found")
        albums = [album for album in self.holdings.albums.values() if album.owner == query["user_id"]]
        number, per_page = _place(query, 500)
        shown = albums[(number - 1) * per_page : number * per_page]
        rows = [{"id": str(album.id), "title": {"_content": album.title}} for album in shown]
        page = self.shapes.page(number, per_page, len(albums), [])
        del page["photo"]
        return {"photosets": {**page, "photoset": rows}}

    def _pool(self, query: Query) -> Answer:
        group = self.holdings.groups.get(query["group_id"])
        if group is None:
            raise Failure(1, "Group not found")
        if group.private:
            raise Failure(2, "You don't have permission to view this pool")
        page = self._page(query, self._chosen(group.photos), 100)
        for item in page["photo"]:
            item["dateadded"] = "1348000000"
        return {"photos": page}

    def _gallery(self, query: Query) -> Answer:
        number = query["gallery_id"].rpartition("-")[2]
        gallery = self.holdings.galleries.get(int(number)) if number.isdecimal() else None
        if gallery is None:
            raise Failure(1, "Gallery not found")
        photos = self._chosen(gallery.photos)
        if "continuation" in query:
            return {"photos": self._continued(query, photos)}
        page = self._page(query, photos, 100)
        for item in page["photo"]:
            item |= {"is_primary": 0, "has_comment": 0}
        return {"photos": page}

    def _continued(self, query: Query, photos: Sequence[Photo]) -> Answer:
        """Go on where the token says; it begins with 0 and ends with -1."""
        start, (_, per_page) = int(query["continuation"]), _place(query, 100)
        shown = photos[start : start + per_page] if start >= 0 else []
        after = start + per_page if 0 <= start < len(photos) - per_page else -1
        page = self.shapes.page(1, per_page, len(photos), self._items(query, shown))
        return {**page, "continuation": str(after)}

    def _search(self, query: Query) -> Answer:
        asked = ("user_id", "tags", "text", "group_id", "min_upload_date", "min_taken_date", "license")
        if not any(query.get(name) for name in asked):
            raise Failure(3, "Parameterless searches have been disabled. Please use flickr.photos.getRecent")
        if len(_words(query.get("tags", ""))) > 20:
            raise Failure(77, "Too many ORs in query")
        photos = [photo for photo in self._all() if self._matches(photo, query)]
        order = query.get("sort", "date-posted-desc")
        photos.sort(key=_newest_first if order.endswith("desc") else _oldest_first)
        return {"photos": self._page(query, photos, 100, cap=SEARCH_CAP)}

    def _matches(self, photo: Photo, query: Query) -> bool:
        group = self.holdings.groups.get(query.get("group_id", ""))
        return (
            int(query.get("min_upload_date") or 0) <= photo.posted
            and photo.posted <= int(query.get("max_upload_date") or photo.posted)
            and query.get("user_id", photo.owner) == photo.owner
            and ("group_id" not in query or (group is not None and photo.id in group.photos))
            and ("license" not in query or str(photo.licence) in query["license"].split(","))
            and query.get("media", "all") in {"all", "videos" if photo.video else "photos"}
            and ("tags" not in query or _tagged(photo, query))
            and ("text" not in query or _worded(photo, query["text"]))
            and _taken_within(photo, query)
        )

    # One photo.

    def _seen(self, query: Query) -> Photo:
        photo = self.holdings.visible(query["photo_id"])
        if photo is None:
            # What is private is not found, unless its secret is known.
            hidden = self.holdings.photos.get(int(query["photo_id"] or 0))
            if hidden is None or query.get("secret") != hidden.secret:
                raise Failure(1, "Photo not found")
            return hidden
        return photo

    def _info(self, query: Query) -> Answer:
        photo = self._seen(query)
        return {"photo": self.shapes.info(photo, self.holdings.user(photo.owner))}

    def _sizes(self, query: Query) -> Answer:
        return {"sizes": self.shapes.sizes(self._seen(query))}

    def _exif(self, query: Query) -> Answer:
        photo = self._seen(query)
        if photo.exif_hidden:
            raise Failure(2, "Permission denied")
        return {"photo": exif(photo)}

    def _licences(self, query: Query) -> Answer:
        del query
        by = {"id": self.shapes.number(4, text=True), "name": "Attribution License"}
        later = {"id": self.shapes.number(17, text=True), "name": "A later licence"}
        by["url"] = "https://creativecommons.org/licenses/by/2.0/"
        later["url"] = "https://example.org/later/"
        return {"licenses": {"license": [by, later]}}

    # Pages.

    def _all(self) -> list[Photo]:
        return [photo for photo in self.holdings.photos.values() if not photo.private]

    def _chosen(self, numbers: Sequence[int]) -> list[Photo]:
        found = (self.holdings.visible(str(number)) for number in numbers)
        return [photo for photo in found if photo is not None]

    def _page(self, query: Query, photos: Sequence[Photo], usual: int, *, cap: int | None = None) -> Answer:
        number, per_page = _place(query, usual)
        start = (number - 1) * per_page
        if cap is not None:
            start = min(start, (cap - 1) // per_page * per_page)
        shown = list(photos[start : min(start + per_page, cap or len(photos))])
        if cap is not None and self.holdings.duplicates and start and shown:
            shown[0] = photos[start - 1]
        return self.shapes.page(number, per_page, len(photos), self._items(query, shown))

    def _items(self, query: Query, photos: Sequence[Photo]) -> list[Answer]:
        extras = set(_words(query.get("extras", "")))
        return [
            self.shapes.item(photo, self.holdings.user(photo.owner), extras)
            for photo in photos
            if not photo.hidden
        ]


def _place(query: Query, usual: int) -> tuple[int, int]:
    """Give the number of the page and its length, as far as they are granted."""
    with_place = any(name in query for name in ("bbox", "lat", "lon", "has_geo"))
    most = _MOST_WITH_PLACE if with_place else _MOST_PER_PAGE
    per_page = int(query.get("per_page") or usual)
    return min(max(int(query.get("page") or 1), 1), LAST_PAGE), min(max(per_page, 1), most)


def _segment(url: str, before: tuple[str, ...]) -> str:
    parts = [unquote(part) for part in urlsplit(url).path.split("/") if part]
    return parts[1] if len(parts) > 1 and parts[0] in before else ""


def _newest_first(photo: Photo) -> tuple[int, int]:
    return -photo.posted, -photo.id


def _oldest_first(photo: Photo) -> tuple[int, int]:
    return photo.posted, photo.id


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _tagged(photo: Photo, query: Query) -> bool:
    wanted = _words(query.get("tags", ""))
    own = {normalised(tag) for tag in photo.tags}
    if any(normalised(tag[1:]) in own for tag in wanted if tag.startswith("-")):
        return False
    hits = [normalised(tag) in own for tag in wanted if not tag.startswith("-")]
    return not hits or (all(hits) if query.get("tag_mode") == "all" else any(hits))


def _worded(photo: Photo, words: str) -> bool:
    text = " ".join((photo.title, photo.description, *photo.tags)).casefold()
    return all(word in text for word in words.casefold().split())


def _taken_within(photo: Photo, query: Query) -> bool:
    first, last = query.get("min_taken_date"), query.get("max_taken_date")
    taken = taken_of(photo)[0] if first or last else ""
    return (not first or _moment(first) <= _moment(taken)) and (not last or _moment(taken) <= _moment(last))


def _moment(text: str) -> int:
    """Read `YYYY-MM-DD HH:MM:SS` or seconds since 1970."""
    return int(text) if text.isdecimal() else calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))
