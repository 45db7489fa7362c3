"""Get what is behind a share link. Whatever turns out to be a web page is not it.

What is known of each service stands where it is used. Google's forms are those that current download
programs rely on; the ways of OneDrive and WeTransfer are those of their own web pages and promised by
nobody.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from archiver import api
from archiver_plugins.mail import headers, parts
from archiver_plugins.mail.links import Service, ShareLink
from archiver_plugins.mail.materials import WITH_LOGIN, needs_person

#: Bytes of one file behind a link.
MAX_FILE: Final = 4 << 30
#: Files of a shared folder that are taken.
MAX_CHILDREN: Final = 100
#: The id under which OneDrive's web page asks for a token for visitors.
_BADGER: Final = {"appId": "5cbed6ac-a083-4e14-b191-b4ba07653de2"}
_EXPORTS: Final = {"document": "docx", "presentation": "pptx", "spreadsheets": "xlsx"}


@dataclass(frozen=True, slots=True)
class Obtained:
    """A file that a link led to, and what it is called there, if that is known."""

    path: Path
    name: str
    size: int
    media_type: str


@dataclass(frozen=True)
class Resolver:
    """Gets shared files. `mirrors` maps hosts to other addresses."""

    http: api.Http
    mirrors: Mapping[str, str]

    def get(self, link: ShareLink, into: Path) -> list[Obtained]:
        """Get the file or files of a link into a directory.

        Raises `BlockedError`, with the link in its message, where only a person can go on: a page for
        logged-in people, a password, a link that has expired.
        """
        ways: dict[Service, Callable[[ShareLink, Path], list[Obtained]]] = {
            Service.DROPBOX: self._dropbox,
            Service.DRIVE: self._drive,
            Service.DOCS: self._docs,
            Service.ONEDRIVE: self._onedrive,
            Service.SHAREPOINT: self._sharepoint,
            Service.WETRANSFER: self._wetransfer,
            Service.DIRECT: self._direct,
        }
        if link.service is Service.LOGIN:
            raise needs_person(link.url, why=WITH_LOGIN)
        way = ways.get(link.service)
        if way is None:
            raise needs_person(link.url, link.code)
        try:
            return way(link, into)
        except api.GoneError:
            raise needs_person(
                link.url, why="it has expired, or the file was deleted; ask the sender again"
            ) from None
        except api.BlockedError as error:
            raise needs_person(link.url, why=_reason(error)) from error

    def _at(self, url: str) -> str:
        return at_mirror(url, self.mirrors)

    def _file(self, link: ShareLink, url: str, path: Path, **more: Any) -> Obtained:
        done = self.http.download(self._at(url), path, max_bytes=MAX_FILE, **more)
        if is_page(path):
            path.unlink()
            raise needs_person(
                link.url, why="it leads to a web page: a login, a password or a notice, not the file"
            )
        return _described(link, done)

    def _direct(self, link: ShareLink, into: Path) -> list[Obtained]:
        return [self._file(link, link.url, into / "file")]

    def _dropbox(self, link: ShareLink, into: Path) -> list[Obtained]:
        # dl=1 asks for the file instead of its page; the rlkey must stay. A folder comes as a ZIP.
        return [self._file(link, with_query(link.url, dl="1"), into / "file")]

    def _sharepoint(self, link: ShareLink, into: Path) -> list[Obtained]:
        return [self._file(link, with_query(link.url, download="1"), into / "file")]

    def _docs(self, link: ShareLink, into: Path) -> list[Obtained]:
        family, _, number = link.key.partition("/")
        form = _EXPORTS[family]
        url = f"https://docs.google.com/{family}/d/{number}/export?format={form}"
        found = self._file(link, url, into / "file")
        return [replace(found, name=found.name or f"{family}.{form}")]

    def _drive(self, link: ShareLink, into: Path) -> list[Obtained]:
        if link.key.startswith("folders/"):
            raise needs_person(link.url, why="it is a folder, which Google shows to browsers alone")
        query = {"id": link.key, "export": "download", "confirm": "t"}
        resource = dict(parse_qsl(urlsplit(link.url).query)).get("resourcekey", "")
        if resource:
            query["resourcekey"] = resource
        url = f"https://drive.usercontent.google.com/download?{urlencode(query)}"
        path = into / "file"
        done = self.http.download(self._at(url), path, max_bytes=MAX_FILE)
        if not is_page(path):
            return [_described(link, done)]
        form = _download_form(path)
        path.unlink()
        if not form:
            raise needs_person(
                link.url, why="Google does not give the file: not shared, or asked for too often"
            )
        return [self._file(link, f"https://drive.usercontent.google.com/download?{urlencode(form)}", path)]

    def _wetransfer(self, link: ShareLink, into: Path) -> list[Obtained]:
        path = urlsplit(link.url).path
        if not path.startswith("/downloads/"):
            path = urlsplit(self.http.get(self._at(link.url)).url).path
        match = re.search(r"/downloads/([0-9a-fA-F]{8,})/(?:([\w-]+)/)?([\w-]+)/?\Z", path)
        if not match:
            raise needs_person(link.url, why="it has expired; ask the sender again")
        wanted = {"intent": "entire_transfer", "security_hash": match[3]}
        if match[2]:
            wanted["recipient_id"] = match[2]
        url = f"https://wetransfer.com/api/v4/transfers/{match[1]}/download"
        data = self.http.post(self._at(url), json=wanted).json()
        direct = data.get("direct_link") if isinstance(data, dict) else None
        if not isinstance(direct, str):
            raise needs_person(link.url, why="it has expired; ask the sender again")
        return [self._file(link, direct, into / "file")]

    def _onedrive(self, link: ShareLink, into: Path) -> list[Obtained]:
        token = self.http.post(self._at("https://api-badgerp.svc.ms/v1.0/token"), json=_BADGER).json()
        word = token.get("token") if isinstance(token, dict) else None
        if not isinstance(word, str) or not word.isprintable() or not word.isascii():
            raise needs_person(link.url, why="OneDrive gives no token to visitors any more")
        shared = "u!" + base64.urlsafe_b64encode(link.url.encode()).decode("ascii").rstrip("=")
        url = f"https://my.microsoftpersonalcontent.com/_api/v2.0/shares/{shared}/driveItem?$expand=children"
        fields = {"Authorization": f"Badger {word}", "Prefer": "autoredeem"}
        items = list(_drive_items(self.http.get(self._at(url), headers=fields).json()))
        if not items:
            raise needs_person(link.url, why="OneDrive names no file behind it")
        return [
            self._file(
                ShareLink(link.service, link.url, link.key, name=name), address, into / f"file-{number}"
            )
            for number, (name, address) in enumerate(items, 1)
        ]


def at_mirror(url: str, mirrors: Mapping[str, str]) -> str:
    """Give the address to ask, at a mirror where one is configured for the host."""
    parts_ = urlsplit(url)
    mirror = mirrors.get((parts_.hostname or "").lower())
    if mirror is None:
        return url
    base = urlsplit(mirror)
    return urlunsplit((base.scheme, base.netloc, base.path + parts_.path, parts_.query, ""))


def _reason(error: api.BlockedError) -> str:
    """Tell why a link is refused; a mail names hosts of any kind, so there is no `base_url` to set."""
    if "base_url" not in error.hint:
        return str(error)
    return f"{error.message} (if this is your own service, name its host and address in the source's mirrors)"


def _described(link: ShareLink, done: api.Downloaded) -> Obtained:
    """Take the name from the link itself, else from what the service said with the file."""
    name = link.name or done.name or name_in(done.url)
    return Obtained(done.path, headers.label(name), done.size, done.media_type)


def _drive_items(data: Any) -> Iterator[tuple[str, str]]:
    """Give name and address of the file, or of the files of the folder."""
    if not isinstance(data, dict):
        return
    children = data.get("children") if "folder" in data else None
    for item in (children if isinstance(children, list) else [data])[:MAX_CHILDREN]:
        address = item.get("@content.downloadUrl") if isinstance(item, dict) else None
        if isinstance(address, str) and address.startswith(("https://", "http://")):
            yield str(item.get("name", "")), address


def with_query(url: str, **values: str) -> str:
    """Set parameters of an address and keep the others."""
    parts_ = urlsplit(url)
    query = [
        (name, value) for name, value in parse_qsl(parts_.query, keep_blank_values=True) if name not in values
    ]
    return urlunsplit(parts_._replace(query=urlencode([*query, *values.items()])))


def name_in(url: str) -> str:
    """Give the file name at the end of an address, "" when it has no ending."""
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    return name if re.search(r"\.[A-Za-z0-9]{2,5}\Z", name) else ""


def is_page(path: Path) -> bool:
    """Say whether a file is a web page."""
    with path.open("rb") as stream:
        head = stream.read(2048).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    while head.startswith((b"<!--", b"<?xml")):
        _, found, head = head.partition(b"-->" if head.startswith(b"<!--") else b"?>")
        head = head.lstrip() if found else b""
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<title", b"<meta"))


def _download_form(path: Path) -> dict[str, str]:
    """Read the form of the page that Google shows for files too large for its virus scan."""
    from lxml import etree, html

    if path.stat().st_size > 4 << 20:
        return {}
    try:
        tree = html.document_fromstring(path.read_bytes())
    except (etree.LxmlError, ValueError):
        return {}
    inputs = tree.xpath("//form[@id='download-form']//input[@name]")
    return {str(each.get("name")): str(each.get("value", "")) for each in inputs[:20]}


def kind_of(obtained: Obtained) -> api.Kind:
    """Tell the kind by name or type, else by the first bytes."""
    found = parts.kind(obtained.name, obtained.media_type.partition(";")[0].strip().lower())
    if found is not api.Kind.OTHER or obtained.name:
        return found
    with obtained.path.open("rb") as stream:
        head = stream.read(16)
    if head.startswith(b"%PDF-"):
        return api.Kind.SLIDES
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG")):
        return api.Kind.PHOTO
    return api.Kind.VIDEO if head[4:8] == b"ftyp" else api.Kind.OTHER
