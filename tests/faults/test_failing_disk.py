"""A disk that fails at any operation: the run ends with a sink error, the archive stays whole."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archiver import ocfl
from archiver.errors import SinkError
from archiver.sinks.guarded import Guarded
from faults import small_run
from ocfl_checks import assert_valid, make_sink

pytestmark = pytest.mark.usefixtures("unsynced")


class Failing:
    """Fails at the n-th point, and from then on if it is `lasting`."""

    def __init__(self, number: int, code: int, *, lasting: bool) -> None:
        self.left = number
        self.code = code
        self.lasting = lasting

    def __call__(self, _: str) -> None:
        self.left -= 1
        if self.left == 0 or (self.left < 0 and self.lasting):
            raise OSError(self.code, os.strerror(self.code))


def everything(folder: Path) -> dict[str, bytes]:
    objects = ocfl.load(make_sink(folder))
    return {f"{name}/{path}": each.read(path) for name, each in objects.items() for path in each.state}


def slides(name: str) -> dict[str, bytes]:
    return {f"beijing/{path}": data for path, data in small_run.contents(name).items()}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("lasting", [False, True])
def test_failing_at_every_point(code: int, lasting: bool, tmp_path: Path) -> None:
    number = 0
    while True:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        small_run.run(make_sink(folder), "first", files=folder)
        failing = Failing(number, code, lasting=lasting)
        sink = Guarded(small_run.Watched(make_sink(folder), failing))
        try:
            small_run.run(sink, "second", files=folder)
        except SinkError as error:
            assert os.strerror(code) in str(error)  # noqa: PT017  # the last round raises nothing
        else:
            # A lease that could not be given back ends by itself, so that failures there are not told.
            assert failing.left > -3
            break
        assert slides("first").items() <= everything(folder).items()
        small_run.run(make_sink(folder), "third", files=folder)
        assert (slides("first") | slides("third")).items() <= everything(folder).items()
        assert_valid(folder / "archive")
    assert number > 40


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let the system refuse every write past `size` bytes, to root as well as to anybody."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("size", [0, 1, 100, 300, 700, 1200, 2000])
def test_writes_cut_short_by_the_system(size: int, tmp_path: Path) -> None:
    """The kernel itself says no in the middle of a file, whichever file comes to be that large."""
    small_run.run(make_sink(tmp_path), "first", files=tmp_path)
    before = everything(tmp_path)
    sink = Guarded(make_sink(tmp_path))
    with file_size_limit(size), pytest.raises((SinkError, OSError)) as caught:
        small_run.run(sink, "second", files=tmp_path)
    assert "File too large" in str(caught.value)
    assert slides("first").items() <= everything(tmp_path).items()
    assert {path for path in before if path.startswith("beijing/")} <= everything(tmp_path).keys()
    small_run.run(make_sink(tmp_path), "third", files=tmp_path)
    assert (slides("first") | slides("third")).items() <= everything(tmp_path).items()
    assert_valid(tmp_path / "archive")
