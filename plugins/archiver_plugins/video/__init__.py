"""Recordings from video sites, channels and plain players, through yt-dlp.

Read in this order: `options` (what a user may write), `source` (how the pieces meet), `listing`
(addresses become materials, of which `materials` knows the fields), `fetching` (a material becomes
files, `sidecars` those beside the film), `probe` (whether the film is whole). Below these lies
yt-dlp, tamed: `settings` (its options, all of them), `engine` (the one class that is asked),
`handler` (its requests, sent through the core's guard), `downloads` (the only ways it may fetch
media), `failures` (what its errors mean).

yt-dlp takes a fifth of a second to import, so only `engine` and those below import it, when used.
"""

from collections.abc import Sequence
from typing import Any

from archiver import api
from archiver_plugins.video.options import VideoEntry, VideoOptions
from archiver_plugins.video.source import Video

__all__ = ["Video", "VideoEntry", "VideoOptions", "archiver_sources"]


@api.hookimpl
def archiver_sources() -> Sequence[type[api.Source[Any, Any]]]:
    """Announce the source."""
    return [Video]
