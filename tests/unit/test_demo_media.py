"""The media of the demo are real: they open, they have text, dates, sound."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path

import pptx
import pypdfium2
import pytest
from PIL import ExifTags, Image

from archiver.demo import blog, content
from archiver.demo.content import DemoDeck

MEDIA = Path(str(content.media()))
INBOX = MEDIA / "incoming"
HOSTED = [deck for deck in content.decks() if deck.host not in {"file", "mail"}]
DROPPED = [deck for deck in content.decks() if deck.host == "file"]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def pdf_texts(data: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(data)
    try:
        return [squeezed(page.get_textpage().get_text_range()) for page in document]
    finally:
        document.close()


def test_everything_together_stays_small() -> None:
    assert sum(path.stat().st_size for path in MEDIA.rglob("*") if path.is_file()) < 3_000_000


@pytest.mark.parametrize("deck", HOSTED, ids=lambda deck: deck.id)
def test_page_images_are_webp_of_the_stated_size(deck: DemoDeck) -> None:
    for image in content.page_images(deck):
        with Image.open(io.BytesIO(image)) as opened:
            opened.load()
            assert (opened.format, opened.size) == ("WEBP", (960, 540))
        assert len(image) <= 12 * 1024


def test_no_two_title_pages_are_the_same() -> None:
    titles = [content.page_images(deck)[0] for deck in HOSTED]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("deck", DROPPED, ids=lambda deck: deck.id)
def test_documents_hold_the_text_of_every_page(deck: DemoDeck) -> None:
    path = INBOX / deck.address
    if path.suffix == ".pdf":
        texts = pdf_texts(path.read_bytes())
    else:
        slides = pptx.Presentation(str(path)).slides
        texts = [squeezed("".join(s.text_frame.text for s in slide.shapes)) for slide in slides]
    assert len(texts) == len(deck.pages)
    for text, page in zip(texts[1:], deck.pages[1:], strict=True):
        assert all(squeezed(line) in text for line in (page.heading, *page.items))
    assert squeezed(deck.title) in texts[0]


def test_offered_downloads_are_the_decks_themselves() -> None:
    offered = [deck for deck in HOSTED if deck.download]
    assert len(offered) == 2
    for deck in offered:
        data = content.download(deck)
        assert data is not None
        assert squeezed(deck.title) in pdf_texts(data)[0]


@pytest.mark.parametrize("path", sorted(INBOX.rglob("*.jpg")), ids=lambda path: path.name)
def test_photos_open_and_tell_their_camera(path: Path) -> None:
    with Image.open(path) as photo:
        photo.load()
        exif = photo.getexif()
        assert photo.size == (960, 640)
        assert exif[ExifTags.Base.Model]
        taken = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal, "")
    dates = {"beijing": "2012:09:16", "shenzhen": "2012:09:22", "wuhan": "2012:12:22", "osac": "2012:08:1"}
    event = path.relative_to(INBOX).parts[0]
    assert taken.startswith(dates[event]) if event in dates else not taken


def test_some_photos_know_where_they_were_taken() -> None:
    places: dict[str, float] = {}
    for path in sorted(INBOX.rglob("*.jpg")):
        with Image.open(path) as photo:
            position = photo.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        if position:
            degrees, minutes, _ = position[ExifTags.GPS.GPSLatitude]
            places.setdefault(path.parts[-3], float(degrees) + float(minutes) / 60)
    assert places["beijing"] == pytest.approx(39.9, abs=0.1)
    assert places["shenzhen"] == pytest.approx(22.5, abs=0.1)


@pytest.mark.parametrize("event", ["beijing", "shenzhen"])
def test_recordings_are_fragments_of_mp4_with_picture_and_sound(event: str) -> None:
    first, *others = [path.read_bytes() for path in sorted((MEDIA / "video" / event).iterdir())]
    assert boxes(first) == [b"ftyp", b"moov"]
    assert b"avc1" in first
    assert b"mp4a" in first
    assert len(others) == 3
    assert all(boxes(part)[-2:] == [b"moof", b"mdat"] for part in others)


def boxes(data: bytes) -> list[bytes]:
    found, place = [], 0
    while place < len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        found.append(name)
        place += size
    assert place == len(data)
    return found


def test_only_two_stops_have_a_recording() -> None:
    assert {path.name for path in (MEDIA / "video").iterdir()} == {"beijing", "shenzhen"}
    assert not list(INBOX.rglob("*.mp4"))


def test_every_stop_has_a_report_in_the_encoding_it_declares() -> None:
    stops, encodings = set(), set()
    for path in sorted(INBOX.rglob("*.html")):
        data = path.read_bytes()
        declared = re.search(rb'<meta charset="([a-z0-9-]+)">', data)
        assert declared
        text = data.decode(declared[1].decode())
        assert "OpenStack" in text
        assert "<h1>" in text
        stops.add(path.relative_to(INBOX).parts[0])
        encodings.add(declared[1])
    published = {tag for post in blog.service().posts for tag in post.tags} - {"openstack"}
    assert published == {"beijing", "shenzhen", "shanghai", "tianjin"}
    assert stops | published == {
        "beijing", "shenzhen", "chengdu", "xian", "shanghai", "nanjing", "tianjin", "wuhan",
    }  # fmt: skip
    assert encodings == {b"gbk", b"utf-8"}


def test_no_slides_were_dropped_for_the_stops_that_published_none() -> None:
    for event in ("xian", "wuhan"):
        suffixes = {path.suffix for path in (INBOX / event).rglob("*") if path.is_file()}
        assert suffixes <= {".html", ".jpg"}
