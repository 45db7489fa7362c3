from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import pytest
from PIL import Image

from archiver.testing.slideshare import Deck, SlideShareDouble

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0"}


@cache
def picture(form: str = "PNG", width: int = 2200) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, width // 2), (9, 99, 199)).save(buffer, form)
    return buffer.getvalue()


def deck(number: int = 1, **values: Any) -> Deck:
    given: dict[str, Any] = {
        "id": number,
        "user": "cosug",
        "title": f"Swift & Cinder {number}",
        "pages": (picture(),),
    }
    return Deck(**(given | values))


@pytest.fixture
def service() -> Iterator[SlideShareDouble]:
    with SlideShareDouble(page_size=2) as service:
        yield service


@pytest.fixture
def browser(service: SlideShareDouble) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, headers=BROWSER, trust_env=False) as client:
        yield client


def data(answer: httpx.Response) -> Any:
    match = re.search(
        r'<script id="__NEXT_DATA__" type="application/json">(.*?)</script>', answer.text, re.DOTALL
    )
    assert match
    return json.loads(match[1])["props"]["pageProps"].get("slideshow")


def cards(answer: httpx.Response) -> list[str]:
    return re.findall(r'aria-label="(.*?)"', answer.text)


class TestDeckPage:
    def test_says_what_the_real_one_says(self, service: SlideShareDouble, browser: httpx.Client) -> None:
        service.add(deck(transcript=("a < b",), created="2021-09-13 07:59:29 UTC", author="Shake Chen"))
        found = data(browser.get("/slideshow/any/1"))
        assert found["canonicalUrl"] == "https://www.slideshare.net/slideshow/swift-cinder-1/1"
        assert found["user"]["name"] == "Shake Chen"
        assert (found["totalSlides"], found["createdAt"]) == (1, "2021-09-13 07:59:29 UTC")
        assert (found["isPrivate"], found["isViewable"]) == (False, True)
        assert found["transcript"] == ["a &lt; b"]
        assert found["slides"]["host"] == service.url
        assert found["slides"]["imageSizes"][-1] == {"quality": 75, "width": 2048, "format": "webp"}

    def test_has_the_older_transcript_on_demand(
        self, service: SlideShareDouble, browser: httpx.Client
    ) -> None:
        service.add(deck(transcript=("a < b",), shape="html"))
        assert data(browser.get(deck().path))["transcript"] == {
            "html": ['<li> <a href="#1">1.</a> a &lt; b </li>']
        }

    def test_mixes_thumbnails_of_other_decks_into_the_page(
        self, service: SlideShareDouble, browser: httpx.Client
    ) -> None:
        service.add(deck(1), deck(2))
        assert f'<img src="{service.url}/{deck(2).location}/85/' in browser.get(deck(1).path).text

    def test_survives_a_title_that_would_end_the_script(
        self, service: SlideShareDouble, browser: httpx.Client
    ) -> None:
        service.add(deck(title="</script><b>"))
        assert data(browser.get("/slideshow/x/1"))["title"] == "</script><b>"

    @pytest.mark.parametrize("agent", ["python-httpx/0.28", "Mozilla/5.0 (iPhone) Mobile", ""])
    def test_comes_without_data_for_those_who_are_no_desktop_browser(
        self, agent: str, service: SlideShareDouble, browser: httpx.Client
    ) -> None:
        service.add(deck())
        answer = browser.get(deck().path, headers={"User-Agent": agent})
        assert answer.status_code == 200
        assert "__NEXT_DATA__" not in answer.text

    def test_states(self, service: SlideShareDouble, browser: httpx.Client) -> None:
        service.add(deck(1, gone=True), deck(2, private=True), deck(3, viewable=False), deck(4, blocked=True))
        assert browser.get(deck(1).path).status_code == 410
        assert data(browser.get(deck(2).path))["isPrivate"] is True
        assert "slides" not in data(browser.get(deck(2).path))
        assert data(browser.get(deck(3).path))["isViewable"] is False
        assert "__NEXT_DATA__" not in browser.get(deck(4).path).text
        assert browser.get(deck(5).path).status_code == 404
        service.remove(2)
        assert browser.get(deck(2).path).status_code == 404

    def test_old_mobile_and_embed_addresses_lead_to_it(
        self, service: SlideShareDouble, browser: httpx.Client
    ) -> None:
        service.add(deck())
        old = browser.get(deck().old_path)
        assert (old.status_code, old.headers["location"]) == (301, deck().path)
        for path in (f"/mobile{deck().old_path}", f"/slideshow/embed_code/key/{deck().key}"):
            answer = browser.get(path)
            assert f'<link rel="canonical" href="{deck().url}">' in answer.text
            assert "__NEXT_DATA__" not in answer.text

    def test_a_secret_deck_has_its_own_address_alone(
        self, service: SlideShareDouble, browser: httpx.Client
    ) -> None:
        hidden = deck(secret=True)
        service.add(hidden)
        assert data(browser.get(f"/secret/{hidden.key}"))["title"] == hidden.title
        assert browser.get("/slideshow/swift-cinder-1/1").status_code == 404
        assert browser.get(hidden.old_path).status_code == 404

    def test_data_can_be_bent(self, service: SlideShareDouble, browser: httpx.Client) -> None:
        service.add(deck(data={"totalSlides": "x", "slides": ...}))
        found = data(browser.get(deck().path))
        assert found["totalSlides"] == "x"
        assert "slides" not in found


