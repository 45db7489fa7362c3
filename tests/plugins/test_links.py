from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import media_samples
from archiver import api, config
from archiver.registry import Registry, load_plugins
from archiver.report import Report
from archiver.run import Run, RunOptions
from archiver.testing.links import File, LinksDouble, Tag
from archiver_plugins.links import Link, Links, LinksEntry, LinksOptions, archiver_sources
from archiver_plugins.links.addresses import _NORMAL, _normal, address, public
from archiver_plugins.links.asking import AHEAD, Ahead, look, revision
from archiver_plugins.links.lists import Wrong, read_list
from archiver_plugins.links.names import kind_of, last_part, title_of
from plugins.source_kit import BEIJING, SHENZHEN, Item, Make, listed, the_error

PDF = media_samples.pdf(["Keystone"])
PDF2 = media_samples.pdf(["Keystone, second edition"])
DECK = File("/s/keystone.pdf", PDF, "application/pdf", modified="Sun, 16 Sep 2012 08:00:00 GMT")


@pytest.fixture
def service() -> Iterator[LinksDouble]:
    with LinksDouble([DECK]) as service:
        yield service


@pytest.fixture
def source(service: LinksDouble, context_for: Make) -> Links:
    return Links(LinksOptions(base_url=service.url), context_for(service.url))


def entry(event: api.Event = BEIJING, **options: Any) -> api.ScopeEntry[LinksEntry]:
    return api.ScopeEntry(event, LinksEntry(**options))


def one(source: Links, url: str, cursor: str = "", **more: Any) -> Item:
    items, _ = listed(source, entry(urls=[{"url": url, **more}]), cursor=cursor)
    assert len(items) == 1
    return items[0]


def material(source: Links, url: str, cursor: str = "", **more: Any) -> api.Material:
    item = one(source, url, cursor, **more)
    assert isinstance(item, api.Material)
    return item


def problem(source: Links, url: str, **more: Any) -> api.SourceError:
    return the_error(one(source, url, "listed 0", **more))


def fetched(source: Links, item: api.Material, into: Path) -> tuple[api.Material, api.Fetched]:
    into.mkdir(parents=True, exist_ok=True)
    refined, file = source.fetch(item, into)
    assert isinstance(refined, api.Material)
    assert isinstance(file, api.Fetched)
    assert (into / file.path).is_file()
    return refined, file


def test_is_announced() -> None:
    assert list(archiver_sources()) == [Links]


class TestAddresses:
    @pytest.mark.parametrize(
        ("text", "normal"),
        [
            ("HTTPS://Example.ORG:443/a%2fb/%e4?q=1#part", "https://example.org/a%2Fb/%E4?q=1"),
            ("http://example.org", "http://example.org/"),
            ("http://example.org:8080/x/../y/./z", "http://example.org:8080/y/z"),
            ("http://example.org/a/..", "http://example.org/"),
            ("https://例子.cn/幻灯片 1.pdf", "https://xn--fsqu00a.cn/%E5%B9%BB%E7%81%AF%E7%89%87%201.pdf"),
            ("http://[2001:DB8::1]/x", "http://[2001:db8::1]/x"),
            ("https://u:p@example.org/x", "https://u:p@example.org/x"),
        ],
    )
    def test_each_has_one_form(self, text: str, normal: str) -> None:
        assert address(text) == normal
        assert address(normal) == normal

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("file:///etc/passwd", "not file://"),
            ("ftp://example.org/x", "not ftp://"),
            ("example.org/x", "begins with https://"),
            ("javascript:alert(1)", "begins with https://"),
            ("https://", "is not a web address"),
            ("http://ex ample/", "is not a web address"),
            ("http://[::1", "is not a web address"),
            ("http://example.org:0/", "is not a web address"),
            ("http://example.org:99999/", "is not a web address"),
            ("https://e.org/" + "x" * 5000, "at most"),
            ("", "begins with https://"),
        ],
    )
    def test_what_is_none_is_refused_with_the_configuration(self, text: str, said: str) -> None:
        with pytest.raises(ValidationError, match=said):
            LinksEntry.model_validate({"urls": [text or {"url": ""}]})

    def test_a_refusal_repeats_no_secret(self) -> None:
        with pytest.raises(ValueError, match="not ftp://") as error:
            address("ftp://me:hunter22@example.org/x?token=hunter33")
        assert "hunter" not in str(error.value)

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("https://u:p@e.org/x", "https://e.org/x"),
            ("https://e.org/x?token=abc&page=2&api_key=d", "https://e.org/x?page=2"),
            ("https://e.org/x?token=abc", "https://e.org/x"),
            ("https://e.org/x?id=7", "https://e.org/x?id=7"),
        ],
    )
    def test_secrets_are_not_told(self, url: str, told: str) -> None:
        assert public(address(url)) == told

    def test_long_opaque_names_stay_apart_without_being_told(self) -> None:
        one, two = (public(f"https://e.org/dl?id=1A2b3C4d5E6f7G8h9I0j1K2l3M4n5O6p7{end}") for end in "xy")
        assert one != two
        assert "1A2b3C" not in one

    @given(st.text(max_size=200))
    def test_any_text_is_an_address_or_a_value_error(self, text: str) -> None:
        for url in (text, f"https://e.org/{text}", f"https://{text}/x", f"https://e.org/?{text}"):
            try:
                normal = address(url)
            except ValueError:
                continue
            assert normal.isascii()
            assert address(normal) == normal
            told = public(normal)
            assert public(told) == told
            assert api.redact(told) == told


