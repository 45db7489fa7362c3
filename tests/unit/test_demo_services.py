"""The services that the demo starts, spoken to over real sockets."""

from __future__ import annotations

import json
import os
import re

import httpx
import pytest

from archiver.demo import content
from archiver.demo.environment import overridden
from archiver.demo.services import services, slideshare_decks, speakerdeck_decks

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}


def test_the_services_publish_every_deck_that_is_not_a_file() -> None:
    hosted = [deck for deck in content.decks() if deck.host not in {"file", "mail"}]
    assert len(slideshare_decks()) + len(speakerdeck_decks()) == len(hosted)


def test_a_deck_page_has_the_transcript_and_its_images_are_served() -> None:
    with services() as addresses:
        address = addresses["SLIDESHARE_URL"]
        page = httpx.get(f"{address}/slideshow/thinking-of-cloud-computing/14310004", headers=BROWSER)
        data = json.loads(re.search(r'type="application/json">(.*?)</script>', page.text)[1])  # type: ignore[index]
        deck = data["props"]["pageProps"]["slideshow"]
        image = httpx.get(
            f"{address}/{deck['slides']['imageLocation']}/75/{deck['slides']['title']}-1-2048.jpg",
            headers=BROWSER,
        )
    assert deck["title"] == "云计算的思考"
    assert any("云计算" in text for text in deck["transcript"])
    assert image.content[:4] == b"RIFF"


@pytest.mark.parametrize(
    ("tag", "count"), [("2012osac", 6), ("openstack-shenzhen-2012", 6), ("openstack-shanghai-2012", 4)]
)
def test_tags_find_the_decks_of_one_event(tag: str, count: int) -> None:
    with services() as addresses:
        page = httpx.get(f"{addresses['SLIDESHARE_URL']}/search", params={"q": tag}, headers=BROWSER)
    assert page.text.count("slideshow-card-link") == count


def test_speaker_deck_offers_some_decks_as_pdf() -> None:
    with services() as addresses:
        pages = {
            deck.slug: httpx.get(addresses["SPEAKERDECK_URL"] + deck.path).text
            for deck in speakerdeck_decks()
        }
    offered = {slug for slug, text in pages.items() if "Download PDF" in text}
    assert offered == {"deploy-openstack-with-chef", "development-of-cloudstack-and-its-community"}


def test_environment_variables_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIDESHARE_URL", "mine")
    monkeypatch.delenv("SPEAKERDECK_URL", raising=False)
    with overridden({"SLIDESHARE_URL": "a", "SPEAKERDECK_URL": "b"}):
        assert (os.environ["SLIDESHARE_URL"], os.environ["SPEAKERDECK_URL"]) == ("a", "b")
    assert os.environ["SLIDESHARE_URL"] == "mine"
    assert "SPEAKERDECK_URL" not in os.environ
