"""Notifiers against real receivers: a web server, a mail server and a file."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr, ValidationError

from archiver import notify
from archiver.config import ArchiveSettings, Config, NotifySpec
from archiver.config.mail import MailSection
from archiver.contracts import Context, Notice, Options
from archiver.digest import Digest
from archiver.digest.model import Figure, Item, Trouble
from archiver.errors import TransientError
from archiver.registry import Registry, load_plugins
from archiver_plugins import notifiers
from archiver_plugins.notifiers import (
    MailNotifier,
    MailOptions,
    SummaryNotifier,
    SummaryOptions,
    WebhookNotifier,
    WebhookOptions,
)
from archiver_plugins.notifiers.signing import key_of, signature
from archiver_plugins.notifiers.summary import MOST, VARIABLE
from archiver_plugins.notifiers.webhook import MOST_BYTES, encode

SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byt").decode()
NEW = Item(
    "beijing", "北京站", "photos", "1", "photo", "<b>[x](http://evil.example)", "https://example.org/1"
)
TOLD = Digest("A tour", "20121202T093000Z-3f9a2c", new=(NEW,), coverage=Figure(3, 4))


@dataclass
class Receiver:
    """What a webhook got, and what it answers: statuses in turn, the last one for ever."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(204, {})])
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        self.got.append((path, headers, body))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server calls
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answered = made.take(self.path, headers, body)
            self.send_response(status)
            for name, value in answered.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield made
        server.shutdown()
        thread.join(10)


def registry() -> Registry:
    found = {each.type_name: each for each in notifiers.archiver_notifiers()}
    known = load_plugins()
    return Registry(known.plugins, known.sources, known.sinks, known._manager, found)


def config(folder: Path, options: Options, kind: str, when: str = "changes", **more: Any) -> Config:
    spec = NotifySpec(kind, options, when)
    return Config(folder / "a.yaml", folder, ArchiveSettings("A tour"), (), (), (), notify=(spec,), **more)


def hook(receiver: Receiver, **more: Any) -> WebhookOptions:
    url = f"{receiver.base_url}/services/T0/SECRETPART?token=abcd1234"
    base = {"url": url, "base_url": receiver.base_url, "pause": 0, **more}
    return WebhookOptions.model_validate(base)


def told(folder: Path, options: Options, kind: str, digest: Digest = TOLD, **more: Any) -> str:
    (delivery,) = notify.deliver(config(folder, options, kind, **more), registry(), digest)
    assert delivery.type == kind
    return delivery.error