class TestOptions:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"urls": [{"title": "no address"}]},
            {"urls": [{"url": "https://e.org/", "date": "yesterday"}]},
            {"urls": [{"url": "https://e.org/", "date": "2012-13"}]},
            {"urls": [{"url": "https://e.org/", "id": "https://e.org/"}]},
            {"urls": [{"url": "https://e.org/", "colour": "red"}]},
        ],
    )
    def test_what_says_nothing_is_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            LinksEntry(**options)

    def test_a_public_address_needs_a_place_to_fetch_from(self) -> None:
        with pytest.raises(ValidationError, match="name both"):
            LinksOptions(public_url="https://files.example.org")


class TestNames:
    @pytest.mark.parametrize(
        ("name", "media_type", "kind"),
        [
            ("a.pdf", "", "slides"),
            ("a.PPTX", "application/octet-stream", "slides"),
            ("a.jpg", "", "photo"),
            ("a.mp4", "", "video"),
            ("a.mp3", "", "video"),
            ("a.html", "", "report"),
            ("a.zip", "", "other"),
            ("OpenStack 1.0", "application/pdf", "slides"),
            ("get", "video/mp4", "video"),
            ("get", "text/html", "report"),
            ("get", "", "other"),
            ("a.tar.gz", "application/gzip", "other"),
        ],
    )
    def test_the_kind_is_told_by_name_then_type(self, name: str, media_type: str, kind: str) -> None:
        assert kind_of(name, media_type) == kind

    def test_titles(self) -> None:
        assert title_of("Deploy_OpenStack with_Chef.pdf") == "Deploy OpenStack with Chef"
        assert title_of("\u202egpj.exe") == "gpj"
        assert title_of("OpenStack 1.0") == "OpenStack 1.0"

    @pytest.mark.parametrize(
        "url", ["https://e.org/download?id=7", "https://e.org/", "https://e.org/get.php?n=1"]
    )
    def test_the_address_of_a_script_names_nothing(self, url: str) -> None:
        assert last_part(url) == ""


