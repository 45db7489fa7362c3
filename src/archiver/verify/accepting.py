"""Take an object as it is now, when what it was before is gone for good and a person says so."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from archiver import heads
from archiver.archive import look
from archiver.contracts import Sink


def accept(name: str, sink: Sink[Any], objects: Collection[str]) -> list[heads.Loss]:
    """Miss the newest versions of these objects no longer; give those that were missed until now.

    Raises what `look` raises.
    """
    head = look(name, sink)
    # What lies in the place of another object has to be moved away first.
    taken = [loss for loss in head.losses if loss.name in objects and not loss.foreign]
    if taken:
        left = {loss.name: loss.noted for loss in head.losses if loss.name not in objects}
        heads.note(sink, head.newest | left)
    return taken
