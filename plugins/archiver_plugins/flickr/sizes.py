"""Which file of a photo or video to get, and why it is not a better one. No network here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from archiver_plugins.flickr.answers import SIDES, Photo, Size, Sizes

ORIGINAL: Final = "original"
#: Labels of getSizes, where they are not those of extras.
_LABELS: Final = {
    "Square": "sq", "Thumbnail": "t", "Large Square": "q", "Small": "s", "Small 320": "n",
    "Small 400": "w", "Medium": "m", "Medium 640": "z", "Medium 800": "c", "Large": "l",
    "Large 1600": "h", "Large 2048": "k", "X-Large 3K": "3k", "X-Large 4K": "4k", "X-Large 5K": "5k",
    "X-Large 6K": "6k", "Original": "o",
}  # fmt: skip
#: Videos have no sizes in pixels there; worst first. "Video Player" is a Flash program and no film.
_VIDEOS: Final = (
    "Mobile MP4",
    "288p",
    "Site MP4",
    "360p",
    "700",
    "HD MP4",
    "720p",
    "1080p",
    "Video Original",
)
_FLASH: Final = "Video Player"
_NAMES: Final = list(SIDES)


@dataclass(frozen=True, slots=True)
class Choice:
    """One file: its address, the name of its size, its pixels (`4032x3024`) where known.

    `reason` says why it is not the original.
    """

    url: str
    size: str
    pixels: str = ""
    reason: str = ""

    @property
    def is_original(self) -> bool:
        """Say whether these are the bytes that were uploaded."""
        return self.size == ORIGINAL

    def as_extra(self, root: str) -> dict[str, str]:
        """Write it into a material's `extra`; addresses below `root` (a mirror) without it."""
        below = self.url.startswith(f"{root}/")
        url = self.url.removeprefix(root) if below else self.url
        given = {"file": url, "size": self.size, "pixels": self.pixels, "reason": self.reason}
        return {name: value for name, value in given.items() if value}

    @classmethod
    def of(cls, extra: Mapping[str, str], root: str) -> Choice | None:
        """Read it back; None when a material says nothing of its file."""
        url = extra.get("file", "")
        if not url:
            return None
        url = root + url if url.startswith("/") else url
        return cls(url, extra.get("size", ""), extra.get("pixels", ""), extra.get("reason", ""))


def best_of(photo: Photo) -> Choice | None:
    """Choose by what a list says; None when it says nothing, as of videos, whose `url_o` is a still."""
    if photo.media == "video" or not photo.sizes:
        return None
    return _best(photo.sizes, ", ".join(photo.upgrade_sizes))


def best_photo(sizes: Sizes) -> Choice | None:
    """Choose by the answer of getSizes."""
    return _best([size for size in sizes.size if size.media != "video" and size.url], "")


def best_video(sizes: Sizes) -> Choice | None:
    """Choose the best film; None when there is none but a Flash player, or nothing."""
    films = [size for size in sizes.size if is_film(size)]
    if not films:
        return None
    best = max(films, key=lambda film: (_rank(film.name), film.area))
    if best.name == "Video Original":
        return Choice(best.url, ORIGINAL, _pixels(best))
    return Choice(best.url, best.name, _pixels(best), "Flickr gives original videos to their owners only.")


def is_film(size: Size) -> bool:
    """Say whether this is a video file and not the Flash player that old videos list alone."""
    flash = size.name == _FLASH or ".swf" in size.url.lower()
    return size.media == "video" and bool(size.url) and not flash


def has_player(sizes: Sizes) -> bool:
    """Say whether a video lists nothing but what no browser plays any more."""
    return any(size.media == "video" for size in sizes.size)


def _rank(label: str) -> int:
    return _VIDEOS.index(label) if label in _VIDEOS else -1


def _best(sizes: Iterable[Size], upgrades: str) -> Choice | None:
    ranked = sorted(sizes, key=_order)
    if not ranked:
        return None
    best = ranked[-1]
    if _suffix(best) == "o":
        return Choice(best.url, ORIGINAL, _pixels(best))
    return Choice(best.url, _suffix(best), _pixels(best), _why(upgrades))


def _order(size: Size) -> tuple[bool, int, int]:
    """Order by pixels, else by what the name stands for; the original is above all."""
    name = _suffix(size)
    side = SIDES.get(name, 0)
    # Without numbers, as if it had three quarters of a square.
    return name == "o", size.area or side * side * 3 // 4, _NAMES.index(name) if name in _NAMES else -1


def _suffix(size: Size) -> str:
    return _LABELS.get(size.name, size.name)


def _pixels(size: Size) -> str:
    return f"{size.width}x{size.height}" if size.area else ""


def _why(upgrades: str) -> str:
    if upgrades:
        # Since 15 May 2025: free members' photos in at most 1024 pixels, but for those under a
        # Creative Commons licence or in the Commons.
        return f"Flickr keeps the larger sizes ({upgrades}) of this photo for paying members."
    return "The owner does not offer the original to everybody."
