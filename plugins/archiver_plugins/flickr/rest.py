"""One call of the API: the request, the envelope of its answer, and what its errors mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from archiver import api
from archiver_plugins.flickr.answers import ModelT, read, unwrap
from archiver_plugins.flickr.options import FlickrOptions

#: An outage comes with status 200, where the HTTP client cannot see it; it is often over at once.
ATTEMPTS: Final = 3
_HOW_TO_GET_A_KEY: Final = (
    "Make a key at https://www.flickr.com/services/apps/create/ (since 2025 Flickr gives keys to Pro"
    " members only) and put it into api_key of this source; keys that many people share get disabled."
)
#: What a call is about, by its parameters.
_SUBJECTS: Final = (
    "photo_id",
    "photoset_id",
    "gallery_id",
    "group_id",
    "user_id",
    "url",
    "username",
    "tags",
    "text",
)
_QUERY: Final = re.compile(r"(?<=/services/rest/)\?\S+")


class KeyRefusedError(api.BlockedError):
    """The key is missing or refused: nothing at all can be asked, so no single item is at fault."""


class Rest:
    """The API with the user's key. Thread-safe, as the client is."""

    def __init__(self, http: api.Http, options: FlickrOptions) -> None:
        self._http = http
        self._key = options.api_key.get_secret_value().strip()
        self._url = f"{options.base_url}/services/rest/"

    def check(self) -> None:
        """Raise `KeyRefusedError` when there is no key."""
        if not self._key:
            raise KeyRefusedError("Flickr answers nobody without an API key", hint=_HOW_TO_GET_A_KEY)

    def call(self, method: str, key: str, model: type[ModelT], params: Mapping[str, str]) -> ModelT:
        """Call `flickr.{method}` and read the part `key` of its answer.

        Raises `SourceError`: see `failure` for the codes, and `Http` for the wire.
        """
        self.check()
        for attempt in range(1, ATTEMPTS + 1):
            data = self._ask(method, params)
            if data.get("stat") == "ok":
                return read(data, key, model, method)
            about = next((params[name] for name in _SUBJECTS if params.get(name)), "")
            error = failure(method, data.get("code"), self._plain(data.get("message")), about)
            if not isinstance(error, api.TransientError) or attempt == ATTEMPTS:
                raise error
        raise AssertionError("the last attempt returns or raises")

    def _ask(self, method: str, params: Mapping[str, str]) -> dict[str, Any]:
        fixed = {
            "method": f"flickr.{method}",
            "api_key": self._key,
            "format": "json",
            "nojsoncallback": "1",
        }
        try:
            return unwrap(self._http.get(self._url, params={**params, **fixed}).content)
        except api.SourceError as error:
            # Addresses of half a thousand characters, which name every size that is asked for.
            error.message = f"{method}: {_QUERY.sub('', error.message)}"
            raise

    def _plain(self, message: Any) -> str:
        """Make an upstream message fit to be shown: one short line, without the key."""
        text = " ".join(str(message or "").replace(self._key, "***").split())
        return "".join(char for char in text if char.isprintable())[:200]


#: "Sorry, the Flickr API service is not currently available" is 201 or 0; 105 and 106 are documented.
_OUTAGE: Final = frozenset({0, 105, 106, 201})
#: Not found, user not found, user deleted, by method: codes are not the same everywhere.
_GONE: Final[Mapping[str, frozenset[int]]] = {
    "photos.getInfo": frozenset({1}),
    "photos.getSizes": frozenset({1}),
    "photos.getExif": frozenset({1}),
    "photosets.getPhotos": frozenset({1, 2}),
    "photosets.getList": frozenset({1, 2}),
    "people.getPublicPhotos": frozenset({1, 2, 5}),
    "people.findByUsername": frozenset({1}),
    "urls.lookupUser": frozenset({1}),
    "urls.lookupGroup": frozenset({1}),
    "groups.pools.getPhotos": frozenset({1}),
    "galleries.getPhotos": frozenset({1}),
}
_BLOCKED: Final[Mapping[str, frozenset[int]]] = {
    "photos.getInfo": frozenset({2}),
    "photos.getSizes": frozenset({2}),
    "photos.getExif": frozenset({2}),
    "groups.pools.getPhotos": frozenset({2}),
    "galleries.getPhotos": frozenset({2}),
}


def failure(method: str, code: Any, message: str, about: str = "") -> api.SourceError:
    """Tell what a failed call means: `{"stat": "fail", "code": 1, "message": "Photo not found"}`.

    `about` is the number or name that was asked for.
    """
    number = int(code) if isinstance(code, int) or (isinstance(code, str) and code.isdecimal()) else -1
    said = f"Flickr answered {method}{about and f' of {about[:100]}'} with “{message}” (code {number})"
    if number == 100:
        return KeyRefusedError(f"Flickr does not accept the API key: {message}", hint=_HOW_TO_GET_A_KEY)
    kind, hint = _meaning(method, number, message)
    return kind(said, hint=hint)


def _meaning(method: str, number: int, message: str) -> tuple[type[api.SourceError], str]:
    # Code 10 of the search: its databases are not available.
    if number in _OUTAGE or (method, number) == ("photos.search", 10):
        return api.TransientError, "This is an outage of the service; the next run tries again."
    if "required parameter" in message.lower():
        # The same code 1 as “not found” on many methods: nothing is gone.
        return api.InvalidError, _missing_parameter(method)
    if number in _GONE.get(method, ()):
        return api.GoneError, "It was deleted or made private, or the number or name is wrong."
    if number in _BLOCKED.get(method, ()) or 95 <= number <= 99:
        return api.BlockedError, "Ask its owner to make it public, or to hand the file over."
    too_many = (method, number) == ("photos.search", 77)
    return api.InvalidError, (
        "Search for fewer tags or words in one entry."
        if too_many
        else "If it stays so, look for a newer version of this program."
    )


def _missing_parameter(method: str) -> str:
    if method == "photosets.getPhotos":
        return "Name the album by its address, or its user beside its number."
    return "Look for a newer version of this program."
