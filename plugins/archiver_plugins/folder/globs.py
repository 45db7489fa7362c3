"""Globs over paths: `*`, `?` and `[…]` inside one name, `**` over any number of folders."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Sequence

_MAX_LENGTH = 500
_MAGIC = re.compile(r"[*?\[]")


class Glob:
    """One glob, upper and lower case alike. Without a slash it matches a name in any folder if `anywhere`.

    Raises `ValueError` when it makes no sense.
    """

    def __init__(self, text: str, *, anywhere: bool = True) -> None:
        parts = unicodedata.normalize("NFC", text).strip("/").split("/")
        if not all(parts) or ".." in parts or len(text) > _MAX_LENGTH:
            raise ValueError(f"{text!r} is no glob: write something like '*.pdf' or 'raw/**'")
        if anywhere and "/" not in text:
            parts = ["**", *parts]
        # Each name by itself: fnmatch's expressions cannot be made to run for long.
        self._parts = [None if part == "**" else _compile(part) for part in parts]

    def matches(self, parts: Sequence[str]) -> bool:
        """Say whether the glob matches a whole path, given as its NFC names."""
        reached = self._skip({0})
        for name in parts:
            reached = self._skip({nxt for at in reached for nxt in self._step(at, name)})
        return len(self._parts) in reached

    def _skip(self, places: set[int]) -> set[int]:
        """Add the places behind a `**`, which may stand for no folder at all."""
        for at, part in enumerate(self._parts):
            if part is None and at in places:
                places.add(at + 1)
        return places

    def _step(self, at: int, name: str) -> tuple[int, ...]:
        if at == len(self._parts):
            return ()
        part = self._parts[at]
        if part is None:
            return (at,)
        return (at + 1,) if part.match(name) else ()


def _compile(part: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(part), re.IGNORECASE)


def is_glob(text: str) -> bool:
    """Say whether a path has any character that a glob would interpret."""
    return bool(_MAGIC.search(text))


def fixed_part(text: str) -> tuple[str, str]:
    """Split a glob into the folder before the first wildcard, and the rest."""
    parts = text.split("/")
    count = next((n for n, part in enumerate(parts) if is_glob(part)), len(parts))
    return "/".join(parts[:count]), "/".join(parts[count:])
