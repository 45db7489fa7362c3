"""Digests beside what lies outside OCFL objects, so that a flipped bit in any of it is found.

`runs/….json` has `runs/….json.sha256` beside it, and so on: one line as `sha256sum` writes it, with the
name in the same folder, so that `sha256sum --check` proves it without this program. OCFL covers the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from archiver.contracts import Blob, Sink
from archiver.errors import DamageError, ExistsError, MissingError
from archiver.ocfl_object import blob, read

SUFFIX = ".sha256"
#: A seal larger than this is not ours: it has two lines at most.
_BYTES = 4096
_LINE = re.compile(rb"([0-9a-f]{64})  ([^\n]+)\n")


def of(path: str) -> str:
    """Say where the seal of a value lies."""
    return path + SUFFIX


def text(path: str, digests: Iterable[str]) -> bytes:
    """Write a seal: one line for each digest that the value may have."""
    name = path.rpartition("/")[2]
    return "".join(f"{digest}  {name}\n" for digest in digests).encode()


def parse(path: str, data: bytes) -> tuple[str, ...]:
    """Read the seal of `path`: the digests that it allows. Raises `DamageError` for anything else."""
    digests = tuple(found[1].decode() for found in _LINE.finditer(data))
    # Written again and compared as a whole: not one bit of it may differ.
    if not 1 <= len(digests) <= 2 or text(path, digests) != data:
        raise DamageError(
            f"{of(path)} is not the digest of its neighbour any more",
            hint="restore both from another sink: archive verify --repair",
        )
    return digests


def read_seal(sink: Sink[Any], path: str) -> tuple[str, ...]:
    """Give the digests that a value may have; none when it was never sealed. Raises `DamageError`."""
    try:
        return parse(path, read(sink, of(path), _BYTES))
    except MissingError:
        return ()


def put(sink: Sink[Any], path: str, digest: str) -> None:
    """Seal a value that is there."""
    sink.replace(of(path), blob(text(path, [digest])))


def create(sink: Sink[Any], path: str, value: Blob) -> None:
    """Create a value and its seal. Raises `ExistsError` when the value is there."""
    sink.create(path, value)
    try:
        sink.create(of(path), blob(text(path, [value.sha256])))
    except ExistsError:  # of a value that a power cut took away
        put(sink, path, value.sha256)


def replace(sink: Sink[Any], path: str, value: Blob, *, settled: bool = False) -> None:
    """Put a value and its seal over what is there.

    Killed in the middle, the seal allows both the old value and the new one: nothing looks damaged. When
    `settled`, each step is synced before the next one, so the same is true of a power cut.
    """
    sync = sink.flush if settled else _pass
    try:
        before = read_seal(sink, path)
    except DamageError:
        before = ()
    if before and value.sha256 not in before:
        sink.replace(of(path), blob(text(path, [value.sha256, before[0]])))
        sync()
    sink.replace(path, value)
    sync()
    if before != (value.sha256,):
        put(sink, path, value.sha256)
        sync()


def _pass() -> None:
    """Leave it to the next flush."""
