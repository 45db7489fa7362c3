"""A plugin that was written for the interface before this one runs for one major more, and is told so."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver import contracts, registry
from archiver.registry import PluginInfo, State, load_plugins, served

OURS = 7
PLUGIN = """
from archiver import api

class Made(api.Source[api.Options, api.Options]):
    type_name = "aged"
    api_version = {version}
    def discover(self, scope, cursor):
        yield api.Checkpoint()
    def fetch(self, material, into):
        return []

@api.hookimpl
def archiver_sources():
    return [Made]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    info = tmp_path / "archiver_aged-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: archiver-aged\nVersion: 1.0\n")
    info.joinpath("entry_points.txt").write_text("[archiver]\naged = aged_plugin_for_test\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "SUPPORTED_VERSIONS", served(OURS))
    yield tmp_path
    sys.modules.pop("aged_plugin_for_test", None)


def aged(place: Path, version: int) -> tuple[PluginInfo, bool]:
    (place / "aged_plugin_for_test.py").write_text(PLUGIN.format(version=version))
    loaded = load_plugins(["aged"])
    return next(plugin for plugin in loaded.plugins if plugin.name == "aged"), "aged" in loaded.sources


def test_what_is_served() -> None:
    assert served(1) == (1,)
    assert served(2) == (1, 2)
    assert served(OURS) == (6, 7)
    assert served(contracts.API_VERSION)[-1] == contracts.API_VERSION


def test_the_current_one_runs_without_a_word(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    info, runs = aged(place, OURS)
    assert (info.state, info.reason, runs) == (State.OK, "", True)
    assert "aged" not in caplog.text


def test_the_one_before_runs_and_warns(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="archiver"):
        info, runs = aged(place, OURS - 1)
    assert (info.state, info.api_version, runs) == (State.OK, 6, True)
    assert info.reason == "it is written for plugin interface 6, which runs until 8 comes: update it"
    assert "The plugin aged runs for now: it is written for plugin interface 6" in caplog.text


@pytest.mark.parametrize("version", [OURS - 2, OURS + 1, 0])
def test_others_are_quarantined(place: Path, version: int) -> None:
    info, runs = aged(place, version)
    assert (info.state, runs) == (State.QUARANTINED, False)
    assert info.reason == f"Made is written for plugin interface {version}; supported: 6, 7"
