"""Posts of a WordPress site through its API (developer.wordpress.org/rest-api), by tag, category or words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, Field, ValidationError

from archiver import api
from archiver_plugins.web.addresses import joined
from archiver_plugins.web.materials import PARTIAL, Listed, post_at
from archiver_plugins.web.options import WebEntry
from archiver_plugins.web.page import Page, clean, is_html, iso, parse_html
from archiver_plugins.web.visitor import Visitor

#: The most that the API gives at once, and what every site gives.
_PER_PAGE: Final = (100, 10)
MAX_PAGES: Final = 500
_FIELDS: Final = "id,link,date,modified_gmt,title,excerpt,_links,_embedded"
_API_REL: Final = re.compile(r"<([^<>]{1,2000})>\s*;\s*rel=[\"']?https://api\.w\.org/")
_ABSENT: Final = (400, 401, 403, 404, 410)
_BEYOND: Final = "rest_post_invalid_page_number"
_TOO_MANY: Final = "rest_invalid_param"


class Rendered(BaseModel):
    """A text as the site shows it: HTML."""

    rendered: str = ""


class Post(BaseModel):
    """One post. `date` is in the site's own time, without a zone; `modified_gmt` in UTC, without a Z."""

    id: int
    link: str
    date: str = ""
    modified_gmt: str = ""
    title: Rendered = Rendered()
    excerpt: Rendered = Rendered()
    embedded: dict[str, Any] = Field(default={}, alias="_embedded")


class WordPress:
    """The API of one site."""

    def __init__(self, visitor: Visitor, site: str) -> None:
        self._visitor = visitor
        self._site = site
        self._root = ""

    def posts(self, options: WebEntry) -> Iterator[Listed]:
        """List the posts that an entry wants, oldest first, so that new ones do not move the pages."""
        params = {"orderby": "date", "order": "asc", "_fields": _FIELDS, "_embed": "author,wp:term"}
        params |= self._filters(options)
        seen: set[int] = set()
        announced: set[str] = set()
        for number in range(1, MAX_PAGES + 1):
            posts, total = self._page(params, number)
            announced.add(total)
            fresh = [post for post in posts if post.id not in seen]
            if not fresh:
                break
            seen.update(post.id for post in fresh)
            yield from (found for found in map(self._material, fresh) if found is not None)
            if total.isdecimal() and len(seen) >= int(total):
                break
        if announced != {str(len(seen))}:
            # The number changed on the way, or another number came than was announced.
            yield PARTIAL

    def _filters(self, options: WebEntry) -> dict[str, str]:
        found = {}
        if options.tag:
            found["tags"] = self._term("tags", options.tag)
        if options.category:
            found["categories"] = self._term("categories", options.category)
        if options.search:
            found["search"] = options.search
        # Both bounds are exclusive, and in the site's own time.
        if options.since:
            found["after"] = f"{options.since - timedelta(days=1)}T23:59:59"
        if options.until:
            found["before"] = f"{options.until + timedelta(days=1)}T00:00:00"
        return found

    def _term(self, kind: str, wanted: str) -> str:
        """Find the number of a tag or category by its slug or name. Raises `InvalidError`."""
        if wanted.isdecimal():
            return wanted
        for params in ({"slug": wanted}, {"search": wanted, "per_page": "100"}):
            for term in _rows(self._call(f"/wp/v2/{kind}", params)):
                names = {clean(str(term.get(key, ""))).casefold() for key in ("slug", "name")}
                if wanted.casefold() in names or "slug" in params:
                    return str(int(term.get("id", 0)))
        raise api.InvalidError(
            f"{self._site} has no {'tag' if kind == 'tags' else 'category'} {wanted!r}",
            hint="Correct it in the configuration; the end of its address on the site is its slug.",
        )

    def _page(self, params: Mapping[str, str], number: int) -> tuple[list[Post], str]:
        """Get a page of posts, and the total as the site announces it; past the end there are none."""
        for size in _PER_PAGE:
            response = self._call("/wp/v2/posts", {**params, "page": str(number), "per_page": str(size)})
            code = _code(response)
            if response.status < 400:
                return self._parsed(response), response.headers.get("x-wp-total", "").strip()
            if code == _BEYOND and number > 1:
                return [], ""
            if code != _TOO_MANY or number > 1:
                break
        raise self._refused(response.status, code)

    def _parsed(self, response: api.Response) -> list[Post]:
        try:
            return [Post.model_validate(row) for row in _rows(response)]
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise api.InvalidError(
                f"The API of {self._site} gave a post of unknown form: {where}: {first['msg']}",
                hint="Use the feed or the sitemap of the site instead.",
            ) from error

    def _call(self, path: str, params: Mapping[str, str]) -> api.Response:
        self._root = self._root or self._find_root()
        response = self._ask(self._root, path, params)
        if _code(response) != "" or response.status not in {401, 403, 404}:
            return response
        # Sites without pretty addresses, or with a firewall before them, answer this form.
        self._root = joined(self._site, "?rest_route=/")
        return self._ask(self._root, path, params)

    def _ask(self, root: str, path: str, params: Mapping[str, str]) -> api.Response:
        if "rest_route=" in urlsplit(root).query:
            url = f"{root.partition('?')[0]}?{urlencode({'rest_route': path, **params})}"
        else:
            url = f"{root.rstrip('/')}{path}?{urlencode(params)}"
        return self._visitor.get(url, accept=_ABSENT)

    def _find_root(self) -> str:
        """Find the API: by the header or the link that the site sends, else where it usually is."""
        response = self._visitor.get(self._site, accept=_ABSENT)
        in_header = _API_REL.search(response.headers.get("link", ""))
        href = in_header[1] if in_header else ""
        if not href and is_html(response):
            href = Page(self._site, response).first("//link[@rel='https://api.w.org/']/@href")
        base = self._site if self._site.endswith("/") else f"{self._site}/"
        found = joined(self._site, self._visitor.site.known_as(joined(base, href))) if href else ""
        return found or joined(base, "wp-json/")

    def _refused(self, status: int, code: str) -> api.SourceError:
        kind = api.BlockedError if status in {401, 403} or code == "rest_no_route" else api.InvalidError
        said = f"{status} {code}".strip()
        return kind(
            f"The API of {self._site} does not list its posts (it answered {said})",
            hint="Many sites switch it off: use feed or sitemap instead of wordpress.",
        )

    def _material(self, post: Post) -> api.Material | None:
        url = joined(self._site, self._visitor.site.known_as(joined(self._site, post.link)))
        if not url:
            return None
        changed = iso(post.modified_gmt)
        return replace(
            post_at(url, _plain(post.title.rendered)),
            revision=f"{changed}Z" if changed else "",
            date=iso(post.date),
            description=_plain(post.excerpt.rendered),
            authors=_embedded_names(post.embedded.get("author")),
            tags=_embedded_names(post.embedded.get("wp:term")),
            extra={"wordpress": str(post.id)},
        )


