"""Web servers as they are, on loopback: what they know of conditions and ranges differs, and so do files.

    with LinksDouble([File("/slides/keystone.pdf", pdf_bytes, "application/pdf")]) as service:
        service.link("/slides/keystone.pdf")

What it imitates: entity tags strong, weak, unquoted or missing; 304 answers that repeat no validator;
servers without ranges, without conditions, or with neither; names in Content-Disposition; files behind a
password, a token in the query, or a page for logging in; 404 and 410.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from archiver.testing.messages import Reply, Request
from archiver.testing.service import Service

LOGIN_PAGE = '<!doctype html><title>Sign in</title><form><input name=u><input type="password" name=p></form>'


class Tag(StrEnum):
    """How a server marks the state of a file."""

    STRONG = "strong"
    WEAK = "weak"
    UNQUOTED = "unquoted"  # against RFC 9110, 8.8.3, and seen all the same
    NONE = "none"


@dataclass(frozen=True)
class File:
    """One file at a path, percent-decoded.

    `modified` is the Last-Modified field as it is sent, or nothing. `ranges` and `conditions` say
    whether the server knows them; `bare` answers 304 without any validator. `name` comes as
    Content-Disposition. `token` is needed in the query, `login` as `user:password`; `wall` sends
    strangers to a page for logging in. `missing` is a status such as 404 or 410.
    """

    path: str
    body: bytes
    media_type: str = "application/octet-stream"
    tag: Tag = Tag.STRONG
    modified: str = ""
    ranges: bool = True
    conditions: bool = True
    bare: bool = False
    name: str = ""
    token: str = ""
    login: str = ""
    wall: bool = False
    missing: int = 0

    @property
    def etag(self) -> str:
        """Give the entity tag, or nothing."""
        digest = hashlib.sha256(self.body).hexdigest()[:16]
        forms = {Tag.STRONG: f'"{digest}"', Tag.WEAK: f'W/"{digest}"', Tag.UNQUOTED: digest, Tag.NONE: ""}
        return forms[self.tag]


class LinksDouble(Service):
    """The service: `LinksDouble(files)`, then `add` while it runs."""

    def __init__(self, files: Iterable[File] = (), *, port: int = 0) -> None:
        super().__init__(port=port)
        self._links: dict[str, File] = {}
        self.add(*files)

    def add(self, *files: File) -> None:
        """Offer files; one with a known path takes the place of the other."""
        self._links |= {file.path: file for file in files}

    def link(self, path: str, query: str = "") -> str:
        """Give the address of a file."""
        return f"{self.url}{path}{'?' if query else ''}{query}"

    def reply_to(self, request: Request) -> Reply:
        """Answer for a file as its server would."""
        file = self._links.get(request.path)
        if request.path == "/accounts/login":
            return Reply.html(LOGIN_PAGE)
        if file is None or file.missing:
            return Reply.missing(file.missing if file else 404)
        return _refused(file, request) or _answer(file, request)


def _refused(file: File, request: Request) -> Reply | None:
    if file.wall:
        return Reply.redirect("/accounts/login?next=file", 302)
    if file.token and request.query.get("token") != file.token:
        return Reply.missing(403)
    login = base64.b64encode(file.login.encode()).decode()
    if file.login and request.headers.get("authorization") != f"Basic {login}":
        return replace(Reply.missing(401), headers={"WWW-Authenticate": "Basic"})
    return None


def _answer(file: File, request: Request) -> Reply:
    headers = {"ETag": file.etag} if file.etag else {}
    headers |= {"Last-Modified": file.modified} if file.modified else {}
    if file.conditions and _unchanged(file, request):
        return Reply(b"", 304, file.media_type, {} if file.bare else headers)
    if file.name:
        headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    if file.ranges:
        return _part(file, request, headers)
    return Reply(file.body, 200, file.media_type, headers)


def _unchanged(file: File, request: Request) -> bool:
    wanted = request.headers.get("if-none-match", "")
    if wanted:
        return wanted == "*" or wanted.removeprefix("W/") == file.etag.removeprefix("W/")
    since = request.headers.get("if-modified-since", "")
    return bool(since) and since == file.modified  # to the letter, as nginx compares


def _part(file: File, request: Request, headers: dict[str, str]) -> Reply:
    """Serve the ranges that this program asks for: one byte at the beginning, or from a byte on."""
    wanted, size = request.headers.get("range", ""), len(file.body)
    first, dash, last = wanted.removeprefix("bytes=").partition("-")
    if not dash or not first.isdigit():
        return Reply(file.body, 200, file.media_type, {**headers, "Accept-Ranges": "bytes"})
    if int(first) >= size:
        return Reply(b"", 416, file.media_type, {**headers, "Content-Range": f"bytes */{size}"})
    stop = min(int(last) + 1 if last.isdigit() else size, size)
    span = f"bytes {first}-{stop - 1}/{size}"
    return Reply(file.body[int(first) : stop], 206, file.media_type, {**headers, "Content-Range": span})
