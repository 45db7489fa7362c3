"""A WordPress-like blog with the habits of the real one, on loopback.

    post = Post(id=7, title="北京站纪要", body="<p>…</p>", tags=("2012osac",), date="2012-09-17T10:00:00")
    with WordPressDouble([post]) as blog:
        ...  # blog.url is the base_url, blog.link(post) the public address

What it imitates: the REST API with its headers, its filters by number, its 400 past the end and for more
than 100 a page, `?rest_route=`; posts as pages (one may be in an old charset), pictures in several sizes,
a stylesheet that imports another; feeds in pages, a sitemap index with packed parts, robots.txt.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final
from urllib.parse import quote

from archiver.testing.messages import Reply, Request
from archiver.testing.service import Routes, Service

PUBLIC: Final = "https://blog.cosug.example"
_THEME: Final = "/wp-content/themes/tour"


@dataclass(frozen=True)
class Post:
    """One post. Needed are `id`, `title` and `body` (HTML).

    `date` and `modified` are ISO 8601 in the blog's own time. `charset` other than UTF-8 is declared in
    the page alone, as old blogs do. `pictures` are whole image files by name: the post shows each small
    and links to it large.
    """

    id: int
    title: str
    body: str
    date: str = "2012-09-17T10:00:00"
    modified: str = ""
    author: str = "COSUG"
    tags: Sequence[str] = ()
    category: str = "Reports"
    slug: str = ""
    charset: str = "utf-8"
    pictures: Mapping[str, bytes] = field(default_factory=dict, hash=False)

    @property
    def path(self) -> str:
        """Give the path of the post's page, percent-encoded."""
        words = "-".join(re.findall(r"\w+", self.title.lower()))
        name = self.slug or quote(words) or str(self.id)
        return f"/{self.date[:4]}/{self.date[5:7]}/{name}/"

    @property
    def changed(self) -> str:
        """Give the time of the last change."""
        return self.modified or self.date


