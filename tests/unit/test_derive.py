from __future__ import annotations

import io
import logging
import unicodedata
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import media_samples as samples
from archiver import derive
from archiver.media import types

Text = Callable[[bytes, str], str | None]


@pytest.fixture
def text(tmp_path: Path) -> Text:
    def extract(data: bytes, media_type: str) -> str | None:
        path = tmp_path / "file"
        path.write_bytes(data)
        return derive.text(path, media_type)

    return extract


def test_a_pdf_gives_its_pages_parted_by_form_feeds(text: Text) -> None:
    assert text(samples.pdf(["Hello\nworld", "云计算 架构"]), types.PDF) == "Hello\nworld\f云计算 架构"


def test_an_empty_page_keeps_its_place(text: Text) -> None:
    found = text(samples.pdf(["", "second", "", "fourth", ""]), types.PDF)
    assert found is not None
    assert found.split("\f") == ["", "second", "", "fourth"]


def test_a_pdf_without_text_gives_none(text: Text) -> None:
    assert text(samples.pdf(["", ""]), types.PDF) is None


def test_pdfs_can_be_read_by_many_threads(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.pdf" for n in range(8)]
    for n, path in enumerate(paths):
        path.write_bytes(samples.pdf([f"page {n}"] * 30))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda path: derive.text(path, types.PDF), paths * 4))
    assert found == ["\f".join([f"page {n}"] * 30) for n in range(8)] * 4


def test_a_deck_gives_titles_bodies_tables_and_notes(text: Text) -> None:
    deck = samples.pptx(["Juju\nMake your life easier", "第二页"], notes="Ask them", table=["左", "右"])
    assert text(deck, types.PPTX) == "Juju\nMake your life easier\n左\t右\nAsk them\f第二页"


def test_a_deck_gives_the_words_inside_nested_groups(text: Text) -> None:
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    inner = slide.shapes.add_group_shape().shapes.add_group_shape()
    inner.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = "deep inside"
    buffer = io.BytesIO()
    deck.save(buffer)
    assert text(buffer.getvalue(), types.PPTX) == "deep inside"


def test_a_deck_gives_the_words_of_its_diagrams(text: Text) -> None:
    from pptx import Presentation
    from pptx.opc.package import Part
    from pptx.opc.packuri import PackURI

    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    space = "http://schemas.openxmlformats.org/drawingml/2006/main"
    data = f'<d xmlns:a="{space}"><a:t>Nova</a:t><a:t>Swift</a:t></d>'.encode()
    kind = "application/vnd.openxmlformats-officedocument.drawingml.diagramData+xml"
    part = Part(PackURI("/ppt/diagrams/data1.xml"), kind, slide.part.package, data)
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/diagramData"
    slide.part.relate_to(part, relation)
    buffer = io.BytesIO()
    deck.save(buffer)
    assert text(buffer.getvalue(), types.PPTX) == "Nova\nSwift"


def test_shows_are_read_like_decks(text: Text) -> None:
    with zipfile.ZipFile(io.BytesIO(samples.pptx(["Show"]))) as deck:
        members = {
            name: deck.read(name).replace(
                b"presentationml.presentation.main", b"presentationml.slideshow.main"
            )
            for name in deck.namelist()
        }
    assert text(samples.archive(members), types.PPSX) == "Show"


def test_a_deck_with_a_large_film_is_read_in_little_memory(text: Text) -> None:
    import tracemalloc

    with zipfile.ZipFile(io.BytesIO(samples.pptx(["Film"]))) as deck:
        members = {name: deck.read(name) for name in deck.namelist()}
    data = samples.archive(members | {"ppt/media/film.mp4": bytes(60 << 20)})
    tracemalloc.start()
    try:
        assert text(data, types.PPTX) == "Film"
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_a_deck_that_unpacks_to_too_much_gives_none(text: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derive, "_MAX_XML", 1000)
    assert text(samples.pptx(["One"]), types.PPTX) is None


def test_documents_give_their_paragraphs(text: Text) -> None:
    assert text(samples.docx(["Report", "云计算"]), types.DOCX) == "Report\n云计算"
    assert text(samples.odp(["First", "Second"]), types.ODP) == "First\nSecond"


