"""`archive plugins test`: hold a plugin to what plugins promise."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.common import echo_json, output_options, printable
from archiver.errors import ConfigError

if TYPE_CHECKING:
    from archiver.testing.contract_run import Finding, Verdict

EPILOG = """\b
Examples:
  archive plugins test slideshare                a bundled plugin
  archive plugins test my-photos                 an installed one that comes with its contract
  archive plugins test tests/test_contract.py    a file of your own

\b
The contract of an installed plugin is the module `contract` of its package: a class derived from
SourceContract or SinkContract. Nothing on the network is asked. It needs pytest:
  pip install "event-archiver[testing]"
"""


@click.command("test", epilog=EPILOG)
@click.argument("name", metavar="NAME|FILE")
@output_options
def test_plugin(name: str, verbose: bool, as_json: bool) -> None:
    """Run the contract of a plugin, and name every promise that it does not keep.

    A promise is kept, unmet, or untested, with the reason. Exit code 1 says that one is unmet.
    """
    from archiver.testing.contract_run import need_pytest, run_contract

    need_pytest()
    verdict = run_contract(_target(name))
    if verdict.trouble:
        raise ConfigError(f"the contract of {name} cannot be run: {verdict.trouble}")
    if as_json:
        echo_json({"plugin": name, "passed": verdict.passed, "promises": list(map(asdict, verdict.findings))})
    for line in () if as_json else _told(name, verdict, verbose=verbose):
        click.echo(printable(line))
    sys.exit(0 if verdict.passed else 1)


def _target(name: str) -> str | Path:
    """Find what to run: a file or folder that was named, or the contract of an installed plugin."""
    from archiver.registry import State, load_plugins
    from archiver.testing.contract_run import contract_of

    path = Path(name)
    if path.suffix == ".py" or "/" in name:
        if not path.exists():
            raise ConfigError(f"there is no {name}", hint="name a file with a contract, or a plugin")
        return path
    plugins = load_plugins((name,)).plugins
    found = next((plugin for plugin in plugins if plugin.name == name), None)
    if found is None:
        known = ", ".join(plugin.name for plugin in plugins)
        raise ConfigError(f"no plugin {name!r} is installed", hint=f"installed are: {known}")
    if found.state is State.QUARANTINED:
        raise ConfigError(f"the plugin {name} cannot be loaded: {found.reason}")
    return contract_of(name, _module_of(name), found.origin)


def _module_of(name: str) -> str:
    from importlib.metadata import entry_points

    from archiver.registry import GROUP

    return next((point.module for point in entry_points(group=GROUP, name=name)), name)


def _told(name: str, verdict: Verdict, *, verbose: bool) -> Iterator[str]:
    from archiver.testing.contract_run import State

    kept, unmet, untested = (verdict.of(state) for state in (State.KEPT, State.UNMET, State.UNTESTED))
    for finding in kept if verbose else ():
        yield f"kept: {finding.promise}"
    for finding in untested:
        yield f"untested: {finding.promise}"
        yield from _why(finding)
    for finding in unmet:
        yield f"UNMET: {finding.promise}"
        yield from _why(finding)
        yield f"    (the check {finding.check} of {finding.contract})"
    yield f"{name}: {len(kept)} promises kept, {len(unmet)} unmet, {len(untested)} untested."


def _why(finding: Finding) -> Iterator[str]:
    for seen in finding.seen[:3]:
        yield from (f"    {line}" for line in seen.splitlines()[:6])
