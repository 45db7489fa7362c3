"""Which plugins run: real distributions with real metadata, in a directory of their own."""

from __future__ import annotations

import importlib.metadata
import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver import hooks
from archiver.registry import OWN_DISTRIBUTION, PluginInfo, Registry, State, load_plugins

Install = Callable[..., None]
Loaded = Callable[..., Registry]

SOURCE = """
from archiver import api

class Made(api.Source[api.Options, api.Options]):
    \"\"\"Finds nothing.\"\"\"
    type_name = "{type}"
    def discover(self, scope, cursor):
        yield api.Checkpoint()
    def fetch(self, material, into):
        return []

@api.hookimpl
def archiver_sources():
    return [Made]
"""
HOOKS = """
from archiver import api
heard = []

@api.hookimpl
def archiver_run_finished(report):
    heard.append(report["run"])
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install distributions: `install("dist-name", plugin_name="source text of its module")`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def _install(distribution: str, version: str = "1.0", **plugins: str) -> None:
        info = tmp_path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        points = "[archiver]\n"
        for name, text in plugins.items():
            module = f"{distribution.replace('-', '_')}_{name}_for_test"
            tmp_path.joinpath(f"{module}.py").write_text(textwrap.dedent(text))
            points += f"{name} = {module}\n"
        info.joinpath("entry_points.txt").write_text(points)

    yield _install
    for name in set(sys.modules) - before:
        if name.endswith("_for_test"):
            del sys.modules[name]


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Load the plugins of the distributions in the temporary directory alone."""

    def _loaded(*enabled: str) -> Registry:
        return load_plugins(enabled, importlib.metadata.distributions(path=[str(tmp_path)]))

    return _loaded


def one(registry: Registry) -> PluginInfo:
    (plugin,) = registry.plugins
    return plugin


def test_our_own_plugins_run_without_being_named(install: Install, loaded: Loaded) -> None:
    install(OWN_DISTRIBUTION, "0.9", photos=SOURCE.format(type="photos"))
    registry = loaded()
    expected = PluginInfo("photos", ("source",), ("photos",), "0.9", OWN_DISTRIBUTION, 1, State.OK)
    assert registry.plugins == (expected,)
    assert registry.plugins[0].bundled
    assert registry.sources["photos"].type_name == "photos"
    assert not registry.sinks


def test_a_stranger_is_listed_but_not_imported(install: Install, loaded: Loaded) -> None:
    install("archiver-dropbox", dropbox="raise SystemExit('imported')")
    plugin = one(loaded())
    assert (plugin.name, plugin.origin, plugin.state) == ("dropbox", "archiver-dropbox", State.DISABLED)
    assert (plugin.kinds, plugin.types, plugin.api_version) == ((), (), None)
    assert "plugins:" in plugin.reason
    assert "archiver_dropbox_dropbox_for_test" not in sys.modules


@pytest.mark.parametrize("enabled", ["dropbox", "archiver-dropbox", "Archiver_Dropbox"])
def test_a_stranger_runs_when_it_is_named(install: Install, loaded: Loaded, enabled: str) -> None:
    install("archiver-dropbox", dropbox=SOURCE.format(type="dropbox"))
    registry = loaded(enabled)
    assert one(registry).state is State.OK
    assert list(registry.sources) == ["dropbox"]


def test_a_stranger_named_like_one_of_ours_does_not_run_by_that_name(
    install: Install, loaded: Loaded
) -> None:
    install(OWN_DISTRIBUTION, photos=SOURCE.format(type="photos"))
    install("evil", photos=SOURCE.format(type="evil"))
    registry = loaded("photos")
    assert [(plugin.origin, plugin.state) for plugin in registry.plugins] == [
        (OWN_DISTRIBUTION, State.OK),
        ("evil", State.DISABLED),
    ]
    assert list(loaded("evil").sources) == ["photos", "evil"]


