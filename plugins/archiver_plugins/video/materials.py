"""What yt-dlp tells of a video, as a material. All of it comes from sites: nothing is taken unchecked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from archiver import api
from archiver_plugins.video.options import VideoOptions

Info = Mapping[str, Any]

#: Words of yt-dlp for what is not over yet (`live_status` in its README).
_NOT_OVER: Final = {
    "is_live": "is being streamed",
    "is_upcoming": "is announced for later",
    "post_live": "was just streamed and is not ready",
}
_SMUGGLED: Final = "#__youtubedl_smuggle="
#: Extractors that name videos by the last part of an address: "video", "index", "page-1".
_NAMELESS: Final = frozenset({"", "Generic", "HTML5MediaEmbed"})
_DAY: Final = re.compile(r"[0-9]{8}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a video was found: the address to ask, and its place in a page that holds several."""

    address: str
    part: str = ""


def material_of(info: Info, place: Place, options: VideoOptions) -> api.Material:
    """Make a material of what a listing or a look tells of one video."""
    key = text(info, "extractor_key") or text(info, "ie_key")
    page = clean_address(text(info, "webpage_url") or place.address)
    public = options.public(page)
    return api.Material(
        id=identity(key, text(info, "id"), public, place.part),
        kind=api.Kind.VIDEO,
        title=title_of(info, place) or public,
        url=public,
        revision=revision_of(info, key),
        authors=_authors(info),
        date=date_of(info),
        description=text(info, "description"),
        licence=text(info, "license"),
        language=text(info, "language"),
        tags=_texts(info.get("tags")),
        extra=_extra(info, place, public, options),
    )


def title_of(info: Info, place: Place) -> str:
    """Give the title; yt-dlp counts the players of a page, "Keynote (1)", also when there is but one."""
    title = text(info, "title")
    counted = text(info, "extractor_key") == "HTML5MediaEmbed" and not place.part
    return title.removesuffix(" (1)") if counted else title


def identity(key: str, number: str, address: str, part: str = "") -> str:
    """Name a video for good: by its site's own id, else by its public address and place there."""
    if key in _NAMELESS or not number:
        return f"{address}#{part}" if part else address
    return f"{key.lower()}:{number}"


def clean_address(url: str) -> str:
    """Take out what yt-dlp hides in an address for itself."""
    return url.partition(_SMUGGLED)[0]


def waiting(info: Info) -> str:
    """Say why a video cannot be fetched yet, or nothing when it can."""
    status = text(info, "live_status")
    if info.get("is_live") is True:
        status = "is_live"
    return _NOT_OVER.get(status, "")


def seconds_of(info: Info) -> float | None:
    """Give the announced duration in seconds."""
    return number(info.get("duration"))


def number(value: object) -> float | None:
    """Take a positive, finite number; sites also say 0, -1, NaN and texts."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < 1e12 else None


def text(info: Info, name: str) -> str:
    """Take a text, or nothing when a site gives something else."""
    value = info.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def revision_of(info: Info, key: str) -> str:
    """Make what changes when the recording is replaced, and not when it is looked at.

    The generic extractor's `timestamp` is the file's Last-Modified. Empty when nothing is known.
    """
    changed = number(info.get("modified_timestamp"))
    if changed is None and key in _NAMELESS:
        changed = number(info.get("timestamp"))
    length = seconds_of(info)
    parts = (f"m{changed:.0f}" if changed else "", f"d{length:.0f}" if length else "")
    return " ".join(part for part in parts if part)


def date_of(info: Info) -> str:
    """Give the day of a recording in ISO 8601: of its first showing, else of its upload."""
    for name in ("release_date", "upload_date"):
        day = text(info, name)
        if _DAY.fullmatch(day):
            return f"{day[:4]}-{day[4:6]}-{day[6:]}"
    for name in ("release_timestamp", "timestamp"):
        moment = number(info.get(name))
        if moment is not None and moment < 253402300800:  # the year 10000
            return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"
    return ""


def _authors(info: Info) -> tuple[str, ...]:
    named = _texts(info.get("creators"))
    single = next((name for key in ("uploader", "channel") if (name := text(info, key))), "")
    return named or ((single,) if single else ())


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list | tuple) else ()
    return tuple(item.strip() for item in items if isinstance(item, str) and item.strip())


def _extra(info: Info, place: Place, public: str, options: VideoOptions) -> dict[str, str]:
    length = seconds_of(info)
    address = options.public(place.address)
    extra = {
        "address": address if address != public else "",
        "part": place.part,
        "duration": f"{length:g}" if length else "",
        "site": text(info, "extractor_key") or text(info, "ie_key"),
    }
    return {name: value[:4_000] for name, value in extra.items() if value}


def place_of(material: api.Material, options: VideoOptions) -> Place:
    """Find where a material is to be fetched from."""
    address = material.extra.get("address") or material.url
    return Place(options.where(address), material.extra.get("part", ""))
