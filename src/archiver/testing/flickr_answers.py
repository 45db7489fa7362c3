"""The shapes in which a Flickr-like service answers, in the types of several years."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from archiver.testing.flickr_data import FREE_SIDE, PUBLIC, UPGRADES, File, Photo, User

#: `mixed` is what answers of 2025 look like: some numbers are texts, some are not.
Types = Literal["mixed", "numbers", "strings"]


@dataclass(frozen=True)
class Shapes:
    """Makes answers. `files_url` is where the files are said to be."""

    types: Types
    url: str
    files_url: str

    def number(self, value: int, *, text: bool = False) -> int | str:
        """Write a number whose type has drifted; `text` says what it is in answers of today."""
        as_text = text if self.types == "mixed" else self.types == "strings"
        return str(value) if as_text else value

    def page(self, number: int, per_page: int, total: int, items: Sequence[Any]) -> dict[str, Any]:
        """Make a page of a list of photos."""
        pages = -(-total // per_page)
        return {
            "page": number,
            "pages": self.number(pages),
            "perpage": per_page,
            "total": self.number(total),
            "photo": list(items),
        }

    def item(self, photo: Photo, user: User, extras: set[str]) -> dict[str, Any]:
        """Make the item of a photo in a list."""
        item: dict[str, Any] = {
            "id": str(photo.id),
            "owner": photo.owner,
            "secret": photo.secret,
            "server": "65535",
            "farm": 66,
            "title": photo.title,
            "ispublic": 1,
            "isfriend": 0,
            "isfamily": 0,
        }
        for name, values in self._extras(photo, user).items():
            if name in extras:
                item |= values
        item |= self._addresses(photo, extras)
        return {key: value for key, value in {**item, **photo.data}.items() if value is not ...}

    def _extras(self, photo: Photo, user: User) -> dict[str, dict[str, Any]]:
        taken, granularity, unknown = taken_of(photo)
        return {
            "license": {"license": self.number(photo.licence, text=True)},
            "description": {"description": {"_content": photo.description}},
            "date_upload": {"dateupload": str(photo.posted)},
            "last_update": {"lastupdate": str(photo.changed)},
            "date_taken": {
                "datetaken": taken,
                "datetakengranularity": self.number(granularity),
                "datetakenunknown": self.number(unknown, text=True),
            },
            "owner_name": {"ownername": user.name},
            "path_alias": {"pathalias": user.alias or None},
            "tags": {"tags": " ".join(normalised(tag) for tag in photo.tags if ":" not in tag)},
            "machine_tags": {"machine_tags": " ".join(tag for tag in photo.tags if ":" in tag)},
            "views": {"views": self.number(12, text=True)},
            "media": {"media": "video" if photo.video else "photo", "media_status": photo.status},
            "geo": self.place(photo),
            "original_format": self._original(photo),
        }

    def place(self, photo: Photo) -> dict[str, Any]:
        """Make the fields of a place: texts, but bare zeros where there is none."""
        if photo.place is None:
            return {"latitude": 0, "longitude": 0, "accuracy": 0, "context": 0}
        latitude, longitude = photo.place
        accuracy = self.number(16, text=True)
        return {"latitude": f"{latitude:.6f}", "longitude": f"{longitude:.6f}", "accuracy": accuracy}

    def _original(self, photo: Photo) -> dict[str, Any]:
        if not photo.original_public or photo.limited:
            return {}
        return {"originalsecret": photo.secret_of("o"), "originalformat": photo.format}

    def _addresses(self, photo: Photo, extras: set[str]) -> dict[str, Any]:
        asked = {extra.removeprefix("url_") for extra in extras if extra.startswith("url_")}
        item: dict[str, Any] = {}
        for file in photo.files():
            if file.suffix in asked:
                item[f"url_{file.suffix}"] = self.files_url + file.path
                item[f"width_{file.suffix}"] = self.number(file.width)
                item[f"height_{file.suffix}"] = self.number(file.height, text=file.suffix == "l")
        if photo.limited and asked & set(UPGRADES) and max(photo.pixels) > FREE_SIDE:
            item["upgrade_sizes"] = list(UPGRADES)
        return item

    def sizes(self, photo: Photo) -> dict[str, Any]:
        """Make the answer of getSizes."""
        rows = [self._row(photo, file) for file in photo.files()]
        if photo.video is not None:
            player = f"{PUBLIC}/apps/video/stewart.swf?v=2968162862&photo_id={photo.id}"
            rows.append(self._film(photo, "Video Player", player))
        for label, quality, _ in photo.films():
            play = f"{self.url}/photos/{photo.owner}/{photo.id}/play/{quality}/{photo.secret}/"
            rows.append(self._film(photo, label, play))
        can = int(photo.original_public and not photo.limited)
        return {"canblog": 0, "canprint": 0, "candownload": self.number(can), "size": rows}

    def _row(self, photo: Photo, file: File) -> dict[str, Any]:
        return {
            "label": file.label,
            "width": self.number(file.width),
            "height": self.number(file.height),
            "source": self.files_url + file.path,
            "url": f"{photo.url}sizes/{file.suffix}/",
            "media": "photo",
        }

    def _film(self, photo: Photo, label: str, source: str) -> dict[str, Any]:
        size = {"width": "", "height": ""}
        return {"label": label, **size, "source": source, "url": photo.url, "media": "video"}

    def info(self, photo: Photo, user: User) -> dict[str, Any]:
        """Make the answer of getInfo."""
        taken, granularity, unknown = taken_of(photo)
        tags = [
            {"id": f"{photo.id}-{number}", "author": photo.owner, "raw": tag, "_content": normalised(tag)}
            for number, tag in enumerate(photo.tags)
        ]
        info: dict[str, Any] = {
            "id": str(photo.id),
            "secret": photo.secret,
            "server": "65535",
            "farm": 66,
            "dateuploaded": str(photo.posted),
            "license": self.number(photo.licence, text=True),
            **self._original(photo),
            "owner": {
                "nsid": photo.owner,
                "username": user.name,
                "realname": "",
                "path_alias": user.alias or None,
            },
            "title": {"_content": photo.title},
            "description": {"_content": photo.description},
            "dates": {
                "posted": str(photo.posted),
                "taken": taken,
                "takengranularity": self.number(granularity),
                "takenunknown": self.number(unknown, text=True),
                "lastupdate": str(photo.changed),
            },
            "usage": {"candownload": int(photo.original_public)},
            "tags": {"tag": tags},
            "urls": {"url": [{"type": "photopage", "_content": photo.url}]},
            "media": "video" if photo.video else "photo",
        }
        if photo.place:
            info["location"] = self.place(photo)
        if photo.video:
            info["video"] = {
                "ready": int(photo.status == "ready"),
                "width": "",
                "height": "",
                "duration": "5",
            }
        return info


def taken_of(photo: Photo) -> tuple[str, int, int]:
    """Give date, granularity (0, 4, 6 or 8) and whether it is unknown (1): then it is that of upload."""
    if not photo.taken:
        return f"{datetime.fromtimestamp(photo.posted, UTC):%Y-%m-%d %H:%M:%S}", 0, 1
    known = photo.taken.removeprefix("circa ")
    filled = known + "0000-01-01 00:00:00"[len(known) :]
    if known != photo.taken:
        return filled, 8, 0
    return filled, {4: 6, 7: 4}.get(len(known), 0), 0


@lru_cache(maxsize=4096)
def normalised(tag: str) -> str:
    """Write a tag as lists and searches have it: lower case, letters and digits only."""
    return re.sub(r"[\W_]", "", tag).lower()


def exif(photo: Photo) -> dict[str, Any]:
    """Make the answer of getExif; `raw` may be empty, `clean` may be missing."""
    rows: list[Mapping[str, Any]] = []
    for tagspace, tag, label, raw, clean in photo.exif:
        row = {"tagspace": tagspace, "tagspaceid": 0, "tag": tag, "label": label, "raw": {"_content": raw}}
        rows.append({**row, "clean": {"_content": clean}} if clean else row)
    return {"id": str(photo.id), "secret": photo.secret, "server": "65535", "camera": "", "exif": rows}
