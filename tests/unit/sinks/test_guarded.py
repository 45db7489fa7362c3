from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from archiver.contracts import Blob, Context, Options, Sink, Stat
from archiver.errors import DamageError, ExistsError, SinkError
from archiver.ocfl import blob
from archiver.sinks.guarded import Guarded
from archiver.testing.sinks import SinkContract, paths
from ocfl_checks import make_sink


class TestGuardedDisk(SinkContract):
    """The guard changes nothing for a sink that behaves."""

    many = 2_000

    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink[Any]:
        return Guarded(make_sink(tmp_path))

    def again(self, sink: Sink[Any]) -> Sink[Any]:
        assert isinstance(sink, Guarded)
        return Guarded(super().again(sink.inner))


class Wild(Sink[Options]):
    """A plugin that gets everything wrong."""

    type_name = "wild"

    def __init__(self, error: Exception, keys: tuple[str, ...] = ()) -> None:
        http: Any = None
        super().__init__(Options(), Context("cloud", Path("/"), http))
        self.error = error
        self.keys = keys

    def create(self, path: str, blob: Blob) -> Stat:
        raise self.error

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        raise self.error

    def open(self, path: str, start: int = 0) -> BinaryIO:
        if path == "opens":
            return Breaking(self.error)
        raise self.error

    def stat(self, path: str) -> Stat | None:
        raise self.error

    def list(self, prefix: str) -> Iterator[Stat]:
        for key in self.keys:
            yield Stat(key, 1, 0.0, "t")
        if not self.keys:
            raise self.error

    def flush(self) -> None:
        raise self.error

    def cover(self, path: str) -> None:
        raise self.error

    def check(self) -> None:
        raise self.error

    def prepare(self) -> None:
        raise self.error


class Breaking(io.BytesIO):
    """A connection that breaks while it is read."""

    def __init__(self, error: Exception) -> None:
        super().__init__(b"x")
        self.error = error

    def read(self, size: int | None = -1, /) -> bytes:
        raise self.error


def everything(sink: Sink[Any]) -> dict[str, Any]:
    return {
        "create": lambda: sink.create("a", blob(b"")),
        "replace": lambda: sink.replace("a", blob(b"")),
        "open": lambda: sink.open("a"),
        "read": lambda: sink.open("opens").read(),
        "stat": lambda: sink.stat("a"),
        "list": lambda: list(sink.list("a")),
        "flush": sink.flush,
        "cover": lambda: sink.cover("a"),
        "check": sink.check,
        "prepare": sink.prepare,
    }


CALLS = list(everything(Guarded(Wild(OSError()))))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyError("x"), RecursionError()])
def test_whatever_a_plugin_raises_is_an_error_of_that_sink(call: str, error: Exception) -> None:
    with pytest.raises(SinkError, match="cloud") as caught:
        everything(Guarded(Wild(error)))[call]()
    assert "plugin" in caught.value.hint
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", [ExistsError("there"), DamageError("damaged")])
def test_our_own_errors_pass(call: str, error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        everything(Guarded(Wild(error)))[call]()
    assert caught.value is error


@pytest.mark.parametrize("path", ["../x", "/x", "a\\b", "a\nb", "", "\udc80", "e\u0301"])
def test_unsafe_paths_reach_no_sink(path: str) -> None:
    sink = Guarded(Wild(AssertionError("reached")))
    for act in (sink.open, sink.stat, sink.cover):
        with pytest.raises(SinkError, match="unsafe path") as caught:
            act(path)
        assert str(caught.value).isprintable()


def test_keys_of_somebody_else_are_passed_over() -> None:
    keys = (
        "a/good",
        "a/../../b",
        "/a/b",
        "b/a",
        "a/\x1b[2J",
        "a/\udcff",
        "a//b",
        "a/e\u0301",
        "a/c:d",
        "a/ok",
    )
    assert paths(Guarded(Wild(OSError(), keys)), "a/") == ["a/good", "a/ok"]


def test_streams(tmp_path: Path) -> None:
    sink = Guarded(make_sink(tmp_path))
    sink.create("a", blob(b"one\ntwo\nthree"))
    with sink.open("a", 4) as stream:
        assert stream.readable()
        assert stream.readline() == b"two\n"
        assert stream.read() == b"three"
    assert stream.closed
    with sink.open("a") as stream:
        stream.seek(4)
        assert stream.tell() == 4
        buffer = bytearray(3)
        assert io.BufferedIOBase.readinto(stream, buffer) == 3  # type: ignore[arg-type]  # it is one
        assert bytes(buffer) == b"two"


def test_capabilities_are_those_of_the_sink_inside(tmp_path: Path) -> None:
    inner = make_sink(tmp_path)
    sink = Guarded(inner)
    assert (sink.journal_batch, sink.shared, sink.local_root) == (1, False, inner.local_root)
    sink.check()
    sink.prepare()
