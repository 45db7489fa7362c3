"""The suite of the sinks bites: for each promise there is a sink, a few lines away from a good one."""

from __future__ import annotations

import inspect
import itertools
from pathlib import Path
from typing import Any

import pytest

from archiver.api import Context, Sink
from archiver.testing.sinks import SinkContract
from archiver.testing.sinks_memory import MemoryOptions, MemorySink
from archiver_plugins.disk import DiskOptions, DiskSink
from unit.testing.faulty_sinks import TWINS

PROMISES = sorted(name for name in dir(SinkContract) if name.startswith("test_"))
_numbers = itertools.count()


class Quick(SinkContract):
    """The suite with fewer keys: what is shown here is that it bites."""

    __test__ = False
    many = 1_200


def cases(promise: str) -> list[dict[str, Any]]:
    """Give the arguments of each run of a check, as its marks say."""
    check = getattr(SinkContract, promise)
    found: list[dict[str, Any]] = [{}]
    for mark in getattr(check, "pytestmark", ()):
        names, values = mark.args
        keys = (names,) if isinstance(names, str) else names
        rows = [(value,) if isinstance(names, str) else value for value in values]
        found = [dict(zip(keys, row, strict=True)) for row in rows]
    return found


def caught(promise: str, kind: type[DiskSink], folder: Path) -> list[str]:
    """Check one promise of a sink in all its cases; give what is wrong."""
    wrong = []
    for case in cases(promise):
        place = folder / str(next(_numbers))
        place.mkdir()
        http: Any = None
        sink = kind(DiskOptions(path=Path("archive")), Context("local", place, http))
        check = getattr(Quick(), promise)
        wanted = inspect.signature(check).parameters
        if "ready" in wanted:
            sink.prepare()
        given = {"sink": sink, "ready": sink, "tmp_path": place}
        try:
            check(**{name: given[name] for name in wanted if name in given}, **case)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  # whatever a test may end with
            wrong.append(f"{type(error).__name__}: {error}")
    return wrong


def test_every_promise_has_a_faulty_twin() -> None:
    assert sorted(TWINS) == PROMISES


@pytest.mark.parametrize("promise", PROMISES)
def test_the_twin_is_caught(promise: str, tmp_path: Path) -> None:
    assert caught(promise, TWINS[promise], tmp_path)


class TestMemory(SinkContract):
    """The sink in memory keeps every promise but that of little memory."""

    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink[Any]:
        http: Any = None
        return MemorySink(MemoryOptions(name=str(tmp_path)), Context("memory", tmp_path, http))

    @pytest.mark.skip(reason="it holds everything in memory")
    def test_a_big_value_in_little_memory(self) -> None:  # type: ignore[override]
        """Leave it out."""