class TestListing:
    def test_nobody_is_asked_when_nothing_is_known(self, source: Links, service: LinksDouble) -> None:
        urls = [service.link(f"/s/{number}.pdf") for number in range(500)]
        items, end = listed(source, entry(urls=urls))
        assert len(items) == 500
        assert len(service.requests) == 0
        assert end == api.Checkpoint("listed 0", complete=True)

    def test_a_material_has_what_was_given(self, source: Links, service: LinksDouble) -> None:
        item = material(
            source,
            service.link("/x"),
            title="Keystone",
            talk="keystone",
            kind="slides",
            date="2012-09",
            id="k",
        )
        assert (item.id, item.kind, item.title) == ("k", api.Kind.SLIDES, "Keystone")
        assert (item.talk, item.date, item.event, item.url) == (
            "keystone",
            "2012-09",
            "beijing",
            service.link("/x"),
        )

    def test_an_entry_speaks_for_its_links(self, source: Links, service: LinksDouble) -> None:
        items, _ = listed(
            source,
            entry(url=service.link("/a"), urls=[{"url": service.link("/b"), "kind": "video", "talk": "b"}],
                  kind="photo", talk="t"),
        )  # fmt: skip
        found = [item for item in items if isinstance(item, api.Material)]
        assert [(item.kind, item.talk) for item in found] == [("photo", "t"), ("video", "b")]

    def test_each_link_is_listed_once_in_each_event(self, source: Links, service: LinksDouble) -> None:
        url = service.link("/s/keystone.pdf")
        items, _ = listed(
            source, entry(urls=[url, f"{url}#page=2", url]), entry(SHENZHEN, url=url), cursor="listed 0"
        )
        assert [item.event for item in items if isinstance(item, api.Material)] == ["beijing", "shenzhen"]

    def test_links_that_only_a_secret_tells_apart_are_an_error(
        self, source: Links, service: LinksDouble
    ) -> None:
        urls = [service.link("/get", f"key={name}") for name in ("a.pdf", "b.pdf")]
        listing = source.discover(api.Scope((entry(urls=urls),)), "")
        assert isinstance(next(listing), api.Material)
        with pytest.raises(api.InvalidError, match="secrets alone"):
            next(listing)
        named = [{"url": url, "id": url[-5:]} for url in urls]
        assert len(listed(source, entry(urls=named))[0]) == 2

    def test_the_limit_stops_the_asking(self, source: Links, service: LinksDouble) -> None:
        service.add(*(replace(DECK, path=f"/{number}") for number in range(300)))
        urls = [service.link(f"/{number}") for number in range(300)]
        items, end = listed(source, entry(urls=urls), cursor="listed 0", limit=2)
        assert (len(items), end.complete) == (2, False)
        assert len(service.requests) <= AHEAD + 10

    def test_order_is_kept_and_each_is_asked_once(self, source: Links, service: LinksDouble) -> None:
        service.add(*(replace(DECK, path=f"/{number}.pdf", body=b"%d" % number) for number in range(200)))
        urls = [service.link(f"/{number}.pdf") for number in range(200)]
        items, _ = listed(source, entry(urls=urls), cursor="listed 0")
        assert [item.url for item in items if isinstance(item, api.Material)] == urls
        assert len({item.revision for item in items if isinstance(item, api.Material)}) == 200
        assert set(service.requests.by_path().values()) == {1}

    def test_checks_take_turns(self, service: LinksDouble, context_for: Make) -> None:
        source = Links(LinksOptions(base_url=service.url, checks=2), context_for(service.url))
        service.add(*(replace(DECK, path=f"/{number}") for number in range(5)))
        urls = [service.link(f"/{number}") for number in range(5)]
        cursor, asked = "listed 0", []
        for _ in range(4):
            service.requests.clear()
            items, end = listed(source, entry(urls=urls), cursor=cursor)
            assert len(items) == 5
            cursor = end.cursor
            asked.append("".join(sorted(path[1:] for path in service.requests.by_path())))
        assert asked == ["01", "23", "4", "01"]

    @pytest.mark.parametrize("cursor", ["nonsense", "listed x", "listed 99999999999"])
    def test_a_strange_cursor_counts_as_none(self, cursor: str, source: Links, service: LinksDouble) -> None:
        assert material(source, service.link("/s/keystone.pdf"), cursor).revision == ""
        assert len(service.requests) == 0


