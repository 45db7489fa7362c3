"""The contract of the source `slideshare`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from archiver.testing.contracts.samples import picture
from archiver.testing.slideshare import Deck, SlideShareDouble
from archiver.testing.sources import SourceContract, Subject


def _deck(number: int, user: str = "cosug") -> Deck:
    pages = (picture(number, width=640), picture(number + 1, width=640))
    return Deck(14567000 + number, user, f"Deploy OpenStack {number}", pages, transcript=("One", "Two"))


class TestSlideShare(SourceContract):
    """A user's decks, two on each page of the list."""

    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        """Give three decks of one user, and one of another."""
        first = _deck(1)
        decks = [first, _deck(2), _deck(3), _deck(11, "eve")]
        with SlideShareDouble(decks, page_size=2) as service:
            yield Subject(
                "slideshare",
                lambda url: {"base_url": url},
                ({"user": "cosug"},),
                service.url,
                other=Subject("slideshare", lambda url: {"base_url": url}, ({"user": "eve"},), service.url),
                remove=lambda: service.add(replace(first, gone=True)),
            )
