"""The source: links become materials, and a material becomes its file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from archiver import api
from archiver_plugins.links.addresses import address, public, shown, without_login
from archiver_plugins.links.asking import Ahead, Seen, look, revision
from archiver_plugins.links.lists import Wrong, read_list
from archiver_plugins.links.names import HTML, is_media, is_page, kind_of, last_part, title_of
from archiver_plugins.links.options import Link, LinksEntry, LinksOptions

Listed = api.Material | api.Unavailable | api.Checkpoint
Looked = Seen | api.SourceError
#: In the cursor: everything in this scope was listed before; the number is whose turn is next.
_CURSOR: Final = re.compile(r"listed ([0-9]{1,9})")
#: What a page for logging in has, and where it lies.
_LOGIN_FIELD: Final = re.compile(rb"""type\s*=\s*["']?password""", re.IGNORECASE)
_LOGIN_PATH: Final = re.compile(r"\b(?:log-?in|sign-?in|sso|oauth2?|auth|account|accounts)\b", re.IGNORECASE)
#: Wrong lines of a list that are told one by one.
_TOLD: Final = 100
_PAGE_BYTES: Final = 1 << 20


@dataclass
class _Listing:
    """One listing under way: whose turn it is to be asked, and how that went."""

    ahead: Ahead[Link, Looked]
    known: bool
    first: int
    most: int | None
    number: int = 0
    failures: list[api.SourceError] = field(default_factory=list)
    answers: int = 0

    def due(self) -> bool:
        """Say whether the next link is to be asked whether it changed."""
        self.number += 1
        at = self.number - 1
        if not self.known or self.most is None:
            return self.known
        return self.first <= at < self.first + self.most

    @property
    def cursor(self) -> str:
        """Give the cursor for the next listing."""
        last = self.first + (self.most or 0)
        return f"listed {last if self.most is not None and last < self.number else 0}"


class Links(api.Source[LinksOptions, LinksEntry]):
    """Files at plain web addresses, given in the configuration or in a list.

    Known ones are asked on each run whether they changed, new ones are just fetched. A link's id is its
    address without login and secret parameters, or the `id` it was given.
    """

    type_name = "links"
    options_class = LinksOptions
    entry_class = LinksEntry

    def __init__(self, options: LinksOptions, context: api.Context) -> None:
        super().__init__(options, context)
        #: The addresses with their secrets, by id. They stay in memory.
        self._addresses: dict[str, str] = {}

    def discover(self, scope: api.Scope[LinksEntry], cursor: str) -> Iterator[Listed]:
        """List the links of all entries.

        Without a cursor nobody is asked anything: what is new will be fetched. With one, each link is
        asked whether it changed, several at a time, as many as `checks` allows.
        """
        marked = _CURSOR.fullmatch(cursor)
        with Ahead(self._look, _host) as ahead:
            first = int(marked[1]) if marked else 0
            listing = _Listing(ahead, marked is not None, first, self.options.checks)
            items = api.list_entries(scope, lambda entry: self._entry(entry.options, listing))
            for item in items:
                if not isinstance(item, api.Checkpoint):
                    yield item
                    continue
                self._judge(listing)
                yield replace(item, cursor=listing.cursor)

    def _judge(self, listing: _Listing) -> None:
        """Tell what could not be asked; a listing of which nobody answered has failed."""
        failed = len(listing.failures)
        if failed and not listing.answers:
            raise listing.failures[0]
        if failed:
            self.context.log.warning(
                "%d of %d links could not be asked whether they changed; the first: %s",
                failed,
                failed + listing.answers,
                listing.failures[0],
            )

    def _entry(self, options: LinksEntry, listing: _Listing) -> Iterator[Listed]:
        wrong: list[Wrong] = []
        links = self._distinct(self._links(options, wrong))
        for link, asked in listing.ahead.map((link, listing.due()) for link in links):
            looked = asked.result() if asked else None
            material = _material(link, options.kind, looked if isinstance(looked, Seen) else None)
            yield material if looked is None else _answered(material, looked, listing)
        for each in wrong[:_TOLD]:
            yield _unusable(options, each)
        if wrong:
            if len(wrong) > _TOLD:
                self.context.log.warning("%s: more than %d lines are no links", options.file, _TOLD)
            yield api.Checkpoint(complete=False)

    def _links(self, options: LinksEntry, wrong: list[Wrong]) -> Iterator[Link]:
        """Give the links of an entry; what is none in its list is put aside, so that the rest goes on."""
        yield from options.links
        if options.file:
            for each in read_list(self.context.folder / Path(options.file).expanduser()):
                if isinstance(each, Link):
                    yield each
                elif len(wrong) <= _TOLD:
                    wrong.append(each)

    def _distinct(self, links: Iterator[Link]) -> Iterator[Link]:
        """Pass on each link; one that only its secrets tell from another raises `InvalidError` at the end."""
        clashes = []
        for link in links:
            before = self._addresses.setdefault(link.name, link.url)
            if before == link.url or without_login(before) == without_login(link.url):
                yield link
            else:
                clashes.append(link)
        if clashes:
            raise api.InvalidError(
                f"{len(clashes)} links differ from others in their secrets alone, or share an id; "
                f"the first is {clashes[0].name}",
                hint="Give each of them an `id` of its own, or leave out all but one.",
            )

    def _look(self, link: Link) -> Looked:
        try:
            return look(self.context.http, self._way(link.url))
        except api.SourceError as error:
            return error

    def _way(self, url: str) -> str:
        """Give the address to fetch from: that of the mirror for what lies under `public_url`."""
        where = self.options.public_url
        if where and self.options.base_url and url.startswith(f"{where}/"):
            return self.options.base_url + url.removeprefix(where)
        return url

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched | api.Material]:
        """Get the file, and say what its answer told of it."""
        url = self._address(material)
        done = self.context.http.download(self._way(url), into / "file")
        name = done.name or last_part(url)
        if done.media_type in HTML:
            _check_page(material, name, done)
        yield _refined(material, name, done)
        grade = api.Grade.PDF if done.media_type == "application/pdf" else api.Grade.ORIGINAL
        yield api.Fetched(Path("file"), grade=grade, media_type=done.media_type)

    def entry_for(self, url: str) -> Mapping[str, object] | None:
        """Take the addresses of files that are decks, recordings or photos by their name; no pages.

        Nor one with a secret in it: whoever wrote the report may have meant it for readers of one day.
        """
        try:
            plain = address(url)
        except ValueError:
            return None
        return {"url": plain} if public(plain) == plain and is_media(last_part(plain)) else None

    def _address(self, material: api.Material) -> str:
        url = self._addresses.get(material.id, material.url)
        try:
            url = address(url)
        except ValueError as error:
            raise api.InvalidError(f"{material.id} has no usable address: {error}") from error
        if material.id not in self._addresses and material.extra.get("secret"):
            raise api.FatalError(
                f"{material.id} is fetched by an address with a secret, which the archive does not keep",
                hint="Run it where the configuration is read.",
            )
        return url


