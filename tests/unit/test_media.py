from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import media_samples as samples
from archiver.errors import InvalidError
from archiver.media import extension, identify, types, verify
from archiver.model import Kind, Role

# Pillow warns of odd tags in garbled images; the product silences that for good.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

SLIDES, PHOTO, VIDEO, REPORT = Kind.SLIDES, Kind.PHOTO, Kind.VIDEO, Kind.REPORT

WHOLE: dict[str, tuple[Callable[[], bytes], Kind, str]] = {
    "pdf": (lambda: samples.pdf(["one", "two"]), SLIDES, types.PDF),
    "pptx": (lambda: samples.pptx(["one"]), SLIDES, types.PPTX),
    "odp": (samples.odp, SLIDES, types.ODP),
    "keynote": (samples.keynote, SLIDES, types.KEYNOTE),
    "ppt": (lambda: samples.ole(sectors=40), SLIDES, types.PPT),
    "zip": (lambda: samples.archive({"a.txt": b"hello" * 200}), SLIDES, types.ZIP),
    "docx": (samples.docx, REPORT, types.DOCX),
    "doc": (lambda: samples.ole("WordDocument", 40), REPORT, types.DOC),
    "html": (samples.html, REPORT, types.HTML),
    "text": ("云计算大会".encode, REPORT, types.PLAIN),
    "jpeg": (samples.jpeg, PHOTO, "image/jpeg"),
    "png": (samples.png, PHOTO, "image/png"),
    "webp": (samples.webp, PHOTO, "image/webp"),
    "gif": (samples.gif, PHOTO, "image/gif"),
    "tiff": (lambda: samples.image("TIFF"), PHOTO, "image/tiff"),
    "bmp": (lambda: samples.image("BMP"), PHOTO, "image/bmp"),
    "avif": (lambda: samples.image("AVIF"), PHOTO, "image/avif"),
    "mp4": (samples.mp4, VIDEO, "video/mp4"),
    "mp4 for the web": (lambda: samples.mp4(faststart=True), VIDEO, "video/mp4"),
    "mp4 in fragments": (samples.fragmented_mp4, VIDEO, "video/mp4"),
    "mov": (lambda: samples.mp4(brand=b"qt  "), VIDEO, "video/quicktime"),
    "m4a": (lambda: samples.mp4(brand=b"M4A "), VIDEO, "audio/mp4"),
    "webm": (samples.webm, VIDEO, "video/webm"),
    "mkv": (lambda: samples.webm(doctype=b"matroska"), VIDEO, "video/x-matroska"),
    "wav": (samples.wav, VIDEO, "audio/wav"),
    "mp3": (samples.mp3, VIDEO, "audio/mpeg"),
    "mp3 without tags": (lambda: samples.mp3(tagged=False), VIDEO, "audio/mpeg"),
}
#: Half of these can still be read to its end; nothing in them says how long they were.
NOT_CUT = {"html", "text", "mp3", "mp3 without tags"}


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "misleading.exe"
        path.write_bytes(data)
        return path

    return write


File = Callable[[bytes], Path]


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_is_known_by_its_content_and_accepted(name: str, file: File) -> None:
    make, kind, media_type = WHOLE[name]
    path = file(make())
    assert identify(path) == media_type
    assert verify(path, kind, Role.ORIGINAL) == media_type


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8, 0.9])
@pytest.mark.parametrize("name", sorted(WHOLE.keys() - NOT_CUT))
def test_a_file_that_is_cut_off_is_rejected(name: str, share: float, file: File) -> None:
    make, kind, _ = WHOLE[name]
    data = make()
    with pytest.raises(InvalidError, match=r"cut off|damaged|incomplete|has only|no index"):
        verify(file(data[: int(len(data) * share)]), kind, Role.ORIGINAL)


