"""One event out of the archive: chosen, described, copied with proof, and made visible at the end."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver import crate
from archiver.archive import ABOUT, COMMON, EVENT, Archive, Head
from archiver.audience import Clearance
from archiver.crate import Held, Placed
from archiver.errors import ArchiverError, ConfigError, DamageError, MissingError
from archiver.export import bag, targets
from archiver.export.bag import Sum
from archiver.export.choosing import chosen
from archiver.export.copying import BadCopyError, Copier
from archiver.export.targets import Target
from archiver.inventory import UNREADABLE

#: Times that an event is begun again because a copy turned out to be damaged while another sink has it.
_ATTEMPTS = 100


class ExportError(ArchiverError):
    """The export could not be written, or there is nothing to write."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asked for: below which directory, and in which form.

    With a `clearance` only what is cleared for the public is exported, described by `documents`.
    """

    folder: Path
    bagit: bool = False
    zipped: bool = False
    all_editions: bool = False
    clearance: Clearance | None = None
    documents: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict, hash=False)

    def target(self, event: str) -> Path:
        """Say where the export of an event will lie."""
        return self.folder / (f"{event}.zip" if self.zipped else event)


@dataclass(frozen=True, slots=True)
class Exported:
    """An export that is there now. `bytes` are those of the `files` of its materials.

    `damaged` names copies that were wrong, where another sink had the right one.
    """

    event: str
    title: str
    path: Path
    files: int
    bytes: int
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Content:
    """All that an export is made of, before anything is copied."""

    event: Mapping[str, Any]
    archive: Mapping[str, Any]
    files: tuple[Placed, ...]
    crate: bytes

    @property
    def size(self) -> int:
        return sum(placed.file.size for placed in self.files)


def check_targets(order: Order, events: Iterable[str]) -> None:
    """Refuse to write over anything. Raises `ConfigError` naming what is in the way."""
    for path in (order.target(event) for event in events):
        if os.path.lexists(path):
            raise ConfigError(
                f"{path} is there already", hint="give another directory with --to, or move it away first"
            )
    if os.path.lexists(order.folder) and not order.folder.is_dir():
        raise ConfigError(f"{order.folder} is not a directory", hint="give a directory with --to")


def export(
    archive: Archive,
    event: str,
    order: Order,
    *,
    begun: Callable[[int, int], None] | None = None,
    moved: Callable[[int], None] | None = None,
) -> Exported:
    """Export one event; `begun` is told the number of files and bytes, `moved` the bytes as they come.

    Raises `ExportError`, `ConfigError` when the target is there, `DamageError` naming the file, `SinkError`.
    """
    heads = sorted(archive.heads.values(), key=lambda head: head is not archive.best)
    content = _content(archive, heads, event, order)
    check_targets(order, [event])
    _check_outside(order.folder, heads)
    copier = Copier(heads, event, moved or _quiet)
    begun = begun or _quiet
    while True:
        begun(len(content.files), content.size)
        try:
            with _writing(order, event, content.size) as target:
                _fill(target, content, copier, bagit=order.bagit)
            break
        except BadCopyError as error:
            # Half of a file is in the zip by now: begin again, with another sink's copy.
            if not _go_on(copier, error, content.files):
                raise
    damaged = tuple(f"{where} in sink {name}" for name, where in sorted(copier.bad))
    title = str(content.event.get("title") or event)
    return Exported(event, title, order.target(event), len(content.files), content.size, damaged)


def _check_outside(folder: Path, heads: Iterable[Head]) -> None:
    """Refuse to write into the archive itself: strange directories there would make it invalid."""
    for head in heads:
        root = head.sink.local_root
        if root is not None and folder.resolve().is_relative_to(root.resolve()):
            raise ConfigError(
                f"{folder} lies inside sink {head.name}",
                hint="give a directory outside the archive with --to",
            )


def _quiet(*numbers: int) -> None:
    """Tell nobody."""


def _go_on(copier: Copier, error: BadCopyError, files: Iterable[Placed]) -> bool:
    """Note a bad copy; say whether every file can still be had from some sink."""
    copier.bad.add(error.bad)
    return len(copier.bad) < _ATTEMPTS and all(copier.has_other(placed.file) for placed in files)


def _content(archive: Archive, heads: list[Head], event: str, order: Order) -> _Content:
    known = archive.records if order.clearance is None else order.clearance.records(archive.records.values())
    records = [record for record in known.values() if record.material.event == event]
    editions = chosen(records, all_editions=order.all_editions)
    if not editions and order.clearance is not None:
        raise ExportError(f"nothing of {event} is cleared for the public", hint="see: archive consent")
    if not editions:
        raise ExportError(
            f"the archive holds no files of {event}",
            hint=f"collect them with: archive run {event}",
        )
    about, whole = _event(heads, event), _common(heads)
    if order.clearance is not None:
        told = order.documents
        about, whole = crate.event_of(told[event][EVENT], event), json.loads(told[COMMON][ABOUT])
    described = crate.crate(about, editions, otherwise="", archive=whole)
    return _Content(about, whole, _files(editions), described)


def _files(editions: Iterable[Held]) -> tuple[Placed, ...]:
    return tuple(sorted((p for each in editions for p in each.files), key=lambda placed: placed.path))


def _event(heads: Iterable[Head], event: str) -> Mapping[str, Any]:
    return crate.event_of(_document(heads, event, EVENT), event)


def _common(heads: Iterable[Head]) -> Mapping[str, Any]:
    try:
        data = json.loads(_document(heads, COMMON, ABOUT))
    except UNREADABLE:
        return {}
    return data if isinstance(data, dict) else {}


def _document(heads: Iterable[Head], name: str, path: str) -> bytes:
    """Read a metadata file from the first sink where it is whole. Raises `DamageError` when it is nowhere."""
    problem: ArchiverError | None = None
    for head in heads:
        target = head.object(name)
        try:
            if path in target.state:
                return target.read(path)
        except DamageError as error:
            problem = error
        except MissingError as error:
            problem = DamageError(error.message, hint="restore that file from a copy of the archive")
    if problem is not None:
        raise problem
    return b""


def _fill(target: Target, content: _Content, copier: Copier, *, bagit: bool) -> None:
    prefix = bag.PAYLOAD if bagit else ""
    sums = [_put(target, prefix + crate.FILE_NAME, content.crate)]
    for placed in content.files:
        path = prefix + placed.path
        with target.file(path, placed.file.size) as stream:
            copier.copy(placed.file, stream)
        sums.append(Sum(path, placed.file.size, placed.file.sha256))
    if bagit:
        for path, data in bag.tag_files(sums, content.event, content.archive).items():
            _put(target, path, data)


def _put(target: Target, path: str, data: bytes) -> Sum:
    with target.file(path, len(data)) as stream:
        stream.write(data)
    return Sum(path, len(data), hashlib.sha256(data).hexdigest())


@contextmanager
def _writing(order: Order, event: str, size: int) -> Iterator[Target]:
    """Open the target; what goes wrong with it is told with its name. Raises `ExportError`."""
    try:
        order.folder.mkdir(parents=True, exist_ok=True)
        _check_space(order.folder, size)
        with _target(order, event) as target:
            yield target
    except OSError as error:
        raise _error(order.target(event), error) from error


def _target(order: Order, event: str) -> AbstractContextManager[Target]:
    final = order.target(event)
    return targets.zip_file(final, event) if order.zipped else targets.folder(final)


def _check_space(folder: Path, size: int) -> None:
    """See at once that a disk is too small. Raises `OSError`."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OSError(errno.ENOSPC, f"{size:,} bytes are needed, {free:,} are free")


def _error(path: Path, error: OSError) -> ArchiverError:
    if isinstance(error, FileExistsError):
        return ConfigError(f"{path} is there already", hint="give another directory with --to")
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    hint = "make room there or give another directory with --to" if full else "see whether it can be written"
    return ExportError(
        f"{path} could not be written: {error.strerror or error}", hint=f"{hint}; nothing was left there"
    )