BROKEN = {
    "raise ImportError('no libfoo')": "it cannot be imported: ImportError: no libfoo",
    "raise SystemExit(3)": "it cannot be imported: SystemExit: 3",
    "import no_such_module_at_all": "No module named 'no_such_module_at_all'",
    "def (": "SyntaxError",
    "x = 1": "announces nothing",
    SOURCE.format(type="x").replace("archiver_sources", "archiver_source"): (
        "no hook 'archiver_source'; did you mean 'archiver_sources'?"
    ),
    SOURCE.format(type="x").replace("archiver_sources()", "archiver_sources(config)"): "config",
    SOURCE.format(type="x").replace("[Made]", "Made"): "must return a list of classes",
    SOURCE.format(type="x").replace("[Made]", "'Made'"): "must return a list of classes, not str",
    SOURCE.format(type="x").replace("[Made]", "[Made, int]"): "int, which is no subclass of api.Source",
    SOURCE.format(type="x").replace("[Made]", "[Made, 'Made']"): "no subclass of api.Source",
    SOURCE.format(type="x").replace("return [Made]", "yield 1 / 0"): "ZeroDivisionError",
    SOURCE.format(type="x").replace("return [Made]", "raise RuntimeError('no')"): "RuntimeError: no",
    SOURCE.format(type="x").replace("def fetch", "def fetsch"): "Made does not define fetch",
    SOURCE.format(type="x").replace("type_name =", "kind ="): "needs a type_name",
    SOURCE.format(type="Not/Safe"): "needs a type_name of small letters, digits, - and _, not 'Not/Safe'",
    SOURCE.format(type="x").replace("type_name", "api_version = 2; type_name"): (
        "Made is written for plugin interface 2; supported: 1"
    ),
    SOURCE.format(type="x").replace("type_name", "options_class = dict; type_name"): (
        "options_class of Made is no subclass of api.Options"
    ),
    SOURCE.format(type="x").replace(
        "class Made", "class Entry(api.Options):\n    type: str = ''\n\nclass Made"
    ).replace("type_name", "entry_class = Entry; type_name", 1): "has an option called type",
    SOURCE.format(type="x").replace("[Made]", "[Made, Made]"): "'x' is already provided by itself, twice",
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), BROKEN.items())
def test_a_broken_plugin_is_quarantined_with_its_reason_and_the_others_run(
    install: Install, loaded: Loaded, text: str, reason: str
) -> None:
    install("a-broken-one", broken=text)
    install("good", good=SOURCE.format(type="good"))
    registry = loaded("broken", "good")
    broken, good = registry.plugins
    assert broken.state is State.QUARANTINED
    assert reason in broken.reason
    assert good.state is State.OK
    assert list(registry.sources) == ["good"]


def test_a_type_belongs_to_the_first_and_ours_come_first(install: Install, loaded: Loaded) -> None:
    install("another", another=SOURCE.format(type="photos"))
    install(OWN_DISTRIBUTION, photos=SOURCE.format(type="photos"))
    registry = loaded("another")
    ours, other = registry.plugins
    assert (ours.name, ours.state) == ("photos", State.OK)
    assert other.state is State.QUARANTINED
    assert other.reason == "the source type 'photos' is already provided by the plugin photos"
    assert registry.sources["photos"].__module__.startswith("event_archiver_")


def test_one_broken_plugin_of_a_distribution_leaves_the_others(install: Install, loaded: Loaded) -> None:
    install("both", bad="1/0", good=SOURCE.format(type="good"))
    assert [plugin.state for plugin in loaded("both").plugins] == [State.QUARANTINED, State.OK]


def test_metadata_that_cannot_be_read_hurts_nobody_else(
    install: Install, loaded: Loaded, tmp_path: Path
) -> None:
    install("good", good=SOURCE.format(type="good"))
    (tmp_path / "nameless-1.0.dist-info").mkdir()
    odd = tmp_path / "odd-1.0.dist-info"
    odd.mkdir()
    odd.joinpath("METADATA").write_text("Name: odd\n")
    odd.joinpath("entry_points.txt").write_text("[archiver]\nno equals sign here\nx = \n= y\n")
    registry = loaded("good", "odd")
    assert list(registry.sources) == ["good"]
    assert all(plugin.state is State.QUARANTINED for plugin in registry.plugins if plugin.origin == "odd")


