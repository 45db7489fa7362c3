"""The services of the demo: loopback twins of the sites on which the tour left its material."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from archiver.demo import blog, content, photos, recordings
from archiver.demo.content import DemoDeck
from archiver.testing import slideshare, speakerdeck


@contextmanager
def services() -> Iterator[Mapping[str, str]]:
    """Start the services; give the environment that leads the example configuration to them."""
    with (
        slideshare.SlideShareDouble(slideshare_decks()) as slides,
        speakerdeck.SpeakerDeckDouble(speakerdeck_decks()) as speakers,
        photos.service() as album,
        blog.service() as reports,
        recordings.service() as videos,
    ):
        yield {
            "SLIDESHARE_URL": slides.url,
            "SPEAKERDECK_URL": speakers.url,
            "FLICKR_URL": album.url,
            "FLICKR_API_KEY": album.api_key,
            "BLOG_URL": reports.url,
            "VIDEO_URL": videos.url,
        }


def slideshare_decks() -> list[slideshare.Deck]:
    """Make the decks that SlideShare publishes."""
    return [_slideshare(deck) for deck in content.decks() if deck.host == "slideshare"]


def speakerdeck_decks() -> list[speakerdeck.Deck]:
    """Make the decks that Speaker Deck publishes."""
    return [_speakerdeck(deck) for deck in content.decks() if deck.host == "speakerdeck"]


def _slideshare(deck: DemoDeck) -> slideshare.Deck:
    user, slug, number = deck.address.split("/")
    return slideshare.Deck(
        id=int(number),
        user=user,
        slug=slug,
        title=deck.title,
        author=deck.author,
        description=deck.description,
        created=deck.created,
        tags=deck.tags,
        pages=content.page_images(deck),
        transcript=_texts(deck),
    )


def _speakerdeck(deck: DemoDeck) -> speakerdeck.Deck:
    user, slug = deck.address.split("/")
    return speakerdeck.Deck(
        user=user,
        slug=slug,
        title=deck.title,
        author=deck.author,
        description=deck.description,
        published=deck.created[:10],
        pages=content.page_images(deck),
        transcript=_texts(deck),
        pdf=content.download(deck),
    )


def _texts(deck: DemoDeck) -> tuple[str, ...]:
    return tuple(page.text for page in deck.pages)
