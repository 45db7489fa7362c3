"""The contract of the source `speakerdeck`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from archiver.testing.contracts.samples import pdf, picture
from archiver.testing.sources import SourceContract, Subject
from archiver.testing.speakerdeck import Deck, SpeakerDeckDouble


def _deck(number: int, user: str = "junqiang", *, file: bool = True) -> Deck:
    pages = (picture(number), picture(number + 1))
    return Deck(user, f"Chef {number}", pages, pdf=pdf(number) if file else None, transcript=("One", "Two"))


class TestSpeakerDeck(SourceContract):
    """A user's decks, two on each page of the list, one of them without a PDF."""

    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        """Give three decks of one user, and one of another."""
        first = _deck(1)
        decks = [first, _deck(2, file=False), _deck(3), _deck(11, "eve")]
        with SpeakerDeckDouble(decks, page_size=2, feed_size=1) as service:
            yield Subject(
                "speakerdeck",
                lambda url: {"base_url": url},
                ({"user": "junqiang"},),
                service.url,
                other=Subject("speakerdeck", lambda url: {"base_url": url}, ({"user": "eve"},), service.url),
                expected={"junqiang/chef-1": pdf(1), "junqiang/chef-3": pdf(3)},
                remove=lambda: service.add(replace(first, gone=True)),
            )
