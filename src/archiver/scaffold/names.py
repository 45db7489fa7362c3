"""How a new plugin and its parts are called."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from archiver.errors import ConfigError

#: Characters of a name: it becomes a word of the configuration, a class, and part of file names.
MAX_NAME = 30
_NAME = re.compile(rf"(?=.{{2,{MAX_NAME}}}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_RULE = f"2 to {MAX_NAME} small letters a-z, digits and single hyphens, beginning with a letter"


@dataclass(frozen=True, slots=True)
class Names:
    """All names that follow from one, such as `my-photos`."""

    type: str

    @property
    def distribution(self) -> str:
        """Name what is installed: `archiver-my-photos`."""
        return f"archiver-{self.type}"

    @property
    def module(self) -> str:
        """Name what is imported: `archiver_my_photos`."""
        return self.distribution.replace("-", "_")

    @property
    def cls(self) -> str:
        """Name the class: `MyPhotos`."""
        return "".join(part.capitalize() for part in self.type.split("-"))


def named(name: str, taken: Collection[str] = ()) -> Names:
    """Check the name of a new plugin.

    `taken` are the types that exist. Raises `ConfigError` when it cannot be used, with one that can.
    """
    if not _NAME.fullmatch(name):
        better = _nearest(name)
        hint = f"use {_RULE}" + (f"; did you mean {better!r}?" if better else "")
        raise ConfigError(f"{name!r:.60} cannot be the name of a plugin", hint=hint)
    names = Names(name)
    if name in taken:
        raise ConfigError(f"there is a type {name!r} already", hint="give yours another name")
    if keyword.iskeyword(names.cls) or names.cls in _USED:
        raise ConfigError(
            f"{name!r} cannot be the name of a plugin: its class would be called {names.cls}",
            hint="add something to it, such as the name of the service",
        )
    return names


#: What the templates call other things, `None` and the like aside: those are keywords.
_USED = frozenset(["Any", "Double", "Entry", "Path", "Settings", "Store", "Talk", "Iterator", "Sequence"])


def _nearest(name: str) -> str:
    """Make a name of something else: `My Photos!` gives `my-photos`; nothing when nothing is left."""
    plain = unicodedata.normalize("NFKD", name[:200]).encode("ascii", "ignore").decode()
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", plain).lower()
    words = "-".join(re.findall(r"[a-z0-9]+", apart)).lstrip("0123456789-").removeprefix("archiver-")
    short = words[:MAX_NAME].strip("-")
    return short if _NAME.fullmatch(short) else ""
