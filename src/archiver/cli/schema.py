"""`archive schema`: the shape of the configuration file, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from archiver.cli.common import common_options

EPILOG = """\b
Examples:
  archive schema > archive.schema.json
  archive schema -c tour.yaml       with the plugins that tour.yaml enables

\b
An editor with a YAML language server completes and checks the file when its first line is:
  # yaml-language-server: $schema=archive.schema.json
"""


@click.command(epilog=EPILOG)
@common_options
def schema(config_path: Path, verbose: bool, as_json: bool) -> None:
    """Print the JSON Schema of the configuration file.

    It holds the options of every plugin that comes with the program, and of those that the
    configuration enables under `plugins:`, if there is a configuration.
    """
    del verbose, as_json  # the output is JSON in any case
    from archiver.cli.common import load_registry
    from archiver.config.schema import file_schema

    click.echo(json.dumps(file_schema(load_registry(config_path)), ensure_ascii=False, indent=2))
