"""`archive plugins`: what is installed, what runs, and why something does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.common import common_options, echo_json, load_registry, printable
from archiver.cli.plugins_new import new_plugin
from archiver.cli.plugins_test import test_plugin
from archiver.cli.plugins_try import try_plugin

if TYPE_CHECKING:
    from archiver.registry import PluginInfo, Registry

EPILOG = """\b
Examples:
  archive plugins list              show what is installed and what runs
  archive plugins list --json       the same for a program
  archive plugins new source NAME   write a plugin to start from
  archive plugins try NAME          see what a source finds, storing nothing

\b
A plugin that was installed beside the program runs when the configuration names it:
  plugins: [NAME]
"""


@click.group(epilog=EPILOG, invoke_without_command=True)
@click.pass_context
def plugins(ctx: click.Context) -> None:
    """Show the plugins and the types they provide."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_plugins)


plugins.add_command(new_plugin)
plugins.add_command(try_plugin)
plugins.add_command(test_plugin)


@plugins.command("list", epilog=EPILOG)
@common_options
def list_plugins(config_path: Path, verbose: bool, as_json: bool) -> None:
    """List every installed plugin, and why one does not run.

    The configuration, if there is one, says which plugins of others are enabled.
    """
    del verbose
    registry = load_registry(config_path)
    if as_json:
        echo_json({"plugins": [_as_dict(plugin, registry) for plugin in registry.plugins]})
        return
    for line in _table(registry):
        click.echo(printable(line))


def _as_dict(plugin: PluginInfo, registry: Registry) -> dict[str, Any]:
    about = {name: _about(registry, name) for name in plugin.types}
    return {**asdict(plugin), "bundled": plugin.bundled, "about": about}


def _about(registry: Registry, type_name: str) -> str:
    cls = registry.sources.get(type_name) or registry.sinks.get(type_name)
    return (getattr(cls, "__doc__", None) or "").strip().partition("\n")[0]


def _table(registry: Registry) -> list[str]:
    head = ("NAME", "KIND", "VERSION", "ORIGIN", "API", "STATE")
    rows = [head, *(_row(plugin) for plugin in registry.plugins)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines: list[str] = [_line(head, widths)]
    for plugin, row in zip(registry.plugins, rows[1:], strict=True):
        lines.append(_line(row, widths))
        lines += [f"    {name}: {_about(registry, name)}" for name in plugin.types if _about(registry, name)]
        lines += [f"    {plugin.reason}"] if plugin.reason else []
    return lines


def _row(plugin: PluginInfo) -> tuple[str, ...]:
    api = "-" if plugin.api_version is None else str(plugin.api_version)
    kinds = ", ".join(plugin.kinds) or "-"
    return (plugin.name, kinds, plugin.version or "-", plugin.origin, api, str(plugin.state))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
