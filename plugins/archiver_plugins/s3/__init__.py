"""The `s3` sink: an archive in a bucket, at AWS or at anybody who speaks its language.

options.py → client.py → objects.py (one request each) → probe.py (what the store honours) →
single.py and multipart.py (put, proven) → sink.py (the interface). headers.py says what browsers are
told, problems.py what users are told, reader.py reads.
"""

from __future__ import annotations

from typing import Any

from archiver.api import Sink, hookimpl
from archiver_plugins.s3.options import S3Options
from archiver_plugins.s3.sink import S3Sink

__all__ = ["S3Options", "S3Sink", "archiver_sinks"]


@hookimpl
def archiver_sinks() -> list[type[Sink[Any]]]:
    """Announce the sink."""
    return [S3Sink]
