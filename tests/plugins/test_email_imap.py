from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver import api
from archiver.testing import Reply, Request, Routes, Service
from archiver_plugins.mail import Email
from archiver_plugins.mail.utf7 import decode, encode
from plugins.dovecot import PASSWORD, Dovecot
from plugins.imap_proxy import ImapProxy
from plugins.mails import (
    PDF,
    SHENZHEN,
    Listed,
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
    text,
)

#: A header field of 90 kB: a letter to 3,000 people, before the other fields.
MANY = ",\n ".join(f"Person {number} <p{number}@list.example>" for number in range(3_000))
BIG = bytes(range(256)) * 16_384  # 4 MiB


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with Dovecot() as running:
        yield running


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    return re.sub(r"\W", "-", request.node.name)[:60] + "@example.test"


Make = Callable[..., Email]


@pytest.fixture
def make(server: Dovecot, sources: Sources, user: str) -> Make:
    """Make a source for the test's own user; `port` may be that of a proxy."""

    def build(port: int = 0, **options: Any) -> Email:
        given = {
            "imap": f"127.0.0.1:{port or server.port}",
            "username": user,
            "password": PASSWORD,
            "tls": "none",
        }
        return sources.make(**(given | options))

    return build


def ids(items: list[Listed]) -> list[str]:
    return [item.id if isinstance(item, api.Material) else item.material.id for item in items]


class TestReadOnly:
    def test_nothing_is_changed_not_even_seen(
        self, server: Dovecot, user: str, make: Make, tmp_path: Path
    ) -> None:
        server.put(user, [mail(number, attachment("a.pdf")) for number in (1, 2)])
        with ImapProxy(server.port) as proxy:
            source = make(proxy.port)
            source.check()
            for at, item in enumerate(materials(source)):
                assert fetched(source, item, tmp_path / str(at))[1]["file"] == PDF
            assert not proxy.commands("SELECT", "STORE", "UID STORE", "EXPUNGE", "APPEND", "CLOSE")
            assert proxy.commands("EXAMINE")
            fetches = proxy.commands("UID FETCH")
            assert fetches
            assert not [line for line in fetches if re.search(r"BODY\[|RFC822(?!\.)", line)]
        with server.login(user) as client:
            client.select(readonly=True)
            assert client.search(None, "UNSEEN")[1] == [b"1 2"]

    def test_a_connection_serves_listing_and_fetches(
        self, server: Dovecot, user: str, make: Make, tmp_path: Path
    ) -> None:
        server.put(user, [mail(number, attachment("a.pdf")) for number in range(5)])
        with ImapProxy(server.port) as proxy:
            source = make(proxy.port)
            for at, item in enumerate(materials(source)):
                fetched(source, item, tmp_path / str(at))
            assert proxy.connections == 1
            assert len(proxy.commands("EXAMINE")) == 1


class TestIncremental:
    def test_only_what_is_new_is_listed(self, server: Dovecot, user: str, make: Make) -> None:
        server.put(user, [mail(1, attachment("a.pdf")), mail(2)])
        source = make()
        items, first = listed(source)
        assert ids(items) == ["m1@example.org/2"]
        assert first.complete
        server.put(user, [mail(3, attachment("c.pdf"))])
        items, second = listed(source, cursor=first.cursor)
        assert ids(items) == ["m3@example.org/2"]
        assert not second.complete
        boxes = json.loads(second.cursor)["boxes"]
        assert boxes["INBOX"][1] == 3

    def test_an_idle_run_is_one_examine_and_nothing_more(
        self, server: Dovecot, user: str, make: Make
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])
        _, first = listed(make())
        with ImapProxy(server.port) as proxy:
            items, second = listed(make(proxy.port), cursor=first.cursor)
            commands = [line.partition(" ")[0] for line in proxy.lines]
        assert items == []
        assert second.cursor == first.cursor
        assert [each for each in commands if each not in {"CAPABILITY", "AUTHENTICATE", "ID", ""}][-1:] == [
            "EXAMINE"
        ]
        assert commands.count("EXAMINE") == 1
        assert "UID" not in commands

    def test_a_star_that_means_the_last_message_lists_nothing_twice(
        self, server: Dovecot, user: str, make: Make
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])
        _, first = listed(make())

        def without_next_uid(data: bytes) -> bytes:
            return re.sub(rb"\* OK \[UIDNEXT \d+\][^\r\n]*\r\n", b"", data)

        with ImapProxy(server.port, on_data=without_next_uid) as proxy:
            items, last = listed(make(proxy.port), cursor=first.cursor)
            assert proxy.commands("UID SEARCH UID 2:*")
        assert items == []
        assert last.cursor == first.cursor

    def test_another_uidvalidity_reads_all_anew_with_the_same_ids(
        self, server: Dovecot, user: str, make: Make, tmp_path: Path
    ) -> None:
        messages = [mail(1, attachment("a.pdf")), mail(2, attachment("b.pdf", BIG))]
        server.put(user, messages, "Talks")
        source = make(mailboxes=["Talks"])
        before, first = listed(source)
        with server.login(user) as client:
            client.delete("Talks")
        server.put(user, list(reversed(messages)), "Talks")
        after, second = listed(make(mailboxes=["Talks"]), cursor=first.cursor)
        assert sorted(ids(after)) == sorted(ids(before))
        assert second.complete
        assert json.loads(second.cursor)["boxes"]["Talks"][0] != json.loads(first.cursor)["boxes"]["Talks"][0]
        # What was listed before the change is found again by its Message-ID.
        assert fetched(make(mailboxes=["Talks"]), before[1], tmp_path / "into")[1]["file"] == BIG

    def test_a_cursor_that_makes_no_sense_counts_as_none(
        self, server: Dovecot, user: str, make: Make
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])
        for cursor in ("nonsense", "[]", '{"boxes": {"INBOX": [1]}}', '{"boxes": 3}'):
            items, last = listed(make(), cursor=cursor)
            assert len(items) == 1
            assert last.complete

    def test_a_limit_does_not_move_the_cursor(self, server: Dovecot, user: str, make: Make) -> None:
        server.put(user, [mail(number, attachment("a.pdf")) for number in range(4)])
        items, last = listed(make(), limit=2)
        assert len(items) == 2
        assert last == api.Checkpoint("", complete=False)

    def test_an_empty_mailbox(self, make: Make) -> None:
        items, last = listed(make())
        assert items == []
        assert last.complete


