from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import ConfigError
from archiver.scaffold import named


def test_everything_follows_from_the_name() -> None:
    names = named("my-photos")
    assert (names.type, names.distribution, names.module) == (
        "my-photos",
        "archiver-my-photos",
        "archiver_my_photos",
    )
    assert names.cls == "MyPhotos"


@pytest.mark.parametrize("name", ["ab", "a1", "dropbox", "my-store-2", "a" * 30])
def test_good_names(name: str) -> None:
    assert named(name).type == name


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("MyPhotos", "my-photos"),
        ("my_photos", "my-photos"),
        ("My Phötos!", "my-photos"),
        ("archiver_dropbox", "dropbox"),
        ("2012photos", "photos"),
        ("a--b", "a-b"),
        ("../../etc", "etc"),
        ("x" * 31, "x" * 30),
    ],
)
def test_a_bad_name_is_refused_with_a_better_one(name: str, better: str) -> None:
    with pytest.raises(ConfigError) as caught:
        named(name)
    assert f"did you mean {better!r}?" in caught.value.hint


@pytest.mark.parametrize("name", ["", "x", "-", "云", "9", "a\n"])
def test_some_names_have_no_better_one(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        named(name)
    assert "did you mean" not in caught.value.hint


@pytest.mark.parametrize("name", ["none", "true", "path", "any", "settings"])
def test_a_class_that_would_hide_another_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="its class would be called"):
        named(name)


def test_a_type_that_exists_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is a type 'flickr' already"):
        named("flickr", ["flickr"])


@given(st.text(max_size=60))
def test_what_is_proposed_is_accepted(text: str) -> None:
    try:
        names = named(text)
    except ConfigError as error:
        _, found, rest = error.hint.partition("did you mean '")
        if found:
            assert rest.removesuffix("'?").islower()
            assert named_or_taken(rest.removesuffix("'?"))
    else:
        assert names.module.isidentifier()
        assert names.cls.isidentifier()


def named_or_taken(name: str) -> bool:
    try:
        return named(name).type == name
    except ConfigError as error:
        return "its class would be called" in error.message
