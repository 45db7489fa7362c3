"""The `disk` sink: an archive in a directory.

Read in this order: `sink` (the interface), `tree` (where a path lies, and what is there), `writing` (bytes
come in by way of `tmp/`), `syncing` (what a power cut must not take), `problems` (what users are told).
"""

from __future__ import annotations

from typing import Any

from archiver.api import Sink, hookimpl
from archiver_plugins.disk.options import DiskOptions
from archiver_plugins.disk.sink import DiskSink

__all__ = ["DiskOptions", "DiskSink", "archiver_sinks"]


@hookimpl
def archiver_sinks() -> list[type[Sink[Any]]]:
    """Announce the sink."""
    return [DiskSink]
