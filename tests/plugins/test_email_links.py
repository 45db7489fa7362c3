from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver import api
from archiver.testing import Reply, Request, Routes, Service
from archiver_plugins.mail.links import MAX_LINKS, find_links, recognise
from archiver_plugins.mail.links import Service as Sharing
from archiver_plugins.mail.resolve import is_page, name_in, with_query
from plugins.mails import PDF, Sources, entry, fetched, header, listed, mail

DRIVE_ID = "1AbCdEfGhIjKlMnOpQrStUvWxYz"


class TestRecognised:
    @pytest.mark.parametrize(
        ("url", "service", "key"),
        [
            ("https://www.dropbox.com/s/abc123/My%20Deck.pdf?dl=0", Sharing.DROPBOX, "s/abc123"),
            (
                "https://www.dropbox.com/scl/fi/x1y2z3/deck.pptx?rlkey=k&dl=0",
                Sharing.DROPBOX,
                "scl/fi/x1y2z3",
            ),
            ("https://dropbox.com/scl/fo/x1y2/AAA?rlkey=k", Sharing.DROPBOX, "scl/fo/x1y2"),
            ("https://www.dropbox.com/sh/x1y2z3/AAA", Sharing.DROPBOX, "sh/x1y2z3"),
            (f"https://drive.google.com/file/d/{DRIVE_ID}/view?usp=sharing", Sharing.DRIVE, DRIVE_ID),
            (f"https://drive.google.com/open?id={DRIVE_ID}", Sharing.DRIVE, DRIVE_ID),
            (f"https://drive.google.com/uc?export=download&id={DRIVE_ID}", Sharing.DRIVE, DRIVE_ID),
            (f"https://drive.google.com/drive/folders/{DRIVE_ID}", Sharing.DRIVE, f"folders/{DRIVE_ID}"),
            (
                f"https://docs.google.com/presentation/d/{DRIVE_ID}/edit#slide=1",
                Sharing.DOCS,
                f"presentation/{DRIVE_ID}",
            ),
            (f"https://docs.google.com/document/d/{DRIVE_ID}", Sharing.DOCS, f"document/{DRIVE_ID}"),
            (
                f"https://docs.google.com/spreadsheets/u/0/d/{DRIVE_ID}/",
                Sharing.DOCS,
                f"spreadsheets/{DRIVE_ID}",
            ),
            ("https://1drv.ms/p/s!Aabc?e=x", Sharing.ONEDRIVE, "1drv.ms/p/s!Aabc"),
            (
                "https://onedrive.live.com/?id=ABC%21123&cid=1",
                Sharing.ONEDRIVE,
                "onedrive.live.com/?id=ABC%21123&cid=1",
            ),
            (
                "https://contoso.sharepoint.com/:p:/g/personal/x/EaBc?e=4xY",
                Sharing.SHAREPOINT,
                "contoso.sharepoint.com/:p:/g/personal/x/EaBc",
            ),
            ("https://we.tl/t-AbCdEf", Sharing.WETRANSFER, "t-AbCdEf"),
            (
                "https://wetransfer.com/downloads/0a1b2c3d4e/ff00",
                Sharing.WETRANSFER,
                "downloads/0a1b2c3d4e/ff00",
            ),
            ("https://pan.baidu.com/s/1AbCdEf?pwd=x1y2", Sharing.BAIDU, "AbCdEf"),
            ("https://pan.baidu.com/share/init?surl=AbCdEf", Sharing.BAIDU, "AbCdEf"),
            ("http://pan.baidu.com/share/link?shareid=1&uk=2", Sharing.BAIDU, "1-2"),
            ("http://example.org/talks/deck.PDF", Sharing.DIRECT, "example.org/talks/deck.PDF"),
            ("https://example.org/讲稿.pptx?v=2", Sharing.DIRECT, "example.org/%E8%AE%B2%E7%A8%BF.pptx?v=2"),
            (
                "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwe.tl%2Ft-AbCdEf&data=1",
                Sharing.WETRANSFER,
                "t-AbCdEf",
            ),
            (
                "https://www.google.com/url?q=https://example.org/a.pdf&sa=D",
                Sharing.DIRECT,
                "example.org/a.pdf",
            ),
        ],
    )
    def test_services(self, url: str, service: Sharing, key: str) -> None:
        link = recognise(url)
        assert link is not None
        assert (link.service, link.key) == (service, key)
        assert link.url.isascii()

    @pytest.mark.parametrize(
        "url",
        [
            "https://example.org/",
            "https://example.org/logo.png",
            "https://www.dropbox.com/login",
            "https://drive.google.com/drive/my-drive",
            "https://docs.google.com/forms/d/e/1FAIpQLSf/viewform",
            "https://wetransfer.com/pricing",
            "https://pan.baidu.com/disk/home",
            "ftp://example.org/a.pdf",
            "https://user:secret@example.org/",
            "https://localhost/a.pdf",
            "http://[broken/a.pdf",
            "https://evil.example/?pan.baidu.com/s/1AbCdEf",
            "https://pan.baidu.com.example.org/s/1AbCdEf",
            "https://example.org/" + "a" * 3000 + ".pdf",
            "https://www.google.com/url?q=https://www.google.com/url?q=x",
            "",
        ],
    )
    def test_what_is_no_shared_file(self, url: str) -> None:
        assert recognise(url) is None

    def test_the_resource_key_and_the_rlkey_stay(self) -> None:
        link = recognise(f"https://drive.google.com/file/d/{DRIVE_ID}/view?resourcekey=0-x")
        assert link is not None
        assert "resourcekey=0-x" in link.url