def _rows(response: api.Response) -> list[dict[str, Any]]:
    rows = _json(response) if response.status < 400 else []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise api.InvalidError(
            "The API of a WordPress site gave something else than a list",
            hint="Open the site in a browser; or use its feed or sitemap.",
        )
    return rows


def _json(response: api.Response) -> Any:
    try:
        return response.json()
    except api.InvalidError as error:  # it names the address that was asked, which may not be the public one
        raise api.InvalidError(
            "The API of a WordPress site did not answer with JSON",
            hint="Use the feed or the sitemap of the site.",
        ) from error


def _code(response: api.Response) -> str:
    """Give the word by which the API says what is wrong; nothing when it was not the API that answered."""
    if response.status < 400:
        return ""
    try:
        answer = response.json()
    except api.InvalidError:
        return ""
    return clean(str(answer.get("code", "")))[:80] if isinstance(answer, dict) else ""


def _embedded_names(value: Any) -> tuple[str, ...]:
    """Read names from `author` (a list) or `wp:term` (a list of lists); what is hidden shows as an error."""
    rows = value if isinstance(value, list) else []
    flat = [one for row in rows for one in (row if isinstance(row, list) else [row])]
    names = [_plain(str(one.get("name", ""))) for one in flat[:100] if isinstance(one, dict)]
    return tuple(dict.fromkeys(name for name in names if name))


def _plain(markup: str) -> str:
    """Take the markup out of a title: `Beijing &#8211; 北京站` becomes `Beijing – 北京站`."""
    tree = parse_html(f"<body>{markup[:8_000]}")
    return clean("" if tree is None else tree.text_content())