class TestMailboxes:
    def test_several_with_foreign_names_and_one_copy_of_each_message(
        self, server: Dovecot, user: str, make: Make, tmp_path: Path
    ) -> None:
        message = mail(1, attachment("a.pdf"))
        server.put(user, [message])
        server.put(user, [message, mail(2, attachment("b.pdf"))], encode("已发送/北京 & 深圳"))
        (tmp_path / "box.eml").write_bytes(message)
        source = make(mailboxes=["INBOX", "已发送/北京 & 深圳"], paths="box.eml")
        found = materials(source)
        assert ids(list(found)) == ["m1@example.org/2", "m2@example.org/2"]
        assert found[1].extra["mailbox"] == "已发送/北京 & 深圳"
        assert fetched(source, found[1], tmp_path / "into")[1]["file"] == PDF

    def test_a_star_leaves_out_what_is_thrown_away(self, server: Dovecot, user: str, make: Make) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])
        server.put(user, [mail(2, attachment("b.pdf"))], "Talks")
        server.put(user, [mail(3, attachment("c.pdf"))], "Trash")
        items, _ = listed(make(mailboxes=["*"]))
        assert sorted(ids(items)) == ["m1@example.org/2", "m2@example.org/2"]

    def test_a_mailbox_of_all_mail_stands_for_all(self, server: Dovecot, user: str, make: Make) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))], "All")
        server.put(user, [mail(2, attachment("b.pdf"))])

        def on_data(data: bytes) -> bytes:
            return re.sub(rb'LIST \(([^)]*)\) "/" "?All"?\r', rb'LIST (\1 \\All) "/" All\r', data)

        with ImapProxy(server.port, on_data=on_data) as proxy:
            items, _ = listed(make(proxy.port, mailboxes=["*"]))
        assert ids(items) == ["m1@example.org/2"]

    def test_one_that_is_not_there_keeps_the_others_from_nothing(
        self, server: Dovecot, user: str, make: Make
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])
        source = make(mailboxes=["Nowhere", "INBOX"])
        items: list[object] = []
        with pytest.raises(api.InvalidError, match=r"'Nowhere' cannot be opened.*There are: .*INBOX"):
            items.extend(source.discover(api.Scope((entry(),)), ""))
        assert [item.id for item in items if isinstance(item, api.Material)] == ["m1@example.org/2"]
        with pytest.raises(api.InvalidError, match="Nowhere"):
            source.check()

    @settings(deadline=None)
    @given(st.text(max_size=60))
    def test_every_name_survives_the_wire(self, name: str) -> None:
        wire = encode(name)
        assert wire.isascii()
        assert decode(wire) == name or any("\ud800" <= char <= "\udfff" for char in name)

    def test_names_as_others_write_them(self) -> None:
        assert encode("收件箱") == "&ZTZO9nux-"
        assert decode("&dcVr0mWHTvZZOQ-") == "病毒文件夹"
        assert decode("&!!-x&") == "&!!-x&"