# Two image formats pad their data, a PDF may lose its last line end, old Office files their last sector.
@pytest.mark.parametrize("name", sorted(WHOLE.keys() - NOT_CUT - {"pdf", "ppt", "doc"}))
def test_even_one_missing_byte_is_noticed(name: str, file: File) -> None:
    make, kind, _ = WHOLE[name]
    with pytest.raises(InvalidError):
        verify(file(make()[:-1]), kind, Role.ORIGINAL)


def test_an_empty_file_is_rejected_for_every_kind(file: File) -> None:
    for kind in Kind:
        with pytest.raises(InvalidError, match="empty"):
            verify(file(b""), kind, Role.ORIGINAL)


def test_a_file_of_zeros_says_that_its_content_was_lost(file: File) -> None:
    with pytest.raises(InvalidError, match="only zero bytes"):
        verify(file(bytes(5000)), SLIDES, Role.ORIGINAL)


def test_a_login_page_instead_of_a_deck_is_named(file: File) -> None:
    with pytest.raises(InvalidError) as caught:
        verify(file(samples.login_page("Sign in – Example")), SLIDES, Role.ORIGINAL, "application/pdf")
    assert "“Sign in – Example”" in caught.value.message
    assert "login page" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("title", "looks"),
    [
        ("404 Not Found", "not found"),
        ("页面不存在", "not found"),
        ("登录 - 示例", "login page"),
        ("Before you continue", "consent"),
        ("Just a moment...", "robots"),
        ("403 Forbidden", "error page"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_what_an_excuse_looks_like_is_told(title: str, looks: str, encoding: str, file: File) -> None:
    page = samples.html("<p>…</p>", title, encoding)
    with pytest.raises(InvalidError, match=looks):
        verify(file(page), SLIDES, Role.ORIGINAL)
    with pytest.raises(InvalidError, match=looks):
        verify(file(page), REPORT, Role.ORIGINAL)


def test_an_article_about_errors_with_a_login_form_in_its_frame_is_a_report(file: File) -> None:
    article = "<p>" + "How the error page of the login service was made. " * 30 + "</p>"
    page = samples.html('<form><input type="password"></form>' + article, "Login and error pages")
    assert verify(file(page), REPORT, Role.ORIGINAL) == types.HTML


def test_a_page_that_was_announced_as_pdf_is_no_report(file: File) -> None:
    with pytest.raises(InvalidError, match="announced"):
        verify(file(samples.html("<p>Please install our app</p>")), REPORT, Role.ORIGINAL, "application/pdf")


def test_the_title_of_a_hostile_page_is_made_safe(file: File) -> None:
    page = samples.html("", "\u202eevil\x1b[31m " + "x" * 500)
    with pytest.raises(InvalidError) as caught:
        verify(file(page), SLIDES, Role.ORIGINAL)
    assert not re.search("[\x00-\x1f\u202e]", caught.value.message)
    assert len(caught.value.message) < 400


def test_a_pdf_without_pages_is_rejected(file: File) -> None:
    with pytest.raises(InvalidError, match="no pages"):
        verify(file(samples.pdf([])), SLIDES, Role.ORIGINAL)


def test_a_pdf_whose_page_is_missing_is_rejected(file: File) -> None:
    data = samples.pdf(["one", "two"]).replace(
        b"/Count 2 /Kids [3 0 R 5 0 R]", b"/Count 2 /Kids [3 0 R 99 0 R]"
    )
    with pytest.raises(InvalidError, match="page 2 of 2"):
        verify(file(data), SLIDES, Role.ORIGINAL)


def test_a_pdf_with_a_wrong_table_is_accepted_because_readers_repair_it(file: File) -> None:
    data = re.sub(rb"startxref\n\d+", b"startxref\n7", samples.pdf(["one"]))
    assert verify(file(data), SLIDES, Role.ORIGINAL) == types.PDF


def test_a_pdf_without_the_place_of_its_table_is_accepted_without_a_word(
    file: File, caplog: pytest.LogCaptureFixture
) -> None:
    data = re.sub(rb"startxref\n\d+", b"startxref", samples.pdf(["one"]))
    assert verify(file(data), SLIDES, Role.ORIGINAL) == types.PDF
    assert not [each for each in caplog.records if each.levelname == "WARNING"]


def test_a_pdf_with_zeros_after_its_end_or_a_line_before_its_head_is_accepted(file: File) -> None:
    data = samples.pdf(["one"])
    assert verify(file(data + bytes(9000)), SLIDES, Role.ORIGINAL) == types.PDF
    assert verify(file(b"\x00junk\x01\n" + data), SLIDES, Role.ORIGINAL) == types.PDF


def test_a_pdf_with_a_password_is_kept_with_a_warning(
    tmp_path: Path, file: File, caplog: pytest.LogCaptureFixture
) -> None:
    import pikepdf

    locked = tmp_path / "locked.pdf"
    with pikepdf.open(file(samples.pdf(["one"]))) as document:
        document.save(locked, encryption=pikepdf.Encryption(owner="o", user="u"))
    assert verify(locked, SLIDES, Role.ORIGINAL) == types.PDF
    assert "password" in caplog.text


def test_a_protected_office_file_goes_by_what_was_claimed(file: File) -> None:
    path = file(samples.ole("EncryptedPackage"))
    assert verify(path, REPORT, Role.ORIGINAL, types.DOCX) == types.DOCX
    assert verify(path, SLIDES, Role.ORIGINAL) == types.PPTX


def test_a_deck_with_one_garbled_part_is_rejected(file: File) -> None:
    data = bytearray(samples.pptx(["one"]))
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    with pytest.raises(InvalidError, match="damaged"):
        verify(file(bytes(data)), SLIDES, Role.ORIGINAL)


def test_a_deck_without_slides_is_rejected(file: File) -> None:
    with pytest.raises(InvalidError, match="no slides"):
        verify(file(samples.pptx([])), SLIDES, Role.ORIGINAL)


def test_a_document_without_its_main_part_is_rejected(file: File) -> None:
    data = samples.docx().replace(b"word/document.xml", b"word/dokument.xml")
    with pytest.raises(InvalidError, match=r"main part|damaged"):
        verify(file(data), REPORT, Role.ORIGINAL)


def test_a_zip_bomb_is_refused_without_unpacking_it(file: File) -> None:
    bomb = samples.archive({f"{n}": bytes(30 << 20) for n in range(10)})
    assert len(bomb) < 1 << 20
    with pytest.raises(InvalidError, match="trap"):
        verify(file(bomb), SLIDES, Role.ORIGINAL)


def test_a_zip_that_claims_a_huge_directory_is_refused_before_it_is_read(file: File) -> None:
    data = bytearray(samples.archive({"a": b"b"}))
    data[-10:-6] = (1 << 30).to_bytes(4, "little")
    with pytest.raises(InvalidError, match="directory of 1,073,741,824 bytes"):
        verify(file(bytes(data)), SLIDES, Role.ORIGINAL)


def test_an_image_that_claims_to_be_gigantic_is_refused(file: File) -> None:
    import struct
    import zlib

    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    small = samples.png()
    data = small[:12] + header + zlib.crc32(header).to_bytes(4, "big") + small[33:]
    with pytest.raises(InvalidError, match="60,000 × 60,000"):
        verify(file(data), PHOTO, Role.ORIGINAL)


def test_a_jpeg_with_a_preview_inside_is_not_taken_for_ended_there(file: File) -> None:
    photo, preview = samples.jpeg(256, 192), samples.jpeg(32, 24)
    segment = b"\xff\xe1" + (len(preview) + 2).to_bytes(2, "big") + preview
    data = photo[:2] + segment + photo[2:]
    assert verify(file(data), PHOTO, Role.ORIGINAL) == "image/jpeg"
    with pytest.raises(InvalidError, match="cut off"):
        verify(file(data[:-20]), PHOTO, Role.ORIGINAL)


def test_a_jpeg_that_no_decoder_takes_is_rejected(file: File) -> None:
    data = samples.jpeg()
    table = data.index(b"\xff\xdb")
    length = int.from_bytes(data[table + 2 : table + 4], "big") + 2
    without = data[:table] + data[table + length :]
    while (table := without.find(b"\xff\xdb")) >= 0:
        length = int.from_bytes(without[table + 2 : table + 4], "big") + 2
        without = without[:table] + without[table + length :]
    with pytest.raises(InvalidError, match="damaged"):
        verify(file(without), PHOTO, Role.ORIGINAL)


def test_a_large_jpeg_is_accepted_though_only_its_beginning_is_decoded(file: File) -> None:
    import io
    import random

    from PIL import Image

    noise = Image.frombytes("RGB", (700, 500), random.Random(1).randbytes(700 * 500 * 3))
    for progressive in (False, True):
        buffer = io.BytesIO()
        noise.save(buffer, "JPEG", quality=95, progressive=progressive)
        assert len(buffer.getvalue()) > 300_000
        assert verify(file(buffer.getvalue()), PHOTO, Role.ORIGINAL) == "image/jpeg"


def test_a_recording_without_index_says_so(file: File) -> None:
    data = samples.mp4()
    with pytest.raises(InvalidError, match="no index"):
        verify(file(data[: data.index(b"moov") - 4]), VIDEO, Role.ORIGINAL)


def test_a_recording_whose_index_points_beyond_its_end_is_cut_off(file: File) -> None:
    data = samples.mp4(seconds=3, faststart=True)
    start = data.index(b"mdat") - 4
    # "to the end of the file" hides how much data there should be.
    with pytest.raises(InvalidError, match="beyond the end"):
        verify(file(data[:start] + bytes(4) + b"mdat"), VIDEO, Role.ORIGINAL)


def test_a_recording_padded_with_zeros_is_accepted(file: File) -> None:
    assert verify(file(samples.mp4() + bytes(3000)), VIDEO, Role.ORIGINAL) == "video/mp4"


def test_a_recording_of_two_gigabytes_is_walked_without_reading_it(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "big.mp4"
    with path.open("wb") as stream:
        small = samples.mp4()
        start = small.index(b"mdat") - 4
        head, index = small[:start], small[small.index(b"moov") - 4 :]
        stream.write(head + b"\0\0\0\1mdat" + (2 << 30).to_bytes(8, "big"))
        stream.seek(start + (2 << 30))
        stream.write(index)
    tracemalloc.start()
    try:
        assert verify(path, VIDEO, Role.ORIGINAL) == "video/mp4"
        assert tracemalloc.get_traced_memory()[1] < 5 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (samples.jpeg, VIDEO, "a JPEG image"),
        (samples.mp4, SLIDES, "an MP4 video"),
        (samples.wav, PHOTO, "a WAV recording"),
        (samples.docx, SLIDES, "a Word document"),
        (lambda: samples.pdf(["x"]), PHOTO, "a PDF"),
        (lambda: b"\x01\x02\x03" * 99, REPORT, "of no known type"),
    ],
)
def test_another_kind_of_file_is_named_with_a_way_out(
    make: Callable[[], bytes], kind: Kind, words: str, file: File
) -> None:
    with pytest.raises(InvalidError, match=words) as caught:
        verify(file(make()), kind, Role.ORIGINAL)
    assert "`other`" in caught.value.hint


def test_kind_other_takes_anything_that_is_not_empty(file: File) -> None:
    assert verify(file(b"\x01\x02\x03" * 99), Kind.OTHER, Role.ORIGINAL) == types.UNKNOWN
    assert verify(file(samples.mp4()[:99]), Kind.OTHER, Role.ORIGINAL) == "video/mp4"


def test_roles_other_than_original_take_page_images_and_text(file: File) -> None:
    assert verify(file(samples.webp()), SLIDES, Role.RENDITION) == "image/webp"
    assert verify(file(samples.jpeg()), VIDEO, Role.RENDITION) == "image/jpeg"
    assert verify(file(b"1\n00:00:01,000 --> 00:00:02,000\nHi\n"), VIDEO, Role.SIDECAR) == types.SRT
    assert verify(file(b'{"title": "x"}'), SLIDES, Role.SIDECAR) == types.JSON
    with pytest.raises(InvalidError, match="not text"):
        verify(file(samples.mp4()), SLIDES, Role.SIDECAR)


def test_a_sidecar_must_be_readable_to_its_end(file: File) -> None:
    text = ("你好，" * 40_000).encode()
    assert verify(file(text), SLIDES, Role.SIDECAR) == types.PLAIN
    with pytest.raises(InvalidError, match="utf-8"):
        verify(file(text[:-1]), SLIDES, Role.SIDECAR)
    with pytest.raises(InvalidError, match="utf-8"):
        verify(file(text[:90_000] + b"\xff" + text[90_000:]), SLIDES, Role.SIDECAR)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", types.VTT),
        ("\ufeffWEBVTT\n".encode(), types.VTT),
        (b"<?xml version='1.0'?><rss/>", types.XML),
        (b"<?xml version='1.0'?>\n<!-- c -->\n<svg xmlns='x'/>", types.SVG),
        (b"<?xml version='1.0'?><!DOCTYPE html PUBLIC 'x'><html/>", types.HTML),
        (b"\n\n<!-- saved from -->\n<HTML>", types.HTML),
        (b"<3 this talk", types.PLAIN),
        (b"[1, 2]", types.JSON),
        (b"[not json", types.PLAIN),
        ("报道：云计算大会".encode("gb18030"), types.PLAIN),
        ("Grüße vom Café".encode("cp1252"), types.PLAIN),
        ("Tour report".encode("utf-16"), types.PLAIN),
        ("Tour report".encode("utf-16-le"), types.PLAIN),
        (b"{\\rtf1 x}", types.RTF),
        (b"a\0b\x01c\x02", types.UNKNOWN),
        (b"", types.UNKNOWN),
    ],
)
def test_texts_are_told_apart(data: bytes, media_type: str, file: File) -> None:
    assert identify(file(data)) == media_type