class TestWebhook:
    def test_what_arrives_is_signed_and_whole(self, receiver: Receiver, tmp_path: Path) -> None:
        assert told(tmp_path, hook(receiver, secret=SECRET), "webhook") == ""
        ((path, headers, body),) = receiver.got
        assert path == "/services/T0/SECRETPART?token=abcd1234"
        assert headers["content-type"] == "application/json"
        # As a receiver would check it, by the words of the standard.
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(b"a key of twenty-four byt", signed, hashlib.sha256).digest())
        assert headers["webhook-signature"] == "v1," + expected.decode()
        data = json.loads(body)
        assert data["type"] == "archive.run"
        assert data["data"]["new"][0]["stop"] == "北京站"
        assert data["data"]["coverage"] == {"have": 3, "wanted": 4, "percent": 75}
        assert data["text"].startswith("A tour: 1 new, 75 % here")

    def test_the_example_of_the_standard(self) -> None:
        # https://github.com/standard-webhooks/standard-webhooks, the test of its libraries.
        made = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
        )
        assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_without_a_secret_nothing_is_signed(self, receiver: Receiver, tmp_path: Path) -> None:
        assert told(tmp_path, hook(receiver), "webhook") == ""
        assert "webhook-signature" not in receiver.got[0][1]

    @pytest.mark.parametrize("status", [429, 500, 502, 503])
    def test_a_passing_fault_is_tried_again_under_one_id(
        self, receiver: Receiver, tmp_path: Path, status: int
    ) -> None:
        receiver.answers = [(status, {"retry-after": "0"}), (status, {}), (200, {})]
        assert told(tmp_path, hook(receiver), "webhook") == ""
        assert len(receiver.got) == 3
        assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1

    def test_tries_are_bounded(self, receiver: Receiver, tmp_path: Path) -> None:
        receiver.answers = [(500, {})]
        assert "127.0.0.1 answered 500" in told(tmp_path, hook(receiver, attempts=3), "webhook")
        assert len(receiver.got) == 3

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 301, 307])
    def test_a_refusal_is_not_repeated_and_tells_no_secret(
        self, receiver: Receiver, tmp_path: Path, status: int
    ) -> None:
        receiver.answers = [(status, {"location": "http://elsewhere.example/"})]
        error = told(tmp_path, hook(receiver, secret=SECRET), "webhook")
        assert str(status) in error
        assert len(receiver.got) == 1
        for secret in ("SECRETPART", "abcd1234", SECRET):
            assert secret not in error

    def test_nobody_there(self, receiver: Receiver, tmp_path: Path) -> None:
        options = hook(receiver, attempts=2).model_copy(
            update={"url": SecretStr("http://127.0.0.1:1/SECRETPART"), "base_url": "http://127.0.0.1:1"}
        )
        error = told(tmp_path, options, "webhook")
        assert error.startswith("http://127.0.0.1:1/… could not be fetched: Connection refused")
        assert "SECRETPART" not in error

    def test_somebody_who_never_answers_is_not_waited_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(notify, "SHORT", 1.0)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            there = Receiver(port=silent.getsockname()[1])
            first = NotifySpec("webhook", hook(there), "always")
            second = NotifySpec("github-summary", SummaryOptions(path=Path("s.md")), "always")
            both = replace(config(tmp_path, SummaryOptions(), "webhook"), notify=(first, second))
            began = time.monotonic()
            deliveries = notify.deliver(both, registry(), TOLD, left=1)
            # Four tries of thirty seconds it was; a second, on a machine with much to do.
            assert time.monotonic() - began < 20
        assert [(each.type, each.entry, bool(each.error)) for each in deliveries] == [
            ("webhook", 1, True),
            ("github-summary", 2, False),
        ]
        assert f"http://127.0.0.1:{there.port}/… could not be fetched: " in deliveries[0].error
        assert (tmp_path / "s.md").exists()

    def test_no_pause_outlasts_the_time(self, receiver: Receiver, tmp_path: Path) -> None:
        receiver.answers = [(500, {})]
        made = config(tmp_path, hook(receiver, pause=60), "webhook")
        (delivery,) = notify.deliver(made, registry(), TOLD)
        assert "answered 500" in delivery.error
        assert len(receiver.got) == 1

    def test_a_private_address_is_refused_unless_it_is_named(
        self, receiver: Receiver, tmp_path: Path
    ) -> None:
        error = told(tmp_path, hook(receiver, base_url=None), "webhook")
        assert "loopback address" in error
        assert receiver.got == []

    def test_a_large_digest_is_cut_and_says_so(self) -> None:
        items = [{"title": "x" * 1000}] * 2000
        notice = Notice("s", "t" * 10**6, "m", {"run": "r", "new": items, "missing": []})
        body = encode(notice)
        assert len(body) <= MOST_BYTES
        assert json.loads(body)["data"]["truncated"] is True
        assert len(json.loads(body)["data"]["new"]) == 50
        assert json.loads(encode(Notice("s", "t", "m", {"new": []})))["data"]["truncated"] is False

    @pytest.mark.parametrize("url", ["hooks.example.org/x", "ftp://example.org/x", "http://", "http://[x"])
    def test_what_is_no_address(self, url: str) -> None:
        with pytest.raises(ValidationError, match="expected an address like") as caught:
            WebhookOptions.model_validate({"url": url})
        assert "url" in str(caught.value)

    def test_what_is_no_key(self) -> None:
        with pytest.raises(ValueError, match="base64"):
            key_of("whsec_!!!")
        assert key_of("plain") == b"plain"