def test_entities_of_a_document_are_not_expanded(text: Text, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    content = (
        f'<!DOCTYPE d [<!ENTITY e SYSTEM "file://{secret}">]>'
        '<d xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><text:p>a&e;b</text:p></d>'
    )
    found = text(samples.archive({"content.xml": content.encode()}), types.ODP)
    assert "hidden" not in (found or "")


def test_a_page_gives_what_can_be_read_line_by_line(text: Text) -> None:
    body = (
        "<nav>Home</nav><h1>Tour</h1><p>one\n  two<br>three <b>bold</b> tail</p><script>no()</script>after"
        "<!-- no --><ul><li>i<li>j</ul><style>p{}</style><table><tr><td>a<td>b</table>"
    )
    lines = ["Title", "Tour", "one two", "three bold tail", "after", "i", "j", "a", "b"]
    assert (text(samples.html(body, "Title"), types.HTML) or "").split("\n") == lines


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ('<meta charset="gb2312"><p>朱镕基'.encode("gb18030"), "朱镕基"),
        ('<meta http-equiv=Content-Type content="text/html; charset=GBK"><p>報道'.encode("gbk"), "報道"),
        ("<p>没有声明的网页，云计算".encode("gb18030"), "云计算"),
        ("<p>sans déclaration".encode("cp1252"), "déclaration"),
        ("\ufeff<meta charset=gbk><p>云".encode(), "云"),
        ('<meta charset="utf-16"><p>云'.encode(), "云"),
        ('<meta charset="iso-8859-1"><p>“quoted”'.encode("cp1252"), "“quoted”"),
        ('<meta charset="gbk"><p>其实是 UTF-8 的网页？'.encode(), "其实是"),
        ('<meta charset="hex"><p>云'.encode(), "云"),
        ("<?xml version='1.0' encoding='Big5'?><html><p>報導".encode("big5"), "報導"),
    ],
)
def test_pages_are_decoded_as_browsers_do(data: bytes, word: str, text: Text) -> None:
    assert word in (text(data, types.HTML) or "")


def test_subtitles_lose_numbers_times_tags_and_repetitions(text: Text) -> None:
    srt = "1\n00:00:01,000 --> 00:00:02,000\n<i>你好</i>\n\n2\n00:00:02,000 --> 00:00:03,000\n1999\n"
    assert text(srt.replace("\n", "\r\n").encode("gb18030"), types.SRT) == "你好\n1999"
    vtt = (
        "WEBVTT - title\n\nSTYLE\n::cue {}\n\nNOTE no\n\n"
        "id\n00:01.000 --> 00:02.000 align:start\n<v Hui>Hi all\n\n"
        "00:02.000 --> 00:03.000\nHi all\n<00:02.500><c>and more</c>\n"
    )
    assert text(vtt.encode(), types.VTT) == "Hi all\nand more"


def test_text_is_composed_and_free_of_what_nobody_can_search() -> None:
    assert derive.clean("e\u0301te\u0301\x00\x1b[0m \u202eabc\u202c") == "été[0m abc"
    assert derive.clean("exam\ufffe\r\nple soft\u00adhyphen") == "example softhyphen"
    assert derive.clean("⼯作") == "工作"
    assert derive.clean("a\r\nb\rc\n\n\n\nd  \n") == "a\nb\nc\n\nd"


def test_long_texts_are_cut(text: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derive, "MAX_CHARACTERS", 1000)
    found = text(samples.pdf(["x" * 400] * 9), types.PDF)
    assert found is not None
    assert 900 < len(found) <= 1000
    assert len(text(b"y" * 5000, types.PLAIN) or "") == 1000


@pytest.mark.parametrize("media_type", sorted(derive._EXTRACTORS))
def test_what_cannot_be_read_gives_none(media_type: str, text: Text) -> None:
    assert text(b"", media_type) is None
    assert text(b"\x00\x01\x02\xff" * 20, media_type) is None


def test_a_failure_is_logged_without_the_text_of_the_file(
    text: Text, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert text(samples.pptx(["One"])[:5000], types.PPTX) is None
    assert "No text could be read" in caplog.text


def test_types_without_text_give_none(text: Text) -> None:
    assert text(samples.jpeg(), "image/jpeg") is None


def test_a_missing_file_is_not_a_file_without_text(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        derive.text(tmp_path / "none", types.PLAIN)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300), media_type=st.sampled_from(sorted(derive._EXTRACTORS)))
def test_any_bytes_give_clean_text_or_none(data: bytes, media_type: str, text: Text) -> None:
    found = text(data, media_type)
    assert found is None or (found and derive.clean(found.replace("\f", "")) is not None)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_cleaning_twice_changes_nothing(raw: str) -> None:
    once = derive.clean(raw)
    assert derive.clean(once) == once
    assert unicodedata.is_normalized("NFC", once)
    once.encode()
