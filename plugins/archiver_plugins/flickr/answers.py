"""What the API answers, read leniently: types have drifted over the years. No network here.

The same value comes as a number, as digits in a text, as `{"_content": …}`, as null or not at all; what
cannot be read as its field is an `InvalidError` that names the field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from archiver import api

#: Suffixes of `url_…` in extras, smallest to largest, with the longest side in pixels; the original last.
#: Those from `h` on are undocumented, but answered when asked for (seen 2024 to 2025). They are not the
#: suffixes of file names: `url_l` leads to `…_b.jpg`.
SIDES: Final = {
    "sq": 75, "t": 100, "q": 150, "s": 240, "n": 320, "w": 400, "m": 500, "z": 640, "c": 800,
    "l": 1024, "h": 1600, "k": 2048, "3k": 3072, "4k": 4096, "f": 4096, "5k": 5120, "6k": 6144, "o": 0,
}  # fmt: skip
_MOST_ROWS: Final = 1_000
_MOST_SECONDS: Final = 253_402_300_799  # the last second of the year 9999

ModelT = TypeVar("ModelT", bound=BaseModel)


def _content(value: Any) -> Any:
    """Reduce the forms of a text: "x", {"_content": "x"}, 7, null."""
    if isinstance(value, dict):
        value = value.get("_content", "")
    if isinstance(value, str):
        # JSON can hold half a surrogate pair, "\ud83d", which no file can.
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool):
        return ""
    return str(value) if isinstance(value, int | float) else value


def _digits(value: Any) -> Any:
    """Reduce the forms of a number: 7, "7", "", null."""
    if isinstance(value, str) and not value.strip():
        return None
    return value


Text = Annotated[str, BeforeValidator(_content)]
Number = Annotated[Annotated[int, Field(ge=0, le=_MOST_SECONDS)] | None, BeforeValidator(_digits)]
Ident = Annotated[str, BeforeValidator(_content), Field(pattern=r"^[0-9]{1,20}$")]


class Data(BaseModel):
    """A part of an answer: null is like absent, unknown keys are ignored."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None}


class Size(Data):
    """One file: `name` is the suffix in extras (`o`, `6k`) or the label in getSizes (`Original`)."""

    name: Text = Field("", alias="label")
    url: Text = Field("", alias="source")
    width: Number = None
    height: Number = None  # empty for videos
    media: Text = "photo"

    @property
    def area(self) -> int:
        """Count the pixels; 0 when the answer does not tell."""
        return (self.width or 0) * (self.height or 0)