class Inbox:
    """Keeps the mails it is given."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer = "250 OK"

    async def handle_DATA(  # noqa: N802  # the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        return self.answer


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, MailSection]]:
    handler = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    smtp = {"host": "127.0.0.1", "port": port, "security": "none"}
    yield handler, MailSection.model_validate({"from": "COSUG <archive@example.org>", "smtp": smtp})
    controller.stop()


class TestMail:
    def test_it_arrives(self, inbox: tuple[Inbox, MailSection], tmp_path: Path) -> None:
        handler, section = inbox
        options = MailOptions.model_validate({"to": ["Ada <ada@example.org>", "bo@example.org"]})
        assert told(tmp_path, options, "mail", mail=section) == ""
        (mail,) = handler.mails
        assert mail["To"] == "Ada <ada@example.org>, bo@example.org"
        assert mail["Subject"] == "A tour: 1 new, 75 % here"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert "北京站: photo “<b>[x](http://evil.example)” from photos" in mail.get_content()

    def test_a_refusal_is_told(self, inbox: tuple[Inbox, MailSection], tmp_path: Path) -> None:
        handler, section = inbox
        handler.answer = "554 no"
        options = MailOptions.model_validate({"to": "bo@example.org"})
        assert "refused the mail: 554 no" in told(tmp_path, options, "mail", mail=section)

    def test_without_a_server(self, tmp_path: Path) -> None:
        options = MailOptions.model_validate({"to": "bo@example.org"})
        assert "no `mail:` section" in told(tmp_path, options, "mail")

    @pytest.mark.parametrize("to", [[], "nobody", "a@b\r\nBcc: c@d", "å@example.org", ["a@b"] * 51])
    def test_what_is_no_address(self, to: Any) -> None:
        with pytest.raises(ValidationError):
            MailOptions.model_validate({"to": to})


class TestSummary:
    def test_it_is_appended(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "summary.md"
        path.write_text("before\n", encoding="utf-8")
        monkeypatch.setenv(VARIABLE, str(path))
        assert told(tmp_path, SummaryOptions(), "github-summary") == ""
        text = path.read_text(encoding="utf-8")
        assert text.startswith("before\n## A tour\n")
        # A title is text: no tag, no link of its own.
        assert "<b>" not in text
        assert not re.search(r"(?<!\\)\]\(http://evil", text)

    def test_on_a_laptop_there_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(VARIABLE, raising=False)
        assert told(tmp_path, SummaryOptions(), "github-summary") == ""
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_cannot_be_written(self, tmp_path: Path) -> None:
        error = told(tmp_path, SummaryOptions(path=Path("missing/summary.md")), "github-summary")
        assert "missing/summary.md cannot be written: No such file" in error

    def test_it_never_grows_beyond_what_is_shown(self, tmp_path: Path) -> None:
        notifier = SummaryNotifier(SummaryOptions(path=Path("s.md")), Context("n", tmp_path, http=None))  # type: ignore[arg-type]  # a file needs none
        for _ in range(3):
            notifier.deliver(Notice("", "", "讲稿 line\n" * 60_000, {}))
        text = (tmp_path / "s.md").read_bytes()
        assert len(text) <= MOST
        assert "The rest does not fit here" in text.decode("utf-8")


class TestWhen:
    QUIET = Digest("A tour", "20121202T093000Z-3f9a2c")
    OLD = Trouble("b", "B", "s", "1", "t", "blocked", "a captcha", "act", known=True, is_open=True)

    NEWS = replace(OLD, known=False)

    @pytest.mark.parametrize(
        ("digest", "heard"),
        [
            (QUIET, ["always"]),
            (TOLD, ["always", "changes"]),
            (Digest("A", "r", problems=(OLD,)), ["always"]),
            (Digest("A", "r", problems=(NEWS,)),
             ["always", "changes", "problems"]),
            (Digest("A", "r", error="no sink"), ["always", "changes", "problems"]),
        ],
    )  # fmt: skip
    def test_who_hears_of_what(self, digest: Digest, heard: list[str], tmp_path: Path) -> None:
        options = SummaryOptions(path=Path("s.md"))
        for when in ("always", "changes", "problems"):
            made = config(tmp_path, options, "github-summary", when)
            assert bool(notify.deliver(made, registry(), digest)) is (when in heard), when
            assert notify.is_wanted(made, digest) is (when in heard)
            assert notify.deliver(made, registry(), digest, forced=True)

    def test_a_notifier_that_breaks_is_named_and_keeps_nobody_from_hearing(
        self, receiver: Receiver, tmp_path: Path
    ) -> None:
        made = registry()

        class Breaking(MailNotifier):
            def deliver(self, notice: Notice) -> None:
                raise SystemExit("the password is hunter22hunter")

        broken = Registry(
            made.plugins, made.sources, made.sinks, made._manager, {**made.notifiers, "mail": Breaking}
        )
        first = NotifySpec("mail", MailOptions(to=("a@example.org",)), "always")
        second = NotifySpec("webhook", hook(receiver, secret="hunter22hunter"), "always")
        base = config(tmp_path, SummaryOptions(), "webhook")
        both = Config(base.path, base.folder, base.archive, (), (), (), notify=(first, second))
        assert [bool(each.error) for each in notify.deliver(both, broken, TOLD)] == [True, False]
        assert len(receiver.got) == 1


class TestTime:
    """All deliveries together have one bound, whatever a notifier does."""

    @pytest.mark.parametrize(
        ("left", "seconds"), [(None, 27), (3600, 27), (20, 18), (1, 4.5), (0, 4.5), (-100, 4.5)]
    )
    def test_no_more_of_it_than_the_run_has_left(
        self, tmp_path: Path, left: float | None, seconds: float
    ) -> None:
        made, seen = registry(), []

        class Asking(SummaryNotifier):
            def deliver(self, notice: Notice) -> None:
                seen.append(notice.seconds)

        asking = Registry(made.plugins, made.sources, made.sinks, made._manager, {"github-summary": Asking})
        given = config(tmp_path, SummaryOptions(), "github-summary", "always")
        assert [each.error for each in notify.deliver(given, asking, TOLD, left=left)] == [""]
        assert seen == [pytest.approx(seconds)]

    def test_one_that_does_not_come_back_is_given_up(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(notify, "SHORT", 0.2)
        made, never = registry(), threading.Event()

        class Hanging(SummaryNotifier):
            def deliver(self, notice: Notice) -> None:
                never.wait(60)

        hanging = Registry(made.plugins, made.sources, made.sinks, made._manager, {"github-summary": Hanging})
        given = config(tmp_path, SummaryOptions(), "github-summary", "always")
        (delivery,) = notify.deliver(given, hanging, TOLD, left=0)
        assert not never.is_set()
        never.set()
        assert delivery.error.endswith("and was given up; perhaps it arrived")


def test_the_plugin_announces_them() -> None:
    assert notifiers.archiver_notifiers() == [WebhookNotifier, MailNotifier, SummaryNotifier]


def test_a_notice_is_not_said_to_be_sent_by_the_next_run() -> None:
    class Refused(MailNotifier):
        def deliver(self, notice: Notice) -> None:
            del notice
            raise TransientError("HTTP 503", hint="Check the address; the next run tries again.")

    made = registry()
    known = Registry(
        made.plugins, made.sources, made.sinks, made._manager, {**made.notifiers, "mail": Refused}
    )
    told = config(Path(), MailOptions(to=("a@example.org",)), "mail")
    (delivery,) = notify.deliver(told, known, TOLD, forced=True)
    assert "Check the address; no other run sends this notice." in delivery.error
