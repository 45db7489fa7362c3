"""Fetching: what a web archive holds, what readers that are not ours make of it, bounds, findings."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from archiver import api, media
from archiver.testing import service
from archiver.testing.messages import Reply
from archiver.testing.web import WebDouble
from archiver.testing.wordpress import PUBLIC, Post, WordPressDouble
from archiver_plugins.web import Web, WebOptions, capture
from archiver_plugins.web.links import MAX_LINKS, Link, as_json, recognise
from archiver_plugins.web.page import Page
from archiver_plugins.web.requisites import in_css, of_page
from archiver_plugins.web.surt import surt
from archiver_plugins.web.visitor import Exchange
from archiver_plugins.web.warc import WarcFile
from archiver_plugins.web.words import main_text
from plugins.source_kit import Make, fetched
from plugins.webs import ARTICLE, TEXT, materials, one, replayed


@pytest.fixture
def site() -> Iterator[WebDouble]:
    with WebDouble() as site:
        yield site


@pytest.fixture
def source(site: WebDouble, context_for: Make) -> Web:
    return Web(WebOptions(base_url=site.url), context_for(site.url))


@pytest.fixture
def gallery(page_image: Callable[..., bytes]) -> Post:
    body = (
        f"{ARTICLE}<p>朱镕基</p>"
        '<iframe src="https://player.youku.com/embed/XNDUxMjM0NTY3"></iframe>'
        '<iframe src="https://www.slideshare.net/slideshow/embed_code/key/abc123"></iframe>'
        '<a href="https://speakerdeck.com/hui/openstack" title="Deck">slides</a>'
        '<a href="/files/chef.pptx">下载</a>'
    )
    pictures = {"one.jpg": page_image(1), "two.jpg": page_image(2)}
    return Post(
        3, "北京站纪要", body, slug="beijing", tags=("2012osac",), charset="gb2312", pictures=pictures
    )


@pytest.fixture
def blog(gallery: Post) -> Iterator[WordPressDouble]:
    with WordPressDouble([gallery]) as blog:
        yield blog


@pytest.fixture
def reader(blog: WordPressDouble, context_for: Make) -> Web:
    return Web(WebOptions(site=PUBLIC, base_url=blog.url), context_for(blog.url))


def archived(source: Web, url: str, into: Path) -> tuple[api.Material, dict[str, tuple[int, bytes]]]:
    refined, _ = fetched(source, one(source, url), into)
    return refined, replayed(into / "page.wacz")


def page_of(body: str, url: str = "https://example.org/a/b.html", head: str = "") -> Page:
    text = f"<html><head>{head}</head><body>{body}</body></html>"
    return Page(url, api.Response(url, 200, {"content-type": "text/html; charset=utf-8"}, text.encode()))


class TestArchive:
    def test_holds_the_post_as_it_was_sent(
        self, reader: Web, blog: WordPressDouble, gallery: Post, tmp_path: Path
    ) -> None:
        (item,), _ = materials(reader, wordpress=PUBLIC)
        refined, files = fetched(reader, item, tmp_path / "into")
        found = replayed(tmp_path / "into/page.wacz")
        uploads = f"{PUBLIC}/wp-content/uploads"
        assert set(found) == {
            blog.link(gallery),
            f"{PUBLIC}/wp-content/themes/tour/style.css",
            f"{PUBLIC}/wp-content/themes/tour/colours.css",
            f"{uploads}/0/banner.svg",
            *(f"{uploads}/3/{name}" for name in ("one-300x225.jpg", "one.jpg", "two-300x225.jpg", "two.jpg")),
        }
        status, body = found[blog.link(gallery)]
        assert status == 200
        assert "朱镕基" in body.decode("gb18030")
        assert found[f"{uploads}/3/two.jpg"] == (200, gallery.pictures["two.jpg"])
        assert refined.extra["files"] == "7"
        assert "missing" not in refined.extra
        assert blog.url not in repr(refined)
        assert blog.url.encode() not in (tmp_path / "into/page.wacz").read_bytes()
        roles = [(file.role, file.label) for file in files.values()]
        assert roles == [(api.Role.ORIGINAL, ""), (api.Role.SIDECAR, "text")]

    def test_core_takes_both_files(self, reader: Web, tmp_path: Path) -> None:
        (item,), _ = materials(reader, wordpress=PUBLIC)
        _, files = fetched(reader, item, tmp_path / "into")
        kinds = {
            name: media.verify(tmp_path / "into" / name, item.kind, file.role, file.media_type)
            for name, file in files.items()
        }
        assert kinds == {"page.wacz": "application/wacz", "text.txt": "text/plain"}

    def test_text_has_the_words_and_not_the_menus(self, reader: Web, tmp_path: Path) -> None:
        (item,), _ = materials(reader, wordpress=PUBLIC)
        refined, _ = fetched(reader, item, tmp_path / "into")
        text = (tmp_path / "into/text.txt").read_text()
        assert TEXT in text
        assert "朱镕基" in text
        assert "About" not in text
        assert refined.extra["text"].startswith("trafilatura ")

    def test_members_are_as_the_format_asks(self, reader: Web, tmp_path: Path) -> None:
        (item,), _ = materials(reader, wordpress=PUBLIC)
        fetched(reader, item, tmp_path / "into")
        with zipfile.ZipFile(tmp_path / "into/page.wacz") as archive:
            info = {member.filename: member for member in archive.infolist()}
            package = json.loads(archive.read("datapackage.json"))
            digest = json.loads(archive.read("datapackage-digest.json"))
            head, page = (json.loads(line) for line in archive.read("pages/pages.jsonl").splitlines())
            assert info["archive/data.warc.gz"].compress_type == zipfile.ZIP_STORED
            for row in package["resources"]:
                content = archive.read(row["path"])
                assert row["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
                assert row["bytes"] == len(content)
            raw = archive.read("datapackage.json")
            keys = archive.read("indexes/index.cdx").splitlines()
        assert digest == {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(raw).hexdigest()}"}
        assert {row["path"] for row in package["resources"]} == set(info) - {
            "datapackage.json",
            "datapackage-digest.json",
        }
        assert (package["wacz_version"], package["profile"]) == ("1.1.1", "data-package")
        assert head["format"] == "json-pages-1.0"
        assert (page["url"], page["title"]) == (package["mainPageUrl"], "北京站纪要")
        assert TEXT in page["text"]
        assert keys == sorted(keys)

    def test_same_visit_gives_the_same_bytes(
        self, reader: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reader.visitor._clock = lambda: datetime(2012, 9, 17, 8, 0, 1, tzinfo=UTC)
        (item,), _ = materials(reader, wordpress=PUBLIC)
        # What the server says of the moment is part of what it sent.
        date = "Mon, 17 Sep 2012 08:00:00 GMT"
        monkeypatch.setattr(service._Connection, "date_time_string", lambda *_: date)
        fetched(reader, item, tmp_path / "two")
        fetched(reader, item, tmp_path / "one")
        assert (tmp_path / "two/page.wacz").read_bytes() == (tmp_path / "one/page.wacz").read_bytes()

    def test_redirects_are_part_of_it(self, site: WebDouble, source: Web, tmp_path: Path) -> None:
        target = site.page("/new.html", ARTICLE, title="x")
        asked = site.redirect("/old", "/new.html", 301)
        refined, found = archived(source, asked, tmp_path / "into")
        assert found[asked] == (301, b"")
        assert found[target][0] == 200
        assert (refined.url, refined.extra["address"]) == (target, asked)

    def test_packed_answers_are_unpacked_and_say_so(
        self, site: WebDouble, source: Web, tmp_path: Path
    ) -> None:
        html = f"<html><head><title>x</title></head><body>{ARTICLE}</body></html>".encode()
        url = site.packed("/a.html", html)
        _, found = archived(source, url, tmp_path / "into")
        assert found[url] == (200, html)
        with zipfile.ZipFile(tmp_path / "into/page.wacz") as archive:
            records = ArchiveIterator(io.BytesIO(archive.read("archive/data.warc.gz")))
            headers = [dict(record.http_headers.headers) for record in records if record.http_headers]
        assert headers[0]["x-archive-orig-content-encoding"] == "gzip"
        assert headers[0]["content-length"] == str(len(html))
        assert "content-encoding" not in headers[0]

    def test_cookies_are_not_kept(self, site: WebDouble, source: Web, tmp_path: Path) -> None:
        reply = Reply(ARTICLE.encode(), headers={"Set-Cookie": "session=verysecret", "X-Odd": "ä\u20ac"[:1]})
        archived(source, site.reply("/a.html", reply), tmp_path / "into")
        with zipfile.ZipFile(tmp_path / "into/page.wacz") as archive:
            records = ArchiveIterator(io.BytesIO(archive.read("archive/data.warc.gz")))
            text = "".join(str(record.http_headers) for record in records)
        assert "verysecret" not in text
        assert "odd" in text.lower()


class TestOtherReaders:
    """The archive in programs that are not ours, each in an environment of its own (pywb is GPL).

    `make test` installs them, from tools/web-archive-readers.txt.
    """

    def test_pywb_replays_it_byte_for_byte(
        self, reader: Web, blog: WordPressDouble, gallery: Post, tmp_path: Path
    ) -> None:
        manager, wayback = _tool("wb-manager"), _tool("wayback")
        (item,), _ = materials(reader, wordpress=PUBLIC)
        fetched(reader, item, tmp_path / "into")
        expected = replayed(tmp_path / "into/page.wacz")
        home = tmp_path / "pywb"
        home.mkdir()
        archive = str(tmp_path / "into/page.wacz")
        for words in (["init", "posts"], ["add", "--unpack-wacz", "posts", archive]):
            subprocess.run([manager, *words], cwd=home, check=True, capture_output=True, timeout=60)
        with _serving(wayback, home) as address:
            for url, (_, body) in expected.items():
                with urllib.request.urlopen(f"{address}/posts/id_/{url}", timeout=20) as answer:
                    assert answer.read() == body, url
        assert blog.link(gallery) in expected

    def test_wacz_tool_finds_it_valid(self, reader: Web, tmp_path: Path) -> None:
        tool = _tool("wacz")
        (item,), _ = materials(reader, wordpress=PUBLIC)
        fetched(reader, item, tmp_path / "into")
        command = [tool, "validate", "-f", str(tmp_path / "into/page.wacz")]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "is valid" in done.stdout


class TestRequisites:
    def test_are_found_in_order(self) -> None:
        head = (
            "<link rel='stylesheet' href='/s.css'><link rel='shortcut icon' href='/f.ico'>"
            "<style>@import url(more.css); p { background: url('bg.png') }</style>"
        )
        body = (
            "<img src='1.jpg' srcset='1-300.jpg 300w, 1-600.jpg 600w'>"
            "<img src='data:image/gif;base64,xx' data-src='//cdn.example/late.jpg'>"
            "<a href='/big.jpg?x=1'><img src='1.jpg'></a>"
            "<a href='https://elsewhere.test/b.jpg'><img src=2.jpg></a>"
            "<video poster=p.jpg></video><div style='background: url(&quot;d.png&quot;)'></div>"
        )
        found = [url.removeprefix("https://example.org") for url in of_page(page_of(body, head=head))]
        assert found == [
            "/s.css", "/a/1.jpg", "/a/2.jpg", "https://cdn.example/late.jpg", "/a/p.jpg", "/a/more.css",
            "/a/bg.png", "/a/d.png", "/f.ico", "/big.jpg?x=1", "/a/1-300.jpg", "/a/1-600.jpg",
        ]  # fmt: skip

    def test_base_counts(self) -> None:
        page = page_of("<img src='1.jpg'>", head="<base href='https://static.example.org/x/'>")
        assert of_page(page) == ["https://static.example.org/x/1.jpg"]

    @pytest.mark.timeout(20)
    @given(st.text(max_size=200))
    def test_css_never_raises(self, text: str) -> None:
        assert all(isinstance(url, str) for url in in_css(text, "https://example.org/"))

    @pytest.mark.timeout(20)
    @pytest.mark.parametrize(
        "text", ["/*" * 500_000, "url(" * 300_000, "@import " * 200_000, "/*" + "*" * 900_000]
    )
    def test_css_takes_linear_time(self, text: str) -> None:
        assert not [url for url in in_css(text, "https://example.org/") if "\n" in url]

    def test_stylesheets_in_a_circle(self, site: WebDouble, source: Web, tmp_path: Path) -> None:
        for name, other in (("a", "b"), ("b", "a")):
            site.reply(f"/{name}.css", Reply(f"@import '{other}.css';".encode(), media_type="text/css"))
        url = site.page("/a.html", ARTICLE, head="<link rel=stylesheet href=/a.css>")
        refined, _ = archived(source, url, tmp_path / "into")
        assert refined.extra["files"] == "2"
        assert site.requests.count("*.css") == 2

    def test_missing_and_forbidden_are_said(self, site: WebDouble, source: Web, tmp_path: Path) -> None:
        site.robots = "User-agent: *\nDisallow: /private/"
        site.serve("/private/1.jpg", b"x", "image/jpeg")
        body = f"{ARTICLE}<img src=/lost.jpg><img src=/private/1.jpg><img src='http://10.0.0.1/x.jpg'>"
        refined, found = archived(source, site.page("/a.html", body), tmp_path / "into")
        assert refined.extra["missing"].startswith("3: ")
        assert found[f"{site.url}/lost.jpg"][0] == 404
        assert site.requests.count("/private/1.jpg") == 0

    def test_bounds(self, site: WebDouble, context_for: Make, tmp_path: Path) -> None:
        source = Web(WebOptions(base_url=site.url, max_files=2), context_for(site.url))
        for number in range(5):
            site.serve(f"/{number}.jpg", b"x", "image/jpeg")
        body = ARTICLE + "".join(f"<img src=/{number}.jpg>" for number in range(5))
        refined, _ = archived(source, site.page("/a.html", body), tmp_path / "into")
        assert (refined.extra["files"], refined.extra["missing"][:2]) == ("2", "3:")
        assert site.requests.count("*.jpg") == 2

    def test_size_is_bounded(self, site: WebDouble, context_for: Make, tmp_path: Path) -> None:
        source = Web(WebOptions(base_url=site.url, max_bytes=1 << 20), context_for(site.url))
        site.serve("/big.jpg", os.urandom(2 << 20), "image/jpeg")
        refined, _ = archived(source, site.page("/a.html", f"{ARTICLE}<img src=/big.jpg>"), tmp_path / "into")
        assert refined.extra["missing"] == f"1: {site.url}/big.jpg"
        assert (tmp_path / "into/page.wacz").stat().st_size < 1 << 20

    def test_time_is_bounded(self, site: WebDouble, source: Web, tmp_path: Path) -> None:
        ticks = itertools.count(0, 400)
        for number in range(20):
            site.serve(f"/{number}.jpg", b"x", "image/jpeg")
        url = site.page("/a.html", ARTICLE + "".join(f"<img src=/{number}.jpg>" for number in range(20)))
        item = one(source, url)
        source.visitor.pace.now = lambda: float(next(ticks))
        source.visitor.pace._sleep = lambda _: None
        refined, _ = fetched(source, item, tmp_path / "into")
        assert refined.extra["missing"].split(":")[0] in {"19", "18"}

    def test_site_in_trouble_is_tried_again(self, site: WebDouble, source: Web, tmp_path: Path) -> None:
        url = site.page("/a.html", f"{ARTICLE}<img src=/1.jpg><img src=/2.jpg>")
        site.fault("*.jpg", "503", times=None)
        item = one(source, url)
        with pytest.raises(api.TransientError, match="2 of its own"):
            list(source.fetch(item, tmp_path))

    def test_dead_host_of_pictures_does_not_hold_it_back(
        self, site: WebDouble, source: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(capture, "_MAX_FAILURES", 1)
        with WebDouble() as other:
            dead = other.url
        images = "".join(f"<img src='{dead}/{number}.jpg'>" for number in range(9))
        refined, found = archived(source, site.page("/a.html", ARTICLE + images), tmp_path / "into")
        assert refined.extra["missing"].startswith("9: ")
        assert len(found) == 1


class TestLinks:
    @pytest.mark.parametrize(
        ("address", "kind", "source", "url"),
        [
            ("https://www.youtube.com/embed/abcdefghijk?rel=0", "video", "video", "https://www.youtube.com/watch?v=abcdefghijk"),
            ("https://youtu.be/abcdefghijk", "video", "video", "https://www.youtube.com/watch?v=abcdefghijk"),
            ("https://player.vimeo.com/video/123", "video", "video", "https://vimeo.com/123"),
            ("http://player.youku.com/player.php/sid/XNDU=/v.swf", "video", "video", "https://v.youku.com/v_show/id_XNDU=.html"),
            ("https://www.slideshare.net/cosug/deck-1", "slides", "slideshare", None),
            ("https://speakerdeck.com/hui/deck", "slides", "speakerdeck", None),
            ("https://www.flickr.com/photos/cosug/albums/1", "photo", "flickr", None),
            ("https://flic.kr/s/aHsj", "photo", "flickr", None),
            ("https://example.org/a/Deck%20One.PPTX?dl=1", "slides", "links", None),
            ("https://example.org/talk.mp4", "video", "links", None),
        ],
    )  # fmt: skip
    def test_are_recognised(self, address: str, kind: str, source: str, url: str | None) -> None:
        assert recognise(address) == Link(api.Kind(kind), source, url or address)

    @pytest.mark.parametrize(
        "address",
        ["https://www.slideshare.net/", "https://example.org/pdf", "https://www.flickr.com/", "https://notyoutube.com/embed/abcdefghijk"],
    )  # fmt: skip
    def test_others_are_not(self, address: str) -> None:
        assert recognise(address) is None

    def test_stand_in_the_material(self, reader: Web, tmp_path: Path) -> None:
        (item,), _ = materials(reader, wordpress=PUBLIC)
        refined, _ = fetched(reader, item, tmp_path / "into")
        found = {(row["kind"], row["source"], row["url"]) for row in json.loads(refined.extra["links"])}
        assert found == {
            ("video", "video", "https://v.youku.com/v_show/id_XNDUxMjM0NTY3.html"),
            ("slides", "slideshare", "https://www.slideshare.net/slideshow/embed_code/key/abc123"),
            ("slides", "speakerdeck", "https://speakerdeck.com/hui/openstack"),
            ("slides", "links", f"{PUBLIC}/files/chef.pptx"),
            ("", "links", f"{PUBLIC}/wp-content/uploads/3/one.jpg"),
            ("", "links", f"{PUBLIC}/wp-content/uploads/3/two.jpg"),
        }

    def test_what_only_another_source_can_tell_comes_last(
        self, site: WebDouble, source: Web, tmp_path: Path
    ) -> None:
        body = (
            f"{ARTICLE}<a href='https://video.example.org/watch/1'>film</a><a href='/about'>us</a>"
            "<a href='https://example.org/'>home</a><a href='https://speakerdeck.com/u/deck'>deck</a>"
        )
        refined, _ = archived(source, site.page("/a.html", body), tmp_path / "into")
        rows = [(row["kind"], row["url"]) for row in json.loads(refined.extra["links"])]
        assert rows == [
            ("slides", "https://speakerdeck.com/u/deck"),
            ("", "https://video.example.org/watch/1"),
        ]

    def test_are_bounded(self, site: WebDouble, source: Web, tmp_path: Path) -> None:
        body = ARTICLE + "".join(
            f"<a href='https://speakerdeck.com/u/{number}{'x' * 900}'>x</a>" for number in range(500)
        )
        refined, _ = archived(source, site.page("/a.html", body), tmp_path / "into")
        assert 0 < len(json.loads(refined.extra["links"])) <= MAX_LINKS
        assert sum(map(len, refined.extra.values())) < 60_000
        assert as_json([]) == ""

    @given(st.text(max_size=100))
    def test_never_raise(self, tail: str) -> None:
        recognise(f"https://player.youku.com/{tail}")


class TestWords:
    def test_large_pages_are_read_the_plain_way(self) -> None:
        text, tool = main_text(page_of(f"<nav>menu</nav><p>{TEXT}</p>" + "<p>wort</p>" * 30_000))
        assert tool == "all visible text"
        assert text.startswith(f"{TEXT}\nwort\nwort")

    def test_nothing_is_nothing(self) -> None:
        assert main_text(page_of("")) == ("", "")

    def test_plain_way_skips_what_is_hidden(self) -> None:
        body = "<p>one</p><script>two</script><div>three<style>four</style>five</div>" + "<i></i>" * 25_000
        assert main_text(page_of(body))[0] == "one\nthreefive"


class TestKeys:
    @pytest.mark.parametrize(
        ("url", "key"),
        [
            ("https://www.Example.org/A/?b=2&a=1", "org,example)/a?a=1&b=2"),
            ("http://127.0.0.1:8765/gbk.html", "1,0,0,127:8765)/gbk.html"),
            ("https://e.org/", "org,e)/"),
            ("https://e.org/%E5%8C%97//%7Ex/./y/../z", "org,e)/%e5%8c%97/~x/z"),
            ("https://e.org/a%2520b", "org,e)/a%20b"),
            ("https://[::1]:99/x", "::1:99)/x"),
        ],
    )  # fmt: skip
    def test_are_those_that_readers_look_up(self, url: str, key: str) -> None:
        assert surt(url) == key

    @given(st.lists(st.binary(max_size=300), max_size=5))
    def test_records_come_back(self, tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes]) -> None:
        path = tmp_path_factory.mktemp("warc") / "x.warc.gz"
        at = datetime(2012, 9, 17, tzinfo=UTC)
        with WarcFile(path, about={"software": "x"}, at=at) as warc:
            for number, body in enumerate(bodies):
                answer = api.Response("", 299, {"content-type": "text/x", "x-y": "é"}, body)
                warc.add(Exchange(f"https://example.org/{number}", at, answer))
        with path.open("rb") as stream:
            records = [
                (record.rec_type, record.content_stream().read())
                for record in ArchiveIterator(stream, check_digests="raise")
            ]
        assert [body for kind, body in records if kind == "response"] == bodies


def _tool(name: str) -> str:
    found = Path(sys.prefix, "readers", "bin", name)
    if not found.exists():
        pytest.fail(f"{name} is not installed: make {found.parents[1]}/.installed")
    return str(found)


class _serving:  # noqa: N801  # reads as what it does in a with block
    """Run pywb on a free port while the block runs; stopped by its id."""

    def __init__(self, program: str, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._command = [program, "-b", "127.0.0.1", "-p", str(self._port), "-t", "2"]
        self._home = home

    def __enter__(self) -> str:
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(self._command, cwd=self._home, stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return f"http://127.0.0.1:{self._port}"
        self.__exit__()
        raise RuntimeError("pywb did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
