"""What the newest version of each object is, noted outside the objects: so that a lost one is missed.

An inventory proves every file of its object, and nothing proves that an object, or its newest version, is
there at all: whoever deletes `ocfl/beijing`, or puts an old copy of it in its place, leaves a valid archive.
`heads.json` is written after a version is committed and safe, so it never names one that was not there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
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
_SIDECAR_BYTES = 1024
#: How many losses are told of, where one stands for all.
_TOLD = 3
_UNKNOWN = "so whether an event is gone is not known"


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest version of an object: its number, and the SHA-256 of its inventory."""

    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Noted:
    """What the list of a sink says; `trouble` is what is wrong with the list itself, "" when nothing is."""

    newest: Mapping[str, Newest]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """An object of which the newest version is gone: what it was, and what there is now, if anything.

    It is `foreign` when something else lies in its place, which must not be taken for it.
    """

    name: str
    noted: Newest
    present: Newest | None = None
    foreign: bool = False

    def __str__(self) -> str:
        what = "what belongs to no single event" if self.name.startswith("_") else f"event {self.name}"
        was = self.noted.version
        if self.foreign:
            return f"{what} is not what was stored here: something else lies in place of its version {was}"
        if self.present is None:
            return f"{what} is gone: version {was} of it was stored here"
        return f"{what} is an old copy: version {was} was stored here, and this is {self.present.version}"

    @property
    def by_hand(self) -> str:
        """Say what a person can do where no other sink helps."""
        where = f"{ocfl.ROOT}{self.name}"
        away = f"move {where} elsewhere, then "
        lies_there = self.present is not None or self.foreign
        return (
            f"{away if lies_there else ''}put {where} back from a backup of your own; or, if it is gone for "
            f"good: {away if self.foreign else ''}archive verify --accept-loss {self.name}"
        )


def told(losses: Sequence[Loss]) -> str:
    """Tell of the first few losses, and how many more there are."""
    more = len(losses) - _TOLD
    return "; ".join(map(str, losses[:_TOLD])) + (f"; and {more} more" if more > 0 else "")


def noted(sink: Sink[Any]) -> Noted:
    """Read at which version each object was left; nothing where that was never noted.

    Meant to be read before the objects are listed, or a run that commits meanwhile looks like a loss.
    """
    found = _read(sink)
    # A run that writes both meanwhile makes the list and its digest look apart: once, and not again.
    return _read(sink) if found.trouble else found


def _read(sink: Sink[Any]) -> Noted:
    try:
        sealed = seal.read_seal(sink, PATH)
    except DamageError:
        sealed = ()  # of the two only the list says anything; `archive verify` tells of its digest
    try:
        data = read(sink, PATH, _BYTES)
        found = _parse(data)
    except MissingError:
        return Noted({}, f"{PATH} is not there any more, {_UNKNOWN}" if sealed else "")
    except (DamageError, *UNREADABLE):
        return Noted({}, f"{PATH} cannot be read, {_UNKNOWN}")
    if sealed and blob(data).sha256 not in sealed:  # one flipped bit makes a 2 of a 3
        return Noted({}, f"{PATH} is not what was written, {_UNKNOWN}")
    return Noted(found)


def losses(
    sink: Sink[Any], noted: Mapping[str, Newest], present: Mapping[str, Newest], strangers: Collection[str]
) -> list[Loss]:
    """Name the objects that are not there any more as they were noted.

    `present` are those of now, `strangers` the places in which an object lies that bears another name.
    """
    found = (_loss(sink, name, was, present.get(name), name in strangers) for name, was in noted.items())
    return sorted((loss for loss in found if loss is not None), key=lambda loss: loss.name)


def _loss(sink: Sink[Any], name: str, was: Newest, now: Newest | None, is_strange: bool) -> Loss | None:
    if is_strange:
        return Loss(name, was, foreign=True)
    if now is None or now.version < was.version:
        return Loss(name, was, now)
    if now == was or (now.version > was.version and _held(sink, name, was)):
        return None
    return Loss(name, was, now, foreign=True)


def _held(sink: Sink[Any], name: str, was: Newest) -> bool:
    """Say whether a version is among those of an object that has a newer one; it has its inventory still."""
    where = f"{ocfl.ROOT}{name}/v{was.version}/{ocfl.INVENTORY}"
    try:
        if read(sink, seal.of(where), _SIDECAR_BYTES).startswith(was.sha256.encode()):
            return True  # its sidecar says so: `archive verify` proves the rest
        return ocfl.digest(sink, where) == was.sha256
    except (MissingError, DamageError):
        return False


def note(sink: Sink[Any], newest: Mapping[str, Newest]) -> None:
    """Note at which version each object is left. No power cut makes the list look damaged."""
    seal.replace(sink, PATH, blob(dump(newest)), settled=True)


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