def test_the_first_distribution_of_a_name_counts(install: Install, tmp_path: Path, loaded: Loaded) -> None:
    install("twice", "1.0", first=SOURCE.format(type="first"))
    found = list(importlib.metadata.distributions(path=[str(tmp_path)]))
    registry = load_plugins(["twice"], [*found, *found])
    assert [plugin.name for plugin in registry.plugins] == ["first"]


def test_a_plugin_of_hooks_alone_hears_broadcasts(install: Install, loaded: Loaded) -> None:
    install("listener", listener=HOOKS)
    registry = loaded("listener")
    assert one(registry).kinds == ("hooks",)
    assert one(registry).api_version is None
    registry.broadcast("archiver_run_finished", report={"run": 7})
    assert _heard("listener_listener_for_test") == [7]


def test_a_hook_that_raises_keeps_no_one_from_hearing(
    install: Install, loaded: Loaded, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b", "c"):
        install(name, **{name: HOOKS if name != "b" else HOOKS.replace("heard.append(", "raise SystemExit(")})
    registry = loaded("a", "b", "c")
    with caplog.at_level(logging.WARNING):
        registry.broadcast("archiver_run_finished", report={"run": 7})
    assert [_heard(f"{name}_{name}_for_test") for name in ("a", "c")] == [[7], [7]]
    assert "The plugin b:b failed in archiver_run_finished: SystemExit: 7" in caplog.text


def _heard(module: str) -> Any:
    return sys.modules[module].heard


def test_two_registries_share_nothing(install: Install, loaded: Loaded) -> None:
    install("listener", listener=HOOKS)
    with_it, without = loaded("listener"), loaded()
    without.broadcast("archiver_run_finished", report={"run": 1})
    assert _heard("listener_listener_for_test") == []
    assert len(with_it.hook.archiver_run_finished.get_hookimpls()) == 1
    assert without.hook.archiver_run_finished.get_hookimpls() == []


def test_the_installed_program_brings_the_disk_sink() -> None:
    registry = load_plugins()
    (disk,) = [plugin for plugin in registry.plugins if plugin.name == "disk"]
    assert (disk.kinds, disk.types, disk.state, disk.bundled) == (("sink",), ("disk",), State.OK, True)
    assert "disk" in registry.sinks


_ASKING = {"archiver_sources", "archiver_sinks", "archiver_notifiers"}
_ASKED = """
import sys
from archiver.registry import load_plugins
registry = load_plugins()
assert "links" in registry.sources and "disk" in registry.sinks
print(*sorted({name.split(".")[1] for name in sys.modules if name.startswith("archiver_plugins.")}))
print(*sorted(registry.sources))
"""


def test_our_own_plugins_are_loaded_when_they_are_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", _ASKED], capture_output=True, text=True, check=True)
    loaded, sources = (line.split() for line in done.stdout.splitlines())
    assert "links" in loaded
    assert {"mail", "flickr", "video"}.isdisjoint(loaded)
    assert {"email", "flickr", "links", "video"} <= set(sources)


def test_what_nobody_provides_is_not_there() -> None:
    registry = load_plugins()
    assert "carrier-pigeon" not in registry.sources
    assert "email" in registry.sources  # by the plugin `email`, in the module `mail`
    assert registry.notifiers["webhook"].type_name == "webhook"  # by a plugin of another name


def test_none_of_our_own_listens_to_what_a_run_tells() -> None:
    # Else it would have to be loaded before the first is told.
    registry = load_plugins()
    assert registry.plugins
    told = [name for name in dir(hooks) if name.startswith("archiver_") and name not in _ASKING]
    assert told
    assert not [name for name in told if getattr(registry.hook, name).get_hookimpls()]
