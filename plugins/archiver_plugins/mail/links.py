"""Share links in the text of messages, recognised as data. No network here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit, urlunsplit

from archiver_plugins.mail.telling import public

#: Share links of one message that are looked at.
MAX_LINKS: Final = 20
_MAX_URL: Final = 2_000

Queries = dict[str, list[str]]


class Service(StrEnum):
    """Who holds what a link leads to."""

    DROPBOX = "dropbox"
    DRIVE = "google-drive"
    DOCS = "google-docs"
    ONEDRIVE = "onedrive"
    SHAREPOINT = "sharepoint"
    WETRANSFER = "wetransfer"
    BAIDU = "baidu-pan"
    DIRECT = "direct"
    LOGIN = "login"  # any of these, with a user name and password in its address


@dataclass(frozen=True, slots=True)
class ShareLink:
    """A link to a file that somebody shared.

    `key` identifies what it leads to, whatever else stands in the address, and has no secret of it. `url` is
    whole, for the fetch alone; `told` is what may be written down. A login is in none of them. `code` is the
    extraction code of Baidu Pan. `name` is the file's name where the address tells it.
    """

    service: Service
    url: str
    key: str
    code: str = ""
    name: str = ""

    @property
    def told(self) -> str:
        """Give the address without secrets."""
        return public(self.url)

    @property
    def id(self) -> str:
        """Give a stable name, of bounded length."""
        key = self.key if len(self.key) <= 200 else hashlib.sha256(self.key.encode()).hexdigest()
        return f"link/{self.service.value}/{key}"


#: What a direct link must end in: decks, recordings, documents and archives, but no pictures, which are
#: mostly logos and trackers.
_DOCUMENTS: Final = (
    "pdf|pptx?|ppsx?|pptm|odp|key|docx?|odt|xlsx?|ods|epub|zip|7z|rar|tar\\.gz|tgz"
    "|mp4|m4v|mov|webm|mkv|avi|wmv|mp3|m4a"
)
_DOCUMENT: Final = re.compile(rf"\.(?:{_DOCUMENTS})\Z", re.IGNORECASE)
_DOCUMENT_INSIDE: Final = re.compile(rf"\.(?:{_DOCUMENTS})(?![A-Za-z0-9])", re.IGNORECASE)
#: White space, quotes and brackets end an address, those of Chinese text too.
_END: Final = "\\s<>\"'`|\\\\^{}“”‘’「」『』《》〈〉【】（），。；、！？\x00-\x1f"
_KNOWN: Final = (
    "pan\\.baidu\\.com|(?:www\\.)?dropbox\\.com|we\\.tl|(?:www\\.)?wetransfer\\.com|1drv\\.ms|onedrive\\.live\\.com"
    "|drive\\.google\\.com|docs\\.google\\.com"
)
#: With a scheme, or a known host without: "链接: pan.baidu.com/s/1AbC 提取码: x1y2".
_URL: Final = re.compile(
    rf"(?:https?://|(?<![\w@./-])(?=(?:{_KNOWN})/))[^{_END}]{{4,{_MAX_URL}}}", re.IGNORECASE
)
_ASCII: Final = re.compile(r"[!-~]*")
#: "提取码: x1y2", "提取碼：x1y2", "密码 x1y2", "code: x1y2". Blanks are counted: any number of them, on both
#: sides of what may be missing, would be parted in every way there is.
_CODE: Final = re.compile(
    r"(?:提取[码碼]|访问码|密[码碼]|pass(?:word|code)|code)\s{0,20}[:：是为]?\s{0,20}([A-Za-z0-9]{4})(?![A-Za-z0-9])"
)
#: Characters after a Baidu link in which its code is looked for.
_NEAR: Final = 160


def find_links(text: str, html: str = "") -> list[ShareLink]:
    """Find the share links of a message in its plain text and its HTML, each once, in order.

    Never raises. The same file linked twice, or in both forms, is one; a code found anywhere counts.
    """
    shown, hrefs = _of_html(html)
    found: dict[str, ShareLink] = {}
    for link in (*_in_text(text), *_in_text(shown), *filter(None, map(recognise, hrefs))):
        known = found.get(link.id)
        if known is None or (link.code and not known.code):
            found[link.id] = link
    return [
        _with_code(link, found.values(), text + "\n" + shown) for link in list(found.values())[:MAX_LINKS]
    ]


def _in_text(text: str) -> Iterator[ShareLink]:
    for match in _URL.finditer(text):
        link = _first_of(_readings(match[0]))
        if link is None:
            continue
        code = (
            _CODE.search(text[match.end() - 8 : match.end() + _NEAR])
            if link.service is Service.BAIDU
            else None
        )
        yield replace(link, code=code[1]) if code and not link.code else link


def _readings(raw: str) -> Iterator[str]:
    """Give what an address in running text may be: up to the first foreign character, or with them."""
    plain = _ASCII.match(raw)
    assert plain is not None  # it matches nothing too
    yield _trimmed(plain[0])
    inside = _DOCUMENT_INSIDE.search(raw)  # "http://x.cn/讲稿.pdf请查收"
    if inside and not raw.isascii():
        yield raw[: inside.end()]


def _trimmed(url: str) -> str:
    """Take off what belongs to the sentence: "(see https://x.org/a.pdf)."."""
    while url:
        last = url[-1]
        unbalanced = (last == ")" and url.count("(") < url.count(")")) or (last == "]" and "[" not in url)
        if last not in ".,;:!?*~" and not unbalanced:
            break
        url = url[:-1]
    return url


def _first_of(urls: Iterable[str]) -> ShareLink | None:
    return next((link for url in urls if (link := recognise(url))), None)


def _with_code(link: ShareLink, links: Iterable[ShareLink], text: str) -> ShareLink:
    """Give the only Baidu link of a message the only code in it."""
    if link.service is not Service.BAIDU or link.code:
        return link
    alone = sum(each.service is Service.BAIDU for each in links) == 1
    codes = set(_CODE.findall(text)) if alone else set()
    return replace(link, code=codes.pop()) if len(codes) == 1 else link


def recognise(url: str, depth: int = 0) -> ShareLink | None:
    """Tell what an address shares; None for one that leads to no file. Never raises."""
    try:
        parts = urlsplit(url.strip() if "://" in url[:10] else f"https://{url.strip()}")
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or "." not in host or len(url) > _MAX_URL:
        return None
    if "@" in parts.netloc:
        found = recognise(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), depth)
        return replace(found, service=Service.LOGIN, code="") if found else None
    inner = _unwrapped(host, parts)
    if inner:
        return recognise(inner, depth + 1) if depth < 3 else None
    bare = host.removeprefix("www.")
    for hosts, reader in _READERS:
        if port is None and (bare in hosts or any(bare.endswith(each) for each in hosts if each[0] == ".")):
            return reader(_clean(parts), _queries(parts.query))
    return _direct(_clean(parts))


def _queries(query: str) -> Queries:
    try:
        return parse_qs(query, max_num_fields=100)
    except ValueError:  # more than that
        return {}


def _clean(parts: SplitResult) -> SplitResult:
    """Percent-encode what is not allowed, and drop the fragment, which no server sees."""
    path, query = (
        quote(parts.path, safe="/%:@!$&'()*+,;=~-._"),
        quote(parts.query, safe="/%:@!$&'()*+,;=~-._?"),
    )
    return SplitResult(parts.scheme, parts.netloc, path, query, "")


def _unwrapped(host: str, parts: SplitResult) -> str:
    """Look behind a link that a mail filter or a search engine put around another."""
    query = _queries(parts.query)
    if host.endswith(".safelinks.protection.outlook.com"):
        return query.get("url", [""])[0]
    if host in {"www.google.com", "google.com"} and parts.path == "/url":
        return (query.get("q") or query.get("url") or [""])[0]
    return ""


def _dropbox(parts: SplitResult, query: Queries) -> ShareLink | None:
    # /s/ID/NAME, /scl/fi/ID/NAME?rlkey=KEY; folders: /sh/ID/KEY, /scl/fo/ID/KEY?rlkey=KEY
    match = re.match(r"/(s|sh|scl/f[io])/([A-Za-z0-9_-]{4,})(?:/([^/]*))?", parts.path)
    if not match:
        return None
    name = "" if match[1] in {"sh", "scl/fo"} else unquote(match[3] or "")
    del query
    return ShareLink(Service.DROPBOX, urlunsplit(parts), f"{match[1]}/{match[2]}", name=name)


def _drive(parts: SplitResult, query: Queries) -> ShareLink | None:
    document = re.match(r"/(document|presentation|spreadsheets)/(?:u/\d+/)?d/([\w-]{8,})(?:/|\Z)", parts.path)
    if document and "docs." in parts.netloc.lower():
        return ShareLink(Service.DOCS, urlunsplit(parts), f"{document[1]}/{document[2]}")
    file = re.match(r"/file/(?:u/\d+/)?d/([\w-]{8,})", parts.path) or re.match(
        r"/drive/(?:u/\d+/)?(folders/[\w-]{8,})", parts.path
    )
    named = re.fullmatch(r"[\w-]{8,}", query.get("id", [""])[0]) if parts.path in {"/open", "/uc"} else None
    key = file[1] if file else named[0] if named else ""
    return ShareLink(Service.DRIVE, urlunsplit(parts), key) if key else None


def _onedrive(parts: SplitResult, query: Queries) -> ShareLink | None:
    # The short form tells nothing: https://1drv.ms/p/s!Aabc, https://1drv.ms/p/c/ID/TOKEN
    short = parts.netloc.lower() == "1drv.ms"
    if short and len(parts.path) < 4:
        return None
    if not short and not query.keys() & {"resid", "id"}:
        return None
    told = urlsplit(public(urlunsplit(parts)))
    key = f"{told.netloc.lower()}{told.path}" + ("" if short else f"?{told.query}")
    return ShareLink(Service.ONEDRIVE, urlunsplit(parts), key.rstrip("?/"))


def _sharepoint(parts: SplitResult, query: Queries) -> ShareLink | None:
    # https://contoso.sharepoint.com/:p:/g/personal/x/EaBc?e=4xY
    del query
    if not re.match(r"/:[a-z]:/", parts.path):
        return _direct(parts)
    return ShareLink(Service.SHAREPOINT, urlunsplit(parts), f"{parts.netloc.lower()}{parts.path}")


def _wetransfer(parts: SplitResult, query: Queries) -> ShareLink | None:
    del query
    if not re.fullmatch(r"/t-[\w-]{4,}|/downloads/[0-9a-fA-F]{8,}(?:/[\w-]+){1,2}/?", parts.path):
        return None
    return ShareLink(Service.WETRANSFER, urlunsplit(parts), parts.path.strip("/"))


def _baidu(parts: SplitResult, query: Queries) -> ShareLink | None:
    # /s/1AbC and /share/init?surl=AbC are the same; older ones: /share/link?shareid=1&uk=2
    match = re.match(r"/s/1?([\w-]{4,})", parts.path, re.ASCII)
    surl = query.get("surl", [""])[0]
    if match or re.fullmatch(r"[\w-]{4,}", surl, re.ASCII):
        key = match[1] if match else surl
    elif parts.path == "/share/link" and {"shareid", "uk"} <= query.keys():
        key = f"{query['shareid'][0]}-{query['uk'][0]}"
    else:
        return None
    code = re.fullmatch(r"[A-Za-z0-9]{4}", query.get("pwd", [""])[0])
    return ShareLink(Service.BAIDU, urlunsplit(parts), key, code=code[0] if code else "")


def _direct(parts: SplitResult) -> ShareLink | None:
    if not _DOCUMENT.search(parts.path):
        return None
    name = unquote(parts.path.rpartition("/")[2])
    told = urlsplit(public(urlunsplit(parts)))
    key = f"{told.netloc.lower()}{told.path}" + (f"?{told.query}" if told.query else "")
    return ShareLink(Service.DIRECT, urlunsplit(parts), key, name=name)


#: Hosts without "www."; one with a dot in front stands for all names that end so.
_READERS: Final = (
    (("dropbox.com",), _dropbox),
    (("drive.google.com", "docs.google.com"), _drive),
    (("1drv.ms", "onedrive.live.com"), _onedrive),
    ((".sharepoint.com",), _sharepoint),
    (("we.tl", "wetransfer.com", ".wetransfer.com"), _wetransfer),
    (("pan.baidu.com",), _baidu),
)


def _of_html(html: str) -> tuple[str, list[str]]:
    """Give the text of an HTML body, and where its links lead."""
    if not html.strip():
        return "", []
    from lxml import etree
    from lxml import html as parser

    try:
        tree = parser.document_fromstring(
            html.encode("utf-8", "replace"), parser=parser.HTMLParser(encoding="utf-8")
        )
    except (etree.LxmlError, ValueError):
        return "", []
    hrefs = [str(href) for href in tree.xpath("//a/@href")[:1000]]
    text = " ".join(
        str(piece) for piece in tree.xpath("//body//text()[not(parent::script or parent::style)]")
    )
    return text, hrefs


def shown_pictures(html: str) -> frozenset[str]:
    """Give the Content-IDs that an HTML body shows (RFC 2392)."""
    return frozenset(unquote(each) for each in re.findall(r"cid:([^\"'\s>)]{1,300})", html)[:1000])
