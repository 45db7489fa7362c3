"""What is written around a commit and can be made again: copies of its inventory, and sidecars."""

from __future__ import annotations

import hashlib
from typing import Any

from archiver.contracts import Blob, Sink
from archiver.errors import ExistsError
from archiver.ocfl.reading import INVENTORY, SIDECAR, read_sidecar
from archiver.ocfl_object import OcflObject, blob, digest, read


def needs_healing(each: OcflObject) -> bool:
    """Say whether the newest version lacks a copy of its inventory or a sidecar. Reads two small files."""
    if each.inventory is None:
        return False
    stored = [each.files.get(name) for name in (INVENTORY, f"v{each.head}/{INVENTORY}")]
    sizes = {stat.size if stat else -1 for stat in stored}
    sidecars = {read_sidecar(each, directory) for directory in ("", f"v{each.head}/")}
    return each.source != "" or len(sizes) > 1 or sidecars != {each.digest}


def heal(each: OcflObject) -> None:
    """Make again what a killed run may have left out: sidecars and copies of the inventory."""
    if each.inventory is None:
        return
    data = read(each.sink, each.prefix + each.source + INVENTORY)
    if hashlib.sha256(data).hexdigest() != each.digest:
        return  # changed since it was read
    version = f"v{each.head}/"
    if version + INVENTORY not in each.files:
        _create_same(each.sink, each.prefix + version + INVENTORY, blob(data))
    # As in a commit: sidecars say that the version is safe, so it has to be before they are written.
    cover_head(each)
    each.sink.flush()
    publish(each, version, data, each.digest)


def create_or_same(sink: Sink[Any], path: str, document: Blob) -> bool:
    """Create a value; say whether it is there now, be it from before."""
    try:
        sink.create(path, document)
    except ExistsError:
        return digest(sink, path) == document.sha256
    return True


def _create_same(sink: Sink[Any], path: str, document: Blob) -> None:
    if not create_or_same(sink, path, document):
        raise ExistsError(
            f"{path} is there in sink {sink.context.name} and holds something else",
            hint="is another program writing to the archive?",
        )


def cover_head(each: OcflObject) -> None:
    """Let our flush cover what a run that was killed right after its commit did not come to sync.

    A power cut in the middle of the next commit is told from damage by the root's copy being whole.
    """
    for directory in ("", f"v{each.head}/"):
        for name in (directory + INVENTORY, directory + SIDECAR):
            if name in each.files:
                each.sink.cover(each.prefix + name)


def publish(each: OcflObject, version: str, inventory: bytes, sha256: str) -> None:
    """Write what says that a version is safe: its sidecar, then the copies in the object's root.

    `version` is its directory, such as `v3/`, and `sha256` that of its inventory.
    """
    sidecar = blob(f"{sha256} {INVENTORY}\n".encode())
    each.sink.replace(each.prefix + version + SIDECAR, sidecar)
    each.sink.replace(each.prefix + INVENTORY, blob(inventory))
    each.sink.replace(each.prefix + SIDECAR, sidecar)
