"""Put pages into a sink: only those that changed; those that are no more become stubs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from archiver import __version__, seal
from archiver.archive import Head
from archiver.contracts import Sink
from archiver.errors import DamageError, MissingError
from archiver.inventory import UNREADABLE
from archiver.naming import check_path
from archiver.ocfl import read
from archiver.pages import places
from archiver.pages.pictures import INDEX, blob

STATE: Final = f"{places.STATE}pages.json"
#: What the pages were made of: versions of objects, and of this program.
STAMP: Final = f"{places.STATE}stamp.json"
_STATE_BYTES: Final = 64 << 20
#: What a page was made of, and its size in bytes.
Origin = tuple[str, int]
_STAMP_BYTES: Final = 16 << 20


@dataclass
class Writer:
    """Knows what was written before. `known` maps paths to SHA-256, `sizes` what the sink holds now.

    `origins` maps paths to what a page was made of and its size in bytes.
    """

    sink: Sink[Any]
    known: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    url: str = ""
    origins: dict[str, Origin] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    made: dict[str, Origin] = field(default_factory=dict)
    written: int = 0
    stubs: int = 0

    @classmethod
    def open(cls, sink: Sink[Any], url: str, *, anew: bool = False) -> Writer:
        """Read what an earlier build left; `url` is kept from it unless a new one is given.

        With `anew` no page is taken for made.
        """
        try:
            data = json.loads(read(sink, STATE, _STATE_BYTES))
            known = {str(path): str(digest) for path, digest in data["pages"].items() if _is_ours(path)}
            earlier = _web(data["url"])
            listed = data.get("made_of", {}).items()
            made = {str(path): (str(key), int(size)) for path, (key, size) in listed if path in known}
            torn = bool(data.get("building"))
        except (DamageError, MissingError, *UNREADABLE):
            known, earlier, made, torn = {}, "", {}, True
        # Of a build that was killed nobody knows what it has written: everything is written again.
        sizes = {} if torn else _sizes(sink)
        return cls(sink, known, sizes, url or earlier, {} if anew else made)

    def put(self, path: str, render: Callable[[], bytes], made_of: str = "") -> None:
        """Write one file unless the sink has just that. Raises `SinkError`.

        What the sink has, made of the same, is not even rendered; an empty `made_of` is like no other.
        """
        if made_of and path in self.sizes and self.origins.get(path) == (made_of, self.sizes[path]):
            self.seen[path], self.made[path] = self.known[path], self.origins[path]
            return
        data = render()
        digest = hashlib.sha256(data).hexdigest()
        self.seen[path] = digest
        if made_of:
            self.made[path] = (made_of, len(data))
        if self.known.get(path) == digest and self.sizes.get(path) == len(data):
            return
        if not self.written:
            # Killed from now on, pages differ from what is written down of them: that is no damage.
            self.note(self.known, {}, building=True)
        self.sink.replace(path, blob(data))
        self.written += 1

    def close(self, stub: Callable[[str], bytes]) -> None:
        """Make stubs of the pages that are no more, and write down what there is."""
        for path, data in [*self._gone(stub)]:
            before = self.written
            self.put(path, partial(bytes, data))
            self.stubs += self.written - before
        if self.written or self.known != self.seen or self.origins != self.made:
            self.note(self.seen, self.made, building=False)
        self.sink.flush()

    def note(self, pages: Mapping[str, str], made: Mapping[str, Origin], *, building: bool) -> None:
        """Write down which pages there are, and what they were made of; `building`: some may differ yet."""
        state = {
            "url": self.url, "building": building, "pages": dict(sorted(pages.items())),
            "made_of": dict(sorted(made.items())),
        }  # fmt: skip
        data = json.dumps(state, ensure_ascii=False, indent=0).encode("utf-8", "replace")
        seal.replace(self.sink, STATE, blob(data))

    def _gone(self, stub: Callable[[str], bytes]) -> Iterator[tuple[str, bytes]]:
        for path in sorted(self.known.keys() - self.seen.keys()):
            if path.endswith(".html"):
                yield path, stub(path)
            elif not path.startswith(f"{places.SITE}assets/"):  # an open page may still load those
                yield path, b"\n"


def _is_ours(path: str) -> bool:
    """Say whether a build may have written a page there: the list that says so is only data in a sink."""
    try:
        return places.is_page(check_path(path))
    except ValueError:
        return False


def _sizes(sink: Sink[Any]) -> dict[str, int]:
    sizes = {stat.path: stat.size for stat in sink.list(places.SITE)}
    root = sink.stat(places.ROOT_PAGE)
    return sizes if root is None else {**sizes, root.path: root.size}


def _web(url: object) -> str:
    """Let through an address of the web alone: it comes to stand in front of every link of the feed."""
    whole = isinstance(url, str) and url.startswith(("http://", "https://")) and url.isprintable()
    return str(url) if whole else ""


def digests(sink: Sink[Any]) -> dict[str, str]:
    """Name the finished pages of a sink with their SHA-256; none while they are made, or without any.

    None either when that list itself is damaged: it is not what pages are judged by then.
    """
    try:
        raw, allowed = read(sink, STATE, _STATE_BYTES), seal.read_seal(sink, STATE)
        data = json.loads(raw)
        if data.get("building") or (allowed and hashlib.sha256(raw).hexdigest() not in allowed):
            return {}
        found = {str(path): str(digest) for path, digest in data["pages"].items()}
    except (DamageError, MissingError, *UNREADABLE):
        return {}
    return {path: digest for path, digest in found.items() if places.is_page(path)}


def forget(sink: Sink[Any], paths: Collection[str]) -> None:
    """Let the next build write these pages again, whatever they hold. Raises `SinkError`."""
    if any(path.startswith(places.STATE) for path in paths):
        seal.replace(sink, STATE, blob(b"{}"))
    else:
        writer = Writer.open(sink, "")
        kept = {path: digest for path, digest in writer.known.items() if path not in paths}
        writer.note(kept, {}, building=True)
    for path in (STAMP, INDEX):
        if {path, seal.of(path)} & {*paths}:
            seal.replace(sink, path, blob(b"{}"))


def forget_origins(sink: Sink[Any]) -> bool:
    """Let the next build render every page, whatever it was made of; say whether there are pages at all.

    Texts that pages show lie beside the versions, and were made again.
    """
    writer = Writer.open(sink, "")
    if writer.known:
        writer.note(writer.known, {}, building=False)
        seal.replace(sink, STAMP, blob(b"{}"))
    return bool(writer.known)


def is_stamped(head: Head, programme: str) -> bool:
    """Say whether the pages of a sink were made of the versions that it holds, and of this programme."""
    try:
        return read(head.sink, STAMP, _STAMP_BYTES) == _stamp(head, programme)
    except (DamageError, MissingError):
        return False


def stamp(head: Head, programme: str) -> None:
    """Write down what the pages were made of."""
    if not is_stamped(head, programme):
        seal.replace(head.sink, STAMP, blob(_stamp(head, programme)))


def _stamp(head: Head, programme: str) -> bytes:
    made_of = {"version": __version__, "programme": programme, "heads": dict(head.digests)}
    return json.dumps(made_of, sort_keys=True, indent=0).encode()
