"""Hold values against what proves them."""

from __future__ import annotations

from archiver import ocfl, seal
from archiver.errors import DamageError, MissingError
from archiver.verify.findings import Finding, What
from archiver.verify.items import Item
from archiver.verify.objects import sidecar_digest
from archiver.verify.reading import Reader, UnreadableError

_REPAIR = "restore it from another sink: archive verify --repair"
_HEALED = "nothing has to be done: the next run makes it anew"
_SEALED = "archive verify --repair makes it anew, or notes what it is now"
#: What S3 answers for an object in an archive tier: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
_COLD = "InvalidObjectState"


def check(reader: Reader, item: Item) -> Finding | None:
    """Prove one value; None when it is what was stored.

    Raises `SinkError` when the whole sink does not answer, `GivenUpError` when it was stopped.
    """
    right = item.digests or _sealed(reader, item)
    if isinstance(right, Finding):
        return right
    name = reader.sink.context.name
    try:
        return _compared(name, item, right, reader.digest(item.path))
    except UnreadableError as error:
        return _unreadable(name, item.path, error)
    except MissingError:
        if item.late:
            return Finding(
                name, item.path, What.UNFINISHED, "a run was cut off before it wrote this", _HEALED
            )
        return Finding(name, item.path, What.MISSING, "it is not there any more", _REPAIR)


def _compared(name: str, item: Item, right: frozenset[str], found: str) -> Finding | None:
    if found in right:
        return None
    if found in item.stale:
        return Finding(name, item.path, What.UNFINISHED, "it is of the version before", _HEALED)
    detail = f"its SHA-256 is {found} instead of {' or '.join(sorted(right))}"
    return Finding(name, item.path, What.DAMAGED, detail, _REPAIR)


def _sealed(reader: Reader, item: Item) -> frozenset[str] | Finding:
    """Read what the seal allows."""
    name, path = reader.sink.context.name, item.seal
    if not path:
        return Finding(name, item.path, What.UNSEALED, "nothing says what it should be", _SEALED)
    try:
        data = reader.read(path)
        if not item.path.startswith(ocfl.ROOT):
            return frozenset(seal.parse(item.path, data))
        if digest := sidecar_digest(data):
            return frozenset([digest])
    except MissingError:
        return Finding(name, path, What.MISSING, "the digest of its neighbour is not there any more", _REPAIR)
    except UnreadableError as error:
        return _unreadable(name, path, error)
    except DamageError:
        pass
    return Finding(name, path, What.DAMAGED, "it is no digest of its neighbour any more", _REPAIR)


def _unreadable(name: str, path: str, error: UnreadableError) -> Finding:
    if _COLD in error.message:
        return Finding(
            name, path, What.OFFLINE, "its store keeps it in an archive tier: not verified", error.hint
        )
    return Finding(name, path, What.UNREADABLE, error.message, error.hint or _REPAIR)
