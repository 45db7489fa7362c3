"""The worker: one task in, one outcome out. It shares nothing and writes nothing but its files."""

from __future__ import annotations

import errno
import hashlib
import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archiver import derive, examine, instances, ocfl, pointers, previews, seal, staging, vetting
from archiver.contracts import Blob, Sink, Source
from archiver.errors import (
    ArchiverError,
    ExistsError,
    FatalError,
    InvalidError,
    SinkError,
    SourceError,
    TransientError,
)
from archiver.instances import Workshop
from archiver.ledger import Problem, StoredFile
from archiver.masking import text_of
from archiver.model import Fetched, Material
from archiver.previews import Wanted
from archiver.staging import Staged
from archiver.threads import Stopped

_LOG = logging.getLogger("archiver")
#: Seconds: a service that asks for a longer pause is left alone until the next run.
SOON = 60.0
_DISK_TROUBLES = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the files of a task go: a sink, and the path prefix of the version being made there.

    `have` are the paths of files of this material that the sink holds already.
    """

    sink: str
    content: str
    have: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Task:
    """Fetch one material and put it in every destination. Pure data.

    `known` are the files that the ledgers hold of it: the same bytes keep their name and place.
    `staging` is where to fetch into; None for the system's place for temporary files. `staging_sink`
    names the sink that it lies in, if any. With `pictures`, small ones are made while the bytes are here.
    """

    workshop: Workshop
    source: str
    material: Material
    reason: str
    destinations: tuple[Destination, ...]
    known: tuple[StoredFile, ...] = ()
    staging: Path | None = None
    staging_sink: str = ""
    type_name: str = ""
    pictures: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a task. `stored` names the sinks in which every byte is proven."""

    task: Task
    material: Material
    files: tuple[StoredFile, ...] = ()
    stored: tuple[str, ...] = ()
    problem: Problem | None = None
    transient: bool = False
    sink_errors: dict[str, SinkError] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)


def work(task: Task, note: Callable[[int, int | None], None] = staging.nobody) -> Outcome:
    """Fetch, prove and put one material. Raises nothing but `Stopped`, where `note` does."""
    started = time.monotonic()
    with staging.desk(note):
        try:
            with staging.directory(task.staging) as into:
                outcome = _carry(task, instances.of(task.workshop), into)
        except Stopped:
            raise
        except BaseException as error:  # noqa: BLE001  # a plugin may raise anything, SystemExit too
            outcome = _staging_failed(task, error) or _failed(task, error)
    return replace(outcome, seconds=time.monotonic() - started)


def _carry(task: Task, made: instances.Instances, into: Path) -> Outcome:
    material, fetched = _fetch(made.source(task.source), task.material, into)
    staged = staging.collect(into, fetched, material, task.type_name, task.known)
    fresh = [item for item in staged if item.stored not in task.known]
    derived = {path: ocfl.blob(text) for path, text in _texts(fresh).items()}
    needed = [*previews.wanted(material.kind, [item.stored for item in fresh])] if task.pictures else []
    if not needed:
        return _stored(task, made, material, staged, derived)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=task.staging) as folder:
        derived |= _pictures(needed, {item.stored.path: item.local for item in fresh}, Path(folder))
        return _stored(task, made, material, staged, derived)


def _stored(
    task: Task,
    made: instances.Instances,
    material: Material,
    staged: Sequence[Staged],
    derived: Mapping[str, Blob],
) -> Outcome:
    stored: list[str] = []
    errors: dict[str, SinkError] = {}
    for number, destination in enumerate(task.destinations, 1):
        last = number == len(task.destinations)
        try:
            _put(made.sink(destination.sink), destination, staged, derived, movable=last)
            stored.append(destination.sink)
        except SinkError as error:
            _see_unchanged(staged, error)
            errors[destination.sink] = error
    files = tuple(item.stored for item in staged)
    return Outcome(task, material, files, tuple(stored), sink_errors=errors)


def _see_unchanged(staged: Iterable[Staged], error: SinkError) -> None:
    """Tell a sink that fails from bytes that changed before it had them. Raises `InvalidError` for these.

    A thread or a program that a fetch left behind may write there still: every other item is fine then.
    """
    for item in staged:
        if staging.is_changed(item):
            raise InvalidError(
                f"{item.local.name[:200]!r} changed after the source had brought it",
                hint="something that the source started writes on: it has to end before the fetch does",
            ) from error


def _fetch(source: Source[Any, Any], material: Material, into: Path) -> tuple[Material, list[Fetched]]:
    files: list[Fetched] = []
    for item in vetting.each(source, "fetch", source.fetch(material, into)):
        if isinstance(item, Fetched):
            files.append(item)
            continue
        fuller = vetting.material(item, "a Fetched, or of the material once more")
        if fuller.id != material.id:
            raise InvalidError(f"asked for {material.id}, the source answered with {fuller.id}")
        # The page may tell more of it, but not move it to another event.
        event, talk = material.event, material.talk or fuller.talk
        if (event, talk) != (fuller.event, fuller.talk):
            fuller = replace(fuller, event=event, talk=talk)
        material = pointers.with_marks(fuller, material)
    return material, files


