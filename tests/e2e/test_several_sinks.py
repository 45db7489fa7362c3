"""A directory and an object store that are away in turn, and end equal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from archiver.archive import Head, look
from archiver.config import ArchiveSettings, Config, SinkSpec
from archiver.contracts import Context, Sink
from archiver.copying import Copying
from archiver.errors import SinkError
from archiver_plugins.s3 import S3Options, S3Sink
from line_kit import Item, World
from s3_servers import Server

HERE = Path(__file__).parent
CLOUD = "cloud"


@dataclass
class CloudWorld(World):
    """A world one of whose sinks is a bucket."""

    bucket: str = ""
    store: Server | None = None

    @property
    def options(self) -> S3Options:
        assert self.store is not None
        return S3Options(
            bucket=self.bucket, prefix="tour", endpoint_url=self.store.url, addressing="path",
            access_key=SecretStr(self.store.key), secret_key=SecretStr(self.store.secret),
        )  # fmt: skip

    @property
    def config(self) -> Config:
        made = super().config
        cloud = SinkSpec(CLOUD, f"disk-{CLOUD}", self.options)
        return replace(made, sinks=tuple(cloud if spec.name == CLOUD else spec for spec in made.sinks))

    def _sink(self, name: str) -> type[Sink[Any]]:
        if name != CLOUD:
            return super()._sink(name)
        return type("AwaySink", (S3Sink,), {"check": _away}) if CLOUD in self.troubles else S3Sink

    def head(self, sink: str = "local") -> Head:
        if sink != CLOUD:
            return super().head(sink)
        context = Context(sink, self.folder, http=None)  # type: ignore[arg-type]  # boto3 brings its own
        return look(sink, S3Sink(self.options, context))


def _away(self: S3Sink) -> None:
    raise SinkError(f"sink {self.context.name} does not answer")


@pytest.fixture
def world(tmp_path: Path, seaweed_store: Server) -> CloudWorld:
    made = CloudWorld(tmp_path, sinks=("disk", CLOUD), bucket=seaweed_store.bucket(), store=seaweed_store)
    made.up.put(*(Item(name) for name in "xyz"))
    return made


def without(world: CloudWorld, sink: str) -> None:
    world.troubles = {sink: _refuse}
    assert world.run().exit_code() == 3
    world.troubles = {}


def _refuse(path: str) -> None:
    if path == "check":
        raise SinkError("away")


def test_away_on_monday_away_on_tuesday_equal_on_wednesday(world: CloudWorld) -> None:
    world.run()
    big = os.urandom(9 << 20)  # larger than what waits in memory
    world.up.put(Item("monday", data=(big,)), Item("b-monday", event="b"))
    world.up.change("x", data=(b"x of monday",), revision="monday")
    without(world, CLOUD)
    del world.up.items["monday"], world.up.items["b-monday"]
    world.up.put(Item("tuesday", data=(os.urandom(9 << 20), b"small")))
    without(world, "disk")
    fetched = list(world.up.fetched)
    world.settings = ArchiveSettings("A tour", min_copies=2)
    report = world.run()
    assert report.exit_code() == 0, report
    assert world.up.fetched == fetched
    assert world.states("disk") == world.states(CLOUD)
    assert world.records("disk") == world.records(CLOUD)
    assert world.stored("monday", sink=CLOUD) == [big]
    before = {name: world.versions(name) for name in world.sinks}
    assert world.run().exit_code() == 0
    assert {name: world.versions(name) for name in world.sinks} == before


KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from pathlib import Path
from test_several_sinks import CloudWorld
from s3_servers import Server
from archiver.copying import Copying
from archiver.report import Silent
world = CloudWorld(Path({folder!r}), sinks=("disk", "cloud"), bucket={bucket!r}, store=Server({url!r}))
class Watcher(Silent):
    seen = 0
    def said(self, what, /, **_):
        Watcher.seen += what == "copy.moved"
        if Watcher.seen == 5:
            os.kill(os.getpid(), signal.SIGKILL)
Copying(world.config, world.registry(), "disk", "cloud", jobs=2, watcher=Watcher()).execute()
"""


def test_a_new_bucket_is_filled_and_a_killed_copy_goes_on(world: CloudWorld, seaweed_store: Server) -> None:
    world.sinks = ("disk",)
    world.up.put(*(Item(f"more{number}") for number in range(20)))
    world.run()
    world.sinks = ("disk", CLOUD)
    assert "archive copy --from disk --to cloud" in world.run().sinks[CLOUD].note
    paths = [str(HERE), *sys.path]
    code = KILLED.format(path=paths, folder=str(world.folder), bucket=world.bucket, url=seaweed_store.url)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    there = content(world)
    assert len(there) >= 5
    copied = Copying(world.config, world.registry(), "disk", CLOUD).execute()
    assert copied.exit_code == 0, copied
    assert there.items() <= content(world).items(), "what was there was not put again"
    assert world.states("disk") == world.states(CLOUD)
    # And back, on a machine whose disk is new.
    world.sinks = (CLOUD, "again")
    copied = Copying(world.config, world.registry(), CLOUD, "again").execute()
    assert copied.exit_code == 0
    assert world.states("again") == world.states("disk")
    assert world.run().exit_code() == 0


def content(world: CloudWorld) -> dict[str, Any]:
    """Key → when it was written."""
    assert world.store is not None
    pages = (
        world.store.client()
        .get_paginator("list_objects_v2")
        .paginate(Bucket=world.bucket, Prefix="tour/ocfl/")
    )
    listed = [found for page in pages for found in page.get("Contents", ())]
    return {each["Key"]: each["LastModified"] for each in listed if "/content/other/" in each["Key"]}
