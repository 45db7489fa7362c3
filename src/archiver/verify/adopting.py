"""Give an object its inventories back when no copy proves right: from a sink that holds the same object."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from archiver import heads, ocfl
from archiver.contracts import Sink
from archiver.errors import SinkError
from archiver.inventory import version_number
from archiver.verify import fetching
from archiver.verify.objects import INVENTORY, Judged, sidecar
from archiver.verify.survey import Survey

_NO_OTHER = (
    "no other sink holds this object whole. Put it back from a backup of your own; or, if it is gone for "
    "good, move what is left of it elsewhere, then: archive verify --accept-loss "
)


def adopt(here: Survey, name: str, others: Iterable[Survey]) -> tuple[str, str]:
    """Put the inventories of another sink's object here, if they describe what lies here.

    Gives what was done, and, when nothing was, why. Content that is missing here is no hindrance; other
    bytes under the same name are. Raises `SinkError` when this sink fails.
    """
    why = _NO_OTHER + name
    for other in others:
        theirs = other.objects.get(name)
        if theirs is None or theirs.inventory is None or theirs.trouble:
            continue
        mismatch = _mismatch(here, here.objects[name], theirs)
        if mismatch:
            away = f"move {ocfl.ROOT}{name} of sink {here.name} elsewhere, then repair again"
            why = f"the object in sink {other.name} is another one: {mismatch}. To take that one: {away}"
            continue
        for path, data in _inventories(other, theirs):
            fetching.put_bytes(here.sink, path, data)
        before, newest = heads.noted(here.sink), heads.Newest(theirs.inventory.head, theirs.digest)
        if not before.trouble:
            heads.note(here.sink, {**before.newest, name: newest})
        return f"inventories restored from sink {other.name}", ""
    return "", why


def _mismatch(here: Survey, ours: Judged, theirs: Judged) -> str:
    assert theirs.inventory is not None
    if ours.inventory is not None and ours.inventory.object_id != theirs.inventory.object_id:
        return f"the one here is called {ours.inventory.object_id}"
    newest = max((version_number(path.partition("/")[0]) for path in ours.files), default=0)
    if newest > theirs.inventory.head:
        return f"its newest version is v{theirs.inventory.head}, the one here is v{newest}"
    was = heads.noted(here.sink).newest.get(ours.name)
    is_same = was is not None and was.sha256 == theirs.digest
    if ours.inventory is not None and newest == theirs.inventory.head and not is_same:
        return f"its newest version is v{newest} too: what else it holds comes with archive run"
    for digest, paths in theirs.inventory.manifest.items():
        for path in paths:
            if path in ours.files and _digest(here.sink, ours.prefix + path) != digest:
                return f"{path} has other bytes there"
    return ""


def _digest(sink: Sink[Any], path: str) -> str:
    try:
        return ocfl.digest(sink, path)
    except SinkError:
        return ""


def _inventories(other: Survey, theirs: Judged) -> Iterator[tuple[str, bytes]]:
    """Give every inventory of their object that proves right, each followed by its sidecar."""
    assert theirs.inventory is not None
    for where in [*(f"v{number}/" for number in range(1, theirs.inventory.head + 1)), ""]:
        path = theirs.prefix + where + INVENTORY
        data = fetching.small(other.sink, path)
        digest = hashlib.sha256(data or b"").hexdigest()
        newest = where in {"", f"v{theirs.inventory.head}/"}
        if data is None or (
            digest != theirs.digest if newest else digest not in fetching.allowed(other.sink, path)
        ):
            continue  # that copy is damaged there: what is missing here is found and told afterwards
        yield path, data
        yield f"{path}.sha256", sidecar(digest)