class WordPressDouble(Service):
    """The blog: `WordPressDouble(posts)`, then `add` and `remove` while it runs.

    `public` is the address under which it is known. `feed_size` is the number of posts on one page of
    the feed. `api` is switched off to see a site that hides its API.
    """

    def __init__(
        self,
        posts: Iterable[Post] = (),
        *,
        port: int = 0,
        public: str = PUBLIC,
        feed_size: int = 10,
        api: bool = True,
        robots: str = "",
    ) -> None:
        super().__init__(port=port)
        self.public = public
        self.feed_size = feed_size
        self.api = api
        self.robots = robots or (
            "User-agent: *\nDisallow: /wp-admin/\nDisallow: /*?replytocom=\n"
            f"Sitemap: {public}/wp-sitemap.xml\n"
        )
        self._posts: dict[int, Post] = {}
        self.add(*posts)

    def add(self, *posts: Post) -> None:
        """Publish posts; one with a known id takes the place of the other."""
        self._posts |= {post.id: post for post in posts}

    def remove(self, post: Post) -> None:
        """Delete a post."""
        self._posts.pop(post.id, None)

    def link(self, post: Post) -> str:
        """Give the public address of a post."""
        return self.public + post.path

    @property
    def posts(self) -> tuple[Post, ...]:
        """Give the posts, newest first."""
        return tuple(sorted(self._posts.values(), key=lambda post: (post.date, post.id), reverse=True))

    def routes(self) -> Routes:
        """List the addresses of the blog."""
        return {
            "/robots.txt": self.robots_txt,
            "/wp-json/": self.api_root,
            "/wp-json/wp/v2/{what}": self.api_list,
            "/feed/": self.feed,
            "/wp-sitemap.xml": self.sitemap_index,
            "/wp-sitemap-posts-{n:int}.xml.gz": self.sitemap,
            "/wp-content/uploads/{id:int}/{name}": self.picture,
            f"{_THEME}/{{name}}.css": self.stylesheet,
            "/": self.front,
            "{path:path}": self.post_page,
        }

    def robots_txt(self, request: Request) -> Reply:
        """Answer with the rules for robots."""
        del request
        return Reply(self.robots.encode(), media_type="text/plain; charset=utf-8")

    def front(self, request: Request) -> Reply:
        """Answer with the front page, or with the API where pretty addresses are off."""
        route = request.query.get("rest_route", "")
        if route:
            return self._list(route.rpartition("/")[2], request.query)
        teasers = "".join(
            f'<article><h2><a href="{self.link(post)}">{escape(post.title)}</a></h2></article>'
            for post in self.posts[: self.feed_size]
        )
        headers = {"Link": f'<{self.public}/wp-json/>; rel="https://api.w.org/"'} if self.api else {}
        return Reply(_page("COSUG", self._head(""), teasers).encode(), headers=headers)

    def api_root(self, request: Request) -> Reply:
        """Answer with the name of the blog."""
        del request
        return Reply.json({"name": "COSUG", "url": self.public, "namespaces": ["wp/v2"]})

    def api_list(self, request: Request) -> Reply:
        """Answer with posts, tags or categories."""
        return self._list(request.args["what"], request.query)

    def _list(self, what: str, query: Mapping[str, str]) -> Reply:
        if not self.api:
            return _refusal("rest_no_route", 404)
        size = int(query.get("per_page", "10"))
        if not 1 <= size <= 100:
            return _refusal("rest_invalid_param", 400)
        if what == "posts":
            return self._page_of_posts(query, int(query.get("page", "1")), size)
        if what in {"tags", "categories"}:
            return Reply.json(self._terms(what, query)[:size])
        return _refusal("rest_no_route", 404)

    def _page_of_posts(self, query: Mapping[str, str], page: int, size: int) -> Reply:
        found = [post for post in self.posts if self._matches(post, query)]
        if query.get("order") == "asc":
            found.reverse()
        pages = max(1, -(-len(found) // size))
        if page > pages:
            return _refusal("rest_post_invalid_page_number", 400)
        rows = [self._row(post, query) for post in found[(page - 1) * size : page * size]]
        reply = Reply.json(rows)
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
        return Reply(reply.body, 200, reply.media_type, headers)

    def _matches(self, post: Post, query: Mapping[str, str]) -> bool:
        tags = {str(_number(tag)) for tag in post.tags}
        words = query.get("search", "").lower()
        return (
            ("tags" not in query or query["tags"] in tags)
            and ("categories" not in query or query["categories"] == str(_number(post.category)))
            and words in f"{post.title} {post.body}".lower()
            and post.date > query.get("after", "")
            and ("before" not in query or post.date < query["before"])
        )

    def _row(self, post: Post, query: Mapping[str, str]) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": post.id,
            "link": self.link(post),
            "date": post.date,
            "modified_gmt": post.changed,
            "title": {"rendered": escape(post.title).replace("-", "&#8211;")},
            "excerpt": {"rendered": f"<p>{escape(post.title)} [&hellip;]</p>\n"},
        }
        if "_embed" in query:
            terms = [{"name": escape(tag), "taxonomy": "post_tag"} for tag in post.tags]
            row["_embedded"] = {
                "author": [{"name": post.author}],
                "wp:term": [[{"name": post.category, "taxonomy": "category"}], terms],
            }
        return row

    def _terms(self, what: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        names = {
            tag for post in self.posts for tag in ((post.category,) if what == "categories" else post.tags)
        }
        rows = [{"id": _number(name), "name": escape(name), "slug": _slug(name)} for name in sorted(names)]
        wanted, words = query.get("slug"), query.get("search", "").lower()
        return [row for row in rows if wanted in (None, row["slug"]) and words in str(row["name"]).lower()]

    def post_page(self, request: Request) -> Reply:
        """Answer with the page of a post."""
        post = next((post for post in self.posts if quote(request.path) == post.path), None)
        if post is None:
            return Reply.missing()
        head = (
            f'<link rel="canonical" href="{self.link(post)}">'
            f'<meta property="og:title" content="{escape(post.title)}">'
            f'<meta property="article:published_time" content="{post.date}+08:00">'
            f'<meta property="article:modified_time" content="{post.changed}+08:00">'
            f'<meta name="author" content="{escape(post.author)}">'
        )
        tags = "".join(f'<a rel="tag" href="/tag/{_slug(tag)}/">{escape(tag)}</a>' for tag in post.tags)
        gallery = "".join(self._figure(post, name) for name in post.pictures)
        body = f"<article><h1>{escape(post.title)}</h1>{post.body}{gallery}</article><p>{tags}</p>"
        html = _page(f"{post.title} | COSUG", self._head(post.charset) + head, body)
        if post.charset == "utf-8":
            return Reply.html(html)
        codec = "gb18030" if post.charset in {"gbk", "gb2312"} else post.charset
        return Reply(html.encode(codec), media_type="text/html")

    def _figure(self, post: Post, name: str) -> str:
        large = f"/wp-content/uploads/{post.id}/{quote(name)}"
        small = large.replace(".", "-300x225.", 1)
        return (
            f'<figure><a href="{self.public}{large}"><img src="{small}" alt="{escape(name)}" '
            f'srcset="{small} 300w, {large} 1024w"></a></figure>'
        )

    def _head(self, charset: str) -> str:
        declared = f'<meta http-equiv="Content-Type" content="text/html; charset={charset or "utf-8"}">'
        feed = f'<link rel="alternate" type="application/rss+xml" href="{self.public}/feed/">'
        return f'{declared}<link rel="stylesheet" href="{_THEME}/style.css">{feed}'

    def stylesheet(self, request: Request) -> Reply:
        """Answer with the theme: one stylesheet imports the other, which draws a picture."""
        texts = {
            "style": '@import "colours.css";\nbody { font-family: serif }\n',
            "colours": "h1 { color: #036; background: url(/wp-content/uploads/0/banner.svg) }\n",
        }
        text = texts.get(request.args["name"])
        return Reply(text.encode(), media_type="text/css") if text else Reply.missing()

    def picture(self, request: Request) -> Reply:
        """Answer with a picture; the small one is the same here."""
        name = request.args["name"].replace("-300x225.", ".", 1)
        if name == "banner.svg":
            return Reply.file(
                b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "image/svg+xml"
            )
        post = self._posts.get(int(request.args["id"]))
        data = post.pictures.get(name) if post else None
        return Reply.file(data, "image/jpeg") if data else Reply.missing()

    def feed(self, request: Request) -> Reply:
        """Answer with the newest posts as RSS, `?paged=2` for those before."""
        page = int(request.query.get("paged", "1"))
        posts = self.posts[(page - 1) * self.feed_size : page * self.feed_size]
        if not posts:
            return Reply.missing()
        more = page * self.feed_size < len(self.posts)
        older = f'<atom:link rel="next" href="{self.public}/feed/?paged={page + 1}"/>' if more else ""
        items = "".join(
            f"<item><title>{escape(post.title)}</title><link>{self.link(post)}?utm_source=rss</link>"
            f"<dc:creator>{escape(post.author)}</dc:creator><pubDate>{_rfc822(post.date)}</pubDate>"
            f'<guid isPermaLink="false">{self.public}/?p={post.id}</guid>'
            + "".join(f"<category>{escape(tag)}</category>" for tag in post.tags)
            + f"<description>{escape(post.body[:200])}</description></item>"
            for post in posts
        )
        text = (
            '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
            'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<channel><title>COSUG</title>{older}{items}</channel></rss>"
        )
        return Reply(text.encode(), media_type="application/rss+xml; charset=UTF-8")

    def sitemap_index(self, request: Request) -> Reply:
        """Answer with the index of the sitemaps."""
        del request
        parts = f"<sitemap><loc>{self.public}/wp-sitemap-posts-1.xml.gz</loc></sitemap>"
        return _xml(
            f"<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{parts}</sitemapindex>"
        )

    def sitemap(self, request: Request) -> Reply:
        """Answer with the packed sitemap of the posts."""
        del request
        rows = "".join(
            f"<url><loc>{self.link(post)}</loc><lastmod>{post.changed}+00:00</lastmod></url>"
            for post in self.posts
        )
        plain = _xml(f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{rows}</urlset>")
        assert isinstance(plain.body, bytes)
        return Reply(gzip.compress(plain.body, mtime=0), media_type="application/x-gzip")


def _page(title: str, head: str, body: str) -> str:
    return (
        f'<!DOCTYPE html><html lang="zh-CN"><head>{head}<title>{escape(title)}</title></head>'
        f'<body><nav><a href="/">Home</a> <a href="/about/">About</a></nav>{body}'
        '<footer><a href="https://www.flickr.com/photos/cosug">Our Flickr</a></footer></body></html>'
    )


def _xml(text: str) -> Reply:
    return Reply(f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), media_type="application/xml")


def _refusal(code: str, status: int) -> Reply:
    return Reply.json({"code": code, "message": "…", "data": {"status": status}}, status)


def _number(name: str) -> int:
    """Give a term its number: a stable one below 10,000."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 10_000


def _slug(name: str) -> str:
    return quote(name.lower().replace(" ", "-")).lower()


def _rfc822(moment: str) -> str:
    from datetime import datetime
    from email.utils import format_datetime

    return format_datetime(datetime.fromisoformat(f"{moment}+08:00"))
