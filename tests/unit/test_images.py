from __future__ import annotations

import io
import logging
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from archiver.errors import InvalidError
from archiver.images import (
    MAX_PDF_BYTES,
    Picture,
    page_files,
    pictures_to_pdf,
    read_picture,
    transcript_file,
)
from archiver.model import Role


def image(form: str, mode: str = "RGB", width: int = 64) -> bytes:
    buffer = io.BytesIO()
    colour: dict[str, int | tuple[int, ...]]
    colour = {"RGB": (200, 30, 30), "RGBA": (200, 30, 30, 0), "L": 90, "CMYK": (1, 2, 3, 4), "P": 3, "1": 1}
    Image.new(mode, (width, width // 2), colour[mode]).save(buffer, form)
    return buffer.getvalue()


def picture(path: Path, content: bytes) -> Picture:
    path.write_bytes(content)
    return read_picture(path)


@pytest.mark.parametrize(
    ("form", "media_type", "suffix"),
    [
        ("JPEG", "image/jpeg", ".jpg"),
        ("PNG", "image/png", ".png"),
        ("WEBP", "image/webp", ".webp"),
        ("GIF", "image/gif", ".gif"),
    ],
)
def test_an_image_is_what_its_bytes_say(form: str, media_type: str, suffix: str, tmp_path: Path) -> None:
    found = picture(tmp_path / "page.jpg", image(form))
    assert (found.media_type, found.suffix, found.width, found.height) == (media_type, suffix, 64, 32)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_half_an_image_is_invalid(form: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((300, 300), 90).convert("RGB").save(buffer, form)
    with pytest.raises(InvalidError, match="a broken image"):
        picture(tmp_path / "page", buffer.getvalue()[: len(buffer.getvalue()) // 2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"<!doctype html><title>Log in", "<!doctype html>"),
        (b"BM" + bytes(99), "not an"),
    ],
)
def test_what_is_no_image_is_shown(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match=message):
        picture(tmp_path / "page", content)


@pytest.mark.parametrize("side", [8_001, 10_000, 13_500])
def test_a_bomb_is_refused_before_it_is_decoded(side: int, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    with pytest.raises(InvalidError, match="pixels"):
        picture(tmp_path / "page", buffer.getvalue())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    tail=st.binary(max_size=200),
    form=st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]),
    keep=st.integers(0, 200),
)
def test_any_damage_is_found_or_harmless(tail: bytes, form: str, keep: int, tmp_path: Path) -> None:
    try:
        picture(tmp_path / "page", image(form)[:keep] + tail)
    except InvalidError:
        return


@pytest.mark.parametrize(
    ("form", "mode"),
    [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"),
     ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"),
     ("WEBP", "RGB"), ("WEBP", "RGBA"), ("GIF", "P")],
)  # fmt: skip
def test_every_form_of_page_becomes_a_pdf_page_ten_inches_wide(form: str, mode: str, tmp_path: Path) -> None:
    pages = [picture(tmp_path / "a", image(form, mode)), picture(tmp_path / "b", image("JPEG", width=128))]
    pictures_to_pdf(pages, tmp_path / "x.pdf", title="云计算")
    document = pypdfium2.PdfDocument(tmp_path / "x.pdf")
    assert [document.get_page_size(n) for n in range(len(document))] == [(720.0, 360.0)] * 2
    assert document.get_metadata_value("Title") == "云计算"
    document.close()


def test_jpeg_is_embedded_as_it_is_and_the_pdf_repeats_itself(tmp_path: Path) -> None:
    content = image("JPEG")
    pages = [picture(tmp_path / "a", content)]
    for name in ("x.pdf", "y.pdf"):
        pictures_to_pdf(pages, tmp_path / name)
    assert (tmp_path / "x.pdf").read_bytes() == (tmp_path / "y.pdf").read_bytes()
    assert content in (tmp_path / "x.pdf").read_bytes()


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    pictures_to_pdf([picture(tmp_path / "a", image("PNG", "RGBA"))], tmp_path / "x.pdf")
    document = pypdfium2.PdfDocument(tmp_path / "x.pdf")
    page = document[0].render().to_pil().convert("RGB")
    assert page.getpixel((page.width // 2, page.height // 2)) == (255, 255, 255)
    document.close()


def test_no_pages_and_too_many_bytes_are_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(MAX_PDF_BYTES + 1)
    for pages in ([], [Picture(huge, "image/jpeg", ".jpg", 1, 1)]):
        with pytest.raises(InvalidError, match="cannot become one PDF"):
            pictures_to_pdf(pages, tmp_path / "x.pdf")


def test_a_transcript_without_text_is_no_file(tmp_path: Path) -> None:
    assert not list(transcript_file([], tmp_path))
    assert not list(transcript_file(["", ""], tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_transcript_marks_its_pages(tmp_path: Path) -> None:
    (fetched,) = transcript_file(["One", "", "三"], tmp_path)
    assert (fetched.role, fetched.label) == (Role.SIDECAR, "transcript")
    assert (tmp_path / fetched.path).read_text("utf-8") == "[p001]\nOne\n\n[p002]\n\n\n[p003]\n三\n"


def test_pages_that_cannot_become_a_pdf_are_kept_without_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("archiver.test")
    with caplog.at_level(logging.WARNING, logger="archiver.test"):
        assert not list(page_files([], tmp_path, title="A deck", log=log))
    assert "A deck is kept without a PDF" in caplog.text
