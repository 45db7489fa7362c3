"""The source: entries become materials, and a material becomes a web archive with its text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from archiver import api
from archiver_plugins.web import judge
from archiver_plugins.web.capture import Bounds, Capture
from archiver_plugins.web.feeds import list_feed
from archiver_plugins.web.materials import (
    Listed,
    address_of,
    described,
    of_file,
    of_page,
    post_at,
    with_findings,
)
from archiver_plugins.web.options import WebEntry, WebOptions
from archiver_plugins.web.page import Page, check_size, is_html
from archiver_plugins.web.sitemaps import list_sitemap
from archiver_plugins.web.visitor import Visit, Visitor
from archiver_plugins.web.wordpress import WordPress
from archiver_plugins.web.words import main_text

_PDF: Final = b"%PDF-"
_MAX_MISSING: Final = 10_000


@contextmanager
def _without_secrets() -> Iterator[None]:
    """Mask what is secret in the addresses that errors name: messages go into logs and ledgers."""
    try:
        yield
    except api.SourceError as error:
        error.message = api.redact(error.message)
        raise


class Web(api.Source[WebOptions, WebEntry]):
    """Reports on the web: pages, feeds, sitemaps, WordPress sites; each kept as a web archive, with its text.

    A report's id is its address in one form, see `addresses.identity`.
    """

    type_name = "web"
    options_class = WebOptions
    entry_class = WebEntry
    #: Each holds a page and its parsed form in memory; and sites are asked one thing at a time anyway.
    max_fetches = 2

    def __init__(self, options: WebOptions, context: api.Context) -> None:
        super().__init__(options, context)
        self.visitor = Visitor(context.http, options.twin)
        self._addresses: dict[str, str] = {}

    def discover(
        self, scope: api.Scope[WebEntry], cursor: str
    ) -> Iterator[api.Material | api.Unavailable | api.Checkpoint]:
        """List the posts of all entries; a page that several events name is looked at once."""
        del cursor  # feeds and sitemaps are short; and WordPress would not tell of deletions
        looks: dict[str, Listed] = {}
        for item in api.list_entries(scope, lambda entry: self._entry(entry.options, looks)):
            if isinstance(item, api.Material):
                # The archive knows an address such as `?token=…` without its secret only.
                self._addresses[item.id] = address_of(item)
            yield item

    def _entry(self, options: WebEntry, looks: dict[str, Listed]) -> Iterator[Listed]:
        for url in options.addresses:
            if url not in looks:
                looks[url] = self._look_up(url)
            yield looks[url]
        with _without_secrets():
            if options.feed:
                yield from list_feed(self.visitor, options)
            if options.sitemap:
                yield from list_sitemap(self.visitor, options)
            if options.wordpress:
                yield from WordPress(self.visitor, options.wordpress).posts(options)

    def _look_up(self, url: str) -> Listed:
        """Make a material of one address; whatever is wrong with it belongs to it alone."""
        try:
            visit, page = self._visit(url)
            return of_page(page, visit) if page else of_file(visit)
        except api.SourceError as error:
            return api.Unavailable(post_at(url), error)

    @_without_secrets()
    def _visit(self, url: str) -> tuple[Visit, Page | None]:
        visit = self.visitor.visit(url)
        return visit, self._page(visit)

    def _page(self, visit: Visit) -> Page | None:
        """Read a page and judge it; None for a PDF. Raises `SourceError` when it can be no report."""
        response = visit.last.response
        if response.content.startswith(_PDF):
            return None
        if not is_html(response):
            kind = response.headers.get("content-type", "")[:80] or "of no type"
            raise api.InvalidError(
                f"{visit.last.url} is neither a web page nor a PDF ({kind})",
                hint="Files belong to a source of type links or folder.",
            )
        check_size(visit.last.url, response)
        page = Page(visit.last.url, response)
        judge.check(page, visit)
        return page

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched | api.Material]:
        """Keep a page as a web archive (WACZ), and its text beside it."""
        visit, page = self._visit(self._addresses.get(material.id, address_of(material)))
        if page is None:
            yield _document(visit, into)
            return
        text, tool = main_text(page)
        bounds = Bounds(self.options.max_files, self.options.max_bytes)
        path, gathered = Capture(self.visitor, bounds, into).keep(page, visit, text)
        if gathered.missing:
            self.context.log.info(
                "%s: %d of its files could not be kept, among them %s",
                material.url,
                len(gathered.missing),
                api.redact(gathered.missing[0]),
            )
        facts = {"text": tool, "files": str(gathered.kept), "missing": _shown(gathered.missing)}
        yield with_findings(described(_titled(material, page), page), page, facts)
        yield api.Fetched(Path(path.name), media_type="application/wacz")
        if text:
            (into / "text.txt").write_text(text + "\n", encoding="utf-8")
            yield api.Fetched(
                Path("text.txt"), api.Role.SIDECAR, label="text", media_type="text/plain; charset=utf-8"
            )


def _titled(material: api.Material, page: Page) -> api.Material:
    # Sitemaps name no titles.
    return material if material.title else replace(material, title=page.title)


def _document(visit: Visit, into: Path) -> api.Fetched:
    path = into / "report.pdf"
    path.write_bytes(visit.last.response.content)
    return api.Fetched(Path(path.name), api.Role.ORIGINAL, api.Grade.PDF, media_type="application/pdf")


def _shown(missing: list[str]) -> str:
    """Write how many files are missing, and which, within bounds."""
    if not missing:
        return ""
    text = api.redact(f"{len(missing)}: {' '.join(missing)}")
    return text if len(text) <= _MAX_MISSING else f"{text[:_MAX_MISSING]} …"
