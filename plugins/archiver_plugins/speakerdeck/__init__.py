"""Speaker Deck: decks by address and by user; the author's PDF where it is offered, else the slides.

Read in this order: `options` (what a user may write), `source` (addresses and users become
materials, a material becomes files), `page` (what the service's pages say). No login is needed.

Facts about the service stand where they are used. None of them is promised by it: they were read off
programs that worked in 2025 and 2026, and the loopback double repeats them.
"""

from collections.abc import Sequence
from typing import Any

from archiver import api
from archiver_plugins.speakerdeck.options import SpeakerDeckEntry, SpeakerDeckOptions
from archiver_plugins.speakerdeck.source import SpeakerDeck

__all__ = ["SpeakerDeck", "SpeakerDeckEntry", "SpeakerDeckOptions", "archiver_sources"]


@api.hookimpl
def archiver_sources() -> Sequence[type[api.Source[Any, Any]]]:
    """Announce the source."""
    return [SpeakerDeck]
