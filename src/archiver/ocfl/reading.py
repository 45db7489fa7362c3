"""Find the objects of a sink, and the newest version of each that was committed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archiver.contracts import Sink, Stat
from archiver.errors import DamageError, MissingError
from archiver.inventory import Inventory
from archiver.ocfl_object import ROOT, OcflObject, read

INVENTORY = "inventory.json"
SIDECAR = "inventory.json.sha256"
#: Event ids, and `_archive`. Anything else in the storage root is somebody else's.
_NAME = re.compile(r"_?[a-z0-9][a-z0-9-]{0,99}")


def load(sink: Sink[Any], only: str = "") -> dict[str, OcflObject]:
    """List a sink once and read the newest inventory of every object in it, or of `only` one.

    Raises `DamageError` when an object has a committed version that cannot be read.
    """
    objects: dict[str, OcflObject] = {}
    for stat in sink.list(f"{ROOT}{only}/" if only else ROOT):
        name, slash, rest = stat.path.removeprefix(ROOT).partition("/")
        if slash and _NAME.fullmatch(name):
            objects.setdefault(name, OcflObject(sink, name)).files[rest] = stat
    for each in objects.values():
        read_head(each)
    return objects


@dataclass(frozen=True)
class _Copy:
    """One copy of an inventory, read and checked; `source` is the directory that holds it."""

    source: str
    inventory: Inventory
    digest: str


def is_object_name(name: str) -> bool:
    """Say whether a directory in the storage root may be an object of ours."""
    return _NAME.fullmatch(name) is not None


def read_head(each: OcflObject) -> None:
    """Find the newest version that was committed, whatever a crash left half done. Raises `DamageError`."""
    newest = _contiguous(each.files)
    found = _verified(each, "")
    # The copy in the object's root is right but after a crash between two writes; it then lags behind.
    # It is ahead only where vN/inventory.json was lost: it can be made again from this one.
    if found is None or found.inventory.head < newest:
        found = _behind_root(each, newest, found)
    if found is not None:
        each.inventory, each.digest, each.source = found.inventory, found.digest, found.source


def _behind_root(each: OcflObject, newest: int, root: _Copy | None) -> _Copy | None:
    """Decide when the root's copy does not tell: it is missing, torn, or of an earlier version."""
    if newest:
        found = _verified(each, f"v{newest}/")
        if found is not None and found.inventory.head == newest:
            return found
    # The root's copy is written only after a version is safe. So where the root still shows all of the
    # version before, this one was cut off by a power cut in the middle of its commit: it never was.
    before = root.inventory.head if root else 0
    untouched = root is not None or INVENTORY not in each.files
    if untouched and before == max(newest - 1, 0) and (not newest or _is_torn(each, newest)):
        return root
    raise DamageError(
        f"both copies of the inventory of {each.prefix}v{newest or 1} are damaged",
        hint="restore one of them from another sink; the content files are not affected",
    )


def _contiguous(files: Mapping[str, Stat]) -> int:
    number = 0
    while f"v{number + 1}/{INVENTORY}" in files:
        number += 1
    return number


def _verified(each: OcflObject, directory: str) -> _Copy | None:
    """Read one copy of the inventory; None unless it is whole and its sidecar agrees."""
    where = directory + INVENTORY
    if where not in each.files:
        return None
    try:
        data = read(each.sink, each.prefix + where)
        inventory = Inventory.parse(data, each.prefix + where)
    except DamageError:
        return None
    digest = hashlib.sha256(data).hexdigest()
    sidecar = read_sidecar(each, directory)
    # Killed between the commit and its sidecar: believe it when all its content is there.
    believed = sidecar == digest if sidecar else inventory.content <= each.files.keys()
    return _Copy(directory, inventory, digest) if believed else None


def _is_torn(each: OcflObject, version: int) -> bool:
    """Say whether a commit was cut off: its inventory makes no sense and never got a sidecar."""
    if read_sidecar(each, f"v{version}/"):
        return False
    where = f"{each.prefix}v{version}/{INVENTORY}"
    try:
        Inventory.parse(read(each.sink, where), where)
    except DamageError:
        return True
    return False


def read_sidecar(each: OcflObject, directory: str) -> str:
    """Read a sidecar; empty when it is missing or torn (a power cut can leave zeros or nothing)."""
    try:
        data = read(each.sink, each.prefix + directory + SIDECAR, 1024)
    except (MissingError, DamageError):
        return ""
    found = re.fullmatch(rb"([0-9a-f]{64})\s+inventory\.json\s*", data)
    return found[1].decode() if found else ""
