from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from archiver.api import Sink
from archiver.testing.sinks import SinkContract
from archiver_plugins.s3 import S3Sink
from s3_servers import Server, rclone, rclone_binary, swift, swift_folder

Make = Callable[..., S3Sink]


class S3Contract(SinkContract):
    """The suite with two pages of keys: each takes some milliseconds here."""

    many = 2_000


class TestSeaweed(S3Contract):
    """A store that honours everything."""

    @pytest.fixture
    def sink(self, seaweed_store: Server, s3_sink: Make) -> Sink[Any]:
        return s3_sink(seaweed_store)


@pytest.fixture(scope="session")
def bad_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.mark.skipif(not rclone_binary(), reason="RCLONE does not name a program")
class TestRclone(S3Contract):
    """A store that takes every condition and checksum, and honours none."""

    @pytest.fixture
    def sink(self, bad_store: Server, s3_sink: Make) -> Sink[Any]:
        return s3_sink(bad_store, prefix="tours/2012")


@pytest.fixture(scope="session")
def swift_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with swift(tmp_path_factory.mktemp("swift")) as server:
        yield server


@pytest.mark.skipif(not swift_folder(), reason="SWIFT does not name a folder of programs")
class TestSwift(S3Contract):
    """The store that the tour itself was about: it refuses to swap."""

    @pytest.fixture
    def sink(self, swift_store: Server, s3_sink: Make) -> Sink[Any]:
        return s3_sink(swift_store, prefix="tours/2012")
