"""References to environment variables."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.config.environment import expand, refers

ENVIRON = {"KEY": "value", "EMPTY": "", "ODD": "${KEY} $$ }\n- a: b"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("${KEY}", "value"),
        ("a${KEY}b${KEY}", "avaluebvalue"),
        ("${KEY:-other}", "value"),
        ("${NOPE:-other}", "other"),
        ("${NOPE:-}", ""),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY}", ""),
        ("${NOPE:-https://example.org:80/a-b}", "https://example.org:80/a-b"),
        ("$$", "$"),
        ("$${KEY}", "${KEY}"),
        ("$$${KEY}", "$value"),
        ("5 $ a", "5 $ a"),
        ("$KEY", "$KEY"),
        ("${ODD}", "${KEY} $$ }\n- a: b"),
    ],
)
def test_references_are_replaced_once(text: str, expanded: str) -> None:
    found = expand(text, ENVIRON)
    assert found.text == expanded
    assert not found.missing
    assert not found.malformed


def test_what_is_missing_is_named() -> None:
    assert expand("${A}${KEY}${B}", ENVIRON).missing == ("A", "B")


@pytest.mark.parametrize("text", ["${", "${}", "${A B}", "${KEY:-${KEY}}", "${KEY-x}", "${1A}"])
def test_what_only_looks_like_a_reference_is_malformed(text: str) -> None:
    assert expand(text, ENVIRON).malformed


def test_values_of_the_environment_are_told_apart_from_defaults() -> None:
    assert expand("${KEY}${NOPE:-x}", ENVIRON).values == ("value",)


def test_only_a_reference_depends_on_the_environment() -> None:
    assert refers("a${KEY}")
    assert refers("${NOPE:-x}")
    assert not refers("a $$ b")
    assert not refers("$${KEY}")


@settings(deadline=None)  # a busy machine is no failure
@given(st.text())
def test_doubled_dollars_give_any_text(text: str) -> None:
    found = expand(text.replace("$", "$$"), {})
    assert (found.text, found.missing, found.malformed) == (text, (), False)


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.text(),
    st.text(st.characters(blacklist_characters="$")),
    st.text(st.characters(blacklist_characters="$")),
)
def test_a_value_is_never_read_as_a_reference(value: str, before: str, after: str) -> None:
    assert expand(f"{before}${{X}}{after}", {"X": value}).text == before + value + after
