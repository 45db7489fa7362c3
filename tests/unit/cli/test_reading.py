"""What the reading commands share: what is named and not there is refused, with the nearest that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.cli import execute

CONFIG = """
archive: {title: Tour}
sinks:
  local: {type: disk, path: ./one}
  cloud: {type: disk, path: ./two}
events: [{id: beijing, title: Beijing}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "archive.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "command",
    [
        ["copy", "--from", "locla", "--to", "cloud"],
        ["copy", "--from", "local", "--to", "locla"],
        ["rebuild", "--sink", "locla"],
        ["review", "--sink", "locla"],
        ["serve", "--sink", "locla"],
        ["site", "--sink", "locla"],
        ["verify", "--sink", "cloud", "--sink", "locla"],
    ],
    ids=" ".join,
)
def test_a_sink_that_is_not_configured(
    command: list[str], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute([*command, "-c", str(config)]) == 2
    told = capsys.readouterr().err
    assert "There is no sink 'locla' in archive.yaml. Did you mean 'local'?" in told
    assert not (config.parent / "one").exists()


def test_a_name_that_is_like_none(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["site", "--sink", "x", "-c", str(config)]) == 2
    assert "There is no sink 'x' in archive.yaml. There are: local, cloud." in capsys.readouterr().err


@pytest.mark.parametrize("command", ["review", "serve", "site"])
def test_the_sink_that_was_asked_for_cannot_be_read(
    command: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "one").write_text("no directory", encoding="utf-8")
    assert execute([command, "--sink", "local", "-c", str(config)]) == 3
    assert "one is not a directory" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["review", "site"])
def test_what_is_no_public_address(command: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([command, "--url", "slides.example.org", "-c", str(config)]) == 2
    told = capsys.readouterr().err
    assert "--url takes an address such as https://slides.example.org, not 'slides.example.org'." in told