class TestRevisions:
    @pytest.mark.parametrize(
        ("change", "statuses"),
        [
            ({}, [304]),
            ({"tag": Tag.WEAK}, [304]),
            ({"tag": Tag.UNQUOTED}, [304]),
            ({"tag": Tag.NONE}, [304]),
            ({"bare": True}, [304, 206]),
            ({"conditions": False}, [206]),
            ({"conditions": False, "ranges": False}, [200]),
            ({"conditions": False, "tag": Tag.NONE, "modified": ""}, [206]),
            ({"conditions": False, "ranges": False, "tag": Tag.NONE, "modified": ""}, [200]),
            ({"body": b"", "conditions": False, "tag": Tag.NONE, "modified": ""}, [416]),
        ],
    )
    def test_what_is_asked_is_what_was_fetched(
        self,
        change: dict[str, Any],
        statuses: list[int],
        source: Links,
        service: LinksDouble,
        tmp_path: Path,
    ) -> None:
        service.add(replace(DECK, **change))
        url = service.link(DECK.path)
        first, _ = fetched(source, material(source, url), tmp_path / "into")
        assert first.revision
        service.requests.clear()
        again = material(source, url, "listed 0")
        assert [entry.status for entry in service.requests] == statuses
        assert again.revision == first.revision
        body = PDF2 if change.get("body") is None else b"more"
        service.add(replace(DECK, **{**change, "body": body, "modified": change.get("modified", "later")}))
        assert material(source, url, "listed 0").revision != first.revision

    def test_a_large_file_without_any_of_it_is_not_read_whole(
        self, source: Links, service: LinksDouble
    ) -> None:
        service.add(replace(DECK, body=bytes(3 << 20), ranges=False, conditions=False))
        assert material(source, service.link(DECK.path), "listed 0").revision == ""

    @given(st.text(max_size=400), st.text(max_size=200), st.none() | st.integers(0, 1 << 60))
    def test_a_revision_is_bounded(self, etag: str, modified: str, size: int | None) -> None:
        assert len(revision(etag, modified, size)) < 400

    def test_the_question_is_a_conditional_one_for_one_byte(
        self, source: Links, service: LinksDouble
    ) -> None:
        look(source.context.http, service.link(DECK.path))
        (asked,) = service.requests
        assert (asked.headers["if-none-match"], asked.headers["range"]) == ("*", "bytes=0-0")


class TestTrouble:
    @pytest.mark.parametrize("status", [404, 410])
    def test_what_is_not_there_is_gone(self, status: int, source: Links, service: LinksDouble) -> None:
        service.add(replace(DECK, missing=status))
        assert isinstance(problem(source, service.link(DECK.path)), api.GoneError)

    @pytest.mark.parametrize("change", [{"token": "abc"}, {"login": "a:b"}])
    def test_a_closed_door_is_blocked(
        self, change: dict[str, str], source: Links, service: LinksDouble
    ) -> None:
        service.add(replace(DECK, **change))  # type: ignore[arg-type]  # texts, all of them
        assert isinstance(problem(source, service.link(DECK.path)), api.BlockedError)

    def test_a_login_page_is_blocked(self, source: Links, service: LinksDouble, tmp_path: Path) -> None:
        service.add(replace(DECK, wall=True))
        with pytest.raises(api.BlockedError, match="logging in"):
            list(source.fetch(material(source, service.link(DECK.path)), tmp_path))

    def test_a_login_page_under_a_page_s_address_is_blocked(
        self, source: Links, service: LinksDouble, tmp_path: Path
    ) -> None:
        service.add(File("/minutes", b"", wall=True))
        with pytest.raises(api.BlockedError, match="logging in"):
            list(source.fetch(material(source, service.link("/minutes")), tmp_path))

    def test_a_page_in_the_place_of_a_deck_is_not_a_deck(
        self, source: Links, service: LinksDouble, tmp_path: Path
    ) -> None:
        service.add(File(DECK.path, b"<h1>Moved</h1>", "text/html", conditions=False))
        assert isinstance(problem(source, service.link(DECK.path)), api.InvalidError)
        with pytest.raises(api.InvalidError, match="web page instead"):
            list(source.fetch(material(source, service.link(DECK.path)), tmp_path))

    def test_a_server_that_is_down_fails_the_listing(self, source: Links, service: LinksDouble) -> None:
        service.fault("*", "503", times=None)
        listing = source.discover(api.Scope((entry(url=service.link(DECK.path)),)), "listed 0")
        assert isinstance(next(listing), api.Material)
        with pytest.raises(api.TransientError):
            next(listing)

    def test_one_that_cannot_be_asked_is_told_and_the_others_are_listed(
        self, source: Links, service: LinksDouble, caplog: pytest.LogCaptureFixture
    ) -> None:
        service.add(replace(DECK, path="/down.pdf"))
        service.fault("/down.pdf", "503", times=None)
        items, end = listed(
            source, entry(urls=[service.link("/down.pdf"), service.link(DECK.path)]), cursor="listed 0"
        )
        assert [bool(item.revision) for item in items if isinstance(item, api.Material)] == [False, True]
        assert end.complete
        assert "1 of 2 links" in caplog.text


