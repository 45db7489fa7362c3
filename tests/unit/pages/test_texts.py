"""Words, dates, places, subtitles, comparisons: the small parts of the pages."""

from __future__ import annotations

import io
import posixpath
import re
from importlib import resources
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.naming import check_path
from archiver.pages import places
from archiver.pages.searching import KINDS
from archiver.pages.texts import read_cues, shorten
from archiver.pages.words import Words, known_words

ZH, EN = Words("zh-CN"), Words("en")


@pytest.mark.parametrize(
    ("begin", "end", "english", "chinese"),
    [
        ("2012-09-16", "", "16 September 2012", "2012年9月16日"),
        ("2012-09-16T08:21:40+08:00", "", "16 September 2012", "2012年9月16日"),
        ("2012-09", "", "September 2012", "2012年9月"),
        ("2012", "", "2012", "2012年"),
        ("", "", "", ""),
        ("autumn", "", "autumn", "autumn"),
        ("2012-99", "", "2012-99", "2012-99"),
        ("2012-08-10", "2012-08-11", "10–11 August 2012", "2012年8月10–11日"),
        ("2012-08-10", "2012-12-22", "10 August 2012 – 22 December 2012", "2012年8月10日 – 2012年12月22日"),
        ("2012-08-10", "2012-08-10", "10 August 2012", "2012年8月10日"),
    ],
)
def test_dates_are_written_as_people_do(begin: str, end: str, english: str, chinese: str) -> None:
    assert (EN.dates(begin, end), ZH.dates(begin, end)) == (english, chinese)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_for_a_date_is_written_somehow(begin: str, end: str) -> None:
    assert isinstance(EN.dates(begin, end) + ZH.dates(begin, end), str)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (66_619, "67 kB"),
        (1_440_000, "1.4 MB"),
        (10**15, "1000 TB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert Words.size(count) == text


def test_every_word_that_a_template_uses_is_known_in_both_languages() -> None:
    folder = resources.files("archiver.pages").joinpath("templates")
    used = {
        word
        for page in folder.iterdir()
        for word in re.findall(r"\bt(?:\[|\()'([a-z_]+)'[\],)]", page.read_text(encoding="utf-8"))
    }
    assert used
    assert used <= known_words()
    assert {f"kind_{kind}" for kind in KINDS} <= known_words()
    assert all(ZH[word].strip() and EN[word].strip() for word in known_words())


SEGMENT = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="/\\:"),
    min_size=1,
    max_size=12,
)


@given(st.lists(SEGMENT, min_size=1, max_size=4), st.lists(SEGMENT, min_size=1, max_size=4))
def test_a_relative_link_leads_from_any_page_to_any_file(target: list[str], page: list[str]) -> None:
    try:
        one, two = check_path("/".join(target)), check_path("/".join(page))
    except ValueError:
        return
    if "#" in one or "?" in one:
        return
    link = places.relative(one, two)
    assert re.fullmatch(r"[A-Za-z0-9%/._~-]+", link)
    assert posixpath.normpath(posixpath.join(posixpath.dirname(two), unquote(link))) == one


@given(st.text(max_size=40), st.text(max_size=200))
def test_pages_of_talks_and_speakers_have_safe_names(event: str, title: str) -> None:
    assert check_path(places.talk_page("a", title))
    assert check_path(places.speaker_page(title))
    assert check_path(places.speaker_page(event))


def test_subtitles_of_both_kinds_are_read() -> None:
    vtt = (
        "WEBVTT\n\nNOTE x\n\n1\n00:01.500 --> 00:02.000 align:start\nHello\nworld\n\n"
        "01:00:00.000 --> 01:00:01.000\n你好\n"
    )
    srt = (
        "1\r\n00:00:01,500 --> 00:00:02,000\r\nHello\r\nworld\r\n\r\n"
        "2\r\n01:00:00,000 --> 01:00:01,000\r\n你好\r\n"
    )
    expected = [(1.5, 2.0, "Hello\nworld"), (3600.0, 3601.0, "你好")]
    assert read_cues(io.BytesIO(vtt.encode())) == read_cues(io.BytesIO(srt.encode())) == expected


@given(st.binary(max_size=400))
def test_whatever_calls_itself_subtitles_is_survived(data: bytes) -> None:
    assert all(begin < end and text for begin, end, text in read_cues(io.BytesIO(data)))


def test_subtitles_without_an_end_take_no_time() -> None:
    assert len(read_cues(io.BytesIO(b"00:01.000 --> 00:02.000\nx\n" * 200_000))) <= 20_000


@given(st.text(max_size=300), st.integers(1, 100))
def test_shortened_text_is_short(text: str, length: int) -> None:
    assert len(shorten(text, length)) <= max(length + 1, 2)
    assert text.startswith(shorten(text, length).removesuffix("…")) or shorten(text, length) == text