class TestLogin:
    def test_a_wrong_password_is_blocked_and_told_to_nobody(self, make: Make) -> None:
        with pytest.raises(api.BlockedError, match="app password") as caught:
            make(password="wrong-secret-1").check()
        assert "wrong-secret-1" not in str(caught.value)
        assert "AUTHENTICATIONFAILED" in str(caught.value)

    def test_a_password_in_any_script(self, make: Make) -> None:
        with pytest.raises(api.BlockedError) as caught:
            make(password="密码-secret").check()
        assert "密码" not in str(caught.value)

    def test_a_server_that_repeats_the_password(self, server: Dovecot, make: Make) -> None:
        def echo(line: bytes, reply: Callable[[bytes], None]) -> bytes | None:
            if b" LOGIN " not in line:
                return line
            tag, _, rest = line.partition(b" ")
            reply(tag + b" BAD what is " + rest + b"\r\n")
            return None

        def only_login(data: bytes) -> bytes:
            return data.replace(b"AUTH=PLAIN", b"X-NOTHING ")

        with ImapProxy(server.port, echo, only_login) as proxy:
            source = make(proxy.port, password="my-secret-2")
            with pytest.raises(api.BlockedError) as caught:
                source.check()
        assert "my-secret-2" not in str(caught.value)

    def test_plain_login_where_there_is_nothing_else(self, server: Dovecot, user: str, make: Make) -> None:
        with ImapProxy(server.port, on_data=lambda data: data.replace(b"AUTH=PLAIN", b"X-NOTHING ")) as proxy:
            make(proxy.port).check()
            assert proxy.commands(f'LOGIN "{user}"')
            with pytest.raises(api.BlockedError, match="ASCII"):
                make(proxy.port, password="密码").check()

    def test_a_server_that_takes_no_password_unencrypted(self, server: Dovecot, make: Make) -> None:
        def on_data(data: bytes) -> bytes:
            return data.replace(b"AUTH=PLAIN", b"LOGINDISABLED")

        with ImapProxy(server.port, on_data=on_data) as proxy, pytest.raises(api.BlockedError, match="tls"):
            make(proxy.port).check()

    def test_a_passing_refusal_is_tried_again(self, server: Dovecot, make: Make) -> None:
        def busy(line: bytes, reply: Callable[[bytes], None]) -> bytes | None:
            if b"AUTHENTICATE" not in line:
                return line
            reply(line.partition(b" ")[0] + b" NO [UNAVAILABLE] Too many simultaneous connections\r\n")
            return None

        with ImapProxy(server.port, busy) as proxy, pytest.raises(api.TransientError):
            make(proxy.port).check()

    def test_an_unreachable_server(self, make: Make) -> None:
        import socket

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with pytest.raises(api.TransientError, match=r"127\.0\.0\.1"):
            make(port).check()


@pytest.fixture(scope="module")
def secure() -> Iterator[Dovecot]:
    with Dovecot(tls=True) as running:
        yield running


class TestEncrypted:
    @pytest.mark.parametrize("tls", ["on", "starttls"])
    def test_a_trusted_certificate(
        self, secure: Dovecot, sources: Sources, user: str, tls: str, tmp_path: Path
    ) -> None:
        secure.put(user, [mail(1, attachment("a.pdf", BIG))])
        port = secure.tls_port if tls == "on" else secure.port
        source = sources.make(
            imap=f"localhost:{port}",
            username=user,
            password=PASSWORD,
            tls=tls,
            ca_file=str(secure.certificate),
        )
        (item,) = materials(source)
        assert fetched(source, item, tmp_path / "into")[1]["file"] == BIG

    @pytest.mark.parametrize(("host", "trusted"), [("localhost", False), ("127.0.0.1", True)])
    def test_a_certificate_that_does_not_fit(
        self, secure: Dovecot, sources: Sources, user: str, host: str, trusted: bool
    ) -> None:
        ca_file = str(secure.certificate) if trusted else ""
        source = sources.make(
            imap=f"{host}:{secure.tls_port}", username=user, password=PASSWORD, ca_file=ca_file
        )
        with pytest.raises(api.FatalError, match="certificate"):
            source.check()

    def test_starttls_that_is_not_offered(self, server: Dovecot, make: Make) -> None:
        with pytest.raises(api.SourceError, match="STARTTLS"):
            make(tls="starttls").check()


class Tokens(Service):
    """A token endpoint, and what the mail server asks whose a token is."""

    def __init__(self) -> None:
        super().__init__()
        self.good: dict[str, str] = {}
        self.forms: list[bytes] = []
        self.answers: list[Reply] = []

    def routes(self) -> Routes:
        return {"POST /token": self.token, "/tokeninfo": self.info}

    def token(self, request: Request) -> Reply:
        self.forms.append(request.body)
        return self.answers.pop(0)

    def info(self, request: Request) -> Reply:
        email = self.good.get(request.query.get("access_token", ""))
        return Reply.json({"email": email}) if email else Reply.json({"error": "invalid_token"}, 401)


@pytest.fixture(scope="module")
def tokens() -> Iterator[Tokens]:
    with Tokens() as service:
        yield service


@pytest.fixture(scope="module")
def oauth_server(tokens: Tokens) -> Iterator[Dovecot]:
    with Dovecot(tokens=f"{tokens.url}/tokeninfo?access_token=") as running:
        yield running


class TestXoauth2:
    def source(
        self, oauth_server: Dovecot, tokens: Tokens, sources: Sources, user: str, **options: Any
    ) -> Email:
        oauth = {"base_url": f"{tokens.url}/token", "client_id": "app", "refresh_token": "refresh-secret"}
        given = {
            "imap": f"127.0.0.1:{oauth_server.port}",
            "username": user,
            "tls": "none",
            "oauth": oauth | options,
        }
        return sources.make(tokens.url, **given)

    def test_a_refresh_token_gives_access(
        self, oauth_server: Dovecot, tokens: Tokens, sources: Sources, user: str
    ) -> None:
        tokens.good["access-1"] = user
        tokens.answers = [Reply.json({"access_token": "access-1", "expires_in": 3600})]
        tokens.forms.clear()
        oauth_server.put(user, [mail(1, attachment("a.pdf"))])
        source = self.source(oauth_server, tokens, sources, user, client_secret="client-secret", scope="imap")
        assert len(materials(source)) == 1
        source.close()
        assert len(materials(source)) == 1  # logged in again with the same token
        assert len(tokens.forms) == 1
        form = tokens.forms[0].decode()
        assert "grant_type=refresh_token" in form
        assert "refresh_token=refresh-secret" in form
        assert "client_secret=client-secret" in form
        assert "scope=imap" in form

    def test_a_token_taken_back_before_its_time_is_renewed_once(
        self, oauth_server: Dovecot, tokens: Tokens, sources: Sources, user: str
    ) -> None:
        tokens.good["access-3"] = user
        tokens.answers = [Reply.json({"access_token": "access-2"}), Reply.json({"access_token": "access-3"})]
        self.source(oauth_server, tokens, sources, user).check()
        assert tokens.answers == []

    def test_a_token_that_is_never_taken(
        self, oauth_server: Dovecot, tokens: Tokens, sources: Sources, user: str
    ) -> None:
        tokens.answers = [Reply.json({"access_token": f"bad-{number}"}) for number in range(2)]
        with pytest.raises(api.BlockedError) as caught:
            self.source(oauth_server, tokens, sources, user).check()
        assert "bad-" not in str(caught.value)

    @pytest.mark.parametrize(
        "answer",
        [
            Reply.json({"error": "invalid_grant", "error_description": "refresh-secret"}, 400),
            Reply.json({"access_token": "two\nlines"}),
            Reply.json([]),
        ],
    )
    def test_a_consent_that_ended(
        self, oauth_server: Dovecot, tokens: Tokens, sources: Sources, user: str, answer: Reply
    ) -> None:
        tokens.answers = [answer]
        with pytest.raises(api.BlockedError, match="refresh token") as caught:
            self.source(oauth_server, tokens, sources, user).check()
        assert "refresh-secret" not in str(caught.value)


