from __future__ import annotations

from pathlib import Path

import pytest

from archiver.errors import SinkError
from archiver.ocfl import blob
from archiver.sinks.dry import DryRun
from archiver.testing.sinks import paths, read
from ocfl_checks import make_sink


def test_reads_and_refuses_to_write(tmp_path: Path) -> None:
    inner = make_sink(tmp_path)
    inner.create("a/b", blob(b"x"))
    before = sorted(tmp_path.rglob("*"))
    dry = DryRun(inner)
    assert read(dry, "a/b") == b"x"
    assert paths(dry, "a/") == ["a/b"]
    assert dry.stat("a/b") == inner.stat("a/b")
    with pytest.raises(SinkError, match="dry run"):
        dry.create("a/c", blob(b"x"))
    with pytest.raises(SinkError, match="dry run"):
        dry.replace("a/b", blob(b"y"))
    dry.check()
    dry.prepare()
    dry.cover("a/b")
    dry.flush()
    assert sorted(tmp_path.rglob("*")) == before
    assert read(dry, "a/b") == b"x"


def test_prepares_nothing_in_an_empty_place(tmp_path: Path) -> None:
    from archiver_plugins.disk import DiskOptions, DiskSink

    context = make_sink(tmp_path / "other").context
    dry = DryRun(DiskSink(DiskOptions(path=tmp_path / "new"), context))
    dry.prepare()
    assert paths(dry, "") == []
    assert not (tmp_path / "new").exists()
