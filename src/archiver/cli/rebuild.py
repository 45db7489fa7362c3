"""`archive rebuild`: make the catalog again from what the archive holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.common import common_options, echo_json, load, printable
from archiver.cli.named import check_sinks
from archiver.cli.reading import knowing, reading
from archiver.errors import SinkError

if TYPE_CHECKING:
    from archiver.archive import Head
    from archiver.config import Config
    from archiver.registry import Registry

EPILOG = """\b
Examples:
  archive rebuild                   after you copied only ocfl/ and derived/
  archive rebuild --sink local      in one sink

\b
Only ocfl/ and derived/ are needed for it. No source is asked, nothing is fetched.
"""


@click.command(epilog=EPILOG)
@click.option("--sink", "sinks", metavar="NAME", multiple=True, help="Only in this sink (repeatable).")
@common_options
def rebuild(config_path: Path, verbose: bool, as_json: bool, sinks: tuple[str, ...]) -> int:
    """Make the catalog again from what the archive holds.

    Ledgers and extracted texts in each sink hold everything that is in its catalog.
    """
    del verbose
    config, registry = load(config_path)
    config = knowing(config, registry)
    check_sinks(sinks, config)
    names = [spec.name for spec in config.sinks if not sinks or spec.name in sinks]
    results = _rebuild(config, _narrowed(config, registry), registry, names)
    _tell(results, as_json=as_json)
    return SinkError.exit_code if any(results.values()) else 0


def _narrowed(config: Config, registry: Registry) -> Config | None:
    """Give what a public sink may know of the configuration; None when there is no such sink."""
    from archiver import recall

    if all(spec.audience == "internal" for spec in config.sinks):
        return None
    with reading(config, registry) as archive:
        clearance = recall.clearance(archive.heads.values(), config)
        return clearance.narrowed(clearance.records(archive.records.values()))


def _rebuild(
    config: Config, narrowed: Config | None, registry: Registry, names: Sequence[str]
) -> dict[str, str]:
    """Make the catalogs; say for each sink what went wrong, "" when nothing did."""
    from archiver import hold
    from archiver.archive import new_run
    from archiver.instances import Instances, Workshop

    run = new_run()
    made = Instances(Workshop(run, config.folder, (), config.sinks, config.plugins, config.path), registry)
    try:
        held = hold.take(made, names, run)
        try:
            results = {name: str(error) for name, error in held.errors.items()} | held.notes
            results |= {name: _one(head, config) for name, head in held.heads.items()}
            public = held.public.items() if narrowed is not None else ()
            return results | {name: _one(head, narrowed or config) for name, head in public}
        finally:
            held.release()
    finally:
        made.close()


def _one(head: Head, config: Config) -> str:
    from archiver import index

    try:
        index.rebuild(head, config)
        head.sink.flush()
    except SinkError as error:
        return str(error)
    return ""


def _tell(results: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        echo_json({"sinks": {name: {"error": error} for name, error in results.items()}})
        return
    for name, error in results.items():
        told = f"no catalog was made: {error}" if error else "the catalog was made again"
        click.echo(printable(f"{name}: {told}"), err=bool(error))
