"""What one OCFL object has to consist of, by the inventory that proves right.

Every version has two copies of its newest inventory and a sidecar for each, so one of them can be
wrong and the right one still be known. Facts: OCFL 1.1.1, sections 3.5 to 3.7, https://ocfl.io/1.1/spec/
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from archiver import ocfl
from archiver.contracts import Sink, Stat
from archiver.errors import DamageError, MissingError
from archiver.inventory import Inventory, version_number
from archiver.ocfl import ROOT, OcflObject
from archiver.verify.items import Item

INVENTORY = "inventory.json"
SIDECAR = "inventory.json.sha256"
DECLARATION = "0=ocfl_object_1.1"
_DECLARED = b"ocfl_object_1.1\n"


@dataclass
class Judged:
    """One object: the inventory that proves right, what has to lie there, and what lies there besides.

    `inventory` is None when no copy proves right, or when no version was ever committed (`committed`).
    """

    name: str
    files: Mapping[str, Stat]
    inventory: Inventory | None = None
    digest: str = ""
    trouble: str = ""
    items: list[Item] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """Where the object lies in its sink."""
        return f"{ROOT}{self.name}/"


@dataclass(frozen=True)
class _Pair:
    """An inventory and its sidecar that agree; `data` are the inventory's bytes."""

    where: str
    inventory: Inventory
    digest: str


def judge(sink: Sink[Any], name: str, files: Mapping[str, Stat]) -> Judged:
    """Find the right inventory of an object, and say what has to be proven by it."""
    judged = Judged(name, files)
    try:
        pair = _proven(sink, judged) or _by_a_reader(sink, judged)
    except DamageError as error:
        judged.trouble = error.message
        return judged
    if pair is not None:
        judged.inventory, judged.digest = pair.inventory, pair.digest
        judged.items = [*_structure(sink, judged, pair), *_content(judged, pair.inventory)]
        judged.unnamed = sorted(_unnamed(judged))
    return judged


def sidecar(digest: str) -> bytes:
    """Write the sidecar of an inventory."""
    return f"{digest} {INVENTORY}\n".encode()


def sidecar_digest(data: bytes) -> str:
    """Read the digest out of a sidecar; "" when it is not one as we write it."""
    found = re.match(rb"[0-9a-f]{64}", data)
    return found[0].decode() if found and sidecar(found[0].decode()) == data else ""


def inventory_at(inventory: Inventory, number: int) -> bytes:
    """Write the inventory as it was at an earlier version, from a later one.

    Whoever uses it compares its digest with what was noted then: a file that was claimed since, or a
    later program that writes it otherwise, gives other bytes.
    """
    kept = {digest: tuple(_up_to(paths, number)) for digest, paths in inventory.manifest.items()}
    manifest = {digest: paths for digest, paths in kept.items() if paths}
    versions = {f"v{n}": inventory.versions[f"v{n}"] for n in range(1, number + 1)}
    return Inventory(inventory.object_id, number, manifest, versions).to_bytes()


def _up_to(paths: Iterable[str], number: int) -> Iterator[str]:
    return (path for path in paths if version_number(path.partition("/")[0]) <= number)


def _proven(sink: Sink[Any], judged: Judged) -> _Pair | None:
    """Give the newest inventory that its own sidecar proves."""
    newest = _newest(judged.files)
    pairs = [_pair(sink, judged, where) for where in ("", f"v{newest}/")]
    found = [pair for pair in pairs if pair is not None]
    best = max(found, key=lambda pair: pair.inventory.head, default=None)
    return best if best is not None and best.inventory.head >= newest else None


def _newest(files: Mapping[str, Stat]) -> int:
    number = 0
    while f"v{number + 1}/{INVENTORY}" in files:
        number += 1
    return number


def _pair(sink: Sink[Any], judged: Judged, where: str) -> _Pair | None:
    with suppress(MissingError, DamageError):
        data = ocfl.read(sink, judged.prefix + where + INVENTORY)
        digest = hashlib.sha256(data).hexdigest()
        if ocfl.read(sink, judged.prefix + where + SIDECAR, 1024) == sidecar(digest):
            return _Pair(where, Inventory.parse(data, judged.prefix + where + INVENTORY), digest)
    return None


def _by_a_reader(sink: Sink[Any], judged: Judged) -> _Pair | None:
    """Take what any reader takes, such as after a crash in the middle of a commit. Raises `DamageError`."""
    each = OcflObject(sink, judged.name, dict(judged.files))
    ocfl.read_head(each)
    return _Pair(each.source, each.inventory, each.digest) if each.inventory else None


def _structure(sink: Sink[Any], judged: Judged, pair: _Pair) -> Iterator[Item]:
    prefix, head, name = judged.prefix, pair.inventory.head, judged.name
    # Between a commit and what follows it, the root still shows the version before.
    stale = _noted(sink, f"{prefix}v{head - 1}/{SIDECAR}") if head > 1 else ""
    old = frozenset([stale] if stale else [])
    old_sidecar = frozenset(hashlib.sha256(sidecar(each)).hexdigest() for each in old)
    yield Item.of(prefix + DECLARATION, _DECLARED, name)
    first, source = head == 1, prefix + pair.where + INVENTORY
    for where, stale_digests, late in ((f"v{head}/", frozenset[str](), False), ("", old, first)):
        size = judged.files[pair.where + INVENTORY].size
        here = prefix + where + INVENTORY
        yield Item(here, name, size, frozenset([pair.digest]), twin=source, stale=stale_digests, late=late)
    right = sidecar(pair.digest)
    yield Item.of(f"{prefix}v{head}/{SIDECAR}", right, name, late=True)
    yield Item.of(prefix + SIDECAR, right, name, stale=old_sidecar, late=first)
    for number in range(1, head):
        where = f"{prefix}v{number}/{INVENTORY}"
        stat = judged.files.get(f"v{number}/{INVENTORY}")
        yield Item(where, name, stat.size if stat else 0, seal=f"{prefix}v{number}/{SIDECAR}")


def _noted(sink: Sink[Any], path: str) -> str:
    with suppress(MissingError, DamageError):
        return sidecar_digest(ocfl.read(sink, path, 1024))
    return ""


def _content(judged: Judged, inventory: Inventory) -> Iterator[Item]:
    for digest, paths in inventory.manifest.items():
        for path in paths:
            stat = judged.files.get(path)
            created = str(inventory.versions[path.partition("/")[0]].get("created", ""))
            size, known = stat.size if stat else 0, frozenset([digest])
            yield Item(judged.prefix + path, judged.name, size, known, created=created, key=digest)


def _unnamed(judged: Judged) -> Iterator[str]:
    """Name what no inventory names; what a run is making of the next version is no stranger."""
    assert judged.inventory is not None
    named = {item.path for item in judged.items} | {item.seal for item in judged.items}
    for path in judged.files:
        is_next = version_number(path.partition("/")[0]) == judged.inventory.head + 1
        if judged.prefix + path not in named and not is_next:
            yield judged.prefix + path
