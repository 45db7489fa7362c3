from pathlib import Path
from typing import Any

import pytest

import archiver_sqlite as plugin
from archiver import api
from archiver.testing.lent import lend
from archiver.testing.sinks import SinkContract, blob, read


def make(folder: Path) -> plugin.Sqlite:
    with lend(folder) as context:
        return plugin.Sqlite(plugin.Settings(path=Path("archive.db")), context)


class TestContract(SinkContract):
    """All that every sink has to do."""

    @pytest.fixture
    def sink(self, tmp_path: Path) -> api.Sink[Any]:
        return make(tmp_path)


def test_it_is_announced() -> None:
    assert plugin.archiver_sinks() == [plugin.Sqlite]


def test_everything_is_in_one_file(tmp_path: Path) -> None:
    sink = make(tmp_path)
    sink.create("a/b", blob(b"first"))
    sink.store.close()
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    (copy / "archive.db").write_bytes((tmp_path / "archive.db").read_bytes())
    assert read(make(copy), "a/b") == b"first"


def test_looking_makes_no_file(tmp_path: Path) -> None:
    sink = make(tmp_path)
    sink.check()
    assert sink.stat("a/b") is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_a_sink_error(tmp_path: Path) -> None:
    (tmp_path / "archive.db").write_bytes(b"something else, and long enough to be looked at" * 50)
    with pytest.raises(api.SinkError, match=r"archive\.db"):
        make(tmp_path).create("a/b", blob(b"first"))


def test_what_was_replaced_takes_no_more_room(tmp_path: Path) -> None:
    sink = make(tmp_path)
    for number in range(3):
        sink.replace("a/b", blob(b"%d" % number * 3_000_000))
    assert read(sink, "a/b", 2_999_999) == b"2"
    sink.store.close()
    assert (tmp_path / "archive.db").stat().st_size < 7_000_000
