"""The polite HTTP client that the core lends to its sources.

Read in this order: `client` (what a source calls), `retry` (another attempt or not), `exchange` (one
attempt: redirects, credentials, whose turn it is), `transport`, `head` and `pool` (bytes on a connection),
`guard` (which addresses may be reached), `page` and `transfer` (what is made of the bytes), `posting` (the
body of a POST), `disposition` (what a file is called), `urls` (addresses taken apart).

Proxies named in the environment are not used: a proxy would resolve names where `guard` cannot look.
"""

from archiver.redact import is_secret_name, redact
from archiver.web.client import PoliteClient
from archiver.web.guard import Guard
from archiver.web.limits import Clock, Limits, Politeness
from archiver.web.origins import origins_of
from archiver.web.urls import Origin, origin_of
from archiver.web.watching import Seen

__all__ = [
    "Clock",
    "Guard",
    "Limits",
    "Origin",
    "PoliteClient",
    "Politeness",
    "Seen",
    "is_secret_name",
    "origin_of",
    "origins_of",
    "redact",
]