class TestServices:
    """What single services want."""

    @staticmethod
    def netease(introduced: list[bytes]) -> Callable[[bytes, Callable[[bytes], None]], bytes | None]:
        def on_line(line: bytes, reply: Callable[[bytes], None]) -> bytes | None:
            tag, _, rest = line.partition(b" ")
            if rest.startswith(b"ID "):
                introduced.append(rest)
            if rest.startswith(b"EXAMINE") and not introduced:
                reply(tag + b" NO EXAMINE Unsafe Login. Please contact kefu@188.com for help\r\n")
                return None
            return line

        return on_line

    def test_netease_is_told_who_we_are(self, server: Dovecot, user: str, make: Make) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])
        introduced: list[bytes] = []
        with ImapProxy(server.port, self.netease(introduced)) as proxy:
            assert len(materials(make(proxy.port))) == 1
        assert b'"name" "event-archiver"' in introduced[0]

    def test_netease_refusing_all_the_same_says_what_to_do(self, server: Dovecot, make: Make) -> None:
        def without_id(data: bytes) -> bytes:
            return re.sub(rb" ID(?=[ \r\]])", b"", data)

        with ImapProxy(server.port, self.netease([]), without_id) as proxy:
            with pytest.raises(api.BlockedError, match="authorisation code"):
                make(proxy.port).check()
            assert not proxy.commands("ID ")

    def test_gmail_is_asked_in_its_own_words(self, server: Dovecot, user: str, make: Make) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])

        def on_line(line: bytes, reply: Callable[[bytes], None]) -> bytes | None:
            del reply
            return re.sub(rb' X-GM-RAW "[^"]*"', b"", line)

        def on_data(data: bytes) -> bytes:
            return data.replace(b"CAPABILITY IMAP4rev1", b"CAPABILITY X-GM-EXT-1 IMAP4rev1")

        with ImapProxy(server.port, on_line, on_data) as proxy:
            assert len(materials(make(proxy.port, gmail_search="has:attachment"))) == 1
            assert 'X-GM-RAW "has:attachment"' in proxy.commands("UID SEARCH")[0]

    def test_others_are_not(self, server: Dovecot, user: str, make: Make) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])
        with ImapProxy(server.port) as proxy:
            assert len(materials(make(proxy.port, gmail_search="has:attachment"))) == 1
            assert "X-GM-RAW" not in proxy.commands("UID SEARCH")[0]


