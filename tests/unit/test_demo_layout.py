"""Laying the demo out in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.demo import layout
from archiver.errors import ConfigError

ROOT = Path(__file__).parents[2]


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_configuration_is_the_example_byte_for_byte(tmp_path: Path) -> None:
    config = layout.prepare(tmp_path / "demo")
    assert config == tmp_path / "demo" / "archive.yaml"
    assert config.read_bytes() == (ROOT / "archive.example.yaml").read_bytes()


def test_the_inbox_holds_every_file_and_nothing_unfinished(tmp_path: Path) -> None:
    layout.prepare(tmp_path)
    media = ROOT / "src" / "archiver" / "demo" / "media"
    laid_out = [path for name in ("incoming", "mail") for path in (media / name).rglob("*")]
    expected = {path.relative_to(media).as_posix() for path in laid_out if path.is_file()}
    assert set(files(tmp_path)) - {"archive.yaml"} == expected


def test_laid_out_anywhere_and_at_any_time_the_inbox_is_the_same(tmp_path: Path) -> None:
    layout.prepare(tmp_path / "first")
    layout.prepare(tmp_path / "second")
    assert files(tmp_path / "first" / "incoming") == files(tmp_path / "second" / "incoming")


def test_a_second_time_nothing_is_written(tmp_path: Path) -> None:
    layout.prepare(tmp_path)
    before = files(tmp_path)
    layout.prepare(tmp_path)
    assert files(tmp_path) == before


def test_what_somebody_changed_stays(tmp_path: Path) -> None:
    config = layout.prepare(tmp_path)
    config.write_text("mine", encoding="utf-8")
    (tmp_path / "incoming" / "xian" / "reports" / "西安站报道.html").unlink()
    layout.prepare(tmp_path)
    assert config.read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "incoming" / "xian" / "reports" / "西安站报道.html").is_file()


def test_a_folder_that_cannot_be_made_is_told_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be laid out") as caught:
        layout.prepare(tmp_path / "taken")
    assert "--into" in caught.value.hint
