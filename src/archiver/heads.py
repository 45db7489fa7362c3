"""What the newest version of each object is, noted outside the objects: so that a lost one is missed.

An inventory proves every file of its object, and nothing proves that an object, or its newest version, is
there at all: whoever deletes `ocfl/beijing`, or puts an old copy of it in its place, leaves a valid archive.
`heads.json` is written after a version is committed and safe, so it never names one that was not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from archiver import ocfl, seal
from archiver.contracts import Sink
from archiver.errors import DamageError, MissingError
from archiver.inventory import UNREADABLE
from archiver.ocfl_object import blob, read

PATH = "heads.json"
#: A list larger than this is not ours: it has one short line per event.
_BYTES = 16 << 20
#: How many losses are told of, where one stands for all.
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest version of an object: its number, and the SHA-256 of its inventory."""

    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Loss:
    """An object of which the newest version is gone: what it was, and what there is now, if anything."""

    name: str
    noted: Newest
    present: Newest | None

    def __str__(self) -> str:
        what = "what belongs to no single event" if self.name.startswith("_") else f"event {self.name}"
        was = self.noted.version
        if self.present is None:
            return f"{what} is gone: version {was} of it was stored here"
        if self.present.version < was:
            return f"{what} is an old copy: version {was} was stored here, and this is {self.present.version}"
        return f"{what} is another copy: its version {was} is not the one that was stored here"


def told(losses: Sequence[Loss]) -> str:
    """Tell of the first few losses, and how many more there are."""
    more = len(losses) - _TOLD
    return "; ".join(map(str, losses[:_TOLD])) + (f"; and {more} more" if more > 0 else "")


def noted(sink: Sink[Any]) -> dict[str, Newest]:
    """Read at which version each object was left; nothing where that was never noted or cannot be read.

    Meant to be read before the objects are listed, or a run that commits meanwhile looks like a loss.
    """
    try:
        return _parse(read(sink, PATH, _BYTES))
    except (MissingError, DamageError, *UNREADABLE):
        return {}  # `archive verify` proves it by its seal


def losses(sink: Sink[Any], noted: Mapping[str, Newest], present: Mapping[str, Newest]) -> list[Loss]:
    """Name the objects that are not there any more as they were noted; `present` are those of now."""
    found = [
        Loss(name, was, present.get(name))
        for name, was in sorted(noted.items())
        if name not in present or _is_before(present[name], was)
    ]
    return found if found and _is_proven(sink) else []


def _is_before(now: Newest, was: Newest) -> bool:
    return now.version < was.version or (now.version == was.version and now.sha256 != was.sha256)


def note(sink: Sink[Any], newest: Mapping[str, Newest]) -> None:
    """Note at which version each object is left."""
    seal.replace(sink, PATH, blob(dump(newest)))


def dump(newest: Mapping[str, Newest]) -> bytes:
    """Write the list: JSON, with a line for each object, in order."""
    lines = (f" {json.dumps(name)}: {json.dumps(asdict(newest[name]))}" for name in sorted(newest))
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _parse(data: bytes) -> dict[str, Newest]:
    return {
        name: Newest(int(each["version"]), str(each["sha256"]))
        for name, each in json.loads(data).items()
        if ocfl.is_object_name(name)
    }


def _is_proven(sink: Sink[Any]) -> bool:
    """Say whether the list is what was written: one flipped bit makes a 2 of a 3."""
    try:
        return blob(read(sink, PATH, _BYTES)).sha256 in seal.read_seal(sink, PATH)
    except (MissingError, DamageError):
        return False
