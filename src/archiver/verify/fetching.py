"""Bring bytes that prove right to this machine, and put them where they belong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archiver import ocfl, seal
from archiver.contracts import Blob, Sink
from archiver.errors import DamageError, SinkError
from archiver.ocfl import blob
from archiver.verify.objects import sidecar_digest

_CHUNK = 1 << 20
#: Run reports, journals and extracted texts are small.
_SMALL = 64 << 20


@dataclass(frozen=True)
class Pair:
    """A value whose own digest, which lies beside it, proves it."""

    sink: str
    data: bytes
    digest: str


def copy(sink: Sink[Any], path: str, digest: str, into: Path) -> Blob | None:
    """Read a value into a file of this machine; None unless it has that SHA-256."""
    found, size = hashlib.sha256(), 0
    target = into / "copy"
    try:
        with sink.open(path) as stream, target.open("wb") as file:
            while chunk := stream.read(_CHUNK):
                found.update(chunk)
                size += file.write(chunk)
    except (SinkError, DamageError):
        return None  # that copy cannot be had; there may be another one
    return Blob(size, digest, path=target) if found.hexdigest() == digest else None


def put(sink: Sink[Any], path: str, value: Blob) -> None:
    """Put a value over the damaged one, all or nothing, or where one is missing. Raises `SinkError`."""
    held = sink.stat(path)
    if held is None:
        sink.create(path, value)
    else:
        sink.replace(path, value, expected=held.token)


def put_bytes(sink: Sink[Any], path: str, data: bytes) -> None:
    """Put a small value."""
    put(sink, path, blob(data))


def small(sink: Sink[Any], path: str) -> bytes | None:
    """Read a small value; None when it cannot be had."""
    with suppress(SinkError, DamageError):
        return ocfl.read(sink, path, _SMALL)
    return None


def allowed(sink: Sink[Any], path: str) -> tuple[str, ...]:
    """Give the digests that lie beside a value; none when they cannot be had."""
    with suppress(SinkError, DamageError):
        if path.startswith(ocfl.ROOT):
            found = sidecar_digest(ocfl.read(sink, f"{path}.sha256", 1024))
            return (found,) if found else ()
        return seal.read_seal(sink, path)
    return ()


def pairs(sinks: Iterable[tuple[str, Sink[Any]]], path: str) -> Iterable[Pair]:
    """Give the same value of other sinks, where its own digest proves it."""
    for name, sink in sinks:
        data = small(sink, path)
        if data is not None and (digest := hashlib.sha256(data).hexdigest()) in allowed(sink, path):
            yield Pair(name, data, digest)
