"""Hold what plugins say to the types of the contract, and bound what goes into the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archiver.errors import FatalError, SourceError
from archiver.model import Checkpoint, Kind, Material, Unavailable
from archiver.redact import mask_parameters, secret_parameters

#: Characters of an id or a revision. Longer ones are refused: cut short, two could become one.
MAX_ID = 2_000
#: Characters of a title, an address, a description; more is cut off.
MAX_TITLE, MAX_URL, MAX_TEXT = 1_000, 8_000, 100_000
#: Entries of a list, characters of all values of `extra`, characters of a cursor.
MAX_NAMES, MAX_EXTRA, MAX_CURSOR = 200, 65_536, 1_048_576

_BOUNDS = {
    "title": MAX_TITLE,
    "url": MAX_URL,
    "event": MAX_TITLE,
    "talk": MAX_TITLE,
    "date": 100,
    "description": MAX_TEXT,
    "licence": MAX_TITLE,
    "language": 100,
}
_HINT = "this is a fault of the source's plugin: report it to whoever wrote it"


def material(given: object) -> Material:
    """Return a material of right types and bounded size. Raises `FatalError` naming what is wrong.

    Secrets in the parameters of its address are masked: pages show that address to everybody.
    """
    if not isinstance(given, Material):
        raise FatalError(f"something of type {type(given).__name__} came instead of a material", hint=_HINT)
    if not isinstance(given.id, str) or not 0 < len(given.id) <= MAX_ID:
        raise FatalError(f"a material has no usable id: {given.id!r:.100}", hint=_HINT)
    texts = {name: _text(given, name)[:limit] for name, limit in _BOUNDS.items()}
    texts["url"] = mask_parameters(texts["url"])
    if len(_text(given, "revision")) > MAX_ID:
        raise _wrong(given, "revision", f"at most {MAX_ID} characters")
    return replace(
        given,
        kind=_kind(given),
        authors=_names(given, "authors"),
        tags=_names(given, "tags"),
        size=_size(given),
        extra=_extra(given),
        **texts,
    )


def secrets(given: Material) -> dict[str, str]:
    """Name a secret parameter for each of `id` and `url` that carries one."""
    texts = {"id": given.id, "url": given.url}
    found = {name: secret_parameters(text) for name, text in texts.items() if isinstance(text, str)}
    return {name: first[0] for name, first in found.items() if first}


def unavailable(given: Unavailable) -> tuple[Material, SourceError]:
    """Return the two parts of an `Unavailable`, checked; an error of another kind becomes a fatal one."""
    error: object = given.error
    if not isinstance(error, SourceError):
        error = FatalError(f"{type(error).__name__}: {error}")
    return material(given.material), error


def checkpoint(given: Checkpoint) -> Checkpoint:
    """Return a checkpoint of right types. Raises `FatalError`."""
    if not isinstance(given.cursor, str) or len(given.cursor) > MAX_CURSOR:
        raise FatalError(f"a cursor is no text of at most {MAX_CURSOR} characters", hint=_HINT)
    if not isinstance(given.complete, bool):
        raise FatalError(f"a checkpoint says {given.complete!r:.100} for `complete`", hint=_HINT)
    return given


def _text(given: Material, name: str) -> str:
    value = getattr(given, name)
    if not isinstance(value, str):
        raise _wrong(given, name, "text")
    return value


def _kind(given: Material) -> Kind:
    try:
        return Kind(given.kind)
    except ValueError as error:
        raise _wrong(given, "kind", f"one of {', '.join(Kind)}") from error


def _names(given: Material, name: str) -> tuple[str, ...]:
    value: object = getattr(given, name)
    # A text is a sequence of texts too: authors="Ada Fan" would become seven authors.
    if not isinstance(value, tuple | list) or not all(isinstance(item, str) for item in value):
        raise _wrong(given, name, "a tuple of texts")
    return tuple(item[:MAX_TITLE] for item in value[:MAX_NAMES])


def _size(given: Material) -> int | None:
    size: object = given.size
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise _wrong(given, "size", "a number of bytes, or None")
    return size


def _extra(given: Material) -> dict[str, str]:
    extra: Any = given.extra
    if not isinstance(extra, Mapping):
        raise _wrong(given, "extra", "a mapping from text to text")
    if not all(isinstance(part, str) for item in extra.items() for part in item):
        raise _wrong(given, "extra", "a mapping from text to text")
    if sum(len(key) + len(value) for key, value in extra.items()) > MAX_EXTRA:
        raise _wrong(given, "extra", f"at most {MAX_EXTRA} characters in all")
    return dict(extra)


def _wrong(given: Material, name: str, expected: str) -> FatalError:
    value = repr(getattr(given, name))[:100]
    return FatalError(f"material {given.id[:100]!r} has {name} = {value}; expected {expected}", hint=_HINT)
