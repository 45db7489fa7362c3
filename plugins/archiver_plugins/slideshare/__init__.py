"""SlideShare: decks by address, by user, by tag or by search.

Read in this order: `options` (what a user may write), `source` (addresses and listings become
materials, a material becomes files), `page` (what the service's pages say).

The original file needs a paid login there, so the page images in their best size are what an archive
can have. Facts about the service stand where they are used. None of them is promised by it: they were
read off programs that worked in 2025 and 2026, and the loopback double repeats them.
"""

from collections.abc import Sequence
from typing import Any

from archiver import api
from archiver_plugins.slideshare.options import SlideShareEntry, SlideShareOptions
from archiver_plugins.slideshare.source import SlideShare

__all__ = ["SlideShare", "SlideShareEntry", "SlideShareOptions", "archiver_sources"]


@api.hookimpl
def archiver_sources() -> Sequence[type[api.Source[Any, Any]]]:
    """Announce the source."""
    return [SlideShare]
