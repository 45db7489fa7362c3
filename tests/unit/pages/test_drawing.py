"""Small pictures are drawn in child processes, without what a camera wrote about its owner."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from archiver.errors import InvalidError
from archiver.examine import Children, Examiner, Limits
from archiver.media import types
from site_kit import deck, jpeg


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    made = Examiner(Children(Limits(seconds=20), count=1))
    yield made
    made.close()


def test_a_photo_is_drawn_upright_in_each_width_and_never_larger_than_it_is(
    examiner: Examiner, tmp_path: Path
) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010E] = "Owner of the camera"
    Image.new("RGB", (900, 600), (10, 80, 90)).save(path, exif=exif)
    pages, pictures = examiner.draw(path, "image/jpeg", [360, 800, 1600], form="jpeg")
    assert pages == 1
    assert [(each.width, each.height) for each in pictures] == [(360, 540), (600, 900)]
    for each in pictures:
        assert b"Owner" not in each.data
        with Image.open(io.BytesIO(each.data)) as image:
            assert image.format == "JPEG"
            assert image.size == (each.width, each.height)
            assert not image.getexif()


def test_each_page_of_a_document_is_drawn(examiner: Examiner, tmp_path: Path) -> None:
    path = tmp_path / "deck.pdf"
    path.write_bytes(deck("one", "two"))
    pages, [small, large] = examiner.draw(path, types.PDF, [400, 1280], page=1)
    assert (pages, small.width, large.width) == (2, 400, 1280)
    with Image.open(io.BytesIO(large.data)) as image:
        assert image.format == "WEBP"
    with pytest.raises(InvalidError, match="Page 3"):
        examiner.draw(path, types.PDF, [400], page=2)


def pptx(path: Path, picture: bytes | None) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("ppt/presentation.xml", "<p/>")
        if picture is not None:
            made.writestr("docProps/thumbnail.jpeg", picture)
    return path


def test_a_deck_shows_the_picture_of_its_first_slide(examiner: Examiner, tmp_path: Path) -> None:
    path = pptx(tmp_path / "a.pptx", jpeg("title", (256, 144)))
    _, [picture] = examiner.draw(path, types.PPTX, [400])
    assert (picture.width, picture.height) == (256, 144)


@pytest.mark.parametrize("picture", [None, jpeg(" ", (256, 144), (255, 255, 255)), b"no picture"])
def test_a_deck_without_one_has_none(examiner: Examiner, tmp_path: Path, picture: bytes | None) -> None:
    with pytest.raises(InvalidError):
        examiner.draw(pptx(tmp_path / "a.pptx", picture), types.PPTX, [400])


@pytest.mark.parametrize("kind", ["RGBA", "LA", "P", "L", "CMYK", "I;16", "1"])
def test_every_kind_of_pixels_becomes_plain_colours(examiner: Examiner, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.tif"
    Image.new(kind, (40, 30)).save(path)
    _, [picture] = examiner.draw(path, "image/tiff", [20], form="jpeg")
    with Image.open(io.BytesIO(picture.data)) as image:
        assert (image.mode, image.size) == ("RGB", (20, 15))


@pytest.mark.parametrize("media_type", ["image/jpeg", types.PDF, types.PPTX])
@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff\xe0 cut off", b"%PDF-1.4 cut off", b"PK\x03\x04 cut"])
def test_damage_is_told_and_does_not_end_the_child(
    examiner: Examiner, tmp_path: Path, media_type: str, data: bytes
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(InvalidError):
        examiner.draw(path, media_type, [100])
