from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import naming
from archiver.errors import ConfigError

ANY_TEXT = st.text(st.characters(), max_size=400)  # lone surrogates too: names of files that are no UTF-8
#: What makes names go wrong, more often than chance would.
NASTY = st.text(
    st.sampled_from('aé部ß İΣ\u0301\u0338\u200d\ufe0f\u202e\u3164ㅤ-_./\\:*?"<>|\0\n🎉❤葛\U000e0100ﬁ\ud800'),
    max_size=300,
)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Deploy OpenStack with Chef", "deploy-openstack-with-chef"),
        ("云计算 & OpenStack：实践", "云计算-openstack-实践"),
        ("Cafe\u0301", "café"),
        ("../../etc/passwd", "etc-passwd"),
        ("  --  ", ""),
        ("🎉", ""),
        ("I ❤\ufe0f Swift", "i-swift"),
        ("葛\U000e0100城", "葛城"),
        ("\u0301\u0301accent first", "accent-first"),
        ("a - \u0338b", "a-b"),
        ("C++ / C#", "c-c"),
        ("RTL \u202etxt.exe", "rtl-txt-exe"),
        ("می\u200cخواهم", "می-خواهم"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("1,060 enrolled", "1-060-enrolled"),
    ],
)
def test_slugs(title: str, expected: str) -> None:
    assert naming.slug(title) == expected


@given(ANY_TEXT | NASTY, st.integers(1, 200))
def test_any_title_gives_a_safe_slug(title: str, room: int) -> None:
    slug = naming.slug(title, room)
    assert len(slug.encode()) <= room
    assert unicodedata.is_normalized("NFC", slug)
    assert not slug.startswith("-")
    assert not slug.endswith("-")
    assert "--" not in slug
    assert all(unicodedata.category(char)[0] in "LMN" or char == "-" for char in slug)
    assert not slug or unicodedata.category(slug[0])[0] != "M"


@given(st.text(st.characters(max_codepoint=127)), st.integers(1, 200))
def test_the_quick_way_for_ascii_is_the_way_for_any_script(title: str, room: int) -> None:
    assert naming.slug(title, room) == naming._slug_of_any_script(title[: 4 * room], room)


@given(ANY_TEXT | NASTY, ANY_TEXT | NASTY, ANY_TEXT)
def test_any_title_gives_a_safe_file_name(title: str, label: str, extension: str) -> None:
    name = naming.file_name(title, label, "3f9a2c41d07b", extension)
    assert naming.check_path(f"slides/{name}") == f"slides/{name}"
    assert len(name.encode()) <= 200
    assert "3f9a2c41d07b" in name
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', name)
    assert not name.endswith((".", " "))
    assert PurePosixPath(name).name == PureWindowsPath(name).name == name
    # Windows keeps "con" and "con.pdf" for devices; a hash at the end of the stem is never one.
    assert PureWindowsPath(name).stem.endswith("3f9a2c41d07b")


@given(st.tuples(*[ANY_TEXT] * 4), st.tuples(*[ANY_TEXT] * 4))
def test_identities(one: tuple[str, str, str, str], other: tuple[str, str, str, str]) -> None:
    assert re.fullmatch("[0-9a-f]{12}", naming.identity(*one))
    assert (naming.identity(*one) == naming.identity(*other)) == (one == other)


def test_an_identity_is_the_same_on_every_machine() -> None:
    assert naming.identity("slideshare", "42", "original", "0" * 64) == "ee206573e61b"
    assert naming.identity("a", "b c", "d", "e") != naming.identity("a b", "c", "d", "e")


@pytest.mark.parametrize("event_id", ["beijing", "2012", "a", "stop-1", "x" * 100, "logs", "a-"])
def test_event_ids(event_id: str) -> None:
    naming.check_event_id(event_id)


@pytest.mark.parametrize(
    "event_id",
    ["", "Beijing", "北京", "-a", "a b", "a/b", "..", "_archive", "x" * 101, "a\n"],
)
def test_unusable_event_ids(event_id: str) -> None:
    with pytest.raises(ConfigError, match="small letters"):
        naming.check_event_id(event_id)


@pytest.mark.parametrize("event_id", ["con", "com1", "lpt9", "nul", "extensions"])
def test_reserved_event_ids(event_id: str) -> None:
    with pytest.raises(ConfigError, match="reserved"):
        naming.check_event_id(event_id)


@pytest.mark.parametrize(
    "path", ["a", "a/b.c", "ocfl/0=ocfl_1.1", ".lease", "a/..b/c..", "云/é", "n" * 255, "/".join(["x"] * 512)]
)
def test_safe_paths(path: str) -> None:
    assert naming.check_path(path) is path


@pytest.mark.parametrize(
    "path",
    ["", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/../b", "a\\b", "c:/x", "a\0b", "a\nb", "a\x7fb"],
)
def test_paths_of_a_wrong_form(path: str) -> None:
    with pytest.raises(ValueError, match="unsafe path"):
        naming.check_path(path)


@pytest.mark.parametrize(
    "path",
    ["a\u0085b", "a\u2028b", "\ud800", "e\u0301", "n" * 256, "云" * 86, "/".join(["x"] * 513)],
)
def test_unsafe_paths(path: str) -> None:
    with pytest.raises(ValueError, match="unsafe path"):
        naming.check_path(path)


@given(ANY_TEXT | NASTY)
def test_any_path_is_safe_or_refused(path: str) -> None:
    try:
        naming.check_path(path)
    except ValueError:
        return
    target = PurePosixPath("/root") / path
    assert target.is_relative_to("/root")
    assert ".." not in target.parts
    assert target != PurePosixPath("/root")
    assert path.encode().decode() == path