class TestFilters:
    def put(self, server: Dovecot, user: str) -> None:
        server.put(
            user,
            [
                mail(1, attachment("a.pdf"), subject="Beijing stop: Chef"),
                mail(2, attachment("b.pdf"), subject="=?utf-8?B?5YyX5Lqs56uZ?="),
                mail(3, attachment("c.pdf"), subject="北京站讲稿".encode("gbk")),
                mail(4, attachment("d.pdf"), subject="Shenzhen", to="box+shenzhen@example.test"),
                mail(5, attachment("e.pdf"), subject="Other", **{"from": "Ada <ada@example.net>"}),
            ],
        )

    @pytest.mark.parametrize("search", ["server", "local"])
    @pytest.mark.parametrize(
        ("options", "found"),
        [
            ({"subject": "beijing  STOP"}, [1]),
            ({"subject": ["chef", "shenzhen"]}, [1, 4]),
            ({"sender": "ada@example.net"}, [5]),
            ({"sender": "example.net"}, [5]),
            ({"sender": "Ada"}, [5]),
            ({"to": "box+shenzhen@example.test"}, [4]),
            ({"sender": "jq@example.org", "subject": "other"}, []),
            ({"since": "2012-09-17"}, []),
            ({"until": "2012-09-15"}, []),
            ({"since": "2012-09-16", "until": "2012-09-16", "subject": "Other"}, [5]),
        ],
    )
    def test_filters_choose(
        self, server: Dovecot, user: str, make: Make, search: str, options: dict[str, Any], found: list[int]
    ) -> None:
        self.put(server, user)
        items = materials(make(search=search), entry(**options))
        assert [item.id for item in items] == [f"m{number}@example.org/2" for number in found]
        assert {item.event for item in items} <= {"beijing"}

    def test_the_server_is_asked_first(self, server: Dovecot, user: str, make: Make) -> None:
        self.put(server, user)
        with ImapProxy(server.port) as proxy:
            entries = [
                entry(subject="Chef", since="2012-09-01"),
                entry(SHENZHEN, sender=["a@b", "c d"], to="box"),
            ]
            listed(make(proxy.port, since=date(2012, 9, 10)), *entries)
            one, two, answers = proxy.commands("UID SEARCH")
        assert one == 'UID SEARCH UID 1:* SINCE 9-Sep-2012 (SUBJECT "Chef")'
        assert two == (
            'UID SEARCH UID 1:* SINCE 9-Sep-2012 OR (FROM "a@b") (FROM "c" FROM "d") '
            'OR OR OR (TO "box") (CC "box") (HEADER Delivered-To "box") (HEADER X-Original-To "box")'
        )
        assert answers == (
            'UID SEARCH UID 1:* SINCE 9-Sep-2012 OR OR OR OR OR HEADER In-Reply-To "" SUBJECT "#" '
            'TO "+" CC "+" HEADER Delivered-To "+" HEADER X-Original-To "+"'
        )

    @pytest.mark.parametrize("search", ["server", "local"])
    def test_answers_to_our_mails_pass_every_filter(
        self, server: Dovecot, user: str, make: Make, search: str
    ) -> None:
        asked = "k3f9h2xz.0123456789abcdef@archive.example"
        server.put(
            user,
            [
                mail(1, attachment("a.pdf"), subject="Re: [bj/chef#k3f9h2xz] Your slides"),
                mail(2, attachment("b.pdf"), to="Box <box+k3f9h2xz@example.test>"),
                mail(3, attachment("c.pdf"), in_reply_to=f"<{asked}>"),
                mail(4, attachment("d.pdf"), subject="ticket #12345678", to="box+shenzhen@example.test"),
                mail(5, attachment("e.pdf"), in_reply_to="<somebody@else.example>"),
            ],
        )
        items = materials(make(search=search), entry(subject="Nothing"))
        assert [item.id for item in items] == [f"m{number}@example.org/2" for number in (1, 2, 3)]
        assert {item.event for item in items} == {""}

    def test_a_header_longer_than_what_is_read_at_first(
        self, server: Dovecot, user: str, make: Make, tmp_path: Path
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf"), to=MANY, subject=None), mail(2, attachment("b.pdf"))])
        source = make()
        items = materials(source)
        assert [item.id for item in items] == ["m1@example.org/2", "m2@example.org/2"]
        assert fetched(source, items[0], tmp_path / "into")[1]["file"] == PDF

    def test_a_message_of_parts_without_a_boundary_is_told(
        self, server: Dovecot, user: str, make: Make
    ) -> None:
        server.put(user, [header(1) + multipart([attachment("a.pdf")]).replace(b"boundary=", b"x=")])
        items, _ = listed(make())
        assert ["'Talk 1' of 2012-09-16" in str(item.error) for item in items if hasattr(item, "error")] == [
            True
        ]

    def test_a_link_with_a_secret_is_read_from_the_server_again(
        self, server: Dovecot, user: str, make: Make
    ) -> None:
        server.put(user, [mail(1, body="https://example.org/a.pdf?token=hunter22")])
        source = make()
        (item,) = materials(source)
        assert "hunter22" not in str(item)
        link = source._link(item)
        assert link is not None
        assert link.url == "https://example.org/a.pdf?token=hunter22"

    def test_an_entry_that_wants_everything_needs_one_search(
        self, server: Dovecot, user: str, make: Make
    ) -> None:
        self.put(server, user)
        with ImapProxy(server.port) as proxy:
            items = materials(make(proxy.port), entry(subject="Chef"), entry(SHENZHEN))
            assert proxy.commands("UID SEARCH") == ["UID SEARCH UID 1:*"]
        assert len(items) == 5
        assert [item.event for item in items] == ["beijing", "", "", "", ""]

    def test_another_script_is_sent_as_a_literal(self, server: Dovecot, user: str, make: Make) -> None:
        self.put(server, user)
        with ImapProxy(server.port) as proxy:
            items = materials(make(proxy.port), entry(subject="北京站"))
            assert "CHARSET UTF-8 UID 1:* SUBJECT {9}" in proxy.commands("UID SEARCH")[0]
        # The server cannot read raw GBK; the search done here can.
        assert [item.id for item in items] == ["m2@example.org/2"]
        assert len(materials(make(search="local"), entry(subject="北京站"))) == 2

    def test_a_server_without_that_charset(self, server: Dovecot, user: str, make: Make) -> None:
        self.put(server, user)

        def refuse(line: bytes, reply: Callable[[bytes], None]) -> bytes | None:
            if b"CHARSET" not in line:
                return line
            reply(line.partition(b" ")[0] + b" NO [BADCHARSET (US-ASCII)] no\r\n")
            return None

        with ImapProxy(server.port, refuse) as proxy:
            items = materials(make(proxy.port), entry(subject="北京站"))
        assert len(items) == 2

    def test_a_message_that_two_events_chose_is_left_to_the_core(
        self, server: Dovecot, user: str, make: Make
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf"), subject="Beijing and Shenzhen")])
        (item,) = materials(make(), entry(subject="Beijing"), entry(SHENZHEN, subject="Shenzhen"))
        assert item.event == ""
        assert item.extra["events"] == "beijing shenzhen"


def corpus() -> list[bytes]:
    """Messages of every build."""
    related = multipart(
        [text('<img src="cid:l">', kind="html"), leaf("image/png; name=l.png", b"x", "Content-ID: <l>")],
        "related",
        "r",
    )
    gbk = "讲稿.pdf".encode("gbk")
    placed = "Content-Disposition: attachment; "
    return [
        mail(1, attachment("a b.pdf"), attachment("", b"%PDF-x", "application/pdf")),
        header(2) + attachment("root.pdf"),
        header(3) + multipart([multipart([text("x"), related], "alternative", "a"), attachment("deck.pdf")]),
        header(4)
        + multipart([text("fyi"), forwarded(mail(40, attachment("fwd.pdf"), subject="Inner"))], boundary="o"),
        header(5) + multipart([text("fyi"), forwarded(header(50) + attachment("single.pdf"))], boundary="o"),
        header(6)
        + multipart([text("fyi"), leaf("message/rfc822", mail(60, attachment("packed.pdf")))], boundary="o"),
        mail(7, attachment(gbk), subject="北京".encode("gbk")),
        mail(8, leaf(b'application/pdf; name="' + gbk + b'"', PDF)),
        mail(9, leaf("application/x", PDF, f"{placed}filename*0*=gb2312''%BD%B2; filename*1*=%B8%E5.pdf")),
        mail(10, leaf("application/x", PDF, f'{placed}filename="=?gb2312?B?vbI=?=\n =?gb2312?B?uOUucGRm?="')),
        mail(11, leaf("application/x", PDF, f"{placed}filename=my talk.pdf")),
        mail(12, attachment("../../x.pdf"), message_id="<[a]@x>"),
        mail(13, body="https://pan.baidu.com/s/1AbCdEf 提取码: x1y2 and https://example.org/a.pdf"),
        header(14) + b"\nbegin 644 deck.ppt\n#0V%T\n`\nend\n",
        header(15)
        + multipart(
            [leaf("application/pgp-encrypted", b"V"), leaf("application/octet-stream; name=e.asc", b"-")],
            "encrypted",
        ),
        mail(16, leaf("application/ms-tnef; name=winmail.dat", b"x")),
        header(17) + forwarded(mail(70, attachment("rootfwd.pdf"))),
        header(18) + multipart([b"\n" + header(80) + attachment("digest.pdf")], "digest", "d"),
        mail(19, attachment("dated.pdf"), date="16 Sep 2012 10:00:00 CST", subject="=?gb2312?B?sbG+qQ==?="),
    ]


def test_a_server_and_files_tell_the_same(
    server: Dovecot, user: str, make: Make, sources: Sources, tmp_path: Path
) -> None:
    messages = corpus()
    server.put(user, messages)
    (tmp_path / "eml").mkdir()
    for number, message in enumerate(messages):
        (tmp_path / "eml" / f"{number:02}.eml").write_bytes(message)

    def told(item: Listed) -> dict[str, Any]:
        material = item.material if isinstance(item, api.Unavailable) else item
        place = {"root", "file", "mailbox", "validity", "uid"}
        extra = {key: value for key, value in material.extra.items() if key not in place}
        plain = replace(material, extra=extra, size=None)
        return {"material": plain, "problem": str(getattr(item, "error", ""))}

    on_server, in_files = make(), sources.make(paths="eml")
    one, two = listed(on_server)[0], listed(in_files)[0]
    assert [told(item) for item in one] == [told(item) for item in two]
    assert len(one) == 21
    for at, (left, right) in enumerate(zip(one, two, strict=True)):
        if isinstance(left, api.Material) and "link" not in left.extra:
            assert fetched(on_server, left, tmp_path / f"s{at}") == (
                left,
                found := fetched(in_files, right, tmp_path / f"f{at}")[1],
            )
            assert found["file"]


class TestDamagedNames:
    def test_a_name_that_the_server_lost_is_read_from_the_part(
        self, server: Dovecot, user: str, make: Make
    ) -> None:
        gbk = "讲稿.pdf".encode("gbk")
        server.put(user, [mail(1, attachment(gbk)), header(2) + attachment(gbk)])
        spoilt: list[int] = []

        def spoil(data: bytes) -> bytes:
            # As a literal or in quotes, in the structure alone.
            lost, count = re.subn(rb'("filename" (?:"|\{\d+\}\r\n))' + gbk, rb"\1????.pdf", data)
            spoilt.extend([1] * count)
            return lost

        with ImapProxy(server.port, on_data=spoil) as proxy:
            items = materials(make(proxy.port))
            assert proxy.commands("UID FETCH 1 (UID BODY.PEEK[2.MIME])")
        assert len(spoilt) == 2
        assert [item.extra["name"] for item in items] == ["讲稿.pdf", "讲稿.pdf"]


class TestFetch:
    def test_a_large_part_comes_in_pieces_with_progress(
        self, server: Dovecot, user: str, sources: Sources, tmp_path: Path
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf", BIG))])
        seen: list[tuple[int, int | None]] = []
        with ImapProxy(server.port) as proxy:
            source = sources.make(
                imap=f"127.0.0.1:{proxy.port}",
                username=user,
                password=PASSWORD,
                tls="none",
                progress=lambda done, total=None: seen.append((done, total)),
            )
            (item,) = materials(source)
            assert fetched(source, item, tmp_path / "into")[1]["file"] == BIG
            offsets = re.findall(r"BODY\.PEEK\[2\]<(\d+)\.1048576>", "\n".join(proxy.lines))
        assert [int(offset) for offset in offsets] == [number << 20 for number in range(6)]
        assert len(seen) == 6
        assert item.size is not None
        assert abs(item.size - len(BIG)) < 1000

    @pytest.mark.parametrize("cuts", [[3_000_000], [1_500_000, 900, 2_500_000, 30, 1_200_000]])
    def test_a_broken_connection_goes_on_where_it_was(
        self, server: Dovecot, user: str, make: Make, tmp_path: Path, cuts: list[int]
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf", BIG))])
        (item,) = materials(make())
        with ImapProxy(server.port, cut_after=list(cuts)) as proxy:
            assert fetched(make(proxy.port), item, tmp_path / "into")[1]["file"] == BIG
            offsets = [
                int(offset) for offset in re.findall(r"BODY\.PEEK\[2\]<(\d+)\.", "\n".join(proxy.lines))
            ]
            assert proxy.connections == len(cuts) + 1
        assert offsets.count(0) <= 2
        assert max(offsets) == 5 << 20

    def test_a_connection_that_breaks_again_and_again_is_given_up(
        self, server: Dovecot, user: str, make: Make, tmp_path: Path
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf", BIG))])
        (item,) = materials(make())
        with ImapProxy(server.port, cut_after=[2000] * 20) as proxy:
            with pytest.raises(api.TransientError):
                fetched(make(proxy.port), item, tmp_path / "into")
            assert proxy.connections < 10

    def test_another_uidvalidity_after_a_break(
        self, server: Dovecot, user: str, make: Make, tmp_path: Path
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf", BIG))])
        (item,) = materials(make())
        proxies: list[ImapProxy] = []

        def exchanged(data: bytes) -> bytes:
            later = bool(proxies) and proxies[0].connections > 1
            return re.sub(rb"\[UIDVALIDITY \d+\]", b"[UIDVALIDITY 7]", data) if later else data

        with ImapProxy(server.port, on_data=exchanged, cut_after=[3_000_000]) as proxy:
            proxies.append(proxy)
            assert fetched(make(proxy.port), item, tmp_path / "into")[1]["file"] == BIG
            assert proxy.commands('UID SEARCH UID 1:* HEADER Message-ID "m1@example.org"')

    def test_a_listing_goes_on_after_a_break(self, server: Dovecot, user: str, make: Make) -> None:
        server.put(user, [mail(number, attachment("a.pdf")) for number in range(250)])
        with ImapProxy(server.port, cut_after=[20_000, 50_000]) as proxy:
            assert len(materials(make(proxy.port))) == 250
            assert proxy.connections == 3

    def test_a_message_that_was_moved_is_found(
        self, server: Dovecot, user: str, make: Make, tmp_path: Path
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])
        server.put(user, [], "Done")
        source = make(mailboxes=["INBOX", "Done"])
        (item,) = materials(source)
        with server.login(user) as client:
            client.select()
            client.uid("MOVE", "1", "Done")
        assert fetched(source, item, tmp_path / "into")[1]["file"] == PDF

    def test_a_message_that_was_deleted_is_gone(
        self, server: Dovecot, user: str, make: Make, tmp_path: Path
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])
        source = make()
        (item,) = materials(source)
        with server.login(user) as client:
            client.select()
            client.store("1", "+FLAGS", "\\Deleted")
            client.expunge()
        with pytest.raises(api.GoneError, match=r"<m1@example\.org> is in no mailbox any more"):
            fetched(source, item, tmp_path / "into")

    @pytest.mark.parametrize(
        ("sidecar", "has", "has_not"),
        [
            ("brief", ["Subject: Talk 1", "From: Junqiang Chen"], ["Hello", "jq@example.org", "box@"]),
            ("text", ["Subject: Talk 1", "Hello"], ["jq@example.org", "box@"]),
            ("whole", ["Hello", "jq@example.org", "To: box@example.test"], []),
        ],
    )
    def test_what_is_kept_of_the_message(
        self,
        server: Dovecot,
        user: str,
        make: Make,
        tmp_path: Path,
        sidecar: str,
        has: list[str],
        has_not: list[str],
    ) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])
        source = make(sidecar=sidecar)
        (item,) = materials(source)
        kept = fetched(source, item, tmp_path / "into")[1]["message.txt"].decode()
        assert [words for words in has if words not in kept] == []
        assert [words for words in has_not if words in kept or words in str(item)] == []

    def test_nothing_may_be_kept_of_it(self, server: Dovecot, user: str, make: Make, tmp_path: Path) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])
        source = make(sidecar="none")
        (item,) = materials(source)
        assert set(fetched(source, item, tmp_path / "into")[1]) == {"file"}


