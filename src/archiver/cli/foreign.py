"""Commands where file names are in another encoding than UTF-8: those that touch files refuse at once."""

from __future__ import annotations

from copy import copy
from typing import Any, NoReturn

import click

from archiver.errors import ConfigError
from archiver.utf8 import USE_UTF8, foreign_encoding

#: What reads no file of an archive and names none.
HARMLESS = frozenset({"doctor", "schema", "plugins list", "plugins new"})


def guarded(command: click.Command, name: str) -> click.Command:
    """Give the command as it may run here: with the same options and help, refusing to do anything else."""
    if isinstance(command, click.Group):
        group = copy(command)
        group.commands = {each: guarded(below, f"{name} {each}") for each, below in command.commands.items()}
        return group
    if name in HARMLESS:
        return command
    # After the options were read, so that --help helps and --json is answered in JSON.
    refused = copy(command)
    refused.callback = _refuse
    return refused


def _refuse(**_: Any) -> NoReturn:
    raise ConfigError(
        f"file names are in the encoding {foreign_encoding()} here, and those of an archive in UTF-8: "
        "files that are there would count as lost",
        hint=f"{USE_UTF8}, then run again",
    )
