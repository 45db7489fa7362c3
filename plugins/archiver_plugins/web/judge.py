"""Whether a page is a report, or what stands in its way: a login, a question, an excuse, a bare shell."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from archiver import api
from archiver_plugins.web.addresses import owner
from archiver_plugins.web.page import Page
from archiver_plugins.web.visitor import Visit

#: A page that asks for a password is a login page up to this much other text: blogs have a login form in
#: their frame. Characters throughout.
_LOGIN: Final = 800
#: A page whose heading speaks of a login or of "not found" is that up to this much text.
_NOTICE: Final = 250
#: A page without scripts says more than this.
_SHELL: Final = 200

_BY_HAND: Final = (
    "or save the page yourself in a browser, as PDF or web page, and hand it over with `archive add`"
)
_WALLS: Final = (
    ("a login page", r"sign.?in\b|log.?in\b|authenticat|登录|登陆|登入|ログイン|身份验证"),
    (
        "a page that asks for consent",
        r"before you continue|cookie (?:consent|settings)|your privacy|同意.{0,9}cookie",
    ),
    (
        "a check for robots",
        (
            r"captcha|are you (?:a )?(?:human|robot)|just a moment|attention required|unusual traffic"
            r"|验证码|人机验证|安全验证|环境异常|访问过于频繁"
        ),
    ),
    ("a refusal", r"access denied|forbidden|访问被拒绝|没有权限|无权访问"),
    ("a page for paying readers", r"subscribe to (?:continue|read)|members? only|付费阅读|会员专享"),
)
_EXCUSE: Final = re.compile(
    r"\b404\b|\b410\b|not found|no longer (?:available|exists)|page doesn.t exist"
    r"|\berror\b|service unavailable|找不到|不存在|已删除|未找到|無法找到|页面出错",
    re.IGNORECASE,
)
#: What WeChat shows in the place of an article that is gone; its status is 200.
_WITHDRAWN: Final = re.compile(r"该内容已被发布者删除|此内容因违规无法查看|该公众号已迁移|此帐号已被屏蔽")
_LOGIN_PATH: Final = re.compile(
    r"/(?:wp-login\.php|log-?in|sign-?in|passport|sso|oauth2?)(?:[/?.]|\Z)", re.IGNORECASE
)
_CONSENT_HOST: Final = re.compile(r"(?:\A|\.)(?:consent|guce|privacy)\.", re.IGNORECASE)
#: Where frameworks put what their scripts draw.
_MOUNTS: Final = ("root", "app", "__next", "__nuxt", "___gatsby", "svelte", "q-app")
_WANTS_SCRIPTS: Final = re.compile(r"(?:enable|requires?|need|启用|开启).{0,20}java\s?script", re.IGNORECASE)


def check(page: Page, visit: Visit) -> None:
    """Raise `BlockedError`, `GoneError` or `InvalidError` when a page cannot be a report."""
    _check_way(page, visit)
    length = len(re.sub(r"\s", "", page.shown))
    heads = " ".join([page.name, *(str(text) for text in page.all("//h1//text()")[:5])])
    wall = _wall(page, heads, length)
    if wall:
        raise api.BlockedError(
            f"{page.url} shows {wall} in place of a report{_titled(page)}",
            hint=f"Ask for a public address, {_BY_HAND}.",
        )
    if urlsplit(page.url).hostname == "mp.weixin.qq.com" and _WITHDRAWN.search(page.shown[:4_000]):
        raise api.GoneError(f"{page.url} says that its author or the service took the article down")
    if length <= _NOTICE and _EXCUSE.search(heads):
        raise api.InvalidError(
            f"{page.url} shows an error page in place of a report{_titled(page)}",
            hint="Open the address in a browser: it may be gone, or need another form.",
        )
    _check_content(page, length)


def _check_way(page: Page, visit: Visit) -> None:
    asked, last = urlsplit(visit.asked), urlsplit(visit.last.url)
    to_login = _LOGIN_PATH.search(last.path) and not _LOGIN_PATH.search(asked.path)
    to_consent = _CONSENT_HOST.search(last.hostname or "") and owner(visit.asked) != owner(visit.last.url)
    own_consent = _CONSENT_HOST.search(last.hostname or "") and asked.hostname != last.hostname
    if to_login or to_consent or own_consent:
        what = "a login" if to_login else "a page that asks for consent"
        raise api.BlockedError(
            f"{visit.asked} leads to {what}{_titled(page)}", hint=f"Ask for a public address, {_BY_HAND}."
        )


def _wall(page: Page, heads: str, length: int) -> str:
    password = page.all("//input[translate(@type, 'PASWORD', 'pasword') = 'password']")
    if password and length <= _LOGIN:
        return "a login page"
    if length > _NOTICE:
        return ""
    return next((what for what, words in _WALLS if re.search(words, heads, re.IGNORECASE)), "")


def _check_content(page: Page, length: int) -> None:
    if length > _SHELL:
        return
    pictures = page.all("//body//img | //body//video | //body//iframe | //body//embed | //body//object")
    if not pictures and _is_shell(page):
        raise api.InvalidError(
            f"{page.url} is drawn by scripts: without a browser it shows {length} characters{_titled(page)}",
            hint=f"Look for the feed of the site, {_BY_HAND}.",
        )
    if not pictures and not length:
        raise api.InvalidError(
            f"{page.url} is an empty page{_titled(page)}", hint="Open it in a browser to see what it wants."
        )


def _is_shell(page: Page) -> bool:
    mounts = " or ".join(f"@id='{name}'" for name in _MOUNTS)
    if page.all(f"//body//*[{mounts}]") or "__NEXT_DATA__" in page.html or "__NUXT__" in page.html:
        return bool(page.all("//script"))
    refresh = page.all("//meta[translate(@http-equiv, 'REFSH', 'refsh') = 'refresh']")
    wanted = " ".join(str(text) for text in page.all("//noscript//text()")[:20])
    return bool(refresh) or bool(_WANTS_SCRIPTS.search(f"{wanted} {page.shown}"))


def _titled(page: Page) -> str:
    title = page.name if len(page.name) <= 100 else f"{page.name[:100]}…"
    return f" (titled “{title}”)" if title else ""
