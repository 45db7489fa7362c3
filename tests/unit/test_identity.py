"""The disk of another archive is not taken for one of this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver import identity
from archiver.cli import execute

CONFIG = """
archive: {{title: {title}, site: false}}
sinks: {{one: {{type: disk, path: ./{title}-one}}, two: {{type: disk, path: ./{title}-two}}}}
events:
  - {{id: e, title: E, sources: [{{type: folder, path: ./{title}}}]}}
"""


def archive(folder: Path, title: str, *arguments: str) -> int:
    config = folder / f"{title}.yaml"
    config.write_text(CONFIG.format(title=title), encoding="utf-8")
    (folder / title).mkdir(exist_ok=True)
    (folder / title / "deck.txt").write_text(f"what was said at {title}", encoding="utf-8")
    return execute([*arguments, "-c", str(config)])


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ids(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.glob(f"*/ocfl/_archive/v*/content/{identity.IDENTITY}")}


def test_a_sink_of_another_archive_is_refused_and_not_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for title in ("Meets", "Other"):
        assert archive(tmp_path, title, "run") == 0
    (tmp_path / "Meets-two").rename(tmp_path / "away")
    (tmp_path / "Other-two").rename(tmp_path / "Meets-two")
    before = tree(tmp_path / "Meets-one"), tree(tmp_path / "Meets-two")
    capsys.readouterr()
    for command in (("run",), ("run", "--dry-run"), ("status",)):
        assert archive(tmp_path, "Meets", *command) == 3
        told = capsys.readouterr().err
        assert "hold different archives: “Meets” and “Other”" in told
        assert "path or prefix" in told
    assert (tree(tmp_path / "Meets-one"), tree(tmp_path / "Meets-two")) == before


def test_sinks_share_one_identity_that_no_new_title_changes(tmp_path: Path) -> None:
    assert archive(tmp_path, "Meets", "run") == 0
    assert len(ids(tmp_path)) == 1
    (tmp_path / "Meets-two").rename(tmp_path / "away")
    config = tmp_path / "Meets.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("title: Meets", "title: Meetings"), "utf-8")
    assert execute(["run", "-c", str(config)]) == 0
    (tmp_path / "away").rename(tmp_path / "Meets-two")
    assert execute(["run", "-c", str(config)]) == 0
    assert len(ids(tmp_path)) == 1


def test_sinks_that_began_while_the_other_was_away_are_one_archive(tmp_path: Path) -> None:
    assert archive(tmp_path, "Meets", "run") == 0
    (tmp_path / "Meets-one").rename(tmp_path / "away-one")
    (tmp_path / "Meets-two").rename(tmp_path / "gone")
    assert archive(tmp_path, "Meets", "run") == 0
    (tmp_path / "Meets-one").rename(tmp_path / "gone-too")
    (tmp_path / "away-one").rename(tmp_path / "Meets-one")
    assert archive(tmp_path, "Meets", "run") == 0
    assert archive(tmp_path, "Meets", "status") == 0
