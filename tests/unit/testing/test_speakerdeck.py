from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from lxml import etree, html
from PIL import Image

from archiver.testing.speakerdeck import Deck, SpeakerDeckDouble

ATOM = "{http://www.w3.org/2005/Atom}"


def picture(form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (9, 99, 199)).save(buffer, form)
    return buffer.getvalue()


def deck(number: int = 1, **values: Any) -> Deck:
    given: dict[str, Any] = {
        "user": "zhengpeng",
        "title": f"Juju & <{number}>",
        "published": f"2012-09-0{number}",
        "pages": (picture(), picture("JPEG")),
    }
    return Deck(**(given | values))


@pytest.fixture
def service() -> Iterator[SpeakerDeckDouble]:
    with SpeakerDeckDouble(page_size=2, feed_size=2) as service:
        yield service


@pytest.fixture
def client(service: SpeakerDeckDouble) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, trust_env=False) as client:
        yield client


def test_a_deck_page_says_what_the_real_one_says(service: SpeakerDeckDouble, client: httpx.Client) -> None:
    service.add(deck(transcript=("a & b", "c"), description="How"))
    tree = html.fromstring(client.get(deck().path).text)
    assert tree.xpath("//meta[@name='stats-view_type']/@content") == ["talk"]
    assert tree.xpath("//meta[@property='og:title']/@content") == ["Juju & <1>"]
    assert tree.xpath("//link[@rel='canonical']/@href") == ["https://speakerdeck.com/zhengpeng/juju-1"]
    assert [element.text_content() for element in tree.find_class("slide-transcript")] == ["a & b", "c"]
    assert tree.xpath("//a[@title='Download PDF']") == []


def test_the_pdf_is_linked_when_there_is_one(service: SpeakerDeckDouble, client: httpx.Client) -> None:
    service.add(deck(1, pdf=b"%PDF-1.4"), deck(2))
    link = html.fromstring(client.get(deck(1).path).text).xpath("//a[@title='Download PDF']/@href")[0]
    answer = client.get(link)
    assert (answer.content, answer.headers["content-type"]) == (b"%PDF-1.4", "application/pdf")
    assert client.get(f"/presentations/{deck(2).id}/x.pdf").status_code == 404


def test_oembed_leads_to_the_player_and_the_player_to_slides_from_zero(
    service: SpeakerDeckDouble, client: httpx.Client
) -> None:
    service.add(deck(author="Zhengpeng Hou"))
    answer = client.get("/oembed.json", params={"url": deck().url}).json()
    assert answer["author_name"] == "Zhengpeng Hou"
    assert f'src="//{service.url.removeprefix("http://")}/player/{deck().id}"' in answer["html"]
    slides = html.fromstring(client.get(f"/player/{deck().id}").text).find_class("js-sd-slide")
    addresses = [slide.get("data-url") for slide in slides]
    assert [address.rsplit("/", 1)[1] for address in addresses] == ["slide_0.jpg", "slide_1.jpg"]
    with Image.open(io.BytesIO(client.get(addresses[0]).content)) as image:
        assert image.format == "JPEG"
    assert client.get(addresses[1].replace("slide_1", "slide_2")).status_code == 404


def test_user_pages_hold_all_decks_and_feeds_the_newest(
    service: SpeakerDeckDouble, client: httpx.Client
) -> None:
    service.add(deck(1), deck(2), deck(3), deck(4, gone=True))
    pages = [html.fromstring(client.get("/zhengpeng", params={"page": n}).text) for n in (1, 2)]
    links = [page.xpath("//a[@class='deck-preview-link']/@href") for page in pages]
    assert links == [["/zhengpeng/juju-3", "/zhengpeng/juju-2"], ["/zhengpeng/juju-1"]]
    entries = etree.fromstring(client.get("/zhengpeng.atom").content).findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == ["Juju & <3>", "Juju & <2>"]
    items = etree.fromstring(client.get("/zhengpeng.rss").content).findall(".//item")
    assert items[0].findtext("link") == deck(3).url


@pytest.mark.parametrize(
    "path",
    ["/zhengpeng/juju-1", "/nobody", "/nobody.atom", "/nobody.rss", "/player/0",
     "/presentations/0/slide_0.jpg", "/oembed.json?url=https://speakerdeck.com/zhengpeng/juju-1"],
)  # fmt: skip
def test_what_is_gone_or_unknown_is_missing(
    path: str, service: SpeakerDeckDouble, client: httpx.Client
) -> None:
    service.add(deck(gone=True))
    assert client.get(path).status_code == 404


def test_a_chinese_title_has_a_slug_all_the_same() -> None:
    assert deck(title="云计算").path.startswith("/zhengpeng/")
    assert deck(title="云计算").name != deck(title="云存储").name
