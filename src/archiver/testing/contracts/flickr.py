"""The contract of the source `flickr`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from archiver.testing.contracts.samples import picture
from archiver.testing.flickr import Album, FlickrDouble, Photo, User
from archiver.testing.sources import SourceContract, Subject

_MINE, _HERS = User("10000001@N02", "COSUG Photos", "cosug"), User("10000002@N02", "Eve", "eve")
_KEY = "0123456789abcdef0123456789abcdef"


def _photo(number: int, owner: User = _MINE, **values: Any) -> Photo:
    given = {"title": f"Photo {number}", "image": picture(number), "taken": "2012-09-16 14:03:00"}
    return Photo(8000000000 + number, owner.nsid, **(given | values))


def _options(url: str) -> Mapping[str, str]:
    return {"api_key": _KEY, "base_url": url, "web_base_url": url, "short_base_url": url}


class TestFlickr(SourceContract):
    """An album of three photos."""

    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        """Give an album, and another one of another user."""
        photos = [_photo(1), _photo(2), _photo(3), _photo(11, _HERS)]
        with FlickrDouble(photos, users=[_MINE, _HERS]) as service:
            service.add_album(Album(72157631, _MINE.nsid, [photo.id for photo in photos[:3]], "Beijing"))
            service.add_album(Album(72157632, _HERS.nsid, [photos[3].id], "Shenzhen"))
            yield Subject(
                "flickr",
                _options,
                ({"album": "72157631", "user": _MINE.nsid},),
                service.url,
                other=Subject("flickr", _options, ({"album": "72157632", "user": _HERS.nsid},), service.url),
                change=lambda: service.add(_photo(1, updated=1_400_000_000, title="Renamed")),
                remove=lambda: service.remove(photos[0].id),
            )
