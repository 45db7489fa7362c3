"""The decks of the demo and the texts on their pages."""

from __future__ import annotations

import re
from collections import Counter
from importlib import resources
from typing import Any

import pytest
import yaml

from archiver.demo import content
from archiver.demo.content import DemoDeck


def named(deck_id: str) -> DemoDeck:
    return next(deck for deck in content.decks() if deck.id == deck_id)


def test_every_stop_that_published_slides_has_its_decks() -> None:
    stops = Counter(deck.stop for deck in content.decks())
    assert stops == {
        "Beijing": 7,
        "Shenzhen": 6,
        "Chengdu": 6,
        "Shanghai": 7,
        "Nanjing": 7,
        "Tianjin": 5,
        "OSAC 2012": 6,
    }


def test_a_deck_is_composed_of_its_own_title_and_the_texts_of_its_topic() -> None:
    deck = named("shenzhen-swift")
    title, agenda, diagram, points = deck.pages
    assert title.text.splitlines() == [deck.title, "COSUG Shenzhen", "Shenzhen", "2012"]
    assert "Swift 架构一览" in agenda.items
    assert diagram.layout == "ring"
    assert points.heading == "Swift 架构与实践"


def test_a_recurring_talk_differs_in_its_title_page_only() -> None:
    first, second = named("beijing-quantum").pages, named("chengdu-quantum").pages
    assert first[0] != second[0]
    assert first[1:] == second[1:]


@pytest.mark.parametrize("deck", content.decks(), ids=lambda deck: deck.id)
def test_the_text_of_every_page_is_filled(deck: DemoDeck) -> None:
    for page in deck.pages:
        assert page.heading.strip()
        assert 2 <= len(page.items) <= 7
        assert all(item.strip() == item and item for item in page.items)


def test_the_word_of_the_first_search_occurs_at_several_stops_and_not_everywhere() -> None:
    stops = {deck.stop for deck in content.decks() if any("云计算" in page.text for page in deck.pages)}
    assert len(stops) >= 5
    assert not any("云计算" in page.text for page in named("shanghai-swift-key").pages)


def test_addresses_are_unique_and_well_formed() -> None:
    forms = {
        "slideshare": r"[a-z0-9-]+/[a-z0-9-]+/[0-9]{8}",
        "speakerdeck": r"[a-z0-9-]+/[a-z0-9-]+",
        "file": r"[a-z]+/slides/[^/]+\.(pdf|pptx)",
        "mail": r"[^/]+\.(pdf|pptx)",
    }
    for deck in content.decks():
        assert re.fullmatch(forms[deck.host], deck.address), deck.address
    addresses = [deck.address for deck in content.decks()]
    assert len(set(addresses)) == len(addresses)


def test_every_topic_is_used_and_every_used_topic_exists() -> None:
    text = (resources.files("archiver.demo") / "topics.yaml").read_text(encoding="utf-8")
    topics: dict[str, Any] = yaml.safe_load(text)
    assert {deck.topic for deck in content.decks()} == set(topics)


def test_undated_stops_get_upload_times_after_the_tour() -> None:
    for deck in content.decks():
        if deck.host == "file":
            continue
        dated = deck.stop in {"Beijing", "Shenzhen", "OSAC 2012"}
        assert (deck.created > "2012-12-22") is not dated
        assert re.fullmatch(r"2012-\d\d-\d\d \d\d:\d\d:\d\d UTC", deck.created)
