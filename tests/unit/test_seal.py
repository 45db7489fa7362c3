"""A seal says of one value what its bytes are, and nothing else passes for one."""

from __future__ import annotations

import hashlib
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import seal
from archiver.contracts import Blob, Context, Sink, Stat
from archiver.errors import DamageError, ExistsError, SinkError
from archiver.ocfl_object import blob
from archiver_plugins.disk import DiskOptions, DiskSink

PATH = "runs/20121122T093000Z-3f9a2c.json"
ONE, TWO = (hashlib.sha256(data).hexdigest() for data in (b"one", b"two"))


@pytest.fixture
def sink(tmp_path: Path) -> DiskSink:
    return DiskSink(DiskOptions(path=tmp_path / "archive"), Context("s", tmp_path, http=None))  # type: ignore[arg-type]


def test_sha256sum_reads_it(sink: DiskSink, tmp_path: Path) -> None:
    seal.create(sink, PATH, blob(b"one"))
    folder = tmp_path / "archive" / "runs"
    command = ["sha256sum", "--check", "--strict", f"{PATH.rpartition('/')[2]}.sha256"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    assert seal.read_seal(sink, PATH) == (ONE,)


@given(bit=st.integers(0, 8 * len(seal.text(PATH, [ONE])) - 1))
def test_any_bit_of_it_counts(bit: int) -> None:
    data = bytearray(seal.text(PATH, [ONE]))
    data[bit // 8] ^= 1 << bit % 8
    with suppress(DamageError):
        assert seal.parse(PATH, bytes(data)) != (ONE,)


@given(st.binary(max_size=200))
def test_whatever_is_read_as_one_is_written_as_it_was(data: bytes) -> None:
    try:
        digests = seal.parse(PATH, data)
    except DamageError:
        return
    assert seal.text(PATH, digests) == data


def test_the_seal_of_another_value_is_none() -> None:
    with pytest.raises(DamageError):
        seal.parse(PATH, seal.text("runs/other.json", [ONE]))


def test_a_value_that_was_never_sealed(sink: Sink[DiskOptions]) -> None:
    sink.create(PATH, blob(b"one"))
    assert seal.read_seal(sink, PATH) == ()
    with pytest.raises(ExistsError):
        seal.create(sink, PATH, blob(b"two"))
    assert seal.read_seal(sink, PATH) == ()


def test_a_seal_without_its_value_does_not_hinder(sink: DiskSink) -> None:
    seal.put(sink, PATH, TWO)
    seal.create(sink, PATH, blob(b"one"))
    assert seal.read_seal(sink, PATH) == (ONE,)


class Dying(DiskSink):
    """Dies at the n-th write."""

    left = 0

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        self.left -= 1
        if self.left < 0:
            raise SinkError("killed")
        return super().replace(path, blob, expected=expected)


@pytest.mark.parametrize("writes", range(4))
def test_killed_while_it_is_replaced_a_value_is_never_unlike_its_seal(tmp_path: Path, writes: int) -> None:
    sink = Dying(DiskOptions(path=tmp_path / "archive"), Context("s", tmp_path, http=None))  # type: ignore[arg-type]
    seal.create(sink, "catalog.sqlite", blob(b"one"))
    sink.left = writes
    if writes < 3:
        with pytest.raises(SinkError):
            seal.replace(sink, "catalog.sqlite", blob(b"two"))
    else:
        seal.replace(sink, "catalog.sqlite", blob(b"two"))
        assert seal.read_seal(sink, "catalog.sqlite") == (TWO,)
    with sink.open("catalog.sqlite") as stream:
        held = hashlib.sha256(stream.read()).hexdigest()
    assert held in seal.read_seal(sink, "catalog.sqlite")
    sink.left = 9
    seal.replace(sink, "catalog.sqlite", blob(b"two"))
    assert seal.read_seal(sink, "catalog.sqlite") == (TWO,)


def test_equal_bytes_cost_one_write(tmp_path: Path) -> None:
    sink = Dying(DiskOptions(path=tmp_path / "archive"), Context("s", tmp_path, http=None))  # type: ignore[arg-type]
    seal.create(sink, PATH, blob(b"one"))
    sink.left = 1
    seal.replace(sink, PATH, blob(b"one"))


def test_a_damaged_seal_is_written_anew(sink: DiskSink) -> None:
    sink.create(PATH, blob(b"one"))
    sink.create(seal.of(PATH), blob(b"nonsense"))
    with pytest.raises(DamageError):
        seal.read_seal(sink, PATH)
    seal.replace(sink, PATH, blob(b"two"))
    assert seal.read_seal(sink, PATH) == (TWO,)
