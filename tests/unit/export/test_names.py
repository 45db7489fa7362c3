"""Names for people: readable, safe everywhere, never the same twice."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.export.names import NAME_BYTES, Names, extension, readable


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Deploy OpenStack with Chef", "Deploy OpenStack with Chef"),
        ("云计算: 为什么?", "云计算 - 为什么"),
        ('CI/CD \\ 100% <fast> | "quoted" *', "CI-CD - 100 percent (fast) - 'quoted'"),
        ("../../etc/passwd", "etc-passwd"),
        ("Con .txt", "_Con .txt"),
        ("..", ""),
        ("   ", ""),
        ("nul", "_nul"),
        ("COM1.txt", "_COM1.txt"),
        ("com¹", "_com¹"),
        ("console", "console"),
        ("Talk. ", "Talk"),
        (".hidden", "hidden"),
        ("~root", "root"),
        ("-rf", "rf"),
        ("a\r\nb\tc\u2028d", "a b c d"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("zero\u200bwidth", "zerowidth"),
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
        ("\ud800broken", "broken"),
        ("x" * 300, "x" * NAME_BYTES),
    ],
)
def test_a_title_becomes_a_name(title: str, name: str) -> None:
    assert readable(title) == name


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=400))
def test_any_title_is_safe_on_every_file_system(title: str) -> None:
    name = readable(title)
    assert not re.search(r'[<>:"/\\|?*%\x00-\x1f\x7f]', name)
    assert len(name.encode()) <= NAME_BYTES + 1
    assert unicodedata.is_normalized("NFC", name)
    assert name == name.strip(" .")
    assert not re.fullmatch(r"(?i)(con|prn|aux|nul|(com|lpt)[0-9])(\..*)?", name)
    assert readable(name) == name


@given(
    st.lists(st.sampled_from(["IMG", "img", "Straße", "STRASSE", "é", "e\u0301", "IMG (2)", ""]), max_size=40)
)
def test_no_two_paths_are_equal_where_case_does_not_count(titles: list[str]) -> None:
    names = Names()
    paths = [names.path("photo", readable(title) or "photo", ".jpg") for title in titles]
    folded = {unicodedata.normalize("NFKC", path.casefold()) for path in paths}
    assert len(folded) == len(paths)


def test_equal_names_are_numbered_and_quickly() -> None:
    names = Names()
    paths = [names.path("photo", "IMG", ".jpg") for _ in range(20_000)]
    assert paths[:3] == ["photo/IMG.jpg", "photo/IMG (2).jpg", "photo/IMG (3).jpg"]
    assert len(set(paths)) == 20_000
    assert names.path("photo", "img", ".JPG") == "photo/img (20001).JPG"
    assert names.path("slides", "IMG", ".jpg") == "slides/IMG.jpg"


@pytest.mark.parametrize(
    ("path", "ending"),
    [("slides/x-1.pdf", ".pdf"), ("slides.d/x", ""), ("x", ""), ("a.b/c.tooooooooolong", ""), ("x.PDF", "")],
)
def test_the_ending_is_that_of_the_stored_file(path: str, ending: str) -> None:
    assert extension(path) == ending