class TestImages:
    @pytest.mark.parametrize(
        ("size", "form", "width"),
        [("85/{}-1-320", "JPEG", 320), ("85/{}-1-638", "JPEG", 638), ("95/{}-1-1024", "JPEG", 1024),
         ("75/{}-1-2048", "WEBP", 2048)],
    )  # fmt: skip
    def test_exist_in_every_size_and_the_largest_is_webp(
        self, size: str, form: str, width: int, service: SlideShareDouble, browser: httpx.Client
    ) -> None:
        service.add(deck())
        answer = browser.get(f"/{deck().location}/{size.format('swift-cinder-1')}.jpg")
        assert answer.headers["content-type"] == "image/jpeg"
        with Image.open(io.BytesIO(answer.content)) as image:
            assert (image.format, image.width) == (form, width)

    def test_have_no_title_in_a_chinese_deck(self, service: SlideShareDouble, browser: httpx.Client) -> None:
        chinese = deck(title="云计算")
        service.add(chinese)
        assert chinese.path == "/slideshow/ss-1/1"
        assert data(browser.get(chinese.path))["slides"]["title"] == ""
        assert browser.get(f"/{chinese.location}/85/-1-320.jpg").status_code == 200
        assert browser.get(f"/{chinese.location}/85/x-1-320.jpg").status_code == 404

    @pytest.mark.parametrize(
        "name", ["85/{}-2-320", "85/{}-0-320", "85/{}-1-999", "75/{}-1-320", "85/{}", "85/x"]
    )
    def test_others_are_missing(self, name: str, service: SlideShareDouble, browser: httpx.Client) -> None:
        service.add(deck())
        assert browser.get(f"/{deck().location}/{name.format('swift-cinder-1')}.jpg").status_code == 404

    def test_of_closed_decks_are_missing(self, service: SlideShareDouble, browser: httpx.Client) -> None:
        service.add(deck(private=True))
        assert browser.get(f"/{deck().location}/85/swift-cinder-1-1-320.jpg").status_code == 404

    def test_small_webp_pages_are_passed_through(
        self, service: SlideShareDouble, browser: httpx.Client
    ) -> None:
        page = picture("WEBP", 640)
        service.add(deck(pages=(page,)))
        assert browser.get(f"/{deck().location}/75/swift-cinder-1-1-2048.jpg").content == page


class TestListings:
    def test_of_a_user_are_paged_in_both_ways(self, service: SlideShareDouble, browser: httpx.Client) -> None:
        service.add(
            *(deck(n, author="Shake Chen") for n in (1, 2, 3)), deck(4, secret=True), deck(5, private=True)
        )
        assert cards(browser.get("/cosug")) == [
            f"Swift &amp; Cinder {n} by Shake Chen, has 1 slides with 1,234 views." for n in (1, 2)
        ]
        assert (
            len(cards(browser.get("/cosug?page=2"))) == len(cards(browser.get("/cosug/presentations/2"))) == 1
        )
        assert cards(browser.get("/cosug?page=3")) == []
        assert data(browser.get("/cosug")) is None
        assert 'content="summary"' in browser.get("/cosug").text
        assert browser.get("/nobody").status_code == 404

    def test_may_repeat_their_last_page(self) -> None:
        with SlideShareDouble([deck(1), deck(2), deck(3)], page_size=2, repeats_last=True) as service:
            answer = httpx.get(f"{service.url}/cosug?page=9", headers=BROWSER, trust_env=False)
            assert len(cards(answer)) == 1

    def test_search_finds_titles_and_tags(self, service: SlideShareDouble, browser: httpx.Client) -> None:
        service.add(deck(1, tags=("2012osac",)), deck(2, title="云计算的思考"))
        assert len(cards(browser.get("/search?q=2012OSAC swift"))) == 1
        assert len(cards(browser.get("/search?q=云计算"))) == 1
        assert cards(browser.get("/search?q=nova")) == []

    def test_are_bare_for_robots(self, service: SlideShareDouble, browser: httpx.Client) -> None:
        service.add(deck())
        service.blocked = True
        assert "__NEXT_DATA__" not in browser.get("/cosug").text


class TestOEmbed:
    @pytest.mark.parametrize("version", [1, 2])
    def test_leads_to_the_images(
        self, version: int, service: SlideShareDouble, browser: httpx.Client
    ) -> None:
        service.add(deck(conversion_version=version))
        for url in (deck().url, f"https://www.slideshare.net{deck().old_path}"):
            found = browser.get("/api/oembed/2", params={"url": url, "format": "json"}).json()
            middle = "" if version == 2 else "-slide-"
            address = f"http:{found['slide_image_baseurl']}{middle}1{found['slide_image_baseurl_suffix']}"
            assert browser.get(address).status_code == 200
            assert (found["slideshow_id"], found["total_slides"], found["type"]) == (1, 1, "rich")

    def test_knows_no_closed_or_unknown_deck_and_no_other_format(
        self, service: SlideShareDouble, browser: httpx.Client
    ) -> None:
        service.add(deck(1, private=True))
        assert browser.get("/api/oembed/2", params={"url": deck(1).url}).status_code == 404
        assert browser.get("/api/oembed/2", params={"url": "https://x/"}).status_code == 404
        assert browser.get("/api/oembed/2", params={"url": deck(1).url, "format": "xml"}).status_code == 501
