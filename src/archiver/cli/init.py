"""`archive init`: a configuration to start from."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

import click

from archiver.cli.common import DEFAULT_CONFIG, echo_json, output_options
from archiver.errors import ConfigError

EPILOG = """\b
Examples:
  archive init                      write archive.yaml here
  archive init tour/archive.yaml    write it somewhere else

\b
Then edit the file and see with `archive check` whether it is right.
"""


@click.command(epilog=EPILOG)
@click.argument(
    "file", default=DEFAULT_CONFIG, envvar="ARCHIVE_CONFIG", type=click.Path(path_type=Path), metavar="[FILE]"
)
@output_options
def init(file: Path, verbose: bool, as_json: bool) -> None:
    """Write a commented configuration to start from.

    FILE is archive.yaml, or what $ARCHIVE_CONFIG names, if left out. A file that is there is never
    overwritten.
    """
    del verbose
    write_new(file, starter())
    if as_json:
        echo_json({"created": str(file)})
        return
    option = "" if str(file) == DEFAULT_CONFIG else f" -c {file}"
    click.echo(f"Wrote {file}. Edit it, then run: archive check{option}")


def starter() -> bytes:
    """Return the configuration that `archive init` writes."""
    return resources.files("archiver.cli").joinpath("starter.yaml").read_bytes()


def write_new(path: Path, content: bytes) -> None:
    """Write a file that does not exist yet, whole or not at all. Raises `ConfigError`."""
    try:
        # O_EXCL: whoever creates the file between a look and a write keeps it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        hint = "edit it, or name another file: archive init FILE"
        raise ConfigError(f"{path} is already there; it is left as it is", hint=hint) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
    except OSError as error:
        path.unlink()
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> ConfigError:
    reason = (error.strerror or str(error)).lower()
    return ConfigError(f"{path} cannot be written: {reason}", hint="name a file in a directory that you own")
