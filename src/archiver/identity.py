"""Which archive a sink holds: so that the disk of another one, mounted in its place, is not taken for it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from archiver.archive import ABOUT, COMMON, Head
from archiver.errors import DamageError, MissingError, SinkError
from archiver.inventory import UNREADABLE
from archiver.ocfl_object import OcflObject

#: In the object `_archive`: made at random by the first run, and the same in every sink from then on.
IDENTITY = "metadata/identity.json"


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells archives apart: `id` is a URN, `title` what the archive was called when last written."""

    id: str
    title: str


def of_object(common: OcflObject) -> Identity | None:
    """Read it from the object `_archive`; None where there is none that can be read. Raises `SinkError`."""
    try:
        told, about = json.loads(common.read(IDENTITY)), json.loads(common.read(ABOUT))
        return Identity(str(told["id"]), str(about["title"]))
    except (DamageError, MissingError, *UNREADABLE):
        return None


def of_heads(heads: Iterable[Head]) -> dict[str, Identity]:
    """Read it from each sink that has one, by the names of the sinks."""
    found = {head.name: of_object(head.object(COMMON)) for head in heads}
    return {name: identity for name, identity in found.items() if identity is not None}


def check(found: Mapping[str, Identity]) -> None:
    """Refuse sinks that hold different archives. Raises `SinkError`.

    Two that began apart, each while the other was away, have different ids and the same title: they are one.
    """
    for (one, mine), (other, theirs) in combinations(found.items(), 2):
        if mine.id != theirs.id and mine.title != theirs.title:
            raise SinkError(
                f"sinks {one} and {other} hold different archives: "
                f"“{mine.title[:100]}” and “{theirs.title[:100]}”",
                hint="nothing was changed. Is a disk mounted in another's place, or a path or prefix wrong?",
            )


def document(heads: Iterable[Head]) -> dict[str, bytes]:
    """Give the file that says it: the one that is there, else a new one."""
    known = sorted(each.id for each in of_heads(heads).values())
    told = {"id": known[0] if known else f"urn:uuid:{uuid.uuid4()}"}
    return {IDENTITY: (json.dumps(told, indent=1) + "\n").encode()}
