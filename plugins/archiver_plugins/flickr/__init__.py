"""Flickr: photos and videos by album, user, tag, words, group pool, gallery, or one by one.

Read in this order: `options` and `addresses` (what a user may write), `source` (what each entry names
becomes materials, a material becomes files), `listing` with `paging` and `search` (one request for 500
photos), `rest` (a call and its errors), `answers` (what the service says), `materials` and `sizes` (what
is made of it).

Facts about the service stand where they are used. They come from its API pages
(https://www.flickr.com/services/api/) and from answers that it gave between 2010 and 2025; the loopback
double repeats them.
"""

from collections.abc import Sequence
from typing import Any

from archiver import api
from archiver_plugins.flickr.options import FlickrEntry, FlickrOptions
from archiver_plugins.flickr.source import Flickr

__all__ = ["Flickr", "FlickrEntry", "FlickrOptions", "archiver_sources"]


@api.hookimpl
def archiver_sources() -> Sequence[type[api.Source[Any, Any]]]:
    """Announce the source."""
    return [Flickr]
