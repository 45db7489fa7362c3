"""The catalog of one sink, on this machine or far away."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.archive import Head, look
from archiver.catalog import is_current, search
from archiver.catalog.serving import CATALOG, build_from, local
from archiver.cli import execute
from archiver.cli.common import load
from archiver.config import Config
from archiver.contracts import Context
from archiver.web import PoliteClient
from archiver_plugins.disk import DiskOptions, DiskSink
from media_samples import jpeg, pdf

CONFIG = """
archive: {title: Tour, organizer: COSUG}
sinks: {local: {type: disk, path: ./archive}}
sources: {drop: {type: folder, path: ./in}}
events:
  - id: one
    title: One
    sources: [{use: drop, path: "*.pdf", kind: slides}, {use: drop, path: "*.jpg", kind: photo}]
"""


class FarSink(DiskSink):
    """A sink whose files cannot be opened in place, as on another machine."""

    @property
    def local_root(self) -> Path | None:
        return None


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("serving")
    (folder / "in").mkdir()
    (folder / "in" / "Deploy.pdf").write_bytes(pdf(["Cookbooks and recipes"]))
    (folder / "in" / "group.jpg").write_bytes(jpeg())
    (folder / "archive.yaml").write_text(CONFIG)
    assert execute(["run", "-c", str(folder / "archive.yaml")]) == 0
    return load(folder / "archive.yaml")[0]


def head(config: Config, kind: type[DiskSink]) -> Head:
    with PoliteClient() as http:
        context = Context("local", config.folder, http)
    return look("local", kind(DiskOptions(path=Path("archive")), context))


def test_the_catalog_of_a_run_is_read_in_place(config: Config) -> None:
    with local(head(config, DiskSink), config) as path:
        assert path == config.folder / "archive" / CATALOG
        assert [hit.title for hit in search(path, "cookbooks")] == ["Deploy"]
        assert [hit.kind for hit in search(path, "group")] == ["photo"]


def test_the_catalog_of_a_far_sink_is_brought_here_and_gone_afterwards(config: Config) -> None:
    far = head(config, FarSink)
    with local(far, config) as path:
        assert path.read_bytes() == (config.folder / "archive" / CATALOG).read_bytes()
        assert is_current(path, far.digests)
    assert not path.exists()


def test_a_far_sink_without_a_catalog_is_read_all_the_same(config: Config) -> None:
    catalog = config.folder / "archive" / CATALOG
    kept = catalog.read_bytes()
    catalog.unlink()
    try:
        with local(head(config, FarSink), config) as path:
            assert [hit.title for hit in search(path, "recipes")] == ["Deploy"]
        assert not catalog.exists()
    finally:
        catalog.write_bytes(kept)


def test_the_catalog_depends_on_what_the_sink_holds_and_nothing_else(config: Config, tmp_path: Path) -> None:
    for name, kind in (("near", DiskSink), ("far", FarSink)):
        build_from(head(config, kind), config, tmp_path / name)
    assert (tmp_path / "near").read_bytes() == (tmp_path / "far").read_bytes()
    assert (tmp_path / "near").read_bytes() == (config.folder / "archive" / CATALOG).read_bytes()
