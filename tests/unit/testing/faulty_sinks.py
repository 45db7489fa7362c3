"""Sinks with one fault each, a few lines away from the sink `disk`, by the promise that they break."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from archiver.api import Blob, ConflictError, ExistsError, MissingError, SinkError, Stat
from archiver_plugins.disk import DiskSink

#: The faulty twin of each promise.
TWINS: dict[str, type[DiskSink]] = {}
MEETING = threading.Barrier(16)


def breaks(promise: str) -> Callable[[type[DiskSink]], type[DiskSink]]:
    def keep(kind: type[DiskSink]) -> type[DiskSink]:
        assert promise not in TWINS
        TWINS[promise] = kind
        return kind

    return keep


def blob_of(data: bytes) -> Blob:
    return Blob(len(data), hashlib.sha256(data).hexdigest(), data=data)


@breaks("test_check_leaves_no_trace")
class Marking(DiskSink):
    def check(self) -> None:
        self.prepare()
        super().replace("checked", blob_of(b"yes"))


@breaks("test_what_is_created_can_be_read")
class Anonymous(DiskSink):
    def create(self, path: str, blob: Blob) -> Stat:
        return replace(super().create(path, blob), token="")


@breaks("test_an_empty_value")
class Stuffing(DiskSink):
    def create(self, path: str, blob: Blob) -> Stat:
        return super().create(path, blob if blob.size else blob_of(b"\0"))


@breaks("test_created_from_a_file")
class Greedy(DiskSink):
    def create(self, path: str, blob: Blob) -> Stat:
        return super().create(path, replace(blob, movable=blob.path is not None))


@breaks("test_created_once_only")
class Forgiving(DiskSink):
    def create(self, path: str, blob: Blob) -> Stat:
        held = self.stat(path)
        return held if held and held.size == blob.size else super().create(path, blob)


@breaks("test_replace")
class Constant(DiskSink):
    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        return replace(super().replace(path, blob, expected=expected), token="always")


@breaks("test_swap")
class Distrustful(DiskSink):
    def list(self, prefix: str) -> Iterator[Stat]:
        return (replace(stat, token=stat.token + "-listed") for stat in super().list(prefix))


@breaks("test_swap_after_somebody_wrote")
class Careless(DiskSink):
    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        return super().replace(path, blob, expected=expected if self.stat(path) is None else None)


@breaks("test_swap_of_what_is_not_there")
class Generous(DiskSink):
    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        return super().replace(path, blob, expected=expected if self.stat(path) else None)


@breaks("test_missing")
class Absentminded(DiskSink):
    def open(self, path: str, start: int = 0) -> BinaryIO:
        try:
            return super().open(path, start)
        except MissingError:
            return io.BytesIO()


@breaks("test_open_from_an_offset")
class Whole(DiskSink):
    def open(self, path: str, start: int = 0) -> BinaryIO:
        return super().open(path, min(start, 3))


class Gulp(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        del size
        return super().read()


@breaks("test_reads_in_pieces")
class Gulping(DiskSink):
    def open(self, path: str, start: int = 0) -> BinaryIO:
        with super().open(path, start) as stream:
            return Gulp(stream.read())


@breaks("test_odd_keys")
class Plain(DiskSink):
    def create(self, path: str, blob: Blob) -> Stat:
        return super().create(path.encode("ascii", "replace").decode(), blob)


@breaks("test_list_by_prefix")
class Foldered(DiskSink):
    def list(self, prefix: str) -> Iterator[Stat]:
        return super().list(prefix if not prefix or prefix.endswith("/") else f"{prefix}/")


@breaks("test_list_tells_what_stat_tells")
class Estimating(DiskSink):
    def list(self, prefix: str) -> Iterator[Stat]:
        return (replace(stat, size=0) for stat in super().list(prefix))


@breaks("test_many_keys")
class Paging(DiskSink):
    def list(self, prefix: str) -> Iterator[Stat]:
        return (stat for number, stat in enumerate(super().list(prefix)) if number < 1000)


@breaks("test_a_torn_write_leaves_nothing")
class Torn(DiskSink):
    def create(self, path: str, blob: Blob) -> Stat:
        try:
            return super().create(path, blob)
        except SinkError:
            if blob.path and blob.path.name == "half":
                super().create(path, blob_of(blob.path.read_bytes()))
            raise


@breaks("test_a_wrong_digest_is_refused")
class Believing(DiskSink):
    def create(self, path: str, blob: Blob) -> Stat:
        with blob.open() as stream:
            return super().create(path, blob_of(stream.read()))


@breaks("test_a_movable_file")
class Linking(DiskSink):
    def create(self, path: str, blob: Blob) -> Stat:
        made = super().create(path, replace(blob, movable=False))
        if blob.movable and blob.path:
            stored = self.local_root / path  # type: ignore[operator]  # a disk always has one
            stored.unlink()
            stored.hardlink_to(blob.path)
        return made


@breaks("test_a_movable_file_is_given_back")
class Keeping(DiskSink):
    def create(self, path: str, blob: Blob) -> Stat:
        try:
            return super().create(path, blob)
        except ExistsError:
            if blob.movable and blob.path:
                blob.path.unlink()
            raise


@breaks("test_a_big_value_in_little_memory")
class Hungry(DiskSink):
    def open(self, path: str, start: int = 0) -> BinaryIO:
        with super().open(path, start) as stream:
            return io.BytesIO(stream.read())


@breaks("test_one_of_sixteen_creates_wins")
class Racing(DiskSink):
    def create(self, path: str, blob: Blob) -> Stat:
        if not path.startswith("race/"):
            return super().create(path, blob)
        taken = self.stat(path) is not None
        MEETING.wait(30)
        if taken:
            raise ExistsError(path)
        return super().replace(path, blob)


@breaks("test_one_of_sixteen_swaps_wins")
class Swapping(DiskSink):
    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        held = self.stat(path)
        if expected and (held is None or held.token != expected):
            raise ConflictError(path)
        if path == "lease":
            MEETING.wait(30)
        return super().replace(path, blob)


@breaks("test_readers_see_whole_values")
class Rewriting(DiskSink):
    def open(self, path: str, start: int = 0) -> BinaryIO:
        with super().open(path, start) as stream:
            data = stream.read()
        return io.BytesIO(data[: len(data) // 2] + b"-" if path == "whole" else data)


@breaks("test_flush")
class Losing(DiskSink):
    def cover(self, path: str) -> None:
        raise SinkError(f"{path} was not written by this instance")


@breaks("test_prepare_keeps_what_is_stored")
class Cleaning(DiskSink):
    def prepare(self) -> None:
        super().prepare()
        for path in (self.local_root or Path()).glob("ocfl/**/*"):
            if path.is_file():
                path.unlink()


@breaks("test_two_handles_at_once")
class Single(DiskSink):
    def open(self, path: str, start: int = 0) -> BinaryIO:
        with super().open(path, start) as stream:
            opened: BinaryIO = self.__dict__.setdefault(f"{path} {start}", io.BytesIO(stream.read()))
        return opened