class TestInText:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("链接: https://pan.baidu.com/s/1AbC-dEf 提取码: x1y2 复制这段内容后打开百度网盘手机App", "x1y2"),
            ("链接：pan.baidu.com/s/1AbC-dEf\n提取码：X1y2", "X1y2"),
            ("https://pan.baidu.com/s/1AbC-dEf提取码:x1y2", "x1y2"),
            ("http://pan.baidu.com/s/1AbC-dEf 密码 x1y2。", "x1y2"),
            ("https://pan.baidu.com/s/1AbC-dEf?pwd=x1y2 提取码: zzzz", "x1y2"),
            ("提取码: x1y2\n\n\nhttps://pan.baidu.com/s/1AbC-dEf", "x1y2"),
            ("https://pan.baidu.com/s/1AbC-dEf", ""),
        ],
    )
    def test_baidu_links_with_their_codes(self, text: str, code: str) -> None:
        (link,) = find_links(text)
        assert (link.service, link.key, link.code) == (Sharing.BAIDU, "AbC-dEf", code)

    def test_two_links_have_each_their_own_code(self) -> None:
        text = "pan.baidu.com/s/1AAAAAA 提取码: aaaa\npan.baidu.com/s/1BBBBBB 提取码: bbbb\n"
        assert [(link.key, link.code) for link in find_links(text)] == [
            ("AAAAAA", "aaaa"),
            ("BBBBBB", "bbbb"),
        ]

    @pytest.mark.parametrize(
        ("text", "url"),
        [
            ("see https://example.org/a.pdf.", "https://example.org/a.pdf"),
            ("(see https://example.org/a.pdf)", "https://example.org/a.pdf"),
            ("<https://example.org/a_(1).pdf>", "https://example.org/a_(1).pdf"),
            ("讲稿在https://example.org/a.pdf，请查收", "https://example.org/a.pdf"),
            ("https://example.org/讲稿.pdf请查收", "https://example.org/%E8%AE%B2%E7%A8%BF.pdf"),
            ('"https://example.org/a.pdf"', "https://example.org/a.pdf"),
            ("https://example.org/a.pdf#page=2", "https://example.org/a.pdf"),
        ],
    )
    def test_an_address_ends_where_the_sentence_goes_on(self, text: str, url: str) -> None:
        assert [link.url for link in find_links(text)] == [url]

    def test_the_same_in_both_forms_is_one(self) -> None:
        html = '<p>讲稿 <a href="https://pan.baidu.com/s/1AbCdEf">点这里</a> 提取码: x1y2 <img src=x.png></p>'
        (link,) = find_links("https://pan.baidu.com/s/1AbCdEf", html)
        assert link.code == "x1y2"

    def test_links_of_html_alone(self) -> None:
        html = '<a href=" https://example.org/a.pdf ">a</a><script>https://example.org/b.pdf</script>'
        assert [link.key for link in find_links("", html)] == ["example.org/a.pdf"]

    def test_the_number_is_bounded(self) -> None:
        text = " ".join(f"https://example.org/{number}.pdf" for number in range(100))
        assert len(find_links(text)) == MAX_LINKS

    @settings(deadline=None)
    @given(st.text(max_size=400), st.text(max_size=400))
    def test_any_text_has_links_or_none(self, text: str, html: str) -> None:
        for link in find_links(text, html):
            assert recognise(link.url) is not None

    @settings(deadline=None)
    @given(
        st.text(max_size=60),
        st.sampled_from(["https://pan.baidu.com/s/1", "https://www.dropbox.com/s/", "http://a.b/"]),
    )
    def test_what_is_recognised_once_is_recognised_again_as_the_same(self, text: str, start: str) -> None:
        link = recognise(start + text)
        if link is not None:
            again = recognise(link.url)
            assert again is not None
            assert (again.id, again.url) == (link.id, link.url)
            assert len(link.id) < 300

    @settings(deadline=None)
    @given(st.text("abc /.,;)提取码:https", max_size=80), st.text("abc 提取码:，。)", max_size=80))
    def test_a_link_is_found_whatever_stands_around_it(self, before: str, after: str) -> None:
        found = find_links(f"{before} https://pan.baidu.com/s/1AbCdEf {after}")
        assert "AbCdEf" in [link.key for link in found]


