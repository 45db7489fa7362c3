"""Reports on the web: pages, feeds, sitemaps and WordPress sites, each post kept as a web archive.

Read in this order: `options` (what a user may write), `source` (entries become materials, a material
becomes files), `visitor` with `robots` and `pace` (how pages are asked for), `feeds`, `sitemaps` and
`wordpress` (the listings), `page` with `charsets`, `judge`, `words` and `links` (what a page says), then
`requisites`, `capture`, `warc` and `wacz` (how it is kept).
"""

from collections.abc import Sequence
from typing import Any

from archiver import api
from archiver_plugins.web.options import WebEntry, WebOptions
from archiver_plugins.web.source import Web

__all__ = ["Web", "WebEntry", "WebOptions", "archiver_sources"]


@api.hookimpl
def archiver_sources() -> Sequence[type[api.Source[Any, Any]]]:
    """Announce the source."""
    return [Web]
