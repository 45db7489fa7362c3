"""Plugins are made once per run, and shared by its workers."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from archiver import instances
from archiver.config import SinkSpec
from archiver.contracts import Options
from archiver.errors import InvalidError
from archiver.instances import Instances, Workshop
from archiver.redact import MASK
from archiver.sinks.guarded import Guarded
from archiver_plugins.disk import DiskOptions
from line_kit import World, plugins


def test_each_is_made_once_however_many_threads_ask(tmp_path: Path) -> None:
    world = World(tmp_path)
    made = Instances(Workshop("r", tmp_path, world.config.sources, world.config.sinks), world.registry())
    found: set[int] = set()

    def ask() -> None:
        found.update({id(made.source("src")), id(made.sink("local"))})

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert isinstance(made.sink("local"), Guarded)
    assert made.source("src").context.name == "src"
    made.close()
    made.close()


def test_what_was_given_is_used(tmp_path: Path) -> None:
    world = World(tmp_path)
    first = Instances(Workshop("r", tmp_path, world.config.sources), world.registry())
    given = first.source("src")
    second = Instances(Workshop("r", tmp_path), world.registry(), given={"src": given})
    assert second.source("src") is given
    first.close()


def test_a_run_is_shared_until_it_is_forgotten(tmp_path: Path) -> None:
    shop = Workshop("shared", tmp_path)
    made = Instances(shop, plugins())
    instances.share(made)
    assert instances.of(shop) is made
    instances.forget(made)
    # A worker alone in its process makes its own, from data.
    alone = instances.of(
        Workshop("alone", tmp_path, sinks=(SinkSpec("s", "disk", DiskOptions(path=tmp_path)),))
    )
    assert alone.sink("s").local_root == tmp_path
    instances.forget(alone)


def test_each_source_is_closed_once_and_errors_hold_up_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(tmp_path)
    world.source_options["src"] = Login(password=SecretStr("source-secret"))
    closed: list[str] = []
    made = Instances(Workshop("r", tmp_path, world.config.sources, world.config.sinks), world.registry())
    source = made.source("src")

    def close() -> None:
        closed.append("src")
        # The client is still open: a farewell may be sent.
        with pytest.raises(InvalidError, match="not a web address"):
            source.context.http.get("ftp://example.org")
        raise ValueError("it held source-secret")

    source.close = close  # type: ignore[method-assign]  # one source of many
    made.close()
    made.close()
    assert closed == ["src"]
    (record,) = caplog.records
    assert record.getMessage() == f"The source src could not be closed: it held {MASK}"


def test_what_was_given_is_closed_by_whoever_gave_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    first = Instances(Workshop("r", tmp_path, world.config.sources), world.registry())
    given = first.source("src")
    given.close = lambda: pytest.fail("it was closed")  # type: ignore[method-assign]  # as above
    Instances(Workshop("r", tmp_path), world.registry(), given={"src": given}).close()


class Login(Options):
    password: SecretStr


def test_the_mask_knows_every_secret_of_the_configuration(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.source_options["src"] = Login(password=SecretStr("source-secret"))
    sinks = (SinkSpec("s", "disk", Login(password=SecretStr("sink-secret"))),)
    mask = Workshop("r", tmp_path, world.config.sources, sinks).mask
    assert mask("source-secret sink-secret") == f"{MASK} {MASK}"
