"""A Flickr-like service with the habits of the real one, on loopback.

    photo = Photo(id=8000000001, owner="10000001@N02", title="签到处", image=jpeg,
                  taken="2012-09-16 09:12:00", tags=("2012osac", "openstack"), licence=4)
    with FlickrDouble([photo], users=[User("10000001@N02", "COSUG", "cosug")]) as service:
        service.add_album(Album(72157631000000001, "10000001@N02", [photo.id], "Beijing"))
        ...  # service.url is the base_url, service.api_key the key

What it imitates: the API's envelope, its error codes and both type habits; lists with extras, the
search that repeats itself after 4,000 results, short and hidden pages; files whose larger sizes have
secrets of their own, originals that are kept back, films behind a redirect that expires; short links,
guest passes, and files that vanish. HTML answers of 429 come from the fault switch.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from archiver.testing.flickr_answers import Shapes, Types
from archiver.testing.flickr_calls import Calls, Failure, Holdings
from archiver.testing.flickr_data import PUBLIC, Album, Gallery, Group, Photo, User
from archiver.testing.messages import Reply, Request
from archiver.testing.service import Routes, Service

__all__ = ["PUBLIC", "Album", "FlickrDouble", "Gallery", "Group", "Photo", "User"]

OUTAGE: Final = "Sorry, the Flickr API service is not currently available."
_KEY: Final = "0123456789abcdef0123456789abcdef"
# 8000000001_bbbbbbbbbb_o.jpg; with _d before the ending it comes as a download.
_FILE: Final = re.compile(r"((\d{1,15})_[0-9a-f]+(?:_(?!d\.)\w{1,2})?)(_d)?(\.\w+)")


@dataclass
class _Refusal:
    pattern: str
    failure: Failure
    left: int | None


class FlickrDouble(Service):
    """The service: `FlickrDouble(photos)`, then `add` and `remove` while it runs.

    `types` chooses how numbers are written. `files_url` is where answers say that the files are (here,
    unless told). With `duplicates` the first row of each page of a search but the first repeats the
    row before, in the place of its own. With `strict_albums` an album needs its user. With `wrapped`
    every answer comes as `jsonFlickrApi(…)`. `signature_uses` is how often the address behind a
    film's redirect works before it has expired.
    """

    def __init__(
        self,
        photos: Iterable[Photo] = (),
        *,
        users: Iterable[User] = (),
        port: int = 0,
        types: Types = "mixed",
        files_url: str = "",
        duplicates: bool = False,
        strict_albums: bool = False,
    ) -> None:
        super().__init__(port=port)
        self.api_key = _KEY
        self.types: Types = types
        self.files_url = files_url
        self.wrapped = False
        self.signature_uses = 1
        self.holdings = Holdings(duplicates=duplicates, strict_albums=strict_albums)
        self._links: dict[str, str] = {}
        self._refusals: list[_Refusal] = []
        self._signatures: dict[str, int] = {}
        self._lock = threading.Lock()
        self.add(*photos)
        self.add_user(*users)

    def add(self, *photos: Photo) -> None:
        """Upload photos; one with a known number takes the place of the other."""
        self.holdings.photos |= {photo.id: photo for photo in photos}

    def remove(self, photo_id: int) -> None:
        """Delete a photo; albums and pools then lack it too. Raises `KeyError` when there is none."""
        del self.holdings.photos[photo_id]

    def add_user(self, *users: User) -> None:
        """Add users, or change them; owners of photos need not be added."""
        self.holdings.users |= {user.nsid: user for user in users}

    def add_album(self, *albums: Album) -> None:
        """Add albums, or change them."""
        self.holdings.albums |= {album.id: album for album in albums}

    def add_group(self, *groups: Group) -> None:
        """Add groups, or change them."""
        self.holdings.groups |= {group.nsid: group for group in groups}

    def add_gallery(self, *galleries: Gallery) -> None:
        """Add galleries, or change them."""
        self.holdings.galleries |= {gallery.id: gallery for gallery in galleries}

    def add_link(self, path: str, location: str) -> None:
        """Redirect a short link or guest pass, such as `/gp/cosug/a1B2c3`."""
        self._links[path] = location

    def refuse(self, method: str, code: int, message: str = OUTAGE, *, times: int | None = 1) -> None:
        """Answer the next calls of a method (`photos.search`, or a shell pattern) with an error."""
        self._refusals.append(_Refusal(method, Failure(code, message), times))

    def calls(self, method: str = "*") -> list[Mapping[str, str]]:
        """Give the parameters of every call of a method so far; a shell pattern will do."""
        asked = (entry.query for entry in self.requests.matching("/services/rest/"))
        return [query for query in asked if fnmatchcase(query.get("method", ""), f"flickr.{method}")]

    def routes(self) -> Routes:
        """List the addresses of the service."""
        return {
            "/services/rest/": self.rest,
            "/65535/{name}": self.file,
            "/photos/{owner}/{id:int}/play/{quality}/{secret}/": self.play,
            "/video/{id:int}/{secret}/{name}.mp4": self.film,
            "/{rest:path}": self.link,
        }

    def file(self, request: Request) -> Reply:
        """Answer with one file of a photo, under the address that answers gave it."""
        match = _FILE.fullmatch(request.args["name"])
        photo = self.holdings.visible(match[2]) if match else None
        if match is None or photo is None or not photo.image:
            return Reply.missing()
        path = f"/65535/{match[1]}{match[4]}"
        file = next((file for file in photo.files() if file.path == path), None)
        if file is None:
            return Reply.missing()
        ending = match[4].removeprefix(".").replace("jpg", "jpeg")
        reply = Reply.file(photo.content(file), f"image/{ending}")
        return replace(reply, headers={"Content-Disposition": "attachment"}) if match[3] else reply

    def play(self, request: Request) -> Reply:
        """Redirect to a film, under an address that expires."""
        photo = self.holdings.visible(request.args["id"])
        films = {quality: name for _, quality, name in photo.films()} if photo else {}
        name = films.get(request.args["quality"])
        if photo is None or name is None or request.args["secret"] != photo.secret:
            return Reply.missing()
        with self._lock:
            signature = hashlib.sha256(f"{photo.id} {len(self._signatures)}".encode()).hexdigest()[:40]
            self._signatures[signature] = self.signature_uses
        return Reply.redirect(f"{self.url}/video/{photo.id}/{photo.secret}/{name}.mp4?s={signature}", 302)

    def film(self, request: Request) -> Reply:
        """Answer with a film, as long as the signature is good."""
        photo = self.holdings.visible(request.args["id"])
        if photo is None or photo.video is None:
            return Reply.missing()
        signature = request.query.get("s", "")
        with self._lock:
            left = self._signatures.get(signature, 0)
            if left > 0:
                self._signatures[signature] = left - 1
        return Reply.file(photo.video, "video/mp4") if left > 0 else Reply.missing(403)

    def link(self, request: Request) -> Reply:
        """Redirect a short link; a guest pass that leads nowhere ends at the login page."""
        if location := self._links.get(request.path):
            return Reply.redirect(location, 302)
        if request.path.startswith("/gp/"):
            return Reply.html("<!doctype html><title>Flickr Login</title>")
        return Reply.missing()

    def rest(self, request: Request) -> Reply:
        """Answer one call of the API."""
        query = request.query
        if "oauth_token" in query:
            return Reply(b"oauth_problem=token_rejected", 401, "text/plain")
        if query.get("format", "rest") != "json":
            xml = b'<?xml version="1.0"?><rsp stat="fail"><err code="111" msg="Format not found"/></rsp>'
            return Reply(xml, media_type="text/xml; charset=utf-8")
        data = self._outcome(query)
        # With everything beyond ASCII as \\u escapes, which can also be half a character.
        body = json.dumps(data)
        if query.get("nojsoncallback") == "1" and not self.wrapped:
            return Reply(body.encode(), media_type="application/json; charset=utf-8")
        return Reply(f"jsonFlickrApi({body})".encode(), media_type="text/javascript; charset=utf-8")

    def _outcome(self, query: Mapping[str, str]) -> dict[str, Any]:
        name = query.get("method", "").removeprefix("flickr.")
        shapes = Shapes(self.types, self.url, self.files_url or self.url)
        try:
            self._check(name, query.get("api_key", ""))
            return {**Calls(self.holdings, shapes).answer(name, query), "stat": "ok"}
        except Failure as failure:
            return {"stat": "fail", "code": failure.code, "message": failure.message}

    def _check(self, method: str, key: str) -> None:
        if key != self.api_key:
            known = re.fullmatch(r"[0-9a-f]{32}", key)
            raise Failure(100, f"Invalid API Key (Key has {'expired' if known else 'invalid format'})")
        with self._lock:
            for refusal in self._refusals:
                if refusal.left != 0 and fnmatchcase(method, refusal.pattern):
                    refusal.left = None if refusal.left is None else refusal.left - 1
                    raise refusal.failure
