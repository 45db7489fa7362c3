"""Archives of mailing lists: Mailman 2 (pipermail) and Mailman 3 (HyperKitty), from a loopback double."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from archiver import api
from archiver.testing.lists import GERMAN, ListsDouble, Wording
from archiver_plugins.mail import Email, EmailOptions, stacks
from archiver_plugins.mail.obscured import notices, plain_address, read_obscured
from archiver_plugins.mail.periods import ListArchive, Software, address, periods
from archiver_plugins.mail.window import Window
from plugins.mails import (
    PDF,
    SHENZHEN,
    Sources,
    attachment,
    entry,
    fetched,
    leaf,
    listed,
    mail,
    materials,
    text,
)

KINDS = ["pipermail", "hyperkitty"]
AUGUST = {"date": "Wed, 8 Aug 2012 10:00:00 +0800"}


@pytest.fixture
def service() -> Iterator[ListsDouble]:
    with ListsDouble() as double:
        yield double


def make(sources: Sources, service: ListsDouble, kind: str = "pipermail", **options: Any) -> Email:
    mirrors = {service.host: service.url}
    return sources.make(service.url, **{kind: getattr(service, kind), "mirrors": mirrors, **options})


def deck(number: int = 1, /, name: str = "chef.pdf", **fields: str) -> bytes:
    return mail(number, attachment(name, content_type="application/pdf"), **fields)


def until_it_fails(source: Email) -> tuple[list[str], api.SourceError]:
    """List until an error: the ids of what came before it counts."""
    found: list[str] = []
    try:
        for item in source.discover(api.Scope((entry(),)), ""):
            assert isinstance(item, api.Material)
            found.append(item.id)
    except api.SourceError as error:
        return found, error
    raise AssertionError("nothing failed")


class TestBothKinds:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_deck_is_listed_and_fetched(
        self, sources: Sources, service: ListsDouble, kind: str, tmp_path: Path
    ) -> None:
        service.add(deck(subject="Slides of Beijing"), mail(2))
        source = make(sources, service, kind)
        (item,), last = listed(source)
        assert last.complete
        assert isinstance(item, api.Material)
        assert (item.id, item.kind, item.title) == ("m1@example.org/2", api.Kind.SLIDES, "chef")
        assert (item.authors, item.date[:10], item.revision) == (("Junqiang Chen",), "2012-09-16", "")
        assert item.url.startswith(getattr(service, kind))
        assert "127.0.0.1" not in str(item)
        assert "jq@example.org" not in str(item)
        assert "jq at" not in str(item)
        files = fetched(source, item, tmp_path / "into")[1]
        assert files["file"] == PDF
        assert b"Subject: Slides of Beijing\nFrom: Junqiang Chen\n" in files["message.txt"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_newest_month_comes_first_and_a_limit_saves_the_others(
        self, sources: Sources, service: ListsDouble, kind: str
    ) -> None:
        service.add(deck(1, **AUGUST), deck(2))
        (item,), last = listed(make(sources, service, kind), limit=1)
        assert isinstance(item, api.Material)
        assert (item.id, last.complete) == ("m2@example.org/2", False)
        assert service.requests.count("*.gz") == 1

    @pytest.mark.parametrize("kind", KINDS)
    def test_months_that_no_entry_wants_are_not_asked_for(
        self, sources: Sources, service: ListsDouble, kind: str
    ) -> None:
        service.add(deck(1, **AUGUST), deck(2))
        source = make(sources, service, kind)
        found = materials(source, entry(since="2012-09-10", until="2012-09-20"))
        assert [item.id for item in found] == ["m2@example.org/2"]
        assert service.requests.count("*.gz") == 1
        source = make(sources, service, kind, since="2012-09-03")
        assert len(materials(source, entry(), entry(SHENZHEN, until="2012-08-31"))) == 1

    @pytest.mark.parametrize("kind", KINDS)
    def test_closed_months_are_read_once(self, sources: Sources, service: ListsDouble, kind: str) -> None:
        service.add(deck(1, **AUGUST), deck(2))
        source = make(sources, service, kind)
        items, first = listed(source)
        assert len(items) == 2
        service.requests.clear()
        items, second = listed(source, cursor=first.cursor)
        assert (items, second.complete, second.cursor) == ([], False, first.cursor)
        assert [each.path for each in service.requests] == [
            getattr(service, kind).removeprefix(f"https://{service.host}")
        ]

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_message_that_is_in_a_mailbox_too_is_listed_once(
        self, sources: Sources, service: ListsDouble, kind: str, tmp_path: Path
    ) -> None:
        message = deck(date="Sun, 16 Sep 2012 10:00:00 +0800 (CST)")
        (tmp_path / "a.eml").write_bytes(message)
        service.add(message)
        (item,) = materials(make(sources, service, kind, paths="a.eml"))
        assert "list" not in item.extra

    def test_a_list_in_both_kinds_is_listed_once(self, sources: Sources, service: ListsDouble) -> None:
        service.add(deck())
        assert len(materials(make(sources, service, hyperkitty=service.hyperkitty))) == 1

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_filters_see_the_sender(self, sources: Sources, service: ListsDouble, kind: str) -> None:
        service.add(deck())
        source = make(sources, service, kind)
        (item,) = materials(source, entry(sender="jq@example.org", talk="chef"))
        assert (item.event, item.talk) == ("beijing", "chef")
        assert listed(source, entry(sender="other@example.org"))[0] == []

    @pytest.mark.parametrize("kind", KINDS)
    def test_an_archive_for_members_alone_is_blocked(
        self, sources: Sources, service: ListsDouble, kind: str
    ) -> None:
        service.add(deck())
        source = make(sources, service, kind)
        service.fault("*.gz", "login", times=None)
        with pytest.raises(api.BlockedError, match="web page instead of messages") as caught:
            listed(source)
        assert "members alone" in caught.value.hint
        service.private = True
        with pytest.raises(api.InvalidError, match="names no month"):
            source.check()

    @pytest.mark.parametrize("kind", KINDS)
    def test_one_month_that_fails_does_not_keep_the_others_from_being_listed(
        self, sources: Sources, service: ListsDouble, kind: str
    ) -> None:
        service.add(deck(1, **AUGUST), deck(2))
        service.fault("*2012-[0S]*9*.gz" if kind == "hyperkitty" else "*September*", "gone", times=None)
        found, error = until_it_fails(make(sources, service, kind))
        assert isinstance(error, api.GoneError)
        assert found == ["m1@example.org/2"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_download_that_breaks_off_goes_on(
        self, sources: Sources, service: ListsDouble, kind: str
    ) -> None:
        service.add(deck())
        service.fault("*.gz", "truncate", at=100)
        assert len(materials(make(sources, service, kind))) == 1

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_message_that_is_gone_from_the_archive_is_gone(
        self, sources: Sources, service: ListsDouble, kind: str, tmp_path: Path
    ) -> None:
        message = deck()
        service.add(message, mail(2))
        (item,) = materials(make(sources, service, kind))
        service.remove(message)
        with pytest.raises(api.GoneError, match=r"m1@example\.org"):
            fetched(make(sources, service, kind), item, tmp_path / "into")

    def test_a_list_that_was_taken_out_of_the_configuration(
        self, sources: Sources, service: ListsDouble, tmp_path: Path
    ) -> None:
        service.add(deck())
        (item,) = materials(make(sources, service))
        with pytest.raises(api.GoneError, match="not in the configuration"):
            fetched(make(sources, service, "hyperkitty"), item, tmp_path / "into")

    def test_closing_removes_what_was_fetched(self, sources: Sources, service: ListsDouble) -> None:
        service.add(deck())
        source = make(sources, service)
        materials(source)
        folder = source._stacks._folder
        assert folder is not None
        assert list(folder.iterdir())
        source.close()
        assert not folder.exists()

    def test_months_beyond_the_room_are_fetched_anew(
        self, sources: Sources, service: ListsDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stacks, "_KEPT", 100)
        service.add(deck(1, **AUGUST), deck(2))
        source = make(sources, service, "hyperkitty")
        for number, item in enumerate(materials(source)):
            assert fetched(source, item, tmp_path / str(number))[1]["file"] == PDF
        assert len(source._stacks._copies) == 1
        assert source._stacks._folder is not None
        assert len(list(source._stacks._folder.iterdir())) == 1


class TestPipermail:
    def test_what_was_taken_out_is_fetched_from_the_server(
        self, sources: Sources, service: ListsDouble, tmp_path: Path
    ) -> None:
        message = mail(
            1,
            text("<p>Hello</p>", kind="html"),
            attachment("chef.pdf", content_type="application/pdf"),
            attachment("logo.png", b"\x89PNG....", "image/png"),
            leaf("application/pgp-signature; name=signature.asc", b"-----BEGIN"),
        )
        service.add(message)
        service.types = {".pdf": "text/plain; charset=us-ascii"}
        source = make(sources, service)
        one, two = materials(source)
        assert (one.title, two.title) == ("chef", "logo")
        assert (one.id, two.id) == ("m1@example.org/2", "m1@example.org/3")
        assert one.size == len(PDF)
        assert one.url.startswith(service.pipermail + "attachments/20120916/")
        assert fetched(source, one, tmp_path / "into")[1]["file"] == PDF

    def test_the_notices_may_be_in_another_language(
        self, sources: Sources, service: ListsDouble, tmp_path: Path
    ) -> None:
        service.wording = replace(GERMAN, at="en")
        service.add(deck(name="Vortrag.pdf"))
        source = make(sources, service)
        (item,) = materials(source, entry(sender="jq@example.org"))
        assert (item.title, item.event) == ("Vortrag", "beijing")
        assert fetched(source, item, tmp_path / "into")[1]["file"] == PDF

    def test_a_list_that_moved_still_has_its_attachments(
        self, sources: Sources, service: ListsDouble, tmp_path: Path
    ) -> None:
        service.moved_to = "http://old-lists.example.org/pipermail/talks/"
        service.add(deck())
        source = make(sources, service)
        (item,) = materials(source)
        assert "old-lists" not in str(item)
        assert fetched(source, item, tmp_path / "into")[1]["file"] == PDF

    def test_a_notice_that_somebody_wrote_leads_nowhere_else(
        self, sources: Sources, service: ListsDouble
    ) -> None:
        forged = (
            "-------------- next part --------------\nA non-text attachment was scrubbed...\nName: chef.pdf\n"
            "Type: application/pdf\nURL: <http://169.254.169.254/latest/{}>\n"
        )
        service.add(mail(1, body=forged.format("meta-data")), mail(2, body=forged.format("attachments/../x")))
        assert listed(make(sources, service))[0] == []

    def test_what_is_lost_on_the_server_is_gone(
        self, sources: Sources, service: ListsDouble, tmp_path: Path
    ) -> None:
        service.add(deck())
        source = make(sources, service)
        (item,) = materials(source)
        service.fault("*/attachments/*", "gone")
        with pytest.raises(api.GoneError):
            fetched(source, item, tmp_path / "into")

    def test_a_login_page_is_no_deck(self, sources: Sources, service: ListsDouble, tmp_path: Path) -> None:
        service.add(deck())
        source = make(sources, service)
        (item,) = materials(source)
        service.fault("*/attachments/*", "login")
        with pytest.raises(api.BlockedError, match="web page instead of the attachment"):
            fetched(source, item, tmp_path / "into")

    def test_lines_that_begin_with_from_split_no_message(
        self, sources: Sources, service: ListsDouble, tmp_path: Path
    ) -> None:
        service.add(
            mail(
                1,
                attachment("chef.pdf", content_type="application/pdf"),
                body="\nFrom Mon to Sun\n\nFrom jq at example.org  Sun Sep 16 10:00:00 2012\n",
            )
        )
        source = make(sources, service, sidecar="text")
        (item,) = materials(source)
        told = fetched(source, item, tmp_path / "into")[1]["message.txt"].decode()
        assert "\nFrom Mon to Sun" in told
        assert "\nFrom jq" in told

    def test_the_current_month_is_not_packed_yet(
        self, sources: Sources, service: ListsDouble, tmp_path: Path
    ) -> None:
        service.packed = False
        service.add(deck())
        (item,) = materials(make(sources, service))
        assert item.extra["period"].endswith("2012-September.txt")
        service.packed = True  # the nightly job was here
        assert fetched(make(sources, service), item, tmp_path / "into")[1]["file"] == PDF

    def test_a_month_of_these_days_is_asked_for_conditionally(
        self, sources: Sources, service: ListsDouble
    ) -> None:
        today = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
        service.add(deck(1, date=today))
        source = make(sources, service)
        _, first = listed(source)
        service.requests.clear()
        items, second = listed(source, cursor=first.cursor)
        assert (items, second.cursor) == ([], first.cursor)
        assert service.requests.count("*.txt.gz", status=304) == 1
        assert service.requests.count("*.txt.gz") == 1
        service.add(deck(2, date=today))
        source = make(sources, service)
        assert {item.id for item in materials(source, cursor=first.cursor)} == {
            "m1@example.org/2",
            "m2@example.org/2",
        }

    def test_a_closed_month_that_grew_is_read_again(self, sources: Sources, service: ListsDouble) -> None:
        service.add(deck(1))
        _, first = listed(make(sources, service))
        service.add(deck(2))
        found = materials(make(sources, service), cursor=first.cursor)
        assert [item.id for item in found] == ["m1@example.org/2", "m2@example.org/2"]

    def test_a_month_without_conditions_is_read_again(self, sources: Sources, service: ListsDouble) -> None:
        today = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
        service.add(deck(1, date=today))
        _, first = listed(make(sources, service, "hyperkitty"))
        found = materials(make(sources, service, "hyperkitty"), cursor=first.cursor)
        assert [item.id for item in found] == ["m1@example.org/2"]

    @pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
    def test_texts_and_names_come_in_any_charset(
        self, sources: Sources, service: ListsDouble, charset: str, tmp_path: Path
    ) -> None:
        link = "讲稿在这里 https://files.example.net/北京.pdf 。"
        service.add(mail(1, body=link.encode(charset), subject="=?gb2312?B?sbG+qQ==?="))
        service.types = {".gz": "text/html; charset=iso-8859-1"}
        (item,) = materials(make(sources, service, sidecar="text"))
        assert item.description == "北京"
        assert item.extra["link"].startswith("https://files.example.net/")

    def test_a_server_that_packs_what_is_packed(self, sources: Sources, service: ListsDouble) -> None:
        service.add(deck())
        month = gzip.compress(service._text([deck()]))
        service.serve("/pipermail/talks/2012-September.txt.gz", gzip.compress(month), "application/x-gzip")
        assert len(materials(make(sources, service))) == 1

    def test_a_server_that_calls_the_file_packed_in_transit(
        self, sources: Sources, service: ListsDouble
    ) -> None:
        service.add(deck())
        source = make(sources, service)
        path = "/pipermail/talks/2012-September.txt.gz"
        service.serve(path, gzip.compress(service._text([deck()])), "text/plain")
        packed = replace(service._files[path], headers={"Content-Encoding": "x-gzip"})
        service._files[path] = packed
        assert len(materials(source)) == 1

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            (gzip.compress(bytes(64 << 20)), "as only a trap does"),
            (gzip.compress(b"From jq at example.org  Sun Sep 16 10:00:00 2012\n" * 99)[:-12], "cut off"),
            (b"\x1f\x8b" + b"\0" * 50, "is damaged"),
            (b"Nothing that looks like mail", "holds no messages"),
        ],
        ids=["bomb", "cut", "damaged", "other"],
    )
    def test_damaged_files_say_so(
        self, sources: Sources, service: ListsDouble, data: bytes, told: str
    ) -> None:
        service.add(deck(), deck(2, **AUGUST))
        service.serve("/pipermail/talks/2012-September.txt.gz", data)
        source = make(sources, service)
        found, error = until_it_fails(source)
        assert isinstance(error, api.InvalidError)
        assert told in error.message
        assert "2012-September" in error.message
        assert found == ["m2@example.org/2"]
        assert source._stacks._folder is not None
        assert sum(path.stat().st_size for path in source._stacks._folder.iterdir()) < 1 << 20

    def test_a_list_without_messages_is_no_failure(self, sources: Sources, service: ListsDouble) -> None:
        source = make(sources, service)
        source.check()
        assert listed(source)[0] == []

    def test_a_page_that_is_no_archive(self, sources: Sources, service: ListsDouble) -> None:
        service.serve("/pipermail/talks/", b"<h1>Welcome</h1>", "text/html")
        with pytest.raises(api.InvalidError, match="names no month") as caught:
            make(sources, service).check()
        assert "pipermail" in caught.value.hint


class TestHyperKitty:
    def test_exports_that_are_switched_off(self, sources: Sources, service: ListsDouble) -> None:
        service.add(deck())
        service.exports = False
        with pytest.raises(api.BlockedError, match="does not export its messages") as caught:
            listed(make(sources, service, "hyperkitty"))
        assert "allow exports" in caught.value.hint

    def test_a_month_is_asked_for_up_to_the_first_day_of_the_next(
        self, sources: Sources, service: ListsDouble
    ) -> None:
        service.add(deck(1, date="Mon, 31 Dec 2012 23:59:59 +0000"))
        (item,) = materials(make(sources, service, "hyperkitty"))
        assert item.id == "m1@example.org/2"
        (asked,) = service.requests.matching("*.gz")
        assert asked.query == {"start": "2012-12-01", "end": "2013-01-01"}

    def test_the_page_of_a_message_is_its_address(self, sources: Sources, service: ListsDouble) -> None:
        service.add(deck(message_id="<87myxy7rv0.fsf@uwakimon.sk.tsukuba.ac.jp>"))
        (item,) = materials(make(sources, service, "hyperkitty"))
        page = item.url.removeprefix(service.hyperkitty)
        assert page.startswith("message/")
        assert len(page) == len("message//") + 32


class TestAddresses:
    @pytest.mark.parametrize(
        ("given_", "kept"),
        [
            ("https://lists.example.org/pipermail/talks", "https://lists.example.org/pipermail/talks/"),
            (
                "https://lists.example.org/pipermail/talks/index.html",
                "https://lists.example.org/pipermail/talks/",
            ),
            ("http://l.example.org/p/t/#x", "http://l.example.org/p/t/"),
        ],
    )
    def test_are_made_alike(self, given_: str, kept: str) -> None:
        assert address(given_) == kept
        assert [each.url for each in EmailOptions(pipermail=given_).archives] == [kept]

    @pytest.mark.parametrize("wrong", ["talks", "ftp://x/y", "https://a:b@x/y", "https://x/y?z=1"])
    def test_what_is_none_is_refused(self, wrong: str) -> None:
        with pytest.raises(ValidationError, match="expected the address of a list's archive"):
            EmailOptions(hyperkitty=(wrong,))


class TestPeriods:
    @pytest.mark.parametrize(
        ("file", "first", "last"),
        [
            ("2012-September.txt.gz", "2012-09-01", "2012-09-30"),
            ("2012-february.mbox", "2012-02-01", "2012-02-29"),
            ("2012-12.mbox.gz", "2012-12-01", "2012-12-31"),
            ("2012q3.txt.gz", "2012-07-01", "2012-09-30"),
            ("2012.txt", "2012-01-01", "2012-12-31"),
            ("20120916.txt", "2012-09-16", "2012-09-16"),
            ("Week-of-Mon-20120910.txt.gz", "2012-09-10", "2012-09-16"),
        ],
    )
    def test_names_of_files(self, file: str, first: str, last: str) -> None:
        archive = ListArchive(Software.PIPERMAIL, "https://lists.example.org/pipermail/talks/")
        (found,) = periods(archive, f'<a href="{file}">[ Text 12 KB ]</a>')
        assert (found.first, found.last) == (date.fromisoformat(first), date.fromisoformat(last))
        assert (found.url, found.sign) == (archive.url + file, "[ Text 12 KB ]")

    def test_of_several_forms_the_fullest_is_read(self) -> None:
        archive = ListArchive(Software.PIPERMAIL, "https://lists.example.org/pipermail/talks/")
        page = "".join(f"<a href='2012-May{end}'>x</a>" for end in (".txt", ".txt.gz", ".mbox"))
        assert [each.url for each in periods(archive, page)] == [f"{archive.url}2012-May.mbox"]

    @pytest.mark.parametrize(
        "href", ["2012-Sept.txt", "20121399.txt", "../talks.mbox/talks.mbox", "0000.txt"]
    )
    def test_what_is_no_period(self, href: str) -> None:
        archive = ListArchive(Software.PIPERMAIL, "https://lists.example.org/pipermail/talks/")
        assert periods(archive, f"<a href='{href}'>x</a>") == []

    def test_a_page_full_of_links_is_read_in_time(self) -> None:
        archive = ListArchive(Software.PIPERMAIL, "https://lists.example.org/pipermail/talks/")
        page = "x" * 2_000_000 + "<a href='2012-May.txt'>1</a>" * 100_000
        assert len(periods(archive, page)) == 1

    @settings(deadline=None)
    @given(st.text(alphabet="<>a href='\"2012-September/9.txtgz%40&;", max_size=200))
    def test_no_page_trips_it(self, page: str) -> None:
        for software in Software:
            periods(ListArchive(software, "https://lists.example.org/list/t@x/"), f"<a href='{page}")


class TestObscured:
    @pytest.mark.parametrize(
        ("value", "plain"),
        [
            ("jq at example.org (Junqiang Chen)", '"Junqiang Chen" <jq@example.org>'),
            ("jq at example.org", "<jq@example.org>"),
            ('jq at example.org (Chen, "JQ")', '"Chen, JQ" <jq@example.org>'),
            ("jq at example.org (=?gb2312?B?s8I=?=)", "=?gb2312?B?s8I=?= <jq@example.org>"),
            ("Junqiang Chen <jq(a)example.org>", "Junqiang Chen <jq@example.org>"),
            ("Look at this", "Look at this"),
            ("Chen <jq@example.org>", "Chen <jq@example.org>"),
        ],
    )
    def test_addresses(self, value: str, plain: str) -> None:
        assert plain_address(value.encode()).decode() == plain

    @settings(deadline=None)
    @given(st.binary(max_size=200))
    def test_no_header_trips_it(self, value: bytes) -> None:
        plain_address(value)
        read_obscured(b"From: " + value + b"\n")

    @settings(deadline=None)
    @given(st.binary(max_size=300))
    def test_no_text_trips_it(self, value: bytes) -> None:
        rule = b"\n-------------- next part --------------\n"
        data = b"Hello" + rule + value + rule + value + b"/attachments/20120916/ab/attachment.obj>\n"
        for part in notices(Window(io.BytesIO(data), 0, len(data))):
            assert ".." not in part.scrubbed.split("/")

    @pytest.mark.parametrize(
        ("block", "name"),
        [
            ("Name: chef.pdf\nType: application/pdf\nSize: 9 bytes\nDesc: x\n", "chef.pdf"),
            ("Name: not available\nType: application/octet-stream\nSize: 9 bytes\nDesc: x\n", ""),
            ("Name: ../../x/chef.pdf\nType: application/pdf\n", "chef.pdf"),
            ("Name: notes.txt\n", "notes.txt"),
            ("From: jq at example.org\nSubject: Slides\nDate: Sun, 16 Sep 2012\nSize: 9\n", ""),
        ],
    )
    def test_names(self, block: str, name: str) -> None:
        data = (
            f"\n-------------- next part --------------\nSomething was scrubbed...\n{block}"
            "URL: <\nhttp://x.example.org/p/t/attachments/20120916/ab12/attachment.obj\n>\n"
        ).encode()
        (part,) = notices(Window(io.BytesIO(data), 0, len(data)))
        assert (part.name, part.scrubbed) == (name, "attachments/20120916/ab12/attachment.obj")

    def test_html_beside_the_text_is_nothing(self) -> None:
        data = (
            b"\n-------------- next part --------------\nAn HTML attachment was scrubbed...\n"
            b"URL: <http://x.example.org/p/t/attachments/20120916/ab12/attachment.htm>\n"
        )
        assert list(notices(Window(io.BytesIO(data), 0, len(data)))) == []


def test_unpacking_is_bounded_by_what_came(tmp_path: Path) -> None:
    """Several members in a row, each small, are no way around the bound."""
    bomb = tmp_path / "bomb"
    bomb.write_bytes(gzip.compress(bytes(8 << 20), 9) * 4)
    with pytest.raises(api.InvalidError, match="trap"):
        stacks._unpacked(bomb, tmp_path / "out", "https://lists.example.org/x.gz")
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None)
@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=4))
def test_unpacking_undoes_packing(members: list[bytes]) -> None:
    packed = b"".join(gzip.compress(each) for each in members)
    assert b"".join(stacks._pieces(io.BytesIO(packed), "x")) == b"".join(members)
    assert zlib.crc32(b"") == 0


def test_the_double_speaks_other_languages() -> None:
    assert Wording().labels != GERMAN.labels