def _texts(staged: Iterable[Staged]) -> dict[str, bytes]:
    """Extract text while the bytes are here: path under `derived/` → UTF-8."""
    texts = {}
    for item in staged:
        text = examine.text(item.local, item.stored.media_type)
        if text:
            texts[derive.path(item.stored.sha256)] = text.encode("utf-8", "replace")
    return texts


def _pictures(
    needed: Iterable[tuple[StoredFile, Wanted]], local: Mapping[str, Path], folder: Path
) -> dict[str, Blob]:
    """Draw what pages show of a material into a folder: path under `derived/` → file."""
    pictures: dict[str, Blob] = {}

    def keep(path: str, data: bytes) -> None:
        file = folder / str(len(pictures))
        file.write_bytes(data)
        pictures[path] = Blob(len(data), hashlib.sha256(data).hexdigest(), path=file)

    for file, each in needed:
        previews.make(each, local[file.path], keep)
    return pictures


def _put(
    sink: Sink[Any],
    destination: Destination,
    staged: Sequence[Staged],
    derived: Mapping[str, Blob],
    *,
    movable: bool,
) -> None:
    for path, value in derived.items():
        try:
            seal.create(sink, path, value)
        except ExistsError:
            # Derived from the same bytes by the same recipe, unless a power cut tore it.
            held = sink.stat(path)
            if held is None or held.size != value.size or sink.stat(seal.of(path)) is None:
                seal.replace(sink, path, value)
    for item in staged:
        if item.stored.path not in destination.have:
            _put_file(sink, destination.content + item.stored.path, item, movable=movable)


def _put_file(sink: Sink[Any], path: str, item: Staged, *, movable: bool) -> None:
    try:
        sink.create(path, item.blob(movable=movable))
    except ExistsError:
        # Left by a killed run. The name holds the digest, so other bytes can only be a torn write,
        # and nothing of this version is committed yet: write it again.
        if ocfl.digest(sink, path) != item.stored.sha256:
            sink.replace(path, item.blob(movable=False))


def _failed(task: Task, error: BaseException) -> Outcome:
    told = _as_source_error(task, error)
    reason = pointers.reason_of(told, task.material)
    problem = Problem(reason, str(told), task.material.revision)
    return Outcome(task, task.material, problem=problem, transient=_is_passing(error))


def _is_passing(error: BaseException) -> bool:
    pause = getattr(error, "retry_after", None)
    return isinstance(error, TransientError) and not (isinstance(pause, int | float) and pause > SOON)


def _staging_failed(task: Task, error: BaseException) -> Outcome | None:
    """Tell a full or read-only working directory from the troubles of an item; None when it is one."""
    cause = error.__cause__ if isinstance(error, SourceError) else error
    if not isinstance(cause, OSError) or not _is_ours(task, cause):
        return None
    message = f"the working directory failed: {cause.strerror}"
    if not task.staging_sink:
        hint = "free some space there, or name another directory as `staging` under `archive`"
        return _failed(task, FatalError(message, hint=hint))
    # It lies inside a sink: this is the sink's trouble, and every other item would meet it too.
    hint = "free some space on that disk, or make it writable; then run again: what is stored stays stored"
    return Outcome(task, task.material, sink_errors={task.staging_sink: SinkError(message, hint=hint)})


def _is_ours(task: Task, cause: OSError) -> bool:
    """Say whether it is the working directory that fails, and not a file of the source's own."""
    place = Path(cause.filename) if isinstance(cause.filename, str | Path) else None
    if place is None or task.staging is None:
        return cause.errno in _DISK_TROUBLES
    if task.staging in {place, place.parent}:
        return True  # it could not even be made
    return cause.errno in _DISK_TROUBLES and place.is_relative_to(task.staging)


def _as_source_error(task: Task, error: BaseException) -> SourceError:
    mask = task.workshop.mask
    if isinstance(error, SourceError):
        return mask.error(error)
    if isinstance(error, ArchiverError):
        return FatalError(mask(error.message), hint=mask(error.hint))
    _LOG.debug("source %s failed on %s:\n%s", task.source, task.material.id, mask.traceback(error))
    hint = "this looks like a fault of the source's plugin; run with -v for the details"
    if isinstance(error, OSError) and error.errno == errno.EIO:
        hint = "a disk fails: that of this machine, or the one that the files come from; see the system's log"
    return FatalError(
        mask(f"source {task.source} failed: {type(error).__name__}: {text_of(error)}"), hint=hint
    )
