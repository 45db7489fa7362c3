"""Names for people: the title as it is written, safe on every file system, told apart by numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

#: Bytes of UTF-8 that one name keeps of a title: with two levels a path stays short enough for Windows.
NAME_BYTES = 100
# Windows refuses < > : " | ? * and both slashes. "%" is left out because programs disagree on how a BagIt
# manifest writes it: bagit-python 1.9 does not escape it, RFC 8493 (section 2.1.3) does.
_REPLACED = str.maketrans(
    {
        "/": "-",
        "\\": "-",
        "|": "-",
        ":": " -",
        "<": "(",
        ">": ")",
        '"': "'",
        "?": "",
        "*": "",
        "%": " percent ",
    }
)
# Windows keeps these for devices, with any ending, and takes "COM¹" for "COM1".
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)", re.IGNORECASE)
_EXTENSION = re.compile(r"\.[a-z0-9]{1,10}")
_SPACES = frozenset({"Cc", "Zl", "Zp", "Zs"})
# Format characters (bidi overrides, zero widths), lone surrogates, private use, not assigned.
_DROPPED = frozenset({"Cf", "Cs", "Co", "Cn"})


def readable(title: str) -> str:
    """Turn a title into a name that is safe everywhere; empty when nothing of it can be shown.

    The result is NFC, at most `NAME_BYTES` of UTF-8, and neither begins nor ends with a dot or a space.
    """
    plain = unicodedata.normalize("NFC", title[: 8 * NAME_BYTES]).translate(_REPLACED)
    visible = "".join(_shown(char) for char in plain)
    name = _clip(" ".join(unicodedata.normalize("NFC", visible).split()).strip(" .-~"))
    return f"_{name}" if _DEVICE.match(name) else name


def extension(path: str) -> str:
    """Give the ending of a stored file, such as `.pdf`; empty when it has none."""
    name = path.rpartition("/")[2]
    ending = "." + name.rpartition(".")[2]
    return ending if "." in name and _EXTENSION.fullmatch(ending) else ""


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    return " " if category in _SPACES else "" if category in _DROPPED else char


def _clip(name: str) -> str:
    # A cut inside a character leaves a broken tail: ignore it. One between a base and its accent could
    # compose differently: normalise again.
    clipped = name.encode()[:NAME_BYTES].decode(errors="ignore")
    return unicodedata.normalize("NFC", clipped).strip(" .-~")


@dataclass
class Names:
    """Gives each path once: what differs only by case, or by how it is composed, gets a number."""

    _given: set[str] = field(default_factory=set)
    _next: dict[str, int] = field(default_factory=dict)

    def path(self, folder: str, name: str, ending: str = "") -> str:
        """Give `folder/name.ending`, or `folder/name (2).ending` where the first is taken."""
        for candidate in self._candidates(f"{folder}/{name}", ending):
            if _key(candidate) not in self._given:
                self._given.add(_key(candidate))
                return candidate
        raise AssertionError

    def _candidates(self, start: str, ending: str) -> Iterator[str]:
        yield start + ending
        wanted = _key(start + ending)
        # Goes on where the last of that name stopped: a thousand photos may be called "IMG".
        number = self._next.get(wanted, 2)
        while True:
            self._next[wanted] = number + 1
            yield f"{start} ({number}){ending}"
            number += 1


def _key(path: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
