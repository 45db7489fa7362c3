"""`archive plugins try`: list and fetch a few items of a source, storing nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.common import output_options, printable
from archiver.errors import ConfigError

if TYPE_CHECKING:
    from archiver.config import SourceSpec
    from archiver.registry import Registry

EPILOG = """\b
Examples:
  archive plugins try folder --option path=./incoming
  archive plugins try speakerdeck --entry user=cosug --limit 5
  archive plugins try flickr --option 'api_key=${FLICKR_API_KEY}' --entry album=72157631

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

    NAME is a source type or an installed plugin, which need not be enabled. Shows every request, what is
    listed, and what a run would make of each item: the names of its files, what they are, how good.
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

    registry = load_plugins([name])
    type_name = _type_of(name, registry)
    kind: Any = registry.sources[type_name]
    made = from_pairs(kind.options_class, options, os.environ, "--option")
    entry = from_pairs(kind.entry_class, entries, os.environ, "--entry")
    use: ScopeEntry[Any] = ScopeEntry(Event("try", "Try"), entry)
    return registry, SourceSpec(type_name, type_name, made, (use,))


def _type_of(name: str, registry: Registry) -> str:
    """Find the source type that a name stands for. Raises `ConfigError` when there is none, or several."""
    from archiver.config.problems import listed, nearest

    if name in registry.sources:
        return name
    mine = [plugin for plugin in registry.plugins if name in {plugin.name, plugin.origin}]
    types = [word for plugin in mine for word in plugin.types if word in registry.sources]
    if len(types) == 1:
        return types[0]
    if types:
        raise ConfigError(f"{name} provides several source types", hint=f"name one: {listed(types)}")
    broken = next((plugin for plugin in mine if plugin.state == "quarantined"), None)
    if broken is not None:
        raise ConfigError(
            f"the plugin {name} cannot be used: {broken.reason}", hint="correct it, then try again"
        )
    if name in registry.sinks or mine:
        raise ConfigError(f"{name} is no source", hint="only sources can be tried; a sink has its tests")
    known = {*registry.sources, *(plugin.name for plugin in registry.plugins)}
    near = nearest(name, known)
    guess = f"did you mean {near!r}?" if near else "see what is installed with: archive plugins list"
    raise ConfigError(f"there is no source type or plugin {name!r:.60}", hint=guess)


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