def _refined(material: api.Material, name: str, done: api.Downloaded) -> api.Material:
    """Put in what the answer told; what was given in the configuration stays."""
    given = material.extra
    return replace(
        material,
        title=material.title if "title" in given else title_of(done.name) or material.title,
        kind=material.kind if "kind" in given else kind_of(name, done.media_type),
        revision=revision(done.etag, done.last_modified, done.size),
        size=done.size,
    )


def _answered(material: api.Material, looked: Looked, listing: _Listing) -> Listed:
    """Judge what was heard of a file."""
    if isinstance(looked, api.TransientError | api.FatalError):
        listing.failures.append(looked)
        return material
    listing.answers += 1
    if isinstance(looked, api.GoneError | api.BlockedError):
        return api.Unavailable(material, looked)
    if isinstance(looked, api.SourceError):  # nothing that tells one state from another
        return material
    if looked.media_type in HTML and not _may_be_page(material, last_part(material.url)):
        return api.Unavailable(replace(material, revision="", size=None), _page_instead(material))
    return material


def _may_be_page(material: api.Material, name: str) -> bool:
    return material.kind is api.Kind.REPORT or ("kind" not in material.extra and is_page(name))


def _page_instead(material: api.Material) -> api.InvalidError:
    return api.InvalidError(
        f"{material.url} answered with a web page instead of a file",
        hint="Open it in a browser, and copy the address behind the download button.",
    )


def _check_page(material: api.Material, name: str, done: api.Downloaded) -> None:
    """Raise when a web page came where a file was expected, or a page for logging in."""
    with done.path.open("rb") as file:
        start = file.read(_PAGE_BYTES)
    if _LOGIN_FIELD.search(start) or (
        done.url != material.url and _LOGIN_PATH.search(urlsplit(done.url).path)
    ):
        raise api.BlockedError(
            f"{material.url} answered with a page for logging in ({shown(done.url)})",
            hint="Ask for a public link, or write the login as https://${USER}:${PASSWORD}@host/…, "
            "or save the file yourself and add it with: archive add EVENT FILE",
        )
    if not _may_be_page(material, name):
        raise _page_instead(material)


def _host(link: Link) -> str:
    return link.url.split("/", 3)[2]


def _unusable(options: LinksEntry, wrong: Wrong) -> api.Unavailable:
    """Make something to look after of a line that is no link; its text may be secret, so it is not told."""
    path = Path(options.file)
    identity = f"list/{hashlib.sha256(options.file.encode()).hexdigest()[:8]}/{path.name}/{wrong.line}"
    title = f"{path.name}, line {wrong.line}"
    return api.Unavailable(api.Material(identity, options.kind or api.Kind.OTHER, title), wrong.error)


def _material(link: Link, kind: api.Kind | None, seen: Seen | None) -> api.Material:
    told = public(link.url)
    name = last_part(link.url)
    given = link.kind or kind
    extra = {"title": "given"} if link.title else {}
    extra |= {"kind": "given"} if given else {}
    extra |= {"secret": "yes"} if told != link.url else {}
    return api.Material(
        link.id or told,
        given or kind_of(name),
        title=link.title or title_of(name) or urlsplit(told).hostname or told,
        url=told,
        talk=link.talk,
        date=link.date,
        revision=seen.revision if seen else "",
        size=seen.size if seen else None,
        extra=extra,
    )
