"""One value that is to be proven, and what proves it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One value of a sink: `path`, the object that it belongs to (or ""), its size in bytes.

    What proves it is one of `digests` (known beforehand), or else what the file `seal` says. `data` are
    its right bytes, where they follow from other things; `twin` is another path with the same bytes.
    A value with one of the digests `stale`, or one that is missing though `late`, is what a killed run
    leaves, and no damage. `created` is when it came (RFC 3339), `key` its place in partial looks.
    """

    path: str
    group: str
    size: int
    digests: frozenset[str] = frozenset()
    seal: str = ""
    data: bytes | None = None
    twin: str = ""
    stale: frozenset[str] = frozenset()
    late: bool = False
    created: str = ""
    key: str = ""

    @classmethod
    def of(
        cls, path: str, data: bytes, group: str, *, stale: frozenset[str] = frozenset(), late: bool = False
    ) -> Item:
        """Make the item of a value whose every byte is known."""
        digests = frozenset([hashlib.sha256(data).hexdigest()])
        return cls(path, group, len(data), digests, data=data, stale=stale, late=late)

    @property
    def place(self) -> str:
        """Give its place on the ring of partial looks: 64 hex digits, spread evenly."""
        return self.key or hashlib.sha256(self.path.encode()).hexdigest()

    @property
    def is_content(self) -> bool:
        """Say whether it may be left out of a partial look; structure never is."""
        return bool(self.key)