class Photo(Data):
    """A photo or video in a list. Times are seconds since 1970, `datetaken` has no zone."""

    id: Ident
    owner: Text = ""  # albums name it once, for all their items
    ownername: Text = ""
    title: Text = ""
    description: Text = ""
    license: Number = None
    dateupload: Number = None
    lastupdate: Number = None
    datetaken: Text = ""
    datetakengranularity: Number = None
    datetakenunknown: Number = None
    tags: Text = ""
    machine_tags: Text = ""
    media: Text = "photo"
    media_status: Text = ""
    latitude: Text = ""
    longitude: Text = ""
    accuracy: Number = None  # 0 when there is no place; latitude is then 0 as well
    upgrade_sizes: Annotated[tuple[Text, ...], Field(max_length=50)] = ()
    sizes: Annotated[tuple[Size, ...], Field(max_length=len(SIDES))] = ()

    @model_validator(mode="before")
    @classmethod
    def _gather_sizes(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "sizes" in data:
            return data
        return {**data, "sizes": [_size(data, name) for name in SIDES if data.get(f"url_{name}")]}


def _size(data: dict[str, Any], name: str) -> dict[str, Any]:
    width, height = data.get(f"width_{name}"), data.get(f"height_{name}")
    return {"label": name, "source": data[f"url_{name}"], "width": width, "height": height}


class Page(Data):
    """One page of a list. `total` and `pages` are hints, and were seen to be wrong."""

    page: Number = None
    pages: Number = None
    total: Number = None
    owner: Text = ""
    ownername: Text = ""
    photo: Annotated[tuple[Photo, ...], Field(max_length=_MOST_ROWS)] = ()


class _Album(Data):
    id: Ident


class Albums(Data):
    """One page of a user's albums."""

    pages: Number = None
    total: Number = None
    photoset: Annotated[tuple[_Album, ...], Field(max_length=_MOST_ROWS)] = ()


class Sizes(Data):
    """All files of a photo or video, smallest first."""

    candownload: Number = None
    size: Annotated[tuple[Size, ...], Field(max_length=200)] = ()


class _Owner(Data):
    nsid: Text = ""
    username: Text = ""


class _Dates(Data):
    posted: Number = None
    taken: Text = ""
    takengranularity: Number = None
    takenunknown: Number = None
    lastupdate: Number = None


class _Tag(Data):
    raw: Text = ""


class _Tags(Data):
    tag: Annotated[tuple[_Tag, ...], Field(max_length=_MOST_ROWS)] = ()


class _Place(Data):
    latitude: Text = ""
    longitude: Text = ""
    accuracy: Number = None


class Info(Data):
    """A photo or video by itself, as getInfo tells it; it does not say where the files are."""

    id: Ident
    owner: _Owner = _Owner()
    title: Text = ""
    description: Text = ""
    license: Number = None
    dates: _Dates = _Dates()
    dateuploaded: Number = None
    tags: _Tags = _Tags()
    location: _Place = _Place()
    media: Text = "photo"

    @property
    def raw_tags(self) -> tuple[str, ...]:
        """Give the tags as their author wrote them."""
        return tuple(tag.raw for tag in self.tags.tag if tag.raw)

    @property
    def photo(self) -> Photo:
        """Give the same facts in the form of a list's item; tags go by `raw_tags`."""
        return Photo(
            id=self.id,
            owner=self.owner.nsid,
            ownername=self.owner.username,
            title=self.title,
            description=self.description,
            license=self.license,
            dateupload=self.dates.posted or self.dateuploaded,
            lastupdate=self.dates.lastupdate,
            datetaken=self.dates.taken,
            datetakengranularity=self.dates.takengranularity,
            datetakenunknown=self.dates.takenunknown,
            media=self.media,
            latitude=self.location.latitude,
            longitude=self.location.longitude,
            accuracy=self.location.accuracy,
        )


class _Exif(Data):
    tagspace: Text = ""
    tag: Text = ""
    label: Text = ""
    raw: Text = ""  # may be empty
    clean: Text = ""


class CameraData(Data):
    """What getExif tells."""

    camera: Text = ""
    exif: Annotated[tuple[_Exif, ...], Field(max_length=5_000)] = ()


class User(Data):
    """A user as lookups answer: `id` from addresses, `nsid` from screen names."""

    id: Text = ""
    nsid: Text = ""


class _Licence(Data):
    id: Number = None
    name: Text = ""
    url: Text = ""


class Licences(Data):
    """The licences that the service knows."""

    license: Annotated[tuple[_Licence, ...], Field(max_length=_MOST_ROWS)] = ()


# jsonFlickrApi({…}), which comes when nojsoncallback is not honoured on the way (a proxy, a cache).
_WRAPPER: Final = re.compile(rb"\s*jsonFlickrApi\((.*)\)\s*;?\s*\Z", re.DOTALL)


def unwrap(content: bytes) -> dict[str, Any]:
    """Parse an answer, wrapped or not. Raises `InvalidError` when it is no JSON object."""
    match = _WRAPPER.match(content)
    try:
        data = json.loads(match[1] if match else content)
    except (ValueError, RecursionError) as error:
        raise _misshapen(f"it is no JSON but begins with {content[:40]!r}") from error
    if not isinstance(data, dict):
        raise _misshapen(f"it is a {type(data).__name__} and no object")
    return data


def read(data: Mapping[str, Any], key: str, model: type[ModelT], method: str) -> ModelT:
    """Read one part of an answer. Raises `InvalidError` naming the field that cannot be read."""
    try:
        return model.model_validate(data[key])
    except KeyError as error:
        raise _misshapen(f"{method} answered without {key!r}") from error
    except (ValidationError, RecursionError) as error:
        raise _misshapen(f"{method}: {_reason(key, error)}") from error


def _reason(key: str, error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "its data are nested too deeply"
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, (key, *first['loc'])))}: {first['msg']}"


def _misshapen(reason: str) -> api.InvalidError:
    return api.InvalidError(
        f"Flickr's answer is not what it looked like: {reason}",
        hint="Try again later; if it stays so, look for a newer version of this program.",
    )
