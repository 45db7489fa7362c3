"""Materials made of what the API says. No network here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

from archiver import api
from archiver_plugins.flickr.addresses import PUBLIC, SHORT, encode58
from archiver_plugins.flickr.answers import Info, Photo
from archiver_plugins.flickr.options import FlickrEntry
from archiver_plugins.flickr.sizes import best_of

#: How much of "2012-09-16 14:03:00" is known, by granularity; 8 ("circa") means about that year.
_PRECISION: Final = {0: 19, 4: 7, 6: 4, 8: 4}
_CIRCA: Final = 8

#: Says how a licence is written, by its number.
Licence = Callable[[int], str]


def of_photo(photo: Photo, licence: Licence, root: str) -> api.Material:
    """Make a material of an item of a list. `root` is where the files of a mirror are."""
    choice = best_of(photo)
    return api.Material(
        id=photo.id,
        kind=api.Kind.VIDEO if photo.media == "video" else api.Kind.PHOTO,
        title=line(photo.title),
        url=f"{PUBLIC}/photos/{photo.owner}/{photo.id}/" if photo.owner else short_url(photo.id),
        revision=str(photo.lastupdate or photo.dateupload or ""),
        authors=(line(photo.ownername or photo.owner),) if photo.ownername or photo.owner else (),
        date=date_taken(photo),
        description=plain(photo.description),
        licence="" if photo.license is None else licence(photo.license),
        tags=tuple(dict.fromkeys([*photo.tags.split(), *photo.machine_tags.split()])),
        extra=_facts(photo) | (choice.as_extra(root) if choice else {}),
    )


def of_info(info: Info, licence: Licence, root: str) -> api.Material:
    """Make a material of a photo that was asked for by itself; tags are as their author wrote them."""
    made = of_photo(info.photo, licence, root)
    return replace(made, tags=tuple(dict.fromkeys(map(line, info.raw_tags))))


def unknown(photo_id: str) -> api.Material:
    """Make a material of a photo that is known by its number alone."""
    return api.Material(photo_id, api.Kind.PHOTO, url=short_url(photo_id))


def short_url(photo_id: str) -> str:
    """Give the public address of a photo whose owner is not known."""
    return f"{SHORT}/p/{encode58(int(photo_id))}"


def not_ready(photo: Photo) -> api.SourceError | None:
    """Say what keeps an item from being fetched now; None when nothing does."""
    if photo.media_status in {"", "ready"}:
        return None
    if photo.media_status == "failed":
        return api.InvalidError(
            f"Flickr could not process {photo.title or photo.id!r} after its upload",
            hint="Ask its owner to upload it again, or to hand the file over.",
        )
    return api.TransientError(f"Flickr is still processing {photo.title or photo.id!r}")


def date_taken(photo: Photo) -> str:
    """Give when it was taken in ISO 8601, as coarse as it is known; nothing when it is not.

    Without a time zone, because cameras have none. With `datetakenunknown` Flickr shows the date of
    upload instead, which says nothing.
    """
    if photo.datetakenunknown:
        return ""
    precision = _PRECISION.get(photo.datetakengranularity or 0, 4)
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d:\d\d)", photo.datetaken.strip())
    if match is None or match[1] == "0000":
        return ""
    # Coarse dates are filled up: "2012-09-00 00:00:00", "2012-00-00 00:00:00" or with ones.
    filled = f"{match[1]}-{match[2].replace('00', '01')}-{match[3].replace('00', '01')}T{match[4]}"
    try:
        datetime.fromisoformat(filled)
    except ValueError:
        return ""
    known = 4 if match[2] == "00" else 7 if match[3] == "00" else precision
    return filled[: min(known, precision)]


def is_wanted(photo: Photo, entry: FlickrEntry) -> bool:
    """Say whether a photo fits the entry's dates and licences, where the service cannot be asked to look."""
    if entry.licence and str(photo.license) not in entry.licence:
        return False
    taken = date_taken(photo)[:10] or _uploaded(photo)
    return not _outside(taken, entry.since, entry.until)


def _outside(taken: str, since: date | None, until: date | None) -> bool:
    # "2012-09" may be any day of that month: only as much is compared as is known.
    if not taken:
        return False
    return (since is not None and taken < since.isoformat()[: len(taken)]) or (
        until is not None and taken > until.isoformat()[: len(taken)]
    )


def _uploaded(photo: Photo) -> str:
    if photo.dateupload is None:
        return ""
    return datetime.fromtimestamp(photo.dateupload, UTC).date().isoformat()


def _facts(photo: Photo) -> dict[str, str]:
    facts = {"owner": photo.owner}
    if photo.accuracy and photo.latitude and photo.longitude:  # accuracy 0: no place, and 0, 0 is none
        facts |= {"latitude": photo.latitude, "longitude": photo.longitude, "accuracy": str(photo.accuracy)}
    if photo.datetakengranularity == _CIRCA and date_taken(photo):
        facts["date"] = "circa"
    return {name: value[:100] for name, value in facts.items() if value}


def line(text: str) -> str:
    """Make one line without control characters of a text."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def plain(text: str) -> str:
    """Make plain text of a description, which may hold links, `<b>` and entities."""
    if re.search(r"<[a-zA-Z/!]|&[#\w]+;", text):
        from lxml import etree, html

        try:
            root = html.fragment_fromstring(text.replace("\0", ""), create_parent="div")
            text = str(root.text_content())
        except (etree.LxmlError, ValueError, RecursionError):
            text = re.sub(r"<[^>]*>", "", text)
    lines = (line(part) for part in text.splitlines())
    return "\n".join(lines).strip()
