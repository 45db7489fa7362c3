"""Texts made to keep a pattern busy: the time may grow with the length, and not with its square.

Without that, each of these takes minutes to days. CPU time is measured, and allowed to be a hundred times
what it takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

import pytest

from archiver.masking import Mask
from archiver.redact import redact
from archiver_plugins.mail import links, telling
from archiver_plugins.slideshare import page
from archiver_plugins.web import requisites

SECONDS = 10.0


def wrapped(depth: int) -> str:
    text = "x"
    for _ in range(depth):
        text = "?a=" + quote(text, safe="")
    return text


def _card(text: str) -> object:
    return page._card("/slideshow/x/1", text, "")


BUSY: dict[str, tuple[Callable[[str], object], str]] = {
    "hosts that never end": (redact, "(//:" * 100_000),
    "hosts with ports": (redact, "(//:1" * 100_000),
    "a password without an end": (redact, "//:" + "a" * 400_000),
    "many questions": (redact, "?a" * 200_000),
    "addresses in addresses": (redact, wrapped(340)),
    "escapes of escapes": (redact, "?a=" + "%25" * 100_000),
    "a page in an error message": (Mask(("hunter2",)), "<a href='//:x" * 50_000),
    "comments that never close": (lambda css: list(requisites.in_css(css, "https://x/")), "/*a" * 300_000),
    "blanks behind a word for code": (
        links.find_links, "https://pan.baidu.com/s/1abcdefg 提取码" + "\n" * 300_000,
    ),
    "a name of one word": (telling.own_name, "a" * 400_000 + " a@"),
    "by by by": (_card, " by , has " * 50_000),
}  # fmt: skip


@pytest.mark.parametrize("what", BUSY)
def test_no_text_keeps_a_pattern_busy(what: str) -> None:
    act, text = BUSY[what]
    begun = time.process_time()
    act(text)
    assert time.process_time() - begun < SECONDS


def test_what_is_wrapped_too_often_is_masked_and_nothing_overflows() -> None:
    assert redact(wrapped(60)) == "?a=***"
    assert redact(wrapped(3)) == wrapped(3)
    deep = "https://x/?token=hunter2hunter2"
    for _ in range(5):
        deep = "https://x/?next=" + quote(deep, safe="")
    assert "hunter2" not in redact(deep)
