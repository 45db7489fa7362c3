"""Notifiers are announced, loaded and put in quarantine like sources and sinks."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archiver.registry import PluginInfo, Registry, State, load_plugins

NOTIFIER = """
from archiver import api

class Bell(api.Notifier[api.Options]):
    \"\"\"Rings.\"\"\"
    type_name = {name!r}
    {body}

@api.hookimpl
def archiver_notifiers():
    return [Bell]
"""
DELIVER = "def deliver(self, notice): pass"
Load = Callable[..., tuple[Registry, PluginInfo]]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    module = "bell_for_test_of_notifiers"

    def loaded(name: str = "bell", body: str = DELIVER) -> tuple[Registry, PluginInfo]:
        (tmp_path / f"{module}.py").write_text(NOTIFIER.format(name=name, body=body), encoding="utf-8")
        info = tmp_path / "bell-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bell\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[archiver]\nbell = {module}\n", encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        registry = load_plugins(["bell"], importlib.metadata.distributions(path=[str(tmp_path)]))
        (plugin,) = registry.plugins
        return registry, plugin

    yield loaded
    sys.modules.pop(module, None)


def test_one_that_works(load: Load) -> None:
    registry, plugin = load()
    assert (plugin.state, plugin.kinds, plugin.types) == (State.OK, ("notifier",), ("bell",))
    assert list(registry.notifiers) == ["bell"]
    assert "bell" not in {*registry.sources, *registry.sinks}


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("bell", "", "Bell does not define deliver"),
        ("A Bell", DELIVER, "Bell needs a type_name"),
        ("bell", f"api_version = 99; {DELIVER}".replace("; ", "\n    "), "written for plugin interface 99"),
    ],
)
def test_one_that_does_not(load: Load, name: str, body: str, why: str) -> None:
    registry, plugin = load(name, body)
    assert plugin.state is State.QUARANTINED
    assert why in plugin.reason
    assert dict(registry.notifiers) == {}
