"""Plain links: files at addresses that somebody wrote down, in the configuration or in a list.

Read in this order: `options` (what a user may write), `lists` (files full of links), `addresses` (what
names a link, and what stays secret), `names` (what an address tells of its file), `asking` (has a file
changed?), `source` (links become materials, materials become files).
"""

from collections.abc import Sequence
from typing import Any

from archiver import api
from archiver_plugins.links.options import Link, LinksEntry, LinksOptions
from archiver_plugins.links.source import Links

__all__ = ["Link", "Links", "LinksEntry", "LinksOptions", "archiver_sources"]


@api.hookimpl
def archiver_sources() -> Sequence[type[api.Source[Any, Any]]]:
    """Announce the source."""
    return [Links]
