"""Carry one file from the sinks that have it to one that lacks it; nothing counts before it is proven."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from archiver import ocfl, seal
from archiver.budget import Budget
from archiver.contracts import Blob, Sink, Stat
from archiver.errors import ArchiverError, DamageError, ExistsError, InvalidError, MissingError, SinkError
from archiver.replicate.needs import Holder, Need
from archiver.threads import Stopped

_CHUNK = 1 << 20
#: Files up to this size wait in memory for their put; larger ones in a file.
_IN_MEMORY = 8 << 20


@dataclass(frozen=True)
class Desk:
    """Where files wait on their way: a directory (None: the system's), its budget, and who may say stop."""

    staging: Path | None = None
    budget: Budget = field(default_factory=Budget)
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One file to carry: what is lacked, by which sink, where to put it there, and who has it.

    `there` says that something lies at that place already, left by a run that was killed. `derived` is
    what the holders have that was made from this file, and the sink has not: holder → paths.
    """

    need: Need
    sink: Sink[Any]
    content: str
    holders: tuple[Holder, ...]
    there: bool = False
    derived: Mapping[str, Sequence[Stat]] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Say under which path of the sink the file belongs."""
        return self.content + self.need.path


@dataclass
class Carried:
    """What became of a parcel. `stored` says that the bytes are proven in the sink.

    `damage` tells by sink which of its bytes are not what they should be, `failed` which sinks could not
    be used; `problem` is why it could not be carried although all of these are well.
    """

    parcel: Parcel
    stored: bool = False
    resumed: bool = False
    damage: dict[str, str] = field(default_factory=dict)
    failed: dict[str, SinkError] = field(default_factory=dict)
    problem: str = ""


def carry(parcel: Parcel, desk: Desk) -> Carried:
    """Carry one file, trying one holder after the other. Raises nothing but `Stopped`."""
    done = Carried(parcel)
    try:
        if parcel.there and ocfl.digest(parcel.sink, parcel.where) == parcel.need.sha256:
            done.stored = done.resumed = True
            return done
        for holder in parcel.holders:
            if _from(holder, done, desk):
                break
    except ArchiverError as error:
        done.failed[parcel.sink.context.name] = _as_sink_error(error)
    except OSError as error:
        done.failed[parcel.sink.context.name] = SinkError(
            f"the working directory failed: {error.strerror or error}",
            hint="free some space there, or name another directory as `staging` under `archive`",
        )
    return done


def _from(holder: Holder, done: Carried, desk: Desk) -> bool:
    """Carry it from one holder; say whether no other needs to be asked."""
    parcel = done.parcel
    try:
        with _proven(holder, parcel.need.sha256, desk) as blob:
            _carry_derived(parcel, holder, desk)
            with _writing():
                _put(parcel.sink, parcel.where, blob)
    except _WritingError as error:
        raise error.error from error
    except InvalidError as error:
        done.problem = str(error)
        return True
    except (DamageError, MissingError) as error:
        done.damage[holder.name] = error.message
        return False
    except SinkError as error:
        done.failed[holder.name] = error
        return False
    done.stored = True
    return True


class _WritingError(Exception):
    """A fault of the sink that is written to, told apart from one of the sink that is read."""

    def __init__(self, error: ArchiverError) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except ArchiverError as error:
        raise _WritingError(error) from error


def _as_sink_error(error: ArchiverError) -> SinkError:
    return error if isinstance(error, SinkError) else SinkError(error.message, hint=error.hint)


@contextmanager
def _proven(holder: Holder, sha256: str, desk: Desk) -> Iterator[Blob]:
    """Give bytes of a holder once they are seen to have this SHA-256.

    Raises `MissingError` or `DamageError` about the holder, `InvalidError` when they are larger than
    what may wait on disk.
    """
    if holder.size <= _IN_MEMORY:
        data = bytearray()
        _read(holder, sha256, data.extend, desk.stop)
        yield Blob(len(data), sha256, data=bytes(data))
    elif holder.sink.local_root is not None:
        _read(holder, sha256, len, desk.stop)
        # Read in place: the sink that takes it compares the digest once more.
        yield Blob(holder.size, sha256, path=holder.sink.local_root / holder.where)
    else:
        with desk.budget.room(holder.size, desk.stop), _file(desk.staging) as path:
            with path.open("wb") as target:
                _read(holder, sha256, target.write, desk.stop)
            yield Blob(holder.size, sha256, path=path, movable=True)


@contextmanager
def _file(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="copy-", dir=folder, ignore_cleanup_errors=True) as made:
        yield Path(made, "file")


def _read(holder: Holder, sha256: str, take: Callable[[bytes], object], stop: threading.Event) -> None:
    with holder.sink.open(holder.where) as stream:
        found, size = _through(stream, holder.size, take, stop)
    if (found, size) != (sha256, holder.size):
        raise DamageError(f"{holder.where} does not have the SHA-256 that its inventory names")


def _through(
    stream: BinaryIO, size: int, take: Callable[[bytes], object], stop: threading.Event
) -> tuple[str, int]:
    """Pass bytes on and hash them, one byte more than `size` at most: it may be larger by now."""
    digest, left = hashlib.sha256(), size + 1
    while left and (chunk := stream.read(min(_CHUNK, left))):
        if stop.is_set():
            raise Stopped
        digest.update(chunk)
        take(chunk)
        left -= len(chunk)
    return digest.hexdigest(), size + 1 - left


def _put(sink: Sink[Any], path: str, blob: Blob) -> None:
    try:
        sink.create(path, blob)
    except ExistsError:
        # Left by a killed run. Nothing of this version is committed yet: if it is torn, write it again.
        if ocfl.digest(sink, path) != blob.sha256:
            sink.replace(path, blob)


def _carry_derived(parcel: Parcel, holder: Holder, desk: Desk) -> None:
    """Carry what was made from the file: before the file, so that where that lies, this lies too.

    What is lost or damaged is passed over: it can be made again from the file.
    """
    for stat in parcel.derived.get(holder.name, ()):
        data = bytearray()
        try:
            sealed = seal.read_seal(holder.sink, stat.path)
            with holder.sink.open(stat.path) as stream:
                found, size = _through(stream, stat.size, data.extend, desk.stop)
        except (MissingError, DamageError):
            continue
        if size == stat.size and (not sealed or found in sealed):
            with _writing():
                _put_derived(parcel.sink, stat.path, Blob(size, found, data=bytes(data)))


def _put_derived(sink: Sink[Any], path: str, made: Blob) -> None:
    try:
        seal.create(sink, path, made)
    except ExistsError:
        # Left torn by a power cut: what is whole is not carried.
        seal.replace(sink, path, made)
