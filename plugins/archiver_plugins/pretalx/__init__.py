"""pretalx and frab: what speakers uploaded to their talks, read off the public schedule.

Read in this order: `options` (what a user may write), `source` (the schedule becomes materials, a material
becomes its file), `links` (what an address is the address of). The schedule's form itself is read by
`archiver.api.read_schedule`, which the expected talks of an event come from as well.
"""

from collections.abc import Sequence
from typing import Any

from archiver import api
from archiver_plugins.pretalx.options import PretalxEntry, PretalxOptions
from archiver_plugins.pretalx.source import Pretalx

__all__ = ["Pretalx", "PretalxEntry", "PretalxOptions", "archiver_sources"]


@api.hookimpl
def archiver_sources() -> Sequence[type[api.Source[Any, Any]]]:
    """Announce the source."""
    return [Pretalx]
