"""Secrets out of messages."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretBytes, SecretStr

from archiver.contracts import Options
from archiver.errors import BlockedError, SourceError, TransientError
from archiver.masking import MAX_MESSAGE, Mask, text_of
from archiver.redact import MASK


class Inner(Options):
    token: SecretStr


class Login(Options):
    user: str = "ada"
    password: SecretStr = SecretStr("hunter2 & more/ü")
    more: tuple[Inner, ...] = ()
    by_name: Mapping[str, SecretBytes] = Field(default_factory=dict)


def test_secrets_are_found_at_any_depth() -> None:
    options = Login(more=(Inner(token=SecretStr("tok-abcdef")),), by_name={"x": SecretBytes(b"raw-secret")})
    mask = Mask.of([options])
    shown = mask("ada used hunter2 & more/ü, tok-abcdef and raw-secret")
    assert shown == f"ada used {MASK}, {MASK} and {MASK}"


@pytest.mark.parametrize("write", [str, repr, quote, quote_plus, lambda text: quote(text, safe="")])
def test_secrets_are_found_as_they_stand_in_messages(write: object) -> None:
    assert callable(write)
    shown = Mask.of([Login()])(f"GET http://host/{write('hunter2 & more/ü')} failed")
    assert "hunter2" not in shown


def test_short_secrets_would_leave_nothing_to_read() -> None:
    assert Mask.of([Login(password=SecretStr("a"))])("a cat") == "a cat"
    assert Mask.of([Login(password=SecretStr(""))])("a cat") == "a cat"


def test_addresses_lose_their_own_secrets() -> None:
    assert "s3cret" not in Mask()("http://ada:s3cret@host/?api_key=s3cret")


def test_a_long_message_is_cut_after_it_was_masked() -> None:
    mask = Mask(("hunter2",))
    shown = mask("x" * (MAX_MESSAGE - 3) + "hunter2" + "y" * 100)
    assert len(shown) == MAX_MESSAGE + 1
    assert "hun" not in shown


def test_an_error_keeps_its_kind_and_hint() -> None:
    mask = Mask(("hunter2",))
    shown = mask.error(BlockedError("hunter2 is wrong", hint="change hunter2"))
    assert type(shown) is BlockedError
    assert (shown.message, shown.hint) == (f"{MASK} is wrong", f"change {MASK}")


class OddError(TransientError):
    """A third party's, with other arguments, that never calls its parent."""

    reason = "because"

    def __init__(self, code: int) -> None:
        self.code = code


def test_an_odd_error_of_a_plugin_becomes_one_that_is_known() -> None:
    shown = Mask().error(OddError(7))
    assert type(shown) is TransientError
    assert shown.reason == "failed"
    assert str(shown)


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise ValueError


def test_text_of_an_error_that_cannot_speak() -> None:
    assert text_of(UnspeakableError()) == ""
    assert text_of(ValueError("x")) == "x"


def test_a_traceback_holds_no_secrets() -> None:
    try:
        raise ValueError("the password hunter2 is wrong")
    except ValueError as error:
        shown = Mask(("hunter2",)).traceback(error)
    assert "Traceback" in shown
    assert "hunter2 is wrong" not in shown


@given(
    st.text(min_size=4).filter(lambda text: MASK not in text and not set(text) <= set("*")),
    st.text(),
    st.text(),
)
def test_no_secret_ever_shows(secret: str, before: str, after: str) -> None:
    mask = Mask.of([Login(password=SecretStr(secret))])
    # What is left cannot hold it, unless a mask between two halves spells it anew.
    assert secret not in mask(before + secret + after).split(MASK)
    assert isinstance(mask.error(SourceError(before + secret)), SourceError)
