"""What a user may write for reports on the web."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, model_validator

from archiver import api
from archiver_plugins.web.addresses import Site, origin, tidy

Address = Annotated[str, AfterValidator(tidy)]
Optional = Address | Literal[""]

#: Options that only a WordPress site understands.
_OF_WORDPRESS: Final = ("tag", "category", "search")


class WebOptions(api.Options):
    """Options of the source."""

    site: Optional = ""
    """Public address of the site that `base_url` stands for, like https://blog.example.org."""
    base_url: api.BaseUrl | Literal[""] = ""
    """Where that site is asked: a mirror, a proxy, a site inside your own network, or a test."""
    max_files: int = 300
    """How many pictures, stylesheets and fonts of one page are kept."""
    max_bytes: int = 200 << 20
    """How many bytes one page and its files may have together."""

    @model_validator(mode="after")
    def _both(self) -> Self:
        if self.site and not self.base_url:
            raise ValueError("site goes with base_url, the address that stands for it")
        if self.max_files < 0 or self.max_bytes < 1 << 20:
            raise ValueError("max_files must not be negative, and max_bytes at least 1048576")
        return self

    @property
    def twin(self) -> Site:
        """Give the site and where it is asked."""
        return Site(origin(self.site), self.base_url) if self.site else Site()


class WebEntry(api.Options):
    """What one event takes from the web: at least one of the first five."""

    page: Optional = ""
    """Address of one page."""
    pages: tuple[Address, ...] = ()
    """Addresses of several pages."""
    feed: Optional = ""
    """Address of a feed (RSS or Atom), or of a page that names one: the posts that it holds."""
    sitemap: Optional = ""
    """Address of a sitemap, or of a site that has one: the pages that it names."""
    wordpress: Optional = ""
    """Address of a WordPress site: its posts, through its API."""
    prefix: str = ""
    """Beginning of the addresses that are taken from a sitemap or a feed."""
    tag: str = ""
    """Only posts with this tag of the WordPress site: its name, slug or number."""
    category: str = ""
    """Only posts of this category of the WordPress site: its name, slug or number."""
    search: str = ""
    """Only posts in which the WordPress site finds these words."""
    since: date | None = None
    """Only posts of this day or later; a post whose date is not known is taken."""
    until: date | None = None
    """Only posts of this day or earlier, likewise."""
    talk: str = ""
    """Which talk the page under `page` belongs to: its id or title."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not (self.addresses or self.feed or self.sitemap or self.wordpress):
            raise ValueError("name a page, pages, a feed, a sitemap or a wordpress site")
        if not self.wordpress and any(getattr(self, name) for name in _OF_WORDPRESS):
            raise ValueError("tag, category and search go with wordpress")
        if self.prefix and not (self.sitemap or self.feed):
            raise ValueError("prefix goes with sitemap or feed")
        if self.talk and (not self.page or self.pages or self.feed or self.sitemap or self.wordpress):
            raise ValueError("talk goes with a single page")
        if self.since and self.until and self.since > self.until:
            raise ValueError("since is after until")
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """Give all addresses of pages."""
        return (self.page, *self.pages) if self.page else self.pages

    def covers(self, day: str) -> bool:
        """Say whether a post of this date (ISO 8601, as coarse as known) lies in the bounds."""
        if not day:
            return True
        since, until = str(self.since or ""), str(self.until or "")
        return day[:10] >= since[: len(day)] and (not until or day[:10] <= until)
