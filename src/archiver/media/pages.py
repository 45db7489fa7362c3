"""Web pages that arrive where a file was expected: what they call themselves, and what they look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from archiver.media import text

_READ: Final = 1 << 20
_TITLE_LENGTH: Final = 100
#: A page that asks for a password is a login page up to this much other text, in characters: the pages
#: of blogs have a login form in their frame.
_LOGIN: Final = 800
#: A page whose heading says "not found" is a notice up to this much text; else it may be about that.
_NOTICE: Final = 250
# Invisible and direction-changing characters have no place in a message.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")

_LOOKS: Final = (
    ("a login page", r"sign.?in|log.?in|authenticat|登录|登陆|登入|ログイン|身份验证"),
    (
        "a “not found” page",
        (
            r"\b404\b|\b410\b|not found|no longer (?:available|exists)|page doesn.t exist"
            r"|找不到|不存在|已删除|未找到|無法找到"
        ),
    ),
    ("a consent page", r"before you continue|cookie (?:consent|settings)|your privacy|同意"),
    (
        "a check for robots",
        (
            r"captcha|are you (?:a )?(?:human|robot)|just a moment|attention required|unusual traffic"
            r"|验证码|人机验证|安全验证"
        ),
    ),
    (
        "an error page",
        (r"access denied|forbidden|\berror\b|service unavailable|too many requests|访问被拒绝|没有权限"),
    ),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a web page shows: `title` is safe to print, `looks` like "a login page" or empty.

    `excuse` is True when it holds so little else that it can only be that.
    """

    title: str
    looks: str
    excuse: bool


def look(path: Path) -> Page:
    """Read the beginning of a web page; never raises on what it says."""
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", no_network=True)
    page = text.decode(text.head(path, _READ)).encode("utf-8", "replace")
    try:
        root = html.document_fromstring(page, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return Page("", "", excuse=False)
    return _judge(root)


def _judge(root: Any) -> Page:
    title = _clean(" ".join(root.xpath("//title[1]//text()")))
    password = bool(root.xpath("//input[translate(@type, 'PASWORD', 'pasword') = 'password']"))
    shown = " ".join(
        root.xpath("//body//text()[not(ancestor::script or ancestor::style or ancestor::noscript)]")
    )
    length = len(re.sub(r"\s+", "", shown))
    heads = " ".join([title, *root.xpath("//h1//text()")[:5]])
    if password and length <= _LOGIN:
        return Page(title, "a login page", excuse=True)
    looks = next((name for name, words in _LOOKS if re.search(words, heads, re.IGNORECASE)), "")
    return Page(title, looks, excuse=bool(looks) and length <= _NOTICE)


def _clean(title: str) -> str:
    flat = " ".join(_UNSEEN.sub(" ", title).split())
    return flat if len(flat) <= _TITLE_LENGTH else flat[:_TITLE_LENGTH].rstrip() + "…"
