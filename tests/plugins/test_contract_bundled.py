"""Every bundled source keeps what the suite says that sources promise."""

from __future__ import annotations

from archiver.testing.contracts.command import TestCommand
from archiver.testing.contracts.email import TestEmail
from archiver.testing.contracts.flickr import TestFlickr
from archiver.testing.contracts.folder import TestFolder
from archiver.testing.contracts.links import TestLinks
from archiver.testing.contracts.pretalx import TestPretalx
from archiver.testing.contracts.slideshare import TestSlideShare
from archiver.testing.contracts.speakerdeck import TestSpeakerDeck
from archiver.testing.contracts.video import TestVideo
from archiver.testing.contracts.web import TestWeb

__all__ = [
    "TestCommand",
    "TestEmail",
    "TestFlickr",
    "TestFolder",
    "TestLinks",
    "TestPretalx",
    "TestSlideShare",
    "TestSpeakerDeck",
    "TestVideo",
    "TestWeb",
]