class Shares(Service):
    """All share services on one loopback address, each below its host's name."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, Reply] = {}
        self.posted: list[Any] = []

    def routes(self) -> Routes:
        return {"/{path:path}": self.page, "POST /{path:path}": self.answer}

    def page(self, request: Request) -> Reply:
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        found = self.pages.get(request.path + (f"?{query}" if query else ""), Reply.missing())
        wanted = dict(found.headers).get("x-wants", "")
        return found if wanted in request.headers.get("authorization", "") else Reply.html("no", 401)

    def answer(self, request: Request) -> Reply:
        self.posted.append(json.loads(request.body))
        return self.pages.get(f"POST {request.path}", Reply.missing())


HOSTS = (
    "www.dropbox.com",
    "drive.usercontent.google.com",
    "docs.google.com",
    "contoso.sharepoint.com",
    "we.tl",
    "wetransfer.com",
    "api-badgerp.svc.ms",
    "my.microsoftpersonalcontent.com",
    "example.org",
)


@pytest.fixture
def shares() -> Iterator[Shares]:
    with Shares() as service:
        yield service


class TestFetched:
    def get(self, sources: Sources, shares: Shares, url: str) -> tuple[api.Material, dict[str, bytes]]:
        (sources.folder / "a.eml").write_bytes(mail(1, body=f"Here it is: {url}\n"))
        mirrors = {host: f"{shares.url}/{host}" for host in HOSTS}
        source = sources.make(shares.url, paths="a.eml", mirrors=mirrors)
        (item,), _ = listed(source, entry(talk="chef", subject="Talk"))
        material = item.material if isinstance(item, api.Unavailable) else item
        assert material.url
        assert (material.event, material.talk, material.authors) == ("beijing", "chef", ("Junqiang Chen",))
        return fetched(source, item, sources.folder / "into")

    def test_a_direct_link(self, sources: Sources, shares: Shares) -> None:
        shares.pages["/example.org/deck.pdf"] = Reply.file(PDF, "application/pdf")
        material, files = self.get(sources, shares, "https://example.org/deck.pdf")
        assert files == {"file": PDF}
        assert (material.id, material.kind) == ("link/direct/example.org/deck.pdf", api.Kind.SLIDES)
        assert material.url == "https://example.org/deck.pdf"
        assert material.size == len(PDF)

    def test_dropbox_is_asked_for_the_file_and_keeps_its_key(self, sources: Sources, shares: Shares) -> None:
        shares.pages["/www.dropbox.com/scl/fi/x1y2/Chef.pptx?rlkey=k&dl=1"] = Reply.file(PDF)
        material, files = self.get(
            sources, shares, "https://www.dropbox.com/scl/fi/x1y2/Chef.pptx?rlkey=k&dl=0"
        )
        assert files == {"file": PDF}
        assert (material.title, material.kind) == ("Chef", api.Kind.SLIDES)

    def test_a_page_instead_of_the_file_needs_a_person(self, sources: Sources, shares: Shares) -> None:
        shares.pages["/www.dropbox.com/s/abc1/x.pdf?dl=1"] = Reply.html(
            "<!-- x --><!DOCTYPE html><h1>Password?</h1>"
        )
        with pytest.raises(
            api.BlockedError, match=r"https://www\.dropbox\.com/s/abc1/x\.pdf.*needs a person"
        ):
            self.get(sources, shares, "https://www.dropbox.com/s/abc1/x.pdf")
        assert not list((sources.folder / "into").iterdir())

    @pytest.mark.parametrize("status", [403, 404, 410])
    def test_a_refused_or_expired_link_needs_a_person(
        self, sources: Sources, shares: Shares, status: int
    ) -> None:
        shares.pages["/example.org/deck.pdf"] = Reply.missing(status)
        with pytest.raises(api.BlockedError, match="needs a person"):
            self.get(sources, shares, "https://example.org/deck.pdf")

    def test_a_small_file_of_google_drive(self, sources: Sources, shares: Shares) -> None:
        query = f"id={DRIVE_ID}&export=download&confirm=t&resourcekey=0-x"
        name = "attachment; filename=x.pdf; filename*=UTF-8''..%2FChef%20%E4%BA%91.pdf"
        page = Reply(PDF, media_type="application/pdf", headers={"content-disposition": name})
        shares.pages[f"/drive.usercontent.google.com/download?{query}"] = page
        material, files = self.get(
            sources, shares, f"https://drive.google.com/file/d/{DRIVE_ID}/view?resourcekey=0-x"
        )
        assert files == {"file": PDF}
        assert (material.kind, material.title) == (api.Kind.SLIDES, "Chef 云")

    def test_a_large_file_of_google_drive_is_behind_a_form(self, sources: Sources, shares: Shares) -> None:
        base = "/drive.usercontent.google.com/download"
        form = (
            '<html><form id="download-form" action="https://evil.example/"><input type="hidden" name="id" '
            f'value="{DRIVE_ID}"><input name="uuid" value="u-1"><input type="submit"></form></html>'
        )
        shares.pages[f"{base}?id={DRIVE_ID}&export=download&confirm=t"] = Reply.html(form)
        shares.pages[f"{base}?id={DRIVE_ID}&uuid=u-1"] = Reply.file(PDF, "application/octet-stream")
        material, files = self.get(sources, shares, f"https://drive.google.com/open?id={DRIVE_ID}")
        assert files == {"file": PDF}
        assert material.kind is api.Kind.SLIDES

    def test_what_google_drive_does_not_give_needs_a_person(self, sources: Sources, shares: Shares) -> None:
        page = Reply.html("<html>Quota exceeded</html>")
        shares.pages[f"/drive.usercontent.google.com/download?id={DRIVE_ID}&export=download&confirm=t"] = page
        with pytest.raises(api.BlockedError, match="not shared, or asked for too often"):
            self.get(sources, shares, f"https://drive.google.com/file/d/{DRIVE_ID}/view")

    def test_a_folder_of_google_drive_needs_a_person(self, sources: Sources, shares: Shares) -> None:
        with pytest.raises(api.BlockedError, match="a folder"):
            self.get(sources, shares, f"https://drive.google.com/drive/folders/{DRIVE_ID}")

    @pytest.mark.parametrize(
        ("family", "form", "kind"),
        [
            ("presentation", "pptx", "slides"),
            ("document", "docx", "other"),
            ("spreadsheets", "xlsx", "other"),
        ],
    )
    def test_google_documents_are_exported(
        self, sources: Sources, shares: Shares, family: str, form: str, kind: str
    ) -> None:
        shares.pages[f"/docs.google.com/{family}/d/{DRIVE_ID}/export?format={form}"] = Reply.file(PDF)
        material, files = self.get(sources, shares, f"https://docs.google.com/{family}/d/{DRIVE_ID}/edit")
        assert files == {"file": PDF}
        assert (material.kind, material.title) == (kind, "Talk 1")

    def test_sharepoint(self, sources: Sources, shares: Shares) -> None:
        shares.pages["/contoso.sharepoint.com/:b:/g/EaBc?e=4xY&download=1"] = Reply.file(
            PDF, "application/pdf"
        )
        material, files = self.get(sources, shares, "https://contoso.sharepoint.com/:b:/g/EaBc?e=4xY")
        assert files == {"file": PDF}
        assert material.kind is api.Kind.SLIDES

    @pytest.mark.parametrize("recipient", ["", "beef01"])
    def test_wetransfer(self, sources: Sources, shares: Shares, recipient: str) -> None:
        path = f"/downloads/0a1b2c3d4e/{recipient + '/' if recipient else ''}ff00"
        shares.pages["/we.tl/t-AbCdEf"] = Reply.redirect(f"/wetransfer.com{path}")
        shares.pages[f"/wetransfer.com{path}"] = Reply.html("<html></html>")
        direct = Reply.json({"direct_link": f"{shares.url}/cdn/deck.pdf?token=x"})
        shares.pages["POST /wetransfer.com/api/v4/transfers/0a1b2c3d4e/download"] = direct
        shares.pages["/cdn/deck.pdf?token=x"] = Reply.file(PDF, "application/pdf")
        material, files = self.get(sources, shares, "https://we.tl/t-AbCdEf")
        assert files == {"file": PDF}
        # The address at the end names the file, in words that tell nothing: the subject serves as title.
        assert (material.title, material.extra["name"]) == ("Talk 1", "deck.pdf")
        assert material.kind is api.Kind.SLIDES
        wanted = {"intent": "entire_transfer", "security_hash": "ff00"}
        assert shares.posted == [wanted | ({"recipient_id": recipient} if recipient else {})]

    def test_an_expired_wetransfer_needs_a_person(self, sources: Sources, shares: Shares) -> None:
        shares.pages["/we.tl/t-AbCdEf"] = Reply.html("<html>expired</html>")
        with pytest.raises(api.BlockedError, match=r"https://we\.tl/t-AbCdEf needs a person: it has expired"):
            self.get(sources, shares, "https://we.tl/t-AbCdEf")

    def one_drive(self, shares: Shares, link: str, item: dict[str, Any]) -> None:
        shares.pages["POST /api-badgerp.svc.ms/v1.0/token"] = Reply.json(
            {"authScheme": "badger", "token": "T1"}
        )
        shared = "u!" + base64.urlsafe_b64encode(link.encode()).decode().rstrip("=")
        path = f"/my.microsoftpersonalcontent.com/_api/v2.0/shares/{shared}/driveItem?$expand=children"
        answer = Reply.json(item)
        shares.pages[path] = Reply(
            answer.body, media_type=answer.media_type, headers={"x-wants": "Badger T1"}
        )

    def test_a_file_of_onedrive(self, sources: Sources, shares: Shares) -> None:
        link = "https://1drv.ms/p/s!Aabc"
        self.one_drive(shares, link, {"name": "Chef.pdf", "@content.downloadUrl": f"{shares.url}/cdn/1"})
        shares.pages["/cdn/1"] = Reply.file(PDF)
        material, files = self.get(sources, shares, link)
        assert files == {"file-1": PDF}
        assert (material.title, material.kind) == ("Chef", api.Kind.SLIDES)
        assert shares.posted == [{"appId": "5cbed6ac-a083-4e14-b191-b4ba07653de2"}]

    def test_a_folder_of_onedrive(self, sources: Sources, shares: Shares) -> None:
        link = "https://1drv.ms/f/s!Aabc"
        children = [
            {"name": f"{number}.pdf", "@content.downloadUrl": f"{shares.url}/cdn/{number}"}
            for number in (1, 2)
        ]
        self.one_drive(shares, link, {"folder": {}, "children": [*children, {"name": "sub", "folder": {}}]})
        shares.pages |= {f"/cdn/{number}": Reply.file(PDF + bytes([number])) for number in (1, 2)}
        material, files = self.get(sources, shares, link)
        assert files == {"file-1": PDF + b"\1", "file-2": PDF + b"\2"}
        assert material.kind is api.Kind.SLIDES

    def test_a_onedrive_that_gives_no_token_needs_a_person(self, sources: Sources, shares: Shares) -> None:
        for answer in (Reply.json({"token": "two\nlines"}), Reply.json([]), Reply.missing(403)):
            shares.pages["POST /api-badgerp.svc.ms/v1.0/token"] = answer
            with pytest.raises(api.BlockedError, match="needs a person"):
                self.get(sources, shares, "https://1drv.ms/p/s!Aabc")
            (sources.folder / "into").rmdir()

    def test_no_cookie_and_no_credential_is_ever_sent(self, sources: Sources, shares: Shares) -> None:
        shares.pages["/example.org/deck.pdf"] = Reply(PDF, headers={"Set-Cookie": "a=b"})
        self.get(sources, shares, "https://example.org/deck.pdf")
        assert all(
            "cookie" not in each.headers and "authorization" not in each.headers for each in shares.requests
        )


class TestListed:
    def test_baidu_is_listed_as_needing_a_person(self, sources: Sources) -> None:
        (sources.folder / "a.eml").write_bytes(
            mail(1, body="链接: https://pan.baidu.com/s/1AbCdEf 提取码: x1y2")
        )
        (item,), last = listed(sources.make(paths="a.eml"))
        assert isinstance(item, api.Unavailable)
        assert isinstance(item.error, api.BlockedError)
        assert "https://pan.baidu.com/s/1AbCdEf with the code x1y2 needs a person" in str(item.error)
        assert item.material.url == "https://pan.baidu.com/s/1AbCdEf"
        assert (item.material.extra["link"], item.material.extra["code"]) == (item.material.url, "x1y2")
        assert last.complete

    def test_a_link_in_a_quoted_reply_is_listed_once(self, sources: Sources) -> None:
        box = sources.folder / "box"
        box.mkdir()
        for number in (1, 2):
            (box / f"{number}.eml").write_bytes(
                mail(number, body=f"{'> ' * number}https://example.org/a.pdf")
            )
        items, _ = listed(sources.make(paths="box"))
        assert [item.id for item in items if isinstance(item, api.Material)] == [
            "link/direct/example.org/a.pdf"
        ]

    def test_links_can_be_left_out(self, sources: Sources) -> None:
        (sources.folder / "a.eml").write_bytes(mail(1, body="https://example.org/a.pdf"))
        assert listed(sources.make(paths="a.eml", links=False))[0] == []

    def test_a_link_in_a_gbk_body_without_charset(self, sources: Sources) -> None:
        body = "链接：https://pan.baidu.com/s/1AbCdEf 提取码：x1y2".encode("gbk")
        (sources.folder / "a.eml").write_bytes(header() + b"\n" + body)
        (item,), _ = listed(sources.make(paths="a.eml"))
        assert isinstance(item, api.Unavailable)
        assert item.material.extra["code"] == "x1y2"


@pytest.mark.parametrize(
    ("content", "page"),
    [
        (b"<!DOCTYPE html>", True),
        (b"\xef\xbb\xbf\n<html lang=zh>", True),
        (b"<?xml version='1.0'?><!-- a --><html>", True),
        (b"<!-- without end", False),
        (b"%PDF-1.4", False),
        (b"", False),
    ],
)
def test_pages_are_told_from_files(tmp_path: Path, content: bytes, page: bool) -> None:
    (tmp_path / "x").write_bytes(content)
    assert is_page(tmp_path / "x") is page


def test_addresses() -> None:
    assert with_query("https://a.b/c?x=1&dl=0", dl="1") == "https://a.b/c?x=1&dl=1"
    assert name_in("https://a.b/My%20Deck.pdf?x=1") == "My Deck.pdf"
    assert name_in("https://a.b/download") == ""