class TestFetching:
    def test_a_file_comes_with_what_its_answer_says(
        self, source: Links, service: LinksDouble, tmp_path: Path
    ) -> None:
        service.add(File("/get", PDF, "application/pdf", name="Keystone_explained.pdf"))
        item, file = fetched(source, material(source, service.link("/get", "n=7")), tmp_path)
        assert (item.title, item.kind, item.size) == ("Keystone explained", api.Kind.SLIDES, len(PDF))
        assert (file.grade, file.media_type) == (api.Grade.PDF, "application/pdf")
        assert (tmp_path / file.path).read_bytes() == PDF

    def test_what_was_given_stays(self, source: Links, service: LinksDouble, tmp_path: Path) -> None:
        service.add(File("/get", PDF, "application/pdf", name="x.pdf"))
        item, _ = fetched(
            source, material(source, service.link("/get"), title="Minutes", kind="report"), tmp_path
        )
        assert (item.title, item.kind) == ("Minutes", api.Kind.REPORT)

    def test_secrets_are_used_and_not_told(self, source: Links, service: LinksDouble, tmp_path: Path) -> None:
        service.add(
            replace(DECK, token="hunter22"), File("/b.pdf", PDF, "application/pdf", login="me:hunter33")
        )
        guarded = service.link("/b.pdf").replace("://", "://me:hunter33@")
        for number, url in enumerate([service.link(DECK.path, "token=hunter22"), guarded]):
            item = material(source, url, "listed 0")
            assert item.revision
            done, _ = fetched(source, item, tmp_path / str(number))
            assert "hunter" not in repr(item) + repr(done)

    def test_an_address_with_a_secret_is_not_guessed(
        self, source: Links, service: LinksDouble, context_for: Make, tmp_path: Path
    ) -> None:
        item = material(source, service.link(DECK.path, "token=x"))
        elsewhere = Links(source.options, context_for(service.url))
        with pytest.raises(api.FatalError, match="does not keep"):
            list(elsewhere.fetch(item, tmp_path))

    def test_a_mirror_gives_what_is_known_under_its_public_address(
        self, service: LinksDouble, context_for: Make, tmp_path: Path
    ) -> None:
        options = LinksOptions(base_url=service.url, public_url="https://files.example.org")
        source = Links(options, context_for(service.url))
        item = material(source, "https://files.example.org/s/keystone.pdf", "listed 0")
        done, _ = fetched(source, item, tmp_path)
        assert done.url == done.id == "https://files.example.org/s/keystone.pdf"
        assert service.url not in repr(done)

    @pytest.mark.parametrize("kind", ["truncate", "reset"])
    def test_a_broken_transfer_is_tried_again(
        self, kind: str, source: Links, service: LinksDouble, tmp_path: Path
    ) -> None:
        service.fault(DECK.path, kind)
        fetched(source, material(source, service.link(DECK.path)), tmp_path)
        assert (tmp_path / "file").read_bytes() == PDF


