"""`archive plugins try`: list and fetch a few items of a source, storing nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.common import output_options, printable
from archiver.errors import ConfigError

if TYPE_CHECKING:
    from archiver.config import SourceSpec
    from archiver.registry import PluginInfo, Registry

EPILOG = """\b
Examples:
  archive plugins try folder --option path=./incoming
  archive plugins try speakerdeck --entry user=cosug --limit 5
  archive plugins try flickr --option 'api_key=${FLICKR_API_KEY}' --entry album=72157631
  archive plugins try their-plugin:talks    one of the types that an installed plugin provides

\b
Secrets are given by reference, in single quotes; they are taken from the environment and never shown.

\b
Exit codes: 0 everything listed was fetched, 1 the listing or an item failed, 2 wrong usage, 3 the
scratch folder cannot be written.
"""


@click.command("try", epilog=EPILOG)
@click.argument("name")
@click.option("--option", "options", metavar="NAME=VALUE", multiple=True, help="An option of the source.")
@click.option(
    "--entry", "entries", metavar="NAME=VALUE", multiple=True, help="An option of its use by an event."
)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1, max=1000),
    default=3,
    show_default=True,
    help="How many items to list and fetch at most.",
)
@click.option(
    "--into",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where to leave the files; a folder that is not there yet, or empty.  [default: a temporary one]",
)
@output_options
def try_plugin(
    name: str,
    options: tuple[str, ...],
    entries: tuple[str, ...],
    limit: int,
    into: Path | None,
    verbose: bool,
    as_json: bool,
) -> int:
    """Try a source: list and fetch a few items for real, with no configuration and no sink.

    NAME is a source type, an installed plugin, which need not be enabled, or PLUGIN:TYPE for one of its
    types. Shows every request, what is listed, and what a run would make of each item: the names of its
    files, what they are, how good.
    """
    del verbose
    from archiver.cli.plugins_try_telling import Lines, Records
    from archiver.tryout import Tryout

    registry, spec = _configured(name, options, entries)
    scratch = _scratch(into)
    watcher = Records() if as_json else Lines()
    tally = Tryout(registry, spec, Path.cwd(), scratch, watcher, limit).run()
    watcher.finished(tally, scratch)
    return tally.exit_code


def _configured(name: str, options: tuple[str, ...], entries: tuple[str, ...]) -> tuple[Registry, SourceSpec]:
    import os

    from archiver.config import SourceSpec
    from archiver.config.pairs import from_pairs
    from archiver.contracts import ScopeEntry
    from archiver.model import Event
    from archiver.registry import load_plugins

    plugin, _, _ = name.partition(":")
    registry = load_plugins([plugin, *_enabled()])
    type_name = _type_of(name, registry)
    kind: Any = registry.sources[type_name]
    made = from_pairs(kind.options_class, options, os.environ, "--option")
    entry = from_pairs(kind.entry_class, entries, os.environ, "--entry")
    use: ScopeEntry[Any] = ScopeEntry(Event("try", "Try"), entry)
    return registry, SourceSpec(type_name, type_name, made, (use,))


def _enabled() -> tuple[str, ...]:
    """Name the plugins that the configuration of this folder enables: their types are known by name alone.

    A file that cannot be read is not in the way: nothing else of it is needed here.
    """
    import os

    from archiver import config
    from archiver.cli.common import DEFAULT_CONFIG

    path = Path(os.environ.get("ARCHIVE_CONFIG") or DEFAULT_CONFIG)
    try:
        return tuple(config.read(path).plugins) if path.is_file() else ()
    except ConfigError:
        return ()


def _type_of(name: str, registry: Registry) -> str:
    """Find the source type that a name stands for. Raises `ConfigError` when there is none, or several."""
    from archiver.config.problems import listed

    if name in registry.sources:
        return name
    plugin, _, wanted = name.partition(":")
    mine = [each for each in registry.plugins if plugin in {each.name, each.origin}]
    types = [word for each in mine for word in each.types if word in registry.sources]
    chosen = [word for word in types if word == wanted or not wanted]
    if len(chosen) == 1:
        return chosen[0]
    if types:
        told = (
            f"{plugin} provides several source types"
            if chosen
            else f"{plugin} has no source type {wanted!r:.60}"
        )
        raise ConfigError(told, hint=f"name one: {listed([f'{plugin}:{word}' for word in types])}")
    raise _no_source(plugin, mine, registry)


def _no_source(name: str, mine: Sequence[PluginInfo], registry: Registry) -> ConfigError:
    """Say why a name stands for no source: `mine` are the plugins that are called so."""
    from archiver.config.problems import nearest

    broken = next((plugin for plugin in mine if plugin.state == "quarantined"), None)
    if broken is not None:
        return ConfigError(
            f"the plugin {name} cannot be used: {broken.reason}", hint="correct it, then try again"
        )
    if name in registry.sinks or mine:
        return ConfigError(f"{name} is no source", hint="only sources can be tried; a sink has its tests")
    near = nearest(name, {*registry.sources, *(plugin.name for plugin in registry.plugins)})
    guess = f"did you mean {near!r}? " if near else ""
    return ConfigError(
        f"there is no source type or plugin {name!r:.60}",
        hint=f"{guess}See what is installed with: archive plugins list. A type of a plugin that no "
        "configuration here enables is named PLUGIN:TYPE",
    )


def _scratch(into: Path | None) -> Path:
    try:
        if into is None:
            return Path(tempfile.mkdtemp(prefix="archive-try-"))
        if into.exists() and any(into.iterdir()):
            raise ConfigError(f"{printable(str(into))} is not empty", hint="name another folder with --into")
        into.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{error.filename or into} cannot be used: {error.strerror}"
        raise ConfigError(message, hint="name another folder with --into") from error
    return into.absolute()
