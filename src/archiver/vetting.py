"""Hold what plugins say to the types of the contract, and bound what goes into the ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from inspect import isasyncgen, iscoroutine
from pathlib import Path
from typing import Any, TypeVar

from archiver.errors import FatalError, SourceError
from archiver.model import Checkpoint, Fetched, Grade, Kind, Material, Role, Unavailable
from archiver.redact import mask_parameters, secret_parameters

_LOG = logging.getLogger("archiver")
_Word = TypeVar("_Word", bound=StrEnum)
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
#: What each method of a source may yield.
_YIELDS = {"discover": "Material, Unavailable and at last a Checkpoint", "fetch": "Fetched"}


def each(source: object, method: str, given: object) -> Iterator[Any]:
    """Go through what a method of a source gave. Raises `FatalError` when there is nothing to go through.

    Odd ones that were met: no `yield` and no `return`, a bare `Fetched`, an `async def`.
    """
    if isinstance(given, Iterable):
        return iter(given)
    told = "None" if given is None else f"something of type {type(given).__name__}"
    if iscoroutine(given):
        given.close()  # else Python warns on its own that nobody awaited it
    if iscoroutine(given) or isasyncgen(given):
        told += ": sources are not asynchronous"
    raise FatalError(
        f"`{method}` of {type(source).__name__} has to yield {_YIELDS[method]}, or return a list of them; "
        f"it returned {told}",
        hint=_HINT,
    )


def listed(name: str, source: object, given: object) -> Iterator[Any]:
    """Go through a listing: what it yields, unchecked, and at last its checkpoint, checked.

    A checkpoint ends a listing. What comes after it all the same is not lost: it is passed on, with a
    warning, and the listing then ends as one that is neither complete nor to be gone on from.
    """
    end: Checkpoint | None = None
    late = 0
    for item in each(source, "discover", given):
        if isinstance(item, Checkpoint):
            said = checkpoint(item)
            end = replace(end, complete=end.complete and said.complete) if end else said
            continue
        late += end is not None
        yield item
    if late:
        _LOG.warning(
            "source %s went on after its checkpoint, which has to come last: what it listed then is taken "
            "(%d), and the listing counts as not complete; %s",
            name,
            late,
            _HINT,
        )
        end = Checkpoint()
    if end is not None:
        yield end


def material(given: object, wanted: str = "a material") -> Material:
    """Return a material of right types and bounded size. Raises `FatalError` naming what is wrong.

    Secrets in the parameters of its address are masked: pages show that address to everybody. `wanted`
    is what might have come, for the message.
    """
    if not isinstance(given, Material):
        shown = f": {given!r:.100}" if isinstance(given, str | Path) else ""
        raise FatalError(
            f"something of type {type(given).__name__} came instead of {wanted}{shown}", hint=_HINT
        )
    if not isinstance(given.id, str) or not 0 < len(given.id) <= MAX_ID:
        raise FatalError(f"a material has no usable id: {given.id!r:.100}", hint=_HINT)
    texts = {name: _text(given, name)[:limit] for name, limit in _BOUNDS.items()}
    texts["url"] = mask_parameters(texts["url"])
    if len(_text(given, "revision")) > MAX_ID:
        raise _wrong(given, "revision", f"at most {MAX_ID} characters")
    right: dict[str, Any] = {
        **texts,
        "kind": _kind(given),
        "authors": _names(given, "authors"),
        "tags": _names(given, "tags"),
        "size": _size(given),
        "extra": _extra(given),
    }
    # Nearly always all is right already, and making one anew shows where there are thousands. But what a
    # plugin could still change, a mapping of its own, is copied.
    changes = {
        name: value
        for name, value in right.items()
        if value is not getattr(given, name) and (name == "extra" or value != getattr(given, name))
    }
    return replace(given, **changes) if changes else given


def secrets(given: Material) -> dict[str, str]:
    """Name a secret parameter for each of `id` and `url` that carries one."""
    texts = {"id": given.id, "url": given.url}
    found = {name: secret_parameters(text) for name, text in texts.items() if isinstance(text, str)}
    return {name: first[0] for name, first in found.items() if first}


def unavailable(given: Unavailable) -> tuple[Material, SourceError]:
    """Return the two parts of an `Unavailable`, checked; an error of another kind becomes a fatal one."""
    about, error = material(given.material), trouble(given)
    return about, given.error if error is None else error


def trouble(given: Unavailable) -> FatalError | None:
    """Say what is wrong with the error of an `Unavailable`: it decides what becomes of the material."""
    error: object = given.error
    if isinstance(error, SourceError):
        return None
    told = f"{type(error).__name__}: {error}"[:200]
    return FatalError(
        f"`Unavailable` came with {told!r}; its error has to be a SourceError, such as GoneError", hint=_HINT
    )


def fetched(given: Fetched) -> Fetched:
    """Return a file that a fetch named, of right types. Raises `FatalError` naming what is wrong."""
    path: object = given.path
    if not isinstance(path, str | Path):
        raise FatalError(f"a file has the path {path!r:.100}; expected a Path", hint=_HINT)
    for name in ("label", "media_type"):
        if not isinstance(getattr(given, name), str):
            told = f"{name} = {getattr(given, name)!r:.100}"
            raise FatalError(f"the file {str(path)[:100]!r} has {told}; expected text", hint=_HINT)
    role, grade = _one_of(Role, given, "role"), _one_of(Grade, given, "grade")
    if role is given.role and grade is given.grade:
        return given
    return replace(given, role=role, grade=grade)


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


def _one_of(words: type[_Word], given: Fetched, name: str) -> _Word:
    try:
        return words(getattr(given, name))
    except ValueError as error:
        told = f"the unknown {name} {getattr(given, name)!r:.100}: use one of {', '.join(words)}"
        raise FatalError(f"the file {str(given.path)[:100]!r} has {told}", hint=_HINT) from error


def _names(given: Material, name: str) -> tuple[str, ...]:
    value: object = getattr(given, name)
    # A text is a sequence of texts too: authors="Ada Fan" would become seven authors.
    if not isinstance(value, tuple | list) or not all(isinstance(item, str) for item in value):
        raise _wrong(given, name, "a tuple of texts")
    if value == ():
        return ()
    names = tuple(item[:MAX_TITLE] for item in value[:MAX_NAMES])
    return value if names == value else names


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