class TestHostileServers:
    def test_one_that_falls_silent_is_left(self, server: Dovecot, make: Make) -> None:
        with ImapProxy(server.port) as proxy:
            proxy.silent = True
            with pytest.raises(api.TransientError, match="did not answer in time"):
                make(proxy.port, timeout=0.3).check()

    def test_one_that_drips_is_left(self, server: Dovecot, user: str, make: Make) -> None:
        import threading

        server.put(user, [mail(1, attachment("a.pdf"))])
        stop = threading.Event()

        def drip(line: bytes, reply: Callable[[bytes], None]) -> bytes | None:
            if b"UID FETCH" not in line:
                return line
            with_line = b"* 1 FETCH ("
            while not stop.wait(0.05):
                try:
                    reply(with_line)
                except OSError:
                    break
                with_line = b" "
            return None

        with ImapProxy(server.port, drip) as proxy:
            with pytest.raises(api.TransientError, match="in time"):
                listed(make(proxy.port, timeout=0.5))
            stop.set()

    @pytest.mark.parametrize(
        "answer",
        [
            b"* 1 FETCH (UID 1 BODY[HEADER]<0> {99999999999}\r\n",
            b"* 1 FETCH (UID 1 BODYSTRUCTURE " + b"(" * 5000 + b"\r\n",
            b"* 1 FETCH (UID 1 \xff\xfe\r\n",
            b"garbage\r\n",
            b"* BYE go away\r\n",
        ],
    )
    def test_one_that_answers_nonsense(self, server: Dovecot, user: str, make: Make, answer: bytes) -> None:
        server.put(user, [mail(1, attachment("a.pdf"))])

        def nonsense(line: bytes, reply: Callable[[bytes], None]) -> bytes | None:
            if b"UID FETCH" not in line:
                return line
            reply(answer + line.partition(b" ")[0] + b" OK done\r\n")
            return None

        with ImapProxy(server.port, nonsense) as proxy, pytest.raises(api.SourceError, match="server"):
            listed(make(proxy.port, timeout=2))

    def test_a_message_whose_structure_makes_no_sense_spoils_no_other(
        self, server: Dovecot, user: str, make: Make
    ) -> None:
        server.put(
            user, [mail(number, attachment(f"{'bad' if number == 3 else 'good'}.pdf")) for number in range(7)]
        )

        def spoil(data: bytes) -> bytes:
            return data.replace(b'"bad.pdf"', b"bad)))))))")

        with ImapProxy(server.port, on_data=spoil) as proxy:
            items, last = listed(make(proxy.port))
        bad = [item for item in items if isinstance(item, api.Unavailable)]
        assert len(items) == 7
        assert [item.material.id for item in bad] == ["m3@example.org/all"]
        assert last.complete

    def test_a_part_that_is_refused_for_now_keeps_the_cursor_where_it_was(
        self, server: Dovecot, user: str, make: Make
    ) -> None:
        inner = leaf("message/rfc822", mail(2, attachment("packed.pdf")))
        server.put(user, [header(1) + multipart([text("fyi"), inner], boundary="o")])

        def busy(line: bytes, reply: Callable[[bytes], None]) -> bytes | None:
            if b"PEEK[2]" not in line:
                return line
            reply(line.partition(b" ")[0] + b" NO [UNAVAILABLE] try later\r\n")
            return None

        with ImapProxy(server.port, busy) as proxy, pytest.raises(api.TransientError):
            listed(make(proxy.port))
        assert ids(listed(make())[0]) == ["m1@example.org/2.2"]

    def test_messages_nested_too_deeply_are_pending(self, server: Dovecot, user: str, make: Make) -> None:
        def nested(depth: int) -> bytes:
            return b"".join(
                f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n".encode() for n in range(depth)
            )

        server.put(
            user,
            [
                header(1) + nested(3000) + b"\nx",
                mail(2, attachment("a.pdf")),
                header(3) + nested(50) + attachment("deep.pdf"),
            ],
        )
        items, _ = listed(make())
        assert [item.id for item in items if isinstance(item, api.Material)][-1].endswith(".1")
        assert "m2@example.org/2" in ids(items)


