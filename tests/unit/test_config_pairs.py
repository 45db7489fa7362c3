"""Options from a command line are checked like those of a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from archiver.config import ConfigProblems
from archiver.config.pairs import from_pairs
from archiver.contracts import Options


class Given(Options):
    name: str = ""
    many: tuple[str, ...] = ()
    number: int = 0
    secret: SecretStr = SecretStr("")


def made(*pairs: str) -> Given:
    return from_pairs(Given, pairs, {"TOKEN": "hidden value"}, "--option")


def test_values_are_taken_as_they_are() -> None:
    assert made("name=a=b c", "number=3") == Given(name="a=b c", number=3)
    assert made("name=~").name == "~"
    assert made("name=").name == ""


def test_a_list_is_written_or_comes_of_repetition() -> None:
    assert made("many=[a, 'b c']").many == made("many=a", "many=b c").many == ("a", "b c")


def test_a_reference_is_replaced() -> None:
    assert made("secret=${TOKEN}").secret.get_secret_value() == "hidden value"
    assert made("name=x-${TOKEN}").name == "x-hidden value"


@pytest.mark.parametrize("pair", ["secret=plain-value", "plain-value", "=plain-value", "number=${TOKEN}"])
def test_what_may_be_a_secret_is_not_repeated(pair: str) -> None:
    with pytest.raises(ConfigProblems) as caught:
        made(pair)
    assert "plain-value" not in str(caught.value)
    assert "hidden value" not in str(caught.value)
    assert "--option" in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigProblems) as caught:
        made("nam=x", "number=three")
    assert len(caught.value.problems) == 2


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_pairs_give_options_or_problems(pairs: list[str]) -> None:
    try:
        assert isinstance(made(*pairs), Given)
    except ConfigProblems as error:
        assert error.problems  # noqa: PT017  # the other half of the property
