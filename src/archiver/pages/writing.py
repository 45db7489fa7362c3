"""Put pages into a sink: only those that changed; those that are no more become stubs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from archiver.contracts import Sink
from archiver.errors import DamageError, MissingError
from archiver.inventory import UNREADABLE
from archiver.ocfl import read
from archiver.pages import places
from archiver.pages.pictures import blob

STATE: Final = "site/state/pages.json"
_STATE_BYTES: Final = 64 << 20


@dataclass
class Writer:
    """Knows what was written before. `known` maps paths to SHA-256, `sizes` what the sink holds now."""

    sink: Sink[Any]
    known: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    url: str = ""
    seen: dict[str, str] = field(default_factory=dict)
    written: int = 0
    stubs: int = 0

    @classmethod
    def open(cls, sink: Sink[Any], url: str) -> Writer:
        """Read what an earlier build left; `url` is kept from it unless a new one is given."""
        try:
            data = json.loads(read(sink, STATE, _STATE_BYTES))
            known, earlier = {str(k): str(v) for k, v in data["pages"].items()}, str(data["url"])
        except (DamageError, MissingError, *UNREADABLE):
            known, earlier = {}, ""
        sizes = {stat.path: stat.size for stat in sink.list(places.SITE)}
        root = sink.stat(places.ROOT_PAGE)
        if root is not None:
            sizes[root.path] = root.size
        return cls(sink, known, sizes, url or earlier)

    def put(self, path: str, data: bytes) -> None:
        """Write one file unless the sink has just that. Raises `SinkError`."""
        digest = hashlib.sha256(data).hexdigest()
        self.seen[path] = digest
        if self.known.get(path) == digest and self.sizes.get(path) == len(data):
            return
        self.sink.replace(path, blob(data))
        self.written += 1

    def close(self, stub: Callable[[str], bytes]) -> None:
        """Make stubs of the pages that are no more, and write down what there is."""
        for path, data in [*self._gone(stub)]:
            before = self.written
            self.put(path, data)
            self.stubs += self.written - before
        state = {"url": self.url, "pages": dict(sorted(self.seen.items()))}
        data = json.dumps(state, ensure_ascii=False, indent=0).encode("utf-8", "replace")
        if self.written or self.known != self.seen:
            self.sink.replace(STATE, blob(data))
        self.sink.flush()

    def _gone(self, stub: Callable[[str], bytes]) -> Iterator[tuple[str, bytes]]:
        for path in sorted(self.known.keys() - self.seen.keys()):
            if path.endswith(".html"):
                yield path, stub(path)
            elif not path.startswith(f"{places.SITE}assets/"):  # an open page may still load those
                yield path, b"\n"
