"""Listing: pages, feeds, sitemaps, WordPress; what stands in the way; politeness."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from archiver import api
from archiver.testing.messages import Reply
from archiver.testing.web import WALLS, WebDouble
from archiver.testing.wordpress import PUBLIC, Post, WordPressDouble
from archiver_plugins.web import Web, WebEntry, WebOptions, archiver_sources
from archiver_plugins.web import sitemaps as sitemaps_module
from archiver_plugins.web.addresses import Site, identity, joined, owner, tidy
from archiver_plugins.web.charsets import decode
from archiver_plugins.web.feeds import parse as parse_feed
from archiver_plugins.web.page import Page, iso
from archiver_plugins.web.robots import parse as parse_robots
from archiver_plugins.web.sitemaps import parse as parse_sitemap
from plugins.source_kit import BEIJING, SHENZHEN, Make, fetched, listed
from plugins.webs import ARTICLE, TEXT, entry, materials, one, problem


@pytest.fixture
def site() -> Iterator[WebDouble]:
    with WebDouble() as site:
        yield site


@pytest.fixture
def source(site: WebDouble, context_for: Make) -> Web:
    return Web(WebOptions(base_url=site.url), context_for(site.url))


@pytest.fixture
def blog() -> Iterator[WordPressDouble]:
    with WordPressDouble(feed_size=3) as blog:
        yield blog


@pytest.fixture
def reader(blog: WordPressDouble, context_for: Make) -> Web:
    return Web(WebOptions(site=PUBLIC, base_url=blog.url), context_for(blog.url))


def post(number: int = 1, **values: Any) -> Post:
    given: dict[str, Any] = {
        "id": number,
        "title": f"北京站纪要 {number}",
        "body": ARTICLE,
        "slug": f"beijing-{number}",
        "date": f"2012-09-{number:02}T10:00:00",
        "tags": ("2012osac",),
    }
    return Post(**(given | values))


def response(content: bytes, content_type: str = "") -> api.Response:
    return api.Response("https://example.org/", 200, {"content-type": content_type}, content)


def test_is_announced() -> None:
    assert list(archiver_sources()) == [Web]
    assert Web.type_name == "web"


class TestOptions:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"page": "ftp://example.org/"},
            {"page": "https://user:secret@example.org/"},
            {"page": "https://["},
            {"page": "https://example.org/" + "a" * 3000},
            {"page": "https://a.org/", "tag": "x"},
            {"page": "https://a.org/", "prefix": "https://a.org/x"},
            {"feed": "https://a.org/", "talk": "x"},
            {"feed": "https://a.org/", "since": "2012-09-02", "until": "2012-09-01"},
            {"page": "https://a.org/", "robots": "ignore"},
        ],
    )
    def test_nonsense_is_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            WebEntry(**options)

    def test_site_needs_its_twin(self) -> None:
        with pytest.raises(ValidationError, match="base_url"):
            WebOptions(site="https://a.org/")
        with pytest.raises(ValidationError):
            WebOptions.model_validate({"robots": "ignore"})

    def test_bounds_of_days_are_as_coarse_as_the_date(self) -> None:
        options = WebEntry(feed="https://a.org/", since=date(2012, 9, 10), until=date(2012, 9, 20))
        days = ["2012-09-09", "2012-09-10T00:00", "2012-09-20T23:59", "2012-09-21", "", "2012-09", "2012"]
        assert [options.covers(day) for day in days] == [False, True, True, False, True, True, True]


class TestAddresses:
    @pytest.mark.parametrize(
        ("url", "name"),
        [
            ("HTTP://Example.ORG:80", "https://example.org/"),
            ("http://a.org/x?utm_source=rss&b=2&a=1#top", "https://a.org/x?a=1&b=2"),
            ("https://a.org/北京 站", "https://a.org/%E5%8C%97%E4%BA%AC%20%E7%AB%99"),
            ("https://a.org/x/?from=timeline&isappinstalled=0&spm=1.2", "https://a.org/x/"),
            ("https://a.org/2012/./x/../y", "https://a.org/2012/y"),
            ("https://例子.org:8443/", "https://xn--fsqu00a.org:8443/"),
        ],
    )
    def test_one_page_has_one_name(self, url: str, name: str) -> None:
        assert identity(url) == name

    @given(st.text(max_size=60))
    def test_tidy_is_stable_or_refuses(self, tail: str) -> None:
        try:
            found = tidy(f"https://example.org/{tail}")
        except ValueError:
            return
        assert tidy(found) == found
        assert found.isascii()
        assert identity(identity(found)) == identity(found)

    @given(st.text(max_size=80))
    def test_links_never_raise(self, link: str) -> None:
        found = joined("https://example.org/a/b", link)
        assert found == "" or found.startswith(("http://", "https://"))

    def test_a_twin_is_asked_and_never_named(self) -> None:
        twin = Site("https://a.org", "http://127.0.0.1:99")
        assert twin.wire("http://a.org/x?y#z") == "http://127.0.0.1:99/x?y#z"
        assert twin.known_as("http://127.0.0.1:99/x?y") == "https://a.org/x?y"
        assert twin.wire("https://b.org/x") == "https://b.org/x"

    def test_whose_a_host_is(self) -> None:
        hosts = ["https://www.a.org", "https://m.news.a.com.cn/x", "https://10.0.0.1/", "https://a.org:99/"]
        assert [owner(url) for url in hosts] == ["a.org", "a.com.cn", "10.0.0.1", "a.org"]


class TestCharsets:
    @pytest.mark.parametrize("declare", ["header", "meta", "nothing", "lie"])
    @pytest.mark.parametrize("charset", ["gb2312", "gbk", "gb18030"])
    def test_old_chinese_pages_are_read_right(
        self, charset: str, declare: Any, site: WebDouble, source: Web
    ) -> None:
        body = ARTICLE.replace("大家", "朱镕基")
        url = site.page("/a.html", body, title="朱镕基的报告", charset=charset, declare=declare)
        assert one(source, url).title == "朱镕基的报告"

    @pytest.mark.parametrize(
        ("data", "content_type", "text"),
        [
            ("\ufeff标题".encode(), "text/html; charset=gbk", "标题"),
            ("标题".encode("utf-16"), "text/html; charset=utf-8", "标题"),
            ("標題".encode("big5"), "text/html; charset=Big5", "標題"),
            ("“quoted”".encode("cp1252"), "text/html; charset=ISO-8859-1", "“quoted”"),
            ("日本語".encode("shift_jis"), "text/html; charset=x-sjis", "日本語"),
            ("标题".encode(), "text/html; charset=no-such", "标题"),
            ("标题".encode(), "text/html; charset=hex", "标题"),
            (b"caf\xe9 au lait", "", "café au lait"),
            (b"<meta charset='utf-16'>" + "标题".encode(), "", "<meta charset='utf-16'>标题"),
            (b"", "", ""),
        ],
    )
    def test_rules(self, data: bytes, content_type: str, text: str) -> None:
        assert decode(data, content_type) == text

    @given(st.binary(max_size=200), st.text(max_size=40))
    def test_never_raises(self, data: bytes, content_type: str) -> None:
        assert isinstance(decode(data, content_type), str)


class TestPage:
    def test_becomes_a_report(self, site: WebDouble, source: Web) -> None:
        head = (
            '<meta property="og:title" content="北京站纪要">'
            '<meta name="author" content="Hui Cheng"><meta name="description" content="一天">'
            '<meta name="weibo: article:create_at" content="2012-09-17 10:00:00">'
            '<meta property="article:tag" content="openstack">'
            '<link rel="license" href="https://creativecommons.org/licenses/by/2.0/">'
        )
        url = site.page("/news/1.html", ARTICLE, head=head, title="北京站纪要 - 新浪")
        item = one(source, url, talk="chef")
        assert (item.title, item.url, item.id) == ("北京站纪要", url, identity(url))
        assert (item.kind, item.event, item.talk) == (api.Kind.REPORT, "beijing", "chef")
        assert (item.authors, item.date) == (("Hui Cheng",), "2012-09-17T10:00:00")
        assert (item.description, item.tags) == ("一天", ("openstack",))
        assert item.licence == "https://creativecommons.org/licenses/by/2.0/"

    def test_one_whose_secret_the_archive_does_not_know_is_fetched(
        self, site: WebDouble, source: Web, tmp_path: Path
    ) -> None:
        url = site.page("/a.html", ARTICLE)
        material = one(source, f"{url}?token=s3cr3t-s3cr3t")
        masked = replace(material, url=api.redact(material.url), extra={})
        fetched(source, masked, tmp_path / "into")
        asked = [each.query for each in site.requests if each.path == "/a.html"]
        assert len(asked) == 2
        assert all("s3cr3t-s3cr3t" in str(each) for each in asked)

    def test_several_events_look_at_it_once(self, site: WebDouble, source: Web) -> None:
        url = site.page("/a.html", ARTICLE)
        items, last = listed(source, entry(page=url), entry(SHENZHEN, pages=[url]))
        assert [item.event for item in items if isinstance(item, api.Material)] == ["beijing", "shenzhen"]
        assert last.complete
        assert site.requests.count("/a.html") == 1

    def test_revision_is_that_of_the_words(self, site: WebDouble, source: Web) -> None:
        url = site.page("/a.html", ARTICLE + "<script>var nonce=1</script>")
        first = one(source, url).revision
        site.page("/a.html", ARTICLE + "<script>var nonce=2</script>")
        assert one(source, url).revision == first
        site.page("/a.html", ARTICLE + "<p>" + "更正：参加者一百六十人。" * 5 + "</p>")
        assert one(source, url).revision != first

    def test_revision_is_the_time_that_the_page_tells(self, site: WebDouble, source: Web) -> None:
        data = {
            "@graph": [{"@type": "NewsArticle", "dateModified": "2012-09-18T08:00:00Z", "headline": "纪要"}]
        }
        head = f'<script type="application/ld+json">{json.dumps(data)}</script>'
        item = one(source, site.page("/a.html", ARTICLE, head=head))
        assert (item.revision, item.title) == ("2012-09-18T08:00:00+00:00", "纪要")

    @pytest.mark.parametrize(
        ("canonical", "taken"),
        [
            ("/real.html", True),
            ("/", False),
            ("https://other.example/a.html", False),
            ("javascript:alert(1)", False),
            ("//[", False),
        ],
    )
    def test_canonical_address_is_believed_with_care(
        self, canonical: str, taken: bool, site: WebDouble, source: Web
    ) -> None:
        url = site.page("/a.html", ARTICLE, head=f'<link rel="canonical" href="{canonical}">')
        item = one(source, url)
        assert item.url == (f"{site.url}/real.html" if taken else url)
        assert item.extra == ({"address": url} if taken else {})

    def test_date_stands_in_the_address(self, site: WebDouble, source: Web) -> None:
        assert one(source, site.page("/2012/09/16/a.html", ARTICLE)).date == "2012-09-16"
        assert one(source, site.page("/a/20121301.html", ARTICLE)).date == ""

    @pytest.mark.parametrize(
        "title", ["..", "../../etc/passwd", "\x00\u202e", "a" * 100_000, "CON", "<b>&amp;"]
    )
    def test_odd_titles_are_labels(self, title: str, site: WebDouble, source: Web, tmp_path: Path) -> None:
        item = one(source, site.page("/a.html", ARTICLE, title=title))
        assert len(item.title) <= 2_000
        assert "\u202e" not in item.title
        _, files = fetched(source, item, tmp_path / "into")
        assert set(files) == {"page.wacz", "text.txt"}

    def test_pdf_is_kept_as_it_is(self, site: WebDouble, source: Web, tmp_path: Path) -> None:
        data = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
        url = site.reply("/docs/report%20one.pdf".replace("%20", " "), Reply.file(data, "application/pdf"))
        item = one(source, url)
        assert item.title == "report one"
        (file,) = source.fetch(item, tmp_path)
        assert isinstance(file, api.Fetched)
        assert (tmp_path / file.path).read_bytes() == data

    def test_other_files_are_refused(self, site: WebDouble, source: Web) -> None:
        url = site.reply("/a.zip", Reply.file(b"PK\x03\x04", "application/zip"))
        error = problem(source, url)
        assert isinstance(error, api.InvalidError)
        assert "links" in error.hint

    @given(st.binary(max_size=400))
    def test_whatever_comes_never_raises(self, data: bytes) -> None:
        page = Page("https://example.org/2012/", response(b"<html>" + data))
        texts = [page.title, page.canonical, page.date, page.modified, page.description, page.language]
        assert all(isinstance(text, str) for text in [*texts, *page.authors, *page.tags, page.shown])

    @given(st.text(max_size=50))
    def test_dates_are_iso_or_nothing(self, text: str) -> None:
        assert iso(text) == "" or iso(iso(text)) == iso(text)


class TestWalls:
    @pytest.mark.parametrize("kind", sorted(WALLS))
    def test_are_no_reports(self, kind: str, site: WebDouble, source: Web, tmp_path: Path) -> None:
        url = site.wall("/a.html", kind)
        expected = api.BlockedError if kind in {"login", "consent", "robot"} else api.InvalidError
        error = problem(source, url)
        assert isinstance(error, expected)
        assert error.hint
        with pytest.raises(expected):
            list(source.fetch(api.Material("x", api.Kind.REPORT, url=url), tmp_path))
        assert not list(tmp_path.iterdir())

    def test_secrets_in_addresses_are_not_repeated(self, site: WebDouble, source: Web) -> None:
        site.wall("/a.html", "login")
        error = problem(source, f"{site.url}/a.html?token=verysecret")
        assert isinstance(error, api.BlockedError)
        assert "verysecret" not in str(error)

    def test_login_behind_a_redirect(self, site: WebDouble, source: Web) -> None:
        site.page("/wp-login.php", ARTICLE, title="Blog")
        error = problem(source, site.redirect("/a.html", "/wp-login.php?redirect_to=a"))
        assert isinstance(error, api.BlockedError)

    def test_report_about_logins_is_one(self, site: WebDouble, source: Web) -> None:
        form = "<form><input type='PASSWORD'></form>"
        assert one(source, site.page("/a.html", ARTICLE * 3 + form, title="Keystone 登录详解 404")).title

    def test_gallery_with_few_words_is_a_report(self, site: WebDouble, source: Web) -> None:
        body = "<div id='app'><img src='/1.jpg'></div><script src='/a.js'></script>"
        assert one(source, site.page("/a.html", body, title="现场照片")).title == "现场照片"

    def test_scripts_on_a_page_with_words(self, site: WebDouble, source: Web) -> None:
        body = f"<div id='__next'>{ARTICLE}</div><script id='__NEXT_DATA__'>{{}}</script>"
        assert one(source, site.page("/a.html", body, title="x")).title == "x"

    def test_wechat_says_that_it_is_gone(self, context_for: Make) -> None:
        with WebDouble(public="https://mp.weixin.qq.com") as site:
            source = Web(WebOptions(site=site.public, base_url=site.url), context_for(site.url))
            url = site.page("/s/abc", "<div>该内容已被发布者删除</div>")
            assert isinstance(problem(source, url), api.GoneError)

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [("gone", api.GoneError), ("503", api.TransientError), ("login", api.BlockedError)],
    )
    def test_faults(self, fault: str, expected: Any, site: WebDouble, source: Web) -> None:
        url = site.page("/a.html", ARTICLE)
        site.fault("/a.html", fault, times=None)
        assert isinstance(problem(source, url), expected)


class TestRobots:
    def test_are_obeyed(self, site: WebDouble, source: Web) -> None:
        site.robots = "User-agent: *\nDisallow: /*.php$\nDisallow: /private/\nAllow: /private/open/\n"
        secret, public = site.page("/private/a", ARTICLE), site.page("/private/open/a", ARTICLE)
        error = problem(source, secret)
        assert isinstance(error, api.BlockedError)
        assert "robots.txt" in str(error)
        assert "archive add" in error.hint
        assert isinstance(problem(source, site.page("/a.php", ARTICLE)), api.BlockedError)
        assert one(source, public).url == public
        assert site.requests.count("/private/a") == 0
        assert site.requests.count("/robots.txt") == 1

    def test_rules_for_this_program_count_alone(self) -> None:
        rules = parse_robots(b"User-agent: *\nDisallow: /\n\nUser-agent: event-archiver\nDisallow: /x\n")
        assert rules.allow("https://a.org/a")
        assert not rules.allow("https://a.org/x/1")

    def test_redirects_are_asked_for_too(self, site: WebDouble, source: Web) -> None:
        site.robots = "User-agent: *\nDisallow: /private/"
        site.page("/private/a", ARTICLE)
        assert isinstance(problem(source, site.redirect("/a", "/private/a")), api.BlockedError)
        assert site.requests.count("/private/a") == 0

    @pytest.mark.parametrize("status", [404, 403, 401, 418])
    def test_none_means_all_is_allowed(self, status: int, site: WebDouble, source: Web) -> None:
        site.robots_status = status
        url = site.page("/b.html", ARTICLE)
        assert one(source, url).url == url

    def test_outage_means_nothing_is_allowed(self, site: WebDouble, source: Web) -> None:
        url = site.page("/a.html", ARTICLE)
        site.fault("/robots.txt", "503", times=None)
        assert isinstance(problem(source, url), api.TransientError)
        assert site.requests.count("/a.html") == 0

    def test_crawl_delay_is_kept(self, site: WebDouble, source: Web) -> None:
        waits: list[float] = []
        source.visitor.pace.now = lambda: 100.0
        source.visitor.pace._sleep = waits.append
        site.robots = "User-agent: *\nCrawl-delay: 7\n"
        urls = [site.page(f"/{number}.html", ARTICLE) for number in range(3)]
        items, _ = listed(source, entry(pages=urls))
        assert len(items) == 3
        assert waits == [7.0, 14.0]

    def test_endless_delay_is_blocked(self, site: WebDouble, source: Web) -> None:
        site.robots = "User-agent: *\nCrawl-delay: 86400\n"
        error = problem(source, site.page("/a.html", ARTICLE))
        assert isinstance(error, api.BlockedError)
        assert "86,400" in str(error)

    @given(st.binary(max_size=300))
    def test_whatever_stands_there(self, data: bytes) -> None:
        rules = parse_robots(b"User-agent: *\n" + data)
        assert isinstance(rules.allow("https://a.org/x?y"), bool)
        assert rules.delay >= 0

    def test_wildcards_cost_no_time(self) -> None:
        stars = b"Disallow: /" + b"*a" * 10_000 + b"$\n" + b"Disallow: /" + b"*a" * 9 + b"$\n"
        rules = parse_robots(b"User-agent: *\n" + stars)
        assert rules.allow("https://a.org/" + "b" * 1_800)


class TestRedirects:
    def test_circle_ends(self, site: WebDouble, source: Web) -> None:
        site.redirect("/b", "/a")
        error = problem(source, site.redirect("/a", "/b"))
        assert isinstance(error, api.InvalidError)
        assert "circle" in str(error)

    def test_chain_ends(self, site: WebDouble, source: Web) -> None:
        for number in range(30):
            site.redirect(f"/{number}", f"/{number + 1}")
        assert "more than 10 times" in str(problem(source, f"{site.url}/0"))
        assert len(site.requests) < 15

    @pytest.mark.parametrize("location", ["http://169.254.169.254/latest/", "http://127.0.0.1:1/"])
    def test_never_lead_inside(self, location: str, site: WebDouble, source: Web) -> None:
        error = problem(source, site.redirect("/a", location))
        assert isinstance(error, (api.BlockedError, api.TransientError))
        assert "may not reach" in str(error)

    def test_nowhere(self, site: WebDouble, source: Web) -> None:
        assert isinstance(problem(source, site.redirect("/a", "file:///etc/passwd")), api.InvalidError)


class TestHostilePages:
    def test_gzip_bomb(self, site: WebDouble, source: Web) -> None:
        assert isinstance(problem(source, site.bomb("/a.html")), api.InvalidError)

    def test_huge_page(self, site: WebDouble, source: Web) -> None:
        for body in (b"x" * (5 << 20), b"x" * (33 << 20), b"<a>" * 200_000):
            url = site.reply("/a.html", Reply(b"<html>" + body))
            assert isinstance(problem(source, url), api.InvalidError)

    def test_crowded_page_is_not_even_parsed(self) -> None:
        assert Page("https://example.org/", response(b"<a>" * 200_000)).tree is None

    @pytest.mark.timeout(30)
    @pytest.mark.parametrize(
        "body",
        [
            "<div>" * 140_000,
            "<p>" + "<b>" * 100_000 + "x",
            "<a href='x'>" * 100_000,
            "<!--" * 140_000,
            "&amp;" * 300_000,
            "<table>" * 50_000 + TEXT,
        ],
        ids=["deep", "bold", "links", "comments", "entities", "tables"],
    )
    def test_nests_end(self, body: str, site: WebDouble, source: Web) -> None:
        items, _ = listed(source, entry(page=site.page("/a.html", body + ARTICLE)))
        assert len(items) == 1


class TestFeed:
    def test_lists_posts_and_older_pages(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(*(post(number) for number in range(1, 8)))
        found, complete = materials(reader, feed=f"{PUBLIC}/feed/")
        assert [item.title for item in found] == [f"北京站纪要 {number}" for number in range(7, 0, -1)]
        assert not complete
        last = found[-1]
        assert (last.url, last.id) == (f"{PUBLIC}/2012/09/beijing-1/", f"{PUBLIC}/2012/09/beijing-1/")
        assert (last.date, last.authors, last.tags) == (
            "2012-09-01T02:00:00+00:00",
            ("COSUG",),
            ("2012osac",),
        )

    def test_is_found_from_a_page(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(post())
        assert len(materials(reader, feed=f"{PUBLIC}/")[0]) == 1

    def test_bounds_stop_it_early(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(*(post(number) for number in range(1, 20)))
        found, _ = materials(reader, feed=f"{PUBLIC}/feed/", since="2012-09-15", until="2012-09-18")
        assert [item.date[8:10] for item in found] == ["18", "17", "16", "15"]
        assert blog.requests.count("/feed/") == 3

    def test_limit_stops_it_early(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(*(post(number) for number in range(1, 20)))
        items, last = listed(reader, entry(feed=f"{PUBLIC}/feed/"), limit=2)
        assert (len(items), last.complete) == (2, False)
        assert blog.requests.count("/feed/") == 1

    def test_gbk(self, site: WebDouble, source: Web) -> None:
        text = (
            '<?xml version="1.0" encoding="gb2312"?><rss version="2.0"><channel><title>x</title>'
            "<item><title>朱镕基 &amp; 同事</title><link>/a.html?from=rss</link></item></channel></rss>"
        )
        url = site.reply("/feed", Reply(text.encode("gb18030"), media_type="application/rss+xml"))
        (item,), _ = materials(source, feed=url)
        assert (item.title, item.url) == ("朱镕基 & 同事", f"{site.url}/a.html")
        assert item.revision.startswith("sha256:")

    def test_atom(self, site: WebDouble, source: Web) -> None:
        text = (
            '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry>'
            '<title type="html">&lt;b&gt;纪要&lt;/b&gt;</title><link href="http://a.example/1"/><updated>2012-09-17T10:00:00+08:00</updated>'
            "<author><name>Hui Cheng</name></author></entry></feed>"
        )
        (item,), _ = materials(source, feed=site.reply("/feed", Reply(text.encode(), media_type="text/xml")))
        assert (item.id, item.url, item.title) == ("https://a.example/1", "http://a.example/1", "纪要")
        assert (item.revision, item.authors) == ("2012-09-17T02:00:00+00:00", ("Hui Cheng",))

    @pytest.mark.parametrize(
        "body",
        [b"", b"not xml at all", b"<rss><channel>", b"\x00\xff\xfe" * 99, b'{"version":"x"}', b"<a/>"],
    )
    def test_malformed_is_said(self, body: bytes, site: WebDouble, source: Web) -> None:
        url = site.reply("/feed", Reply(body, media_type="application/rss+xml"))
        with pytest.raises(api.InvalidError):
            materials(source, feed=url)

    def test_cut_off_feed_gives_what_it_has(self, site: WebDouble, source: Web) -> None:
        text = "<rss version='2.0'><channel><item><title>x</title><link>/a</link></item><item><title>y"
        found, complete = materials(
            source, feed=site.reply("/feed", Reply(text.encode(), media_type="text/xml"))
        )
        assert [item.title for item in found] == ["x"]
        assert not complete

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_entity_bomb(self, encoding: str, site: WebDouble, source: Web) -> None:
        laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
        text = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "lol">{laughs}]><rss><title>&l9;</title></rss>'
        url = site.reply("/feed", Reply(text.encode(encoding), media_type="text/xml"))
        with pytest.raises(api.InvalidError, match=r"The feed http://127\.0\.0\.1:[0-9]+/feed defines"):
            materials(source, feed=url)

    def test_endless_feed(self, site: WebDouble, source: Web) -> None:
        def form(number: int, following: str) -> str:
            return (
                '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>'
                f'<link rel="next" href="{following}"/><entry><title>{number}</title>'
                f'<link href="/{number}"/></entry></feed>'
            )

        found, complete = materials(source, feed=site.endless("/feed", form))
        assert (len(found), complete) == (100, False)

    def test_web_page_without_a_feed(self, site: WebDouble, source: Web) -> None:
        with pytest.raises(api.InvalidError, match="names no feed"):
            materials(source, feed=site.page("/a.html", ARTICLE))

    @given(st.binary(max_size=300))
    def test_whatever_comes(self, data: bytes) -> None:
        try:
            feed = parse_feed(response(b"<rss><channel><item>" + data, "text/xml"))
        except api.InvalidError:
            return
        assert isinstance(feed.entries, list)


class TestSitemap:
    def test_of_a_whole_site(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(post(1), post(2, modified="2012-10-01T00:00:00"))
        found, complete = materials(reader, sitemap=PUBLIC)
        assert [item.url for item in found] == [f"{PUBLIC}/2012/09/beijing-{number}/" for number in (2, 1)]
        assert found[0].revision == "2012-10-01T00:00:00+00:00"
        assert complete

    def test_one_section(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(post(1), post(2, date="2012-10-02T10:00:00"))
        found, complete = materials(reader, sitemap=f"{PUBLIC}/wp-sitemap.xml", prefix=f"{PUBLIC}/2012/10/")
        assert [item.url for item in found] == [f"{PUBLIC}/2012/10/beijing-2/"]
        assert complete

    def test_title_comes_with_the_fetch(self, blog: WordPressDouble, reader: Web, tmp_path: Path) -> None:
        blog.add(post(1))
        (item,), _ = materials(reader, sitemap=PUBLIC)
        refined, _ = fetched(reader, item, tmp_path / "into")
        assert (item.title, refined.title, refined.id) == ("", "北京站纪要 1", item.id)
        assert refined.revision == item.revision

    def test_in_the_usual_place(self, site: WebDouble, source: Web) -> None:
        text = f"<urlset><url><loc>{site.url}/a</loc></url><url><loc>https://b.org/a</loc></url></urlset>"
        site.reply("/sitemap.xml", Reply(text.encode(), media_type="text/xml"))
        found, _ = materials(source, sitemap=site.url)
        assert [item.url for item in found] == [f"{site.url}/a"]

    def test_none(self, site: WebDouble, source: Web) -> None:
        with pytest.raises(api.InvalidError, match="no sitemap"):
            materials(source, sitemap=site.url)

    def test_failing_part_fails_the_listing(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(post(1))
        blog.fault("*.xml.gz", "503", times=None)
        with pytest.raises(api.TransientError):
            listed(reader, entry(sitemap=PUBLIC))

    def test_circle_of_indexes(self, site: WebDouble, source: Web) -> None:
        text = f"<sitemapindex><sitemap><loc>{site.url}/s.xml</loc></sitemap></sitemapindex>"
        url = site.reply("/s.xml", Reply(text.encode(), media_type="text/xml"))
        assert materials(source, sitemap=url) == ([], True)

    def test_endless_indexes(self, site: WebDouble, source: Web, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sitemaps_module, "_MAX_FILES", 20)

        def form(number: int, following: str) -> str:
            del number
            return f"<sitemapindex><sitemap><loc>{following}</loc></sitemap></sitemapindex>"

        assert materials(source, sitemap=site.endless("/s.xml", form)) == ([], False)
        assert site.requests.count("/s.xml") == 20

    @pytest.mark.parametrize("body", [b"", b"<html><body>x", b"\x1f\x8b\x08broken", b"{}"])
    def test_malformed_is_said(self, body: bytes, site: WebDouble, source: Web) -> None:
        with pytest.raises(api.InvalidError):
            materials(source, sitemap=site.reply("/s.xml", Reply(body, media_type="text/xml")))

    def test_packed_bomb(self, site: WebDouble, source: Web) -> None:
        body = gzip.compress(b"<urlset>" + b" " * (51 << 20))
        with pytest.raises(api.InvalidError, match="unpacks"):
            materials(source, sitemap=site.reply("/s.xml.gz", Reply(body, media_type="application/gzip")))

    def test_entities_are_not_followed(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("https://example.org/secret")
        laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
        text = (
            f'<!DOCTYPE r [<!ENTITY f SYSTEM "file://{secret}"><!ENTITY l0 "x">{laughs}]><urlset>'
            "<url><loc>https://example.org/&l9;</loc></url><url><loc>&f;</loc></url></urlset>"
        )
        found = list(parse_sitemap(text.encode(), "https://example.org/"))
        assert all(len(row.url) < 100 and "secret" not in row.url for row in found)

    @given(st.binary(max_size=300))
    def test_whatever_comes(self, data: bytes) -> None:
        for row in parse_sitemap(b"<urlset><url><loc>" + data, "https://example.org/"):
            assert row.url.startswith("http")


class TestWordPress:
    def test_by_tag(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(
            post(1), post(2, tags=("other",)), post(3, title="深圳站 - 纪要", modified="2012-10-01T08:00:00")
        )
        found, complete = materials(reader, wordpress=PUBLIC, tag="2012osac")
        assert [item.title for item in found] == ["北京站纪要 1", "深圳站 – 纪要"]
        last = found[-1]
        assert (last.revision, last.date) == ("2012-10-01T08:00:00Z", "2012-09-03T10:00:00")
        assert (last.authors, last.tags) == (("COSUG",), ("Reports", "2012osac"))
        assert (last.url, last.extra["wordpress"]) == (f"{PUBLIC}/2012/09/beijing-3/", "3")
        assert complete

    def test_by_category_name_and_words(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(post(1), post(2, category="活动 报道"), post(3, category="活动 报道", body="<p>Swift</p>"))
        assert len(materials(reader, wordpress=PUBLIC, category="活动 报道")[0]) == 2
        assert len(materials(reader, wordpress=PUBLIC, category="活动 报道", search="swift")[0]) == 1

    def test_by_days(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(*(post(number) for number in range(1, 6)))
        found, complete = materials(reader, wordpress=PUBLIC, since="2012-09-02", until="2012-09-03")
        assert [item.date[:10] for item in found] == ["2012-09-02", "2012-09-03"]
        assert complete

    def test_pages_end_where_they_end(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(
            *(post(n, slug=f"p{n}", date=f"2012-09-10T{n // 60:02}:{n % 60:02}:00") for n in range(1, 201))
        )
        found, complete = materials(reader, wordpress=PUBLIC)
        assert (len(found), complete) == (200, True)
        assert blog.requests.count("/wp-json/wp/v2/posts") == 2

    def test_400_past_the_end(self, blog: WordPressDouble, reader: Web) -> None:
        """A post is deleted while the pages are read: the last page is gone, and not everything was seen."""
        blog.add(
            *(post(n, slug=f"p{n}", date=f"2012-09-10T{n // 60:02}:{n % 60:02}:00") for n in range(1, 102))
        )
        listing = reader.discover(api.Scope((entry(wordpress=PUBLIC),)), "")
        first = next(listing)
        blog.remove(blog.posts[-1])
        rest = list(listing)
        assert isinstance(first, api.Material)
        assert len(rest) == 100
        assert rest[-1] == api.Checkpoint(complete=False)
        assert blog.requests.count("/wp-json/wp/v2/posts", status=400) == 1

    def test_limit_stops_early(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(
            *(post(n, slug=f"p{n}", date=f"2012-09-10T{n // 60:02}:{n % 60:02}:00") for n in range(1, 201))
        )
        items, last = listed(reader, entry(wordpress=PUBLIC), limit=5)
        assert (len(items), last.complete) == (5, False)
        assert blog.requests.count("/wp-json/wp/v2/posts") == 1

    def test_empty(self, reader: Web) -> None:
        assert materials(reader, wordpress=PUBLIC) == ([], True)

    def test_unknown_tag(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(post())
        with pytest.raises(api.InvalidError, match="no tag 'nope'"):
            materials(reader, wordpress=PUBLIC, tag="nope")

    def test_hidden_api(self, blog: WordPressDouble, reader: Web) -> None:
        blog.api = False
        with pytest.raises(api.BlockedError, match="rest_no_route") as caught:
            materials(reader, wordpress=PUBLIC)
        assert "feed or sitemap" in caught.value.hint

    def test_plain_addresses(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(post())
        blog.reply_to = _without_pretty(blog)  # type: ignore[assignment,method-assign]  # a firewall before the site
        assert len(materials(reader, wordpress=PUBLIC)[0]) == 1
        assert blog.requests.matching("/", status=200)[-1].query["rest_route"] == "/wp/v2/posts"

    @pytest.mark.parametrize(
        "answer", [b"{}", b"[1]", b"not json", b'[{"id": "x"}]', b'[{"id": 1}]', b"[" * 100_000]
    )
    def test_odd_answers(self, answer: bytes, blog: WordPressDouble, reader: Web) -> None:
        blog.serve("/wp-json/wp/v2/posts", answer, "application/json")
        with pytest.raises(api.SourceError):
            materials(reader, wordpress=PUBLIC)

    def test_same_page_again_and_again(self, blog: WordPressDouble, reader: Web) -> None:
        rows = [
            {"id": 1, "link": "/a", "title": {"rendered": "x"}, "_embedded": {"author": "odd", "wp:term": 3}}
        ]
        blog.serve("/wp-json/wp/v2/posts", json.dumps(rows).encode(), "application/json")
        found, complete = materials(reader, wordpress=PUBLIC)
        assert (len(found), complete) == (1, False)
        assert len(blog.requests) < 8

    def test_passing_outage(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(post())
        blog.fault("/wp-json/wp/v2/posts", "429", retry_after=0)
        assert len(materials(reader, wordpress=PUBLIC)[0]) == 1

    def test_deleted_post_is_gone(self, blog: WordPressDouble, reader: Web, tmp_path: Path) -> None:
        blog.add(post())
        (item,), _ = materials(reader, wordpress=PUBLIC)
        blog.remove(post())
        with pytest.raises(api.GoneError):
            list(reader.fetch(item, tmp_path))

    def test_errors_name_the_public_address(self, blog: WordPressDouble, reader: Web) -> None:
        gone = problem(reader, f"{PUBLIC}/nothing/")
        blog.fault("/robots.txt", "503", times=None)
        reader.visitor.robots._known.clear()
        busy = problem(reader, f"{PUBLIC}/nothing/")
        blog.faults.clear()
        reader.visitor.robots._known.clear()
        blog.serve("/wp-json/wp/v2/posts", b"odd", "application/json")
        with pytest.raises(api.InvalidError) as caught:
            materials(reader, wordpress=PUBLIC)
        for error in (gone, busy, caught.value):
            assert "127.0.0.1" not in f"{error} {error.hint}"
        assert PUBLIC in str(gone)

    def test_title_of_dots(self, blog: WordPressDouble, reader: Web, tmp_path: Path) -> None:
        blog.add(post(7, title="..", slug=""))
        (item,), _ = materials(reader, wordpress=PUBLIC)
        assert item.url == f"{PUBLIC}/2012/09/7/"
        assert fetched(reader, item, tmp_path / "into")[0].title == ".."

    def test_changed_post_has_another_revision(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(post())
        (before,), _ = materials(reader, wordpress=PUBLIC)
        blog.add(replace(post(), modified="2012-09-20T00:00:00"))
        (after,), _ = materials(reader, wordpress=PUBLIC)
        assert before.id == after.id
        assert before.revision != after.revision

    def test_events(self, blog: WordPressDouble, reader: Web) -> None:
        blog.add(post())
        items, _ = listed(reader, entry(wordpress=PUBLIC), entry(SHENZHEN, wordpress=PUBLIC, tag="2012osac"))
        assert [item.event for item in items if isinstance(item, api.Material)] == [BEIJING.id, SHENZHEN.id]


def _without_pretty(blog: WordPressDouble) -> Callable[[Any], Reply]:
    usual = blog.reply_to
    return lambda request: Reply.missing() if request.path.startswith("/wp-json") else usual(request)