_CHILD = """
import resource, sys
from pathlib import Path
from plugins.mails import Sources, materials
folder, port, user = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with Sources(folder) as sources:
    source = sources.make(imap=f"127.0.0.1:{port}", username=user, password="secret", tls="none")
    (item,) = materials(source)
    (folder / "into").mkdir()
    list(source.fetch(item, folder / "into"))
size = (folder / "into" / "file").stat().st_size
print(size, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) // 1024)
"""


def measured(server: Dovecot, user: str, folder: Path) -> tuple[int, int]:
    """List a mailbox of one attachment and fetch it, in a child: bytes, and growth of its memory in MiB."""
    path = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(folder), str(server.port), user],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        capture_output=True,
        text=True,
        timeout=110,
    )
    size, growth = map(int, done.stdout.split())
    return size, growth


def test_a_hundred_megabytes_take_little_memory(server: Dovecot, user: str, tmp_path: Path) -> None:
    data = os.urandom(1_000_002) * 100
    server.put(user, [mail(1, attachment("a.pdf", data))])
    size, growth = measured(server, user, tmp_path)
    assert size == len(data)
    assert growth < 50


def test_thousands_of_messages_that_carry_nothing_take_no_memory(
    server: Dovecot, user: str, tmp_path: Path
) -> None:
    server.put(user, [mail(0, attachment("a.pdf"))])
    box, owner = server.dir / "mail" / user / "new", (server.dir / "mail").stat()
    for number in range(1, 4000):
        path = box / f"1.{number}.x"
        path.write_bytes(header(number) + b"\nhello\n")
        os.chown(path, owner.st_uid, owner.st_gid)
    size, growth = measured(server, user, tmp_path)
    assert size == len(PDF)
    assert growth < 30