def test_a_compressed_web_archive_is_told_from_other_gzip_files(file: File) -> None:
    import gzip

    assert identify(file(gzip.compress(b"WARC/1.1\r\n"))) == types.WARC
    assert identify(file(gzip.compress(b"hello"))) == types.GZIP


def test_endings_fit_our_names() -> None:
    endings = [extension(value) for value in vars(types).values() if isinstance(value, str) and "/" in value]
    assert all(re.fullmatch(r"[a-z0-9]{1,10}", ending) for ending in endings)
    assert (extension("image/jpeg"), extension(types.PPTX), extension("x/y")) == ("jpg", "pptx", "bin")


HEADS = [make()[:200] for make, _, _ in WHOLE.values()]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(HEADS),
    cut=st.integers(0, 200),
    rest=st.binary(max_size=400),
    kind=st.sampled_from(Kind),
)
def test_whatever_comes_is_either_typed_or_refused(
    head: bytes, cut: int, rest: bytes, kind: Kind, file: File
) -> None:
    path = file(head[:cut] + rest)
    assert "/" in identify(path)
    try:
        assert "/" in verify(path, kind, Role.ORIGINAL)
    except InvalidError as error:
        assert error.message  # noqa: PT017  # a refusal is one of the two good ends


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(WHOLE)), at=st.floats(0, 0.999), noise=st.binary(min_size=1, max_size=20))
def test_a_garbled_file_never_breaks_the_checks(name: str, at: float, noise: bytes, file: File) -> None:
    make, kind, _ = WHOLE[name]
    data = bytearray(make())
    place = int(len(data) * at)
    data[place : place + len(noise)] = noise
    try:
        assert "/" in verify(file(bytes(data)), kind, Role.ORIGINAL)
    except InvalidError as error:
        assert error.message  # noqa: PT017  # a refusal is one of the two good ends
