"""What the archive writes down of a message: no address of anybody, no secret of a link, and no silence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import api
from archiver.testing import Reply, Request, Routes, Service
from archiver_plugins.mail.links import Service as Sharing
from archiver_plugins.mail.links import find_links, recognise
from archiver_plugins.mail.telling import own_name, public, without_addresses
from plugins.mails import (
    PDF,
    SHENZHEN,
    Sources,
    attachment,
    entry,
    fetched,
    forwarded,
    header,
    leaf,
    listed,
    mail,
    materials,
    multipart,
)

SECRET = "token=hunter22&X-Amz-Signature=hunter33&me=who@secret.example"
ADDRESS = re.compile(r"[^\s@/]@[A-Za-z0-9-]+\.(?!pdf)[a-z]{2,}")


class TestAddresses:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("slides of wang@example.org", "slides of wang@…"),
            ("请回复wang@example.org谢谢", "请回复wang@…谢谢"),
            ("(wang@mail.example.org), li@a.cn", "(wang@…), li@…"),
            ("wang＠example.org", "wang@…"),
            ("for-wang@example.org-0.pdf", "for-wang@….pdf"),
            ("wang@例子.中国", "wang@…"),
            ("deck@2x.png", "deck@2x.png"),
            ("talk@2.0", "talk@2.0"),
            ("Stop @ Beijing.", "Stop @ Beijing."),
            ("[bj/chef#k3f9h2xz] slides", "[bj/chef#k3f9h2xz] slides"),
        ],
    )
    def test_only_what_stands_before_the_at_is_kept(self, text: str, told: str) -> None:
        assert without_addresses(text) == told
        assert without_addresses(told) == told

    @pytest.mark.parametrize(
        ("name", "own"),
        [
            ("wang@example.org", ""),
            ("wang@x", ""),
            ("Bob (bob@example.org)", "Bob"),
            ("'bob@example.org' via Group", "via Group"),
            ("Wang @ Canonical", "Wang @ Canonical"),
            ("陈沙克", "陈沙克"),
        ],
    )
    def test_names_are_rid_of_them(self, name: str, own: str) -> None:
        assert own_name(name) == own

    @given(st.text("ab @＠.中()<>-/", max_size=60), st.text("ab @＠.中()<>-/", max_size=60))
    def test_none_is_left_in_any_text(self, before: str, after: str) -> None:
        for made in (without_addresses, own_name):
            told = made(f"{before} wang@secret.example {after}")
            assert "secret" not in told
            assert made(told) == told

    def test_none_reaches_the_archive(self, sources: Sources, tmp_path: Path) -> None:
        message = mail(
            1,
            attachment("for wang@secret.example.pdf"),
            subject="photos of wang@secret.example",
            message_id="<wang@secret.example@mailer.test>",
            in_reply_to="<li@secret.example@mailer.test>",
            **{"from": '"wang@secret.example" <wang@secret.example>'},
            body="Call li@secret.example",
        )
        (sources.folder / "a.eml").write_bytes(message)
        source = sources.make(paths="a.eml", sidecar="text")
        (item,) = materials(source)
        assert (item.authors, item.description) == (("wang",), "photos of wang@…")
        assert (item.title, item.extra["name"]) == ("for wang@…", "for wang@….pdf")
        refined, files = fetched(source, item, tmp_path / "into")
        assert files["file"] == PDF
        kept = files["message.txt"].decode()
        assert "secret.example" not in f"{item}{refined}{kept}"
        assert "Call li@…" in kept

    def test_a_message_id_that_is_the_senders_address_is_not_kept(self, sources: Sources) -> None:
        (sources.folder / "a.eml").write_bytes(mail(1, attachment("a.pdf"), message_id="<JQ@example.org>"))
        (item,) = materials(sources.make(paths="a.eml"))
        assert "jq@example.org" not in str(item).lower()

    def test_filters_still_see_them(self, sources: Sources) -> None:
        (sources.folder / "a.eml").write_bytes(mail(1, attachment("a.pdf"), subject="of wang@secret.example"))
        assert materials(sources.make(paths="a.eml"), entry(subject="wang@secret.example"))


class TestSecretsOfLinks:
    @pytest.mark.parametrize(
        ("url", "told"),
        [
            (f"https://a.example/b.pdf?{SECRET}", "https://a.example/b.pdf"),
            (f"https://a.example/b.pdf?v=2&{SECRET}", "https://a.example/b.pdf?v=2"),
            ("https://u:p@a.example/b.pdf", "https://a.example/b.pdf"),
            ("https://a.example/b.pdf?to=who%40secret.example", "https://a.example/b.pdf"),
            ("https://a.example/who@secret.example/b.pdf", "https://a.example/who@.../b.pdf"),
            ("https://a.example/who%40secret.example/b.pdf", "https://a.example/who@.../b.pdf"),
            ("https://a.example/b@2x.pdf?v=2", "https://a.example/b@2x.pdf?v=2"),
        ],
    )
    def test_what_may_be_told(self, url: str, told: str) -> None:
        assert public(url) == told
        assert public(told) == told

    def test_a_long_opaque_value_is_told_by_its_digest(self) -> None:
        one, two = (public(f"https://a.example/b.pdf?id={sign * 20}1{sign * 20}") for sign in "xy")
        assert re.fullmatch(r"https://a\.example/b\.pdf\?id=~[0-9a-f]{12}", one)
        assert one != two

    def test_a_link_has_none_in_its_id(self) -> None:
        (link,) = find_links(f"see https://a.example/b.pdf?{SECRET}.")
        assert "hunter33" in link.url
        assert (link.id, link.told) == ("link/direct/a.example/b.pdf", "https://a.example/b.pdf")

    def test_a_link_with_a_login_is_known_and_told_without_it(self) -> None:
        link = recognise("https://user:hunter22@pan.baidu.com/s/1AbCdEf?pwd=x1y2")
        assert link is not None
        assert (link.service, link.id) == (Sharing.LOGIN, "link/login/AbCdEf")
        assert "hunter22" not in str(link)


class Signed(Service):
    """Gives a deck to those who name the token."""

    def routes(self) -> Routes:
        return {"/b.pdf": self.page}

    def page(self, request: Request) -> Reply:
        wanted = request.query.get("token") == "hunter22"
        return Reply.file(PDF, "application/pdf") if wanted else Reply.missing(403)


class TestFetched:
    @pytest.mark.parametrize("wrapped", [False, True])
    def test_a_secret_link_is_fetched_whole_by_whoever_reads_the_mail(
        self, sources: Sources, tmp_path: Path, wrapped: bool
    ) -> None:
        message = mail(1, body=f"https://a.example/b.pdf?{SECRET}")
        if wrapped:
            message = header(2) + multipart([leaf("message/rfc822", message)], boundary="=_w")
        (sources.folder / "a.eml").write_bytes(message)
        with Signed() as service:
            options = {"paths": "a.eml", "mirrors": {"a.example": service.url}}
            (item,) = materials(sources.make(service.url, **options))
            another = sources.make(service.url, **options)
            refined, files = fetched(another, item, tmp_path / "into")
        assert files == {"file": PDF}
        for secret in ("hunter22", "hunter33", "secret.example"):
            assert secret not in f"{item}{refined}"

    def test_a_refusal_tells_no_secret(self, sources: Sources, tmp_path: Path) -> None:
        (sources.folder / "a.eml").write_bytes(mail(1, body="https://a.example/b.pdf?token=hunter33"))
        with Signed() as service:
            source = sources.make(service.url, paths="a.eml", mirrors={"a.example": service.url})
            (item,) = materials(source)
            with pytest.raises(api.BlockedError, match="needs a person") as caught:
                fetched(source, item, tmp_path / "into")
        assert "hunter33" not in str(caught.value)

    def test_a_private_host_is_named_in_mirrors_not_in_base_url(
        self, sources: Sources, tmp_path: Path
    ) -> None:
        (sources.folder / "a.eml").write_bytes(mail(1, body="http://127.0.0.1:9/b.pdf"))
        source = sources.make(paths="a.eml")
        (item,) = materials(source)
        with pytest.raises(api.BlockedError, match="in the source's mirrors") as caught:
            fetched(source, item, tmp_path / "into")
        assert "base_url" not in str(caught.value)


class TestNothingVanishes:
    def one(self, sources: Sources, message: bytes) -> api.Material | api.Unavailable:
        (sources.folder / "a.eml").write_bytes(message)
        (item,), last = listed(sources.make(paths="a.eml"))
        assert last.complete
        return item

    def test_a_letter_to_three_thousand_people(self, sources: Sources) -> None:
        many = ",\n ".join(f"Person {number} <p{number}@list.example>" for number in range(3_000))
        message = b"To: " + many.encode() + b"\n" + mail(1, attachment("a.pdf"), to=None)
        assert len(many) > 64 << 10
        item = self.one(sources, message)
        assert isinstance(item, api.Material)
        assert (item.id, item.date) == ("m1@example.org/2", "2012-09-16T10:00:00+08:00")

    def test_a_header_without_end_is_told(self, sources: Sources) -> None:
        item = self.one(sources, header(1) + b"X: y\n" * 300_000 + b"\n" + b"body")
        assert isinstance(item, api.Unavailable)
        assert "In the mail 'Talk 1' of 2012-09-16: its header is longer than 1 MiB" in str(item.error)

    def test_parts_without_a_boundary_are_told(self, sources: Sources, tmp_path: Path) -> None:
        item = self.one(sources, header(1) + multipart([attachment("a.pdf")]).replace(b"boundary=", b"x="))
        assert isinstance(item, api.Unavailable)
        assert "In the mail 'Talk 1' of 2012-09-16" in str(item.error)
        assert "boundary" in str(item.error)
        with pytest.raises(api.InvalidError, match="boundary"):
            fetched(sources.make(paths="a.eml"), item.material, tmp_path / "into")

    def test_forwarded_parts_without_a_boundary_are_told_beside_the_others(self, sources: Sources) -> None:
        inner = header(9) + multipart([attachment("b.pdf")], boundary="=_i").replace(b"boundary=", b"x=")
        (sources.folder / "a.eml").write_bytes(mail(1, attachment("a.pdf"), forwarded(inner)))
        (good, bad), _ = listed(sources.make(paths="a.eml"))
        assert isinstance(good, api.Material)
        assert isinstance(bad, api.Unavailable)
        assert "boundary" in str(bad.error)

    def test_a_link_with_a_login_is_told_and_never_followed(self, sources: Sources, tmp_path: Path) -> None:
        item = self.one(sources, mail(1, body="https://user:hunter22@example.org/deck.pdf"))
        assert isinstance(item, api.Unavailable)
        assert isinstance(item.error, api.BlockedError)
        assert "In the mail 'Talk 1' of 2012-09-16" in str(item.error)
        assert item.material.url == "https://example.org/deck.pdf"
        assert "hunter22" not in f"{item}{item.error}"
        with pytest.raises(api.BlockedError, match="user name and password"):
            fetched(sources.make(paths="a.eml"), item.material, tmp_path / "into")


class TestAnswers:
    @pytest.mark.parametrize(
        ("fields", "taken"),
        [
            ({"subject": "Re: [bj/chef#k3f9h2xz] Your slides"}, True),
            ({"subject": "回复：[bj/chef＃K3F9H2XZ] Your slides"}, True),
            ({"subject": "Re: bj/chef# k3f9h2xz"}, True),
            ({"to": "box+K3f9h2xz@example.test"}, True),
            ({"in_reply_to": "<k3f9h2xz.0123456789abcdef@archive.example>"}, True),
            ({"references": "<a@b> <k3f9h2xz.0123456789abcdef@archive.example>"}, True),
            ({"subject": "ticket #12345678"}, False),
            ({"subject": "ticket #23456789"}, False),
            ({"subject": "Re: #k3f9h2xzz"}, False),
            ({"to": "box+shenzhen@example.test"}, False),
            ({"in_reply_to": "<k3f9h2xz@archive.example>"}, False),
        ],
    )
    def test_what_has_our_code_passes_every_filter(
        self, sources: Sources, fields: dict[str, str], taken: bool
    ) -> None:
        (sources.folder / "a.eml").write_bytes(mail(1, attachment("a.pdf"), **fields))
        entries = entry(subject="Beijing"), entry(SHENZHEN, until="2012-01-01")
        items = materials(sources.make(paths="a.eml"), *entries)
        assert [item.event for item in items] == ([""] if taken else [])

    def test_the_code_is_the_one_that_the_program_gives_out(self) -> None:
        from archiver.asked import ALPHABET, TOKEN_LENGTH
        from archiver_plugins.mail.filters import is_code

        assert is_code(ALPHABET[-TOKEN_LENGTH:])
        assert all(is_code(f"{sign}{ALPHABET[-TOKEN_LENGTH + 1 :]}") for sign in ALPHABET)
        assert not any(is_code(f"{sign}{ALPHABET[-TOKEN_LENGTH + 1 :]}") for sign in "01aeiouly")
