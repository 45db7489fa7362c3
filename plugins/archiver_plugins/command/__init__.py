"""Programs in any language as sources: one JSON object a line on standard input and output.

Read in this order: `options` (what a user may write), `messages` (what is said, which is the protocol),
`lines` (lines of bytes become objects), `process` (one running program) with `strays` (ending all that it
started), `talk` (one request and its answers), `pool` (as many programs as fetches run at once), `convert`
(messages become what the core takes) and `source`.
"""

from collections.abc import Sequence
from typing import Any

from archiver import api
from archiver_plugins.command.options import CommandEntry, CommandOptions
from archiver_plugins.command.source import Command

__all__ = ["Command", "CommandEntry", "CommandOptions", "archiver_sources", "schema_text"]


def schema_text() -> str:
    """Give the published JSON Schema of the protocol."""
    from importlib.resources import files

    return files(__name__).joinpath("protocol.schema.json").read_text("utf-8")


@api.hookimpl
def archiver_sources() -> Sequence[type[api.Source[Any, Any]]]:
    """Announce the source."""
    return [Command]
