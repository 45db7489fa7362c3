"""A web site on loopback with the habits of real ones: old charsets, walls, traps.

    with WebDouble(public="https://news.example") as site:
        site.page("/a.html", "<h1>标题</h1>", charset="gb2312", declare="meta")
        site.redirect("/old", "/a.html")
        site.robots = RULES

`public` is the address under which the pages know themselves; without it that is the double's own.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from html import escape
from typing import Final, Literal

from archiver.testing.messages import Reply, Request
from archiver.testing.service import Routes, Service

#: What stands between a visitor and a report; each comes with status 200.
WALLS: Final[Mapping[str, str]] = {
    "login": (
        "<!doctype html><html><head><title>请登录</title></head><body><form action='/login'>"
        "<input name='user'><input type='password' name='p'><button>登录</button></form></body>"
    ),
    "consent": (
        "<!doctype html><html><head><title>Before you continue</title></head><body>"
        "<h1>Before you continue</h1><p>We and our partners use cookies.</p><button>Agree</button>"
    ),
    "robot": (
        "<!doctype html><html><head><title>Just a moment...</title></head><body>"
        "<h1>Checking your browser</h1></body></html>"
    ),
    "shell": (
        "<!doctype html><html><head><title>Meetup</title><script src='/main.js'></script></head><body>"
        "<noscript>You need to enable JavaScript to run this app.</noscript><div id='root'></div>"
    ),
    "missing": ("<!doctype html><html><head><title>404 Not Found</title></head><body><h1>页面不存在</h1>"),
    "empty": "<!doctype html><html><head><title></title></head><body></body></html>",
}


class WebDouble(Service):
    """The site. Pages and traps may be added while it runs; `robots` is its robots.txt, None for none.

    Then `robots_status` is answered in its place.
    """

    def __init__(self, *, port: int = 0, public: str = "", robots: str | None = None) -> None:
        super().__init__(port=port)
        self.robots = robots
        self.robots_status = 404
        self._public = public
        self._replies: dict[str, Callable[[Request], Reply]] = {}

    @property
    def public(self) -> str:
        """Give the address under which the site is known."""
        return self._public or self.url

    def routes(self) -> Routes:
        """List the addresses of the site."""
        return {"/robots.txt": self.robots_txt, "{path:path}": self.any_page}

    def robots_txt(self, request: Request) -> Reply:
        """Answer with the rules for robots, or 404."""
        del request
        if self.robots is None:
            return Reply.missing(self.robots_status)
        return Reply(self.robots.encode(), media_type="text/plain; charset=utf-8")

    def any_page(self, request: Request) -> Reply:
        """Answer with what was put at the path."""
        found = self._replies.get(request.path)
        return found(request) if found else Reply.missing()

    def reply(self, path: str, reply: Reply) -> str:
        """Put an answer at a path, and give its public address."""
        self._replies[path] = lambda _: reply
        return self.public + path

    def page(
        self,
        path: str,
        body: str,
        *,
        head: str = "",
        title: str = "",
        charset: str = "utf-8",
        declare: Literal["header", "meta", "lie", "nothing"] = "header",
    ) -> str:
        """Put a page at a path, and give its public address.

        `declare` says where the charset is told: in the HTTP header, in a `meta`, nowhere, or wrongly
        (the header says UTF-8).
        """
        meta = (
            f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">'
            if declare == "meta"
            else ""
        )
        text = (
            f"<!doctype html><html><head>{meta}<title>{escape(title)}</title>{head}</head>"
            f"<body>{body}</body></html>"
        )
        told = {"header": f"text/html; charset={charset}", "lie": "text/html; charset=utf-8"}
        # gb2312 as sites mean it: with the characters that only its successors have.
        codec = {"gb2312": "gb18030", "gbk": "gb18030"}.get(charset, charset)
        return self.reply(path, Reply(text.encode(codec), media_type=told.get(declare, "text/html")))

    def wall(self, path: str, kind: str) -> str:
        """Put one of `WALLS` at a path."""
        return self.reply(path, Reply.html(WALLS[kind]))

    def redirect(self, path: str, location: str, status: int = 302) -> str:
        """Send visitors of a path elsewhere."""
        return self.reply(path, Reply.redirect(location, status))

    def packed(self, path: str, body: bytes, media_type: str = "text/html; charset=utf-8") -> str:
        """Put an answer at a path that comes packed by gzip."""
        headers = {"Content-Encoding": "gzip"}
        return self.reply(path, Reply(gzip.compress(body, mtime=0), media_type=media_type, headers=headers))

    def bomb(self, path: str, size: int = 64 << 20) -> str:
        """Put a small packed answer at a path that unpacks to `size` bytes."""
        packer = zlib.compressobj(9, wbits=31)
        data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()
        return self.reply(path, Reply(data, headers={"Content-Encoding": "gzip"}))

    def endless(self, path: str, form: Callable[[int, str], str]) -> str:
        """Put pages at a path that never end: `form` makes page `n` with the address of the next."""

        def answer(request: Request) -> Reply:
            number = int(request.query.get("page", "1"))
            return Reply(
                form(number, f"{self.public}{path}?page={number + 1}").encode(), media_type="text/xml"
            )

        self._replies[path] = answer
        return self.public + path
