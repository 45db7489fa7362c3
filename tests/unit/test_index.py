"""The catalog is made when the archive changed, and not else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archiver.catalog.serving import CATALOG
from archiver.index import refresh
from archiver.sinks.wrapper import Wrapper
from line_kit import Item, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.up.put(Item("x", title="Deploy OpenStack with Chef"))
    world.run()
    return world


def test_a_run_leaves_a_catalog_and_an_idle_one_does_not_touch_it(world: World) -> None:
    catalog = world.folder / "local" / CATALOG
    before = catalog.stat().st_mtime_ns
    world.run()
    assert catalog.stat().st_mtime_ns == before
    world.up.put(Item("y"))
    world.run()
    assert catalog.stat().st_mtime_ns != before


@pytest.mark.parametrize("damage", [b"", b"not a database", None])
def test_a_catalog_that_is_missing_or_broken_is_made_again(world: World, damage: bytes | None) -> None:
    catalog = world.folder / "local" / CATALOG
    if damage is None:
        catalog.unlink()
    else:
        catalog.write_bytes(damage)
    assert refresh(world.head(), world.config, changed=False)
    assert not refresh(world.head(), world.config, changed=False)


class Remote(Wrapper):
    """The same store, as if it were on another machine."""

    @property
    def local_root(self) -> Path | None:
        return None


def test_a_sink_elsewhere_goes_by_what_the_run_changed(world: World) -> None:
    head = world.head()
    remote = replace(head, sink=Remote(head.sink))
    assert not refresh(remote, world.config, changed=False)
    assert refresh(remote, world.config, changed=True)
    (world.folder / "local" / CATALOG).unlink()
    assert refresh(remote, world.config, changed=False)
