"""What a Flickr-like service holds: users, photos, albums, pools, galleries, and the files of a photo."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

PUBLIC: Final = "https://www.flickr.com"

#: Suffix in extras, longest side, suffix of the file's name, label in getSizes; smallest first.
SIZES: Final = (
    ("sq", 75, "_s", "Square"), ("t", 100, "_t", "Thumbnail"), ("q", 150, "_q", "Large Square"),
    ("s", 240, "_m", "Small"), ("n", 320, "_n", "Small 320"), ("w", 400, "_w", "Small 400"),
    ("m", 500, "", "Medium"), ("z", 640, "_z", "Medium 640"), ("c", 800, "_c", "Medium 800"),
    ("l", 1024, "_b", "Large"), ("h", 1600, "_h", "Large 1600"), ("k", 2048, "_k", "Large 2048"),
    ("3k", 3072, "_3k", "X-Large 3K"), ("4k", 4096, "_4k", "X-Large 4K"),
    ("5k", 5120, "_5k", "X-Large 5K"), ("6k", 6144, "_6k", "X-Large 6K"),
)  # fmt: skip
#: Larger ones have a secret each, and are for paying members where the owner is none.
FREE_SIDE: Final = 1024
#: What an answer names when it keeps the larger sizes back.
UPGRADES: Final = ("h", "k", "3k", "4k", "o")
#: Label, quality in the address and name of the file, worst first; the original is for its owner only.
VIDEOS: Final = (("Mobile MP4", "mobile", "360p"), ("Site MP4", "site", "700"), ("HD MP4", "hd", "720p"))
ORIGINAL_VIDEO: Final = ("Video Original", "orig", "orig")


@dataclass(frozen=True)
class User:
    """One user. `alias` is the name in addresses, which many do not have."""

    nsid: str
    name: str = ""
    alias: str = ""


@dataclass(frozen=True)
class Album:
    """An album of a user's photos, in this order."""

    id: int
    owner: str
    photos: Sequence[int]
    title: str = ""


@dataclass(frozen=True)
class Group:
    """A group with its pool. `alias` is its name in addresses."""

    nsid: str
    photos: Sequence[int] = ()
    alias: str = ""
    name: str = ""
    private: bool = False


@dataclass(frozen=True)
class Gallery:
    """A gallery: somebody's choice of photos of others."""

    id: int
    owner: str
    photos: Sequence[int]
    title: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a photo: its path on the file host, and what it is called where."""

    suffix: str
    label: str
    path: str
    width: int
    height: int
    side: int


@dataclass(frozen=True)
class Photo:
    """One photo, or with `video` a film whose `image` is its still.

    `taken` is as coarse as it is known: `2012-09-16 14:03:00`, `2012-09`, `2012`, `circa 1912`, or
    nothing. `uploaded` and `updated` are seconds since 1970. Without `image` the sizes are those of
    `width` and `height`, and the file host has nothing: enough for tests of listings.

    States: `private` (as if it were not there), `hidden` (counted in lists and not shown), `limited`
    (the larger sizes and the original are for paying members), `original_public=False`,
    `flash_only` (a film that only lists the old player), `exif_hidden`. `exif` lists (tagspace, tag,
    label, raw, clean). `data` is laid over the list's item, for tests of odd answers; a value of
    `...` takes the key away.
    """

    id: int
    owner: str = "10000001@N02"
    title: str = ""
    image: bytes = b""
    taken: str = ""
    tags: Sequence[str] = ()
    description: str = ""
    uploaded: int = 0
    updated: int = 0
    licence: int = 0
    place: tuple[float, float] | None = None
    width: int = 4032
    height: int = 3024
    video: bytes | Path | None = None
    video_original: bool = False
    flash_only: bool = False
    status: str = "ready"
    private: bool = False
    hidden: bool = False
    limited: bool = False
    original_public: bool = True
    exif: Sequence[tuple[str, str, str, str, str]] = ()
    exif_hidden: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Give the address of its page: what belongs in a configuration and in a ledger."""
        return f"{PUBLIC}/photos/{self.owner}/{self.id}/"

    @property
    def posted(self) -> int:
        """Give the time of upload; without one it follows from the number."""
        return self.uploaded or 1_348_000_000 + self.id % 1_000_000

    @property
    def changed(self) -> int:
        """Give the time of the last change."""
        return self.updated or self.posted

    @property
    def secret(self) -> str:
        """Give the secret of the page and of all sizes up to 1024."""
        return self.secret_of("")

    def secret_of(self, suffix: str) -> str:
        """Give the secret of one larger size, or of the original (`o`)."""
        return hashlib.sha256(f"{self.id} {suffix}".encode()).hexdigest()[:10]

    @property
    def format(self) -> str:
        """Give the ending of the original: jpg, png or gif."""
        return {b"\x89PNG": "png", b"GIF8": "gif"}.get(self.image[:4], "jpg")

    @property
    def pixels(self) -> tuple[int, int]:
        """Give width and height of the original."""
        return _pixels(self.image) if self.image else (self.width, self.height)

    def files(self) -> Iterator[File]:
        """Yield the files that everybody may have, smallest first."""
        longest = max(self.pixels)
        for suffix, side, ending, label in SIZES:
            if side < longest and not (self.limited and side > FREE_SIDE):
                secret = self.secret if side <= FREE_SIDE else self.secret_of(suffix)
                yield File(suffix, label, f"/65535/{self.id}_{secret}{ending}.jpg", *self._fit(side), side)
        if self.original_public and not self.limited:
            path = f"/65535/{self.id}_{self.secret_of('o')}_o.{self.format if not self.video else 'jpg'}"
            yield File("o", "Original", path, *self.pixels, longest)

    def _fit(self, side: int) -> tuple[int, int]:
        width, height = self.pixels
        longest = max(width, height)
        return max(1, round(width * side / longest)), max(1, round(height * side / longest))

    def films(self) -> tuple[tuple[str, str, str], ...]:
        """Give label, quality and file name of each film."""
        if self.video is None or self.flash_only:
            return ()
        return (*VIDEOS, ORIGINAL_VIDEO) if self.video_original else VIDEOS

    def content(self, file: File) -> bytes:
        """Make the bytes of one file; the original is the image as it was uploaded."""
        return self.image if file.suffix == "o" else _resized(self.image, file.width, file.height)


@lru_cache(maxsize=4096)
def _pixels(image: bytes) -> tuple[int, int]:
    from PIL import Image

    with Image.open(io.BytesIO(image)) as picture:
        return picture.size


@lru_cache(maxsize=256)
def _resized(image: bytes, width: int, height: int) -> bytes:
    """Make a smaller JPEG, which keeps no camera data, as the service's own do not."""
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(io.BytesIO(image)) as picture:
        picture.convert("RGB").resize((width, height)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