class TestLists:
    def read(self, folder: Path, name: str, text: str, encoding: str = "utf-8") -> list[Link]:
        (folder / name).write_bytes(text.encode(encoding))
        return [link for link in read_list(folder / name) if isinstance(link, Link)]

    def test_a_text_has_an_address_and_maybe_a_title_in_each_line(self, tmp_path: Path) -> None:
        links = self.read(
            tmp_path, "a.txt", "\ufeff# slides\n\nhttps://e.org/a\r\nhttps://e.org/b  Swift 架构 \n"
        )
        assert [(link.url, link.title) for link in links] == [
            ("https://e.org/a", ""),
            ("https://e.org/b", "Swift 架构"),
        ]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_a_table_has_columns(self, encoding: str, tmp_path: Path) -> None:
        text = 'URL,title,kind,talk,date\r\nhttps://e.org/a,"云, 计算",slides,chef,2012-09\r\n,,,,\r\n'
        (link,) = self.read(tmp_path, "a.csv", text, encoding)
        assert (link.title, link.kind, link.talk, link.date) == ("云, 计算", "slides", "chef", "2012-09")

    def test_a_wrong_line_is_told_and_the_others_are_read(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(
            "url,kind\nhttps://e.org/a,slides\nfile:///x,\nhttps://e.org/b,dance\nhttps://e.org/c,\n"
        )
        first, file, kind, last = read_list(tmp_path / "a.csv")
        assert isinstance(first, Link)
        assert isinstance(last, Link)
        assert (first.url, last.url) == ("https://e.org/a", "https://e.org/c")
        assert isinstance(file, Wrong)
        assert isinstance(kind, Wrong)
        assert re.search(r"a\.csv, line 3 is no link: url: .*file://", str(file.error))
        assert "a.csv, line 4 is no link: kind" in str(kind.error)

    def test_a_wrong_line_is_listed_beside_the_links_and_nothing_counts_as_gone(
        self, source: Links, service: LinksDouble, tmp_path: Path
    ) -> None:
        link = service.link("/a.pdf")
        (source.context.folder / "l.csv").write_text(f"url,title\nnot a url?token=hunter22,x\n{link},A\n")
        (good, bad), last = listed(source, entry(file="l.csv", kind="slides"))
        assert isinstance(good, api.Material)
        assert isinstance(bad, api.Unavailable)
        assert (good.url, bad.material.title, bad.material.event) == (link, "l.csv, line 2", "beijing")
        assert "l.csv, line 2 is no link: url" in str(bad.error)
        assert "hunter22" not in f"{bad}{bad.error}"
        assert not last.complete

    def test_a_list_of_nothing_but_wrong_lines_is_told_in_part(
        self, source: Links, caplog: pytest.LogCaptureFixture
    ) -> None:
        (source.context.folder / "l.txt").write_text("oops\n" * 500)
        items, _ = listed(source, entry(file="l.txt"))
        assert len(items) == 100
        assert "more than 100 lines are no links" in caplog.text

    @pytest.mark.parametrize(
        ("name", "data", "said"),
        [
            ("a.csv", b"title\nx\n", "line 1: the columns are title"),
            ("a.csv", b"url,colour\nx,y\n", "line 1"),
            ("a.csv", b"url,url\nx,y\n", "line 1"),
            ("a.csv", b"", "missing"),
            ("a.csv", b'url\n"never closed', "line"),
            ("a.csv", b"url\n" + b"x" * 200_000, "line"),
            ("a.txt", b"\xff\xfe\xff", "is no text"),
        ],
    )
    def test_a_list_that_cannot_be_read_says_where(
        self, name: str, data: bytes, said: str, tmp_path: Path
    ) -> None:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(api.FatalError, match=said):
            list(read_list(tmp_path / name))

    def test_a_missing_list_is_an_error_and_the_links_beside_it_are_listed(
        self, source: Links, service: LinksDouble
    ) -> None:
        listing = source.discover(api.Scope((entry(url=service.link("/a"), file="no.csv"),)), "")
        assert isinstance(next(listing), api.Material)
        with pytest.raises(api.FatalError, match=r"no\.csv cannot be read"):
            next(listing)

    @given(st.binary(max_size=300))
    def test_any_bytes_are_links_or_an_error(self, data: bytes) -> None:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            for name in ("a.txt", "a.csv"):
                path = Path(folder) / name
                path.write_bytes(b"url,title\n" + data)
                try:
                    assert all(
                        link.url.startswith("http") if isinstance(link, Link) else link.line > 0
                        for link in read_list(path)
                    )
                except api.SourceError:
                    continue


class TestRuns:
    """The whole way, from `archive.yaml` into the archive."""

    @pytest.fixture
    def run(self, tmp_path: Path, service: LinksDouble) -> Callable[..., Report]:
        plugins = load_plugins()
        sources: dict[str, type[api.Source[Any, Any]]] = {**plugins.sources, "links": Links}
        registry = Registry((), sources, dict(plugins.sinks), plugins._manager)

        def go(list_text: str) -> Report:
            (tmp_path / "links.txt").write_text(list_text)
            path = tmp_path / "archive.yaml"
            path.write_text(
                "archive: {title: A tour, site: false}\nsinks: {local: {type: disk, path: ./archive}}\n"
                f"sources: {{files: {{type: links, base_url: '{service.url}'}}}}\n"
                "events:\n  - {id: beijing, talks: [Keystone], sources: [{use: files, file: links.txt}]}\n"
            )
            return Run(config.load(path, registry, {}), registry, RunOptions()).execute()

        return go

    def test_a_second_run_fetches_nothing_and_a_third_what_changed(
        self, run: Callable[..., Report], service: LinksDouble
    ) -> None:
        service.add(File("/other.pdf", PDF2, "application/pdf"))
        urls = f"{service.link(DECK.path, 'token=hunter22')}\n{service.link('/other.pdf')}\n"
        assert (run(urls).files, service.requests.count(status=200)) == (2, 2)
        service.requests.clear()
        assert run(urls).files == 0
        assert {entry.status for entry in service.requests} == {304}
        service.add(replace(DECK, body=PDF2))
        service.requests.clear()
        assert (run(urls).files, service.requests.count(status=200)) == (1, 1)

    def test_no_secret_reaches_the_archive(
        self, run: Callable[..., Report], service: LinksDouble, tmp_path: Path
    ) -> None:
        service.add(replace(DECK, token="hunter22"))
        run(f"{service.link(DECK.path, 'token=hunter22')}\n{service.link('/no.pdf', 'token=hunter22')}\n")
        kept = [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]
        assert len(kept) > 5
        assert not [path for path in kept if b"hunter22" in path.read_bytes()]

    def test_a_line_that_went_is_withdrawn_and_a_wrong_line_changes_nothing(
        self, run: Callable[..., Report], service: LinksDouble
    ) -> None:
        service.add(*(File(f"/{n}.pdf", media_samples.pdf([str(n)]), "application/pdf") for n in range(4)))
        lines = [service.link(f"/{n}.pdf") for n in range(4)]
        run("\n".join(lines))
        broken = run("\n".join([*lines[:2], "oops"]))
        assert (broken.exit_code(), broken.sources["files"].complete) == (1, False)
        assert broken.sources["files"].error == ""
        (pending,) = broken.problems
        assert "links.txt, line 3 is no link" in str(pending)
        mended = run("\n".join(lines[:3]))
        assert mended.sources["files"].complete
        assert not mended.problems


def test_a_list_that_is_no_plain_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "links.csv")
    with pytest.raises(api.FatalError, match="no plain file"):
        list(read_list(tmp_path / "links.csv"))


def test_a_host_near_by_is_asked_by_few_threads() -> None:
    asked: dict[str, list[str]] = {"near": [], "far": []}

    def ask(thing: str) -> str:
        host = thing.partition("-")[0]
        asked[host].append(threading.current_thread().name)
        time.sleep(0.005 if host == "far" else 0)
        return thing.upper()

    things = [f"{host}-{number}" for number in range(150) for host in asked]
    with Ahead(ask, lambda thing: thing.partition("-")[0]) as ahead:
        found = [
            (thing, future and future.result())
            for thing, future in ahead.map((each, True) for each in things)
        ]
    assert found == [(thing, thing.upper()) for thing in things]
    assert not [name for name in asked["far"] if name.startswith("links-near")]
    assert len(set(asked["near"][-50:])) <= 2
    assert all(name.startswith("links-near") for name in asked["near"][-50:])


@given(st.from_regex(_NORMAL, fullmatch=True).filter(lambda url: "/." not in url))
def test_the_short_way_to_a_normal_form_changes_nothing_that_the_long_way_would(url: str) -> None:
    assert address(url) == url == _normal(urlsplit(url))
