"""`archive schema`: the shape of the configuration file, for editors, and of what a run prints."""

from __future__ import annotations

import json
from pathlib import Path

import click

from archiver.cli import streams
from archiver.cli.common import common_options

EPILOG = """\b
Examples:
  archive schema > archive.schema.json
  archive schema -c tour.yaml       with the plugins that tour.yaml enables
  archive schema --run-events       of each line of `archive run --json`

\b
An editor with a YAML language server completes and checks the file when its first line is:
  # yaml-language-server: $schema=archive.schema.json
"""


@click.command(epilog=EPILOG)
@click.option("--run-events", is_flag=True, help="The schema of the lines that `archive run --json` prints.")
@common_options
def schema(run_events: bool, config_path: Path, verbose: bool, as_json: bool) -> None:
    """Print the JSON Schema of the configuration, or of run --json.

    That of the configuration holds the options of every plugin that comes with the program, and of those
    that the configuration enables under `plugins:`, if there is a configuration.
    """
    del verbose, as_json  # the output is JSON in any case
    streams.keep_for_machines()
    if run_events:
        streams.echo(published(), nl=False)
        return
    from archiver.cli.common import load_registry
    from archiver.config.schema import file_schema

    streams.echo(json.dumps(file_schema(load_registry(config_path)), ensure_ascii=False, indent=2))


def published() -> str:
    """Give the schema of the events of a run, as it is shipped."""
    from importlib.resources import files

    return files("archiver").joinpath("schemas", "run-events.schema.json").read_text(encoding="utf-8")
