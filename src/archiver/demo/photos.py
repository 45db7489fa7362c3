"""The photos that the demo's Flickr-like service publishes: `photos.yaml` with the pictures beside it."""

from __future__ import annotations

from calendar import timegm
from collections.abc import Mapping
from time import strptime
from typing import Any

from archiver.demo import content
from archiver.testing.flickr import Album, FlickrDouble, Photo, User


def service() -> FlickrDouble:
    """Make the service with everything that it publishes."""
    held = content.load("photos.yaml")
    owner = User(**held["owner"])
    made = FlickrDouble([_photo(each, owner.nsid) for each in held["photos"]], users=[owner])
    made.add_album(*(_album(each, owner.nsid) for each in held["albums"]))
    return made


def _photo(written: Mapping[str, Any], owner: str) -> Photo:
    return Photo(
        id=int(written["id"]),
        owner=owner,
        title=written["title"],
        image=(content.media() / "flickr" / written["file"]).read_bytes(),
        taken=written["taken"],
        tags=tuple(written.get("tags", ())),
        description=written.get("description", ""),
        uploaded=timegm(strptime(written["uploaded"], "%Y-%m-%d %H:%M:%S")),
        licence=int(written["licence"]),
    )


def _album(written: Mapping[str, Any], owner: str) -> Album:
    return Album(int(written["id"]), owner, [int(photo) for photo in written["photos"]], written["title"])
