"""Mails go out over a real SMTP server; what it refuses is told for each speaker."""

from __future__ import annotations

import email
import email.policy
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from pydantic import SecretStr

import reply_kit as kit
from archiver.ask.post import Post
from archiver.cli import execute
from archiver.config.mail import SmtpSection
from archiver.errors import BlockedError, TransientError

PASSWORD = "correct horse battery"


class Inbox:
    """Keeps what it is given; refuses the recipients it is told to, and everything once it is full."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refused: dict[str, str] = {}
        self.data_answer = "250 OK"

    async def handle_RCPT(  # noqa: N802  # the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # likewise
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if not self.data_answer.startswith("250"):
            return self.data_answer
        content = envelope.content
        assert isinstance(content, bytes)
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.recipients += envelope.rcpt_tos
        return self.data_answer


def authenticate(server: SMTP, session: Session, envelope: Envelope, kind: str, data: Any) -> AuthResult:
    return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", "2", "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    return folder / "cert.pem"


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Start = Callable[..., Controller]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def start(inbox: Inbox) -> Iterator[Start]:
    running: list[Controller] = []

    def started(**options: Any) -> Controller:
        made = Controller(inbox, hostname="127.0.0.1", port=_free_port(), **options)
        made.start()
        running.append(made)
        return made

    yield started
    for each in running:
        each.stop()


def settings(server: Controller, **options: Any) -> SmtpSection:
    given = {"host": "localhost", "port": server.port, "security": "none", **options}
    return SmtpSection(**given)


def behind_a_login(start: Start, certificate: Path) -> SmtpSection:
    """Start a server that takes mail over STARTTLS after a login alone; give the settings that it wants."""
    server = start(
        tls_context=_context(certificate), require_starttls=True, authenticator=authenticate,
        auth_required=True,
    )  # fmt: skip
    return settings(
        server, security="starttls", username="box", password=SecretStr(PASSWORD), ca_file=certificate
    )


def message(to: str = "jq@speakers.example") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "box@cosug.example", to, "讲稿"
    made.set_content("您好")
    return made


def test_a_mail_arrives_over_starttls_with_a_login(
    start: Start, inbox: Inbox, certificate: Path, tmp_path: Path
) -> None:
    with Post(behind_a_login(start, certificate), tmp_path) as post:
        post.send(message())
        post.send(message("hui@speakers.example"))
    assert inbox.recipients == ["jq@speakers.example", "hui@speakers.example"]
    assert inbox.mails[0]["Subject"] == "讲稿"


def test_a_mail_arrives_over_tls(start: Start, inbox: Inbox, certificate: Path, tmp_path: Path) -> None:
    server = start(ssl_context=_context(certificate), server_hostname="localhost")
    with Post(settings(server, security="tls", ca_file=certificate), tmp_path) as post:
        post.send(message())
    assert len(inbox.mails) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_nobody_vouches_for_stops_everything(
    start: Start, inbox: Inbox, certificate: Path, tmp_path: Path, security: str
) -> None:
    context = _context(certificate)
    server = start(ssl_context=context) if security == "tls" else start(tls_context=context)
    with Post(settings(server, security=security), tmp_path) as post:
        for _ in range(2):
            with pytest.raises(BlockedError, match="certificate of localhost is not trusted"):
                post.send(message())
    assert inbox.mails == []


def test_a_certificate_of_another_host_is_refused(start: Start, certificate: Path, tmp_path: Path) -> None:
    server = start(ssl_context=_context(certificate))
    given = settings(server, host="127.0.0.1", security="tls", ca_file=certificate)
    with Post(given, tmp_path) as post, pytest.raises(BlockedError, match="certificate of 127"):
        post.send(message())


def test_a_wrong_password_is_told_without_it_and_tried_once(
    start: Start, certificate: Path, tmp_path: Path
) -> None:
    tried = []

    def refuse(server: SMTP, session: Session, envelope: Envelope, kind: str, data: Any) -> AuthResult:
        tried.append(data.password)
        return AuthResult(success=False, handled=False)

    server = start(tls_context=_context(certificate), authenticator=refuse, auth_required=True)
    given = settings(
        server, security="starttls", username="box", password=SecretStr("wrong one"), ca_file=certificate
    )
    with Post(given, tmp_path) as post:
        for _ in range(3):
            with pytest.raises(BlockedError, match="refused the login") as caught:
                post.send(message())
            assert "wrong one" not in str(caught.value)
    assert 1 <= len(tried) <= 2  # one for each way of logging in that the server offers


def test_a_check_logs_in_and_sends_nothing(
    start: Start, inbox: Inbox, certificate: Path, tmp_path: Path
) -> None:
    right = behind_a_login(start, certificate)
    with Post(right, tmp_path) as post:
        post.check()
        post.send(message())
    wrong = right.model_copy(update={"password": SecretStr("wrong one")})
    with Post(wrong, tmp_path) as post, pytest.raises(BlockedError, match="refused the login") as caught:
        post.check()
    assert "made for programs" in caught.value.hint
    assert "wrong one" not in str(caught.value)
    assert len(inbox.mails) == 1


def test_a_check_finds_a_server_that_does_not_encrypt(start: Start, tmp_path: Path) -> None:
    with Post(settings(start(), security="starttls"), tmp_path) as post:
        with pytest.raises(BlockedError, match="does not speak as configured") as caught:
            post.check()
        assert "mail.smtp.security" in caught.value.hint


def test_of_several_recipients_one_may_be_refused(
    start: Start, inbox: Inbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.refused["gone@speakers.example"] = "550 5.1.1 no such user"
    with Post(settings(start()), tmp_path) as post:
        post.send(message("jq@speakers.example, gone@speakers.example"))
    assert inbox.recipients == ["jq@speakers.example"]
    assert "refused 1 of the recipients: 550 5.1.1 no such user" in caplog.text


def test_a_refused_recipient_does_not_stop_the_next(start: Start, inbox: Inbox, tmp_path: Path) -> None:
    inbox.refused["gone@speakers.example"] = "550 5.1.1 no such user"
    with Post(settings(start()), tmp_path) as post:
        with pytest.raises(BlockedError, match=r"refused the recipient: 550 5\.1\.1 no such user"):
            post.send(message("gone@speakers.example"))
        post.send(message())
    assert inbox.recipients == ["jq@speakers.example"]


def test_a_refused_mail_is_told(start: Start, inbox: Inbox, tmp_path: Path) -> None:
    inbox.data_answer = "554 5.7.1 looks like advertising"
    with Post(settings(start()), tmp_path) as post, pytest.raises(BlockedError, match="advertising"):
        post.send(message())


def test_nobody_there(tmp_path: Path) -> None:
    given = SmtpSection(host="127.0.0.1", port=_free_port(), security="none")
    with Post(given, tmp_path) as post, pytest.raises(TransientError, match="could not be reached"):
        post.send(message())


def test_a_server_without_encryption_gets_nothing(start: Start, inbox: Inbox, tmp_path: Path) -> None:
    given = settings(start(), security="starttls")
    with Post(given, tmp_path) as post, pytest.raises(BlockedError, match="does not speak as configured"):
        post.send(message())
    assert inbox.mails == []


def test_the_command_sends_and_tells_of_each_speaker(
    start: Start,
    inbox: Inbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    inbox.refused["hui@speakers.example"] = "550 5.1.1 no such user"
    config = kit.project(tmp_path)
    smtp = f'"COSUG <box@cosug.example>", smtp: {{host: 127.0.0.1, port: {start().port}, security: none}}'
    config.write_text(config.read_text("utf-8").replace('"COSUG <box@cosug.example>"', smtp), "utf-8")
    monkeypatch.chdir(tmp_path)
    assert execute(["ask", "beijing", "--send"]) == 1
    told = capsys.readouterr().out
    assert "Junqiang Chen was asked for “Deploy OpenStack with Chef”." in told
    assert "Hui Cheng was not asked for" in told
    assert "550 5.1.1 no such user" in told
    mail = inbox.mails[0]
    assert mail["Subject"].startswith("[beijing/chef#")
    token = str(mail["Subject"]).split("#")[1].partition("]")[0]
    assert mail["Reply-To"].addresses[0].addr_spec == f"box+{token}@cosug.example"
    assert mail["Message-ID"].startswith(f"<{token}.")
    assert "X-Unsent" not in mail
    assert "Dear Junqiang Chen," in mail.get_content()
    # Only who was not reached is asked the next time.
    inbox.refused.clear()
    inbox.recipients.clear()
    assert execute(["ask", "beijing", "--send", "--json"]) == 0
    assert inbox.recipients == ["hui@speakers.example"]
    data = json.loads(capsys.readouterr().out)
    assert [each["way"] for each in data["asked"]] == ["sent"]
    assert data["no_address"] == ["unknown"]
    assert execute(["status"]) == 0
    assert "slides of “Quantum Networking Inside” by Hui Cheng, asked today\n" in capsys.readouterr().out


def test_sending_needs_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kit.project(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert execute(["ask", "beijing", "--send"]) == 2
    assert "smtp:" in capsys.readouterr().err
    assert not (tmp_path / "archive").exists()


def test_asking_needs_an_address_to_write_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = kit.project(tmp_path)
    lines = config.read_text("utf-8").splitlines()
    config.write_text("\n".join(line for line in lines if not line.startswith("mail:")), "utf-8")
    monkeypatch.chdir(tmp_path)
    assert execute(["ask", "beijing"]) == 2
    assert "mail:" in capsys.readouterr().err


def test_whoever_has_nobody_to_ask_needs_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = kit.project(tmp_path)
    lines = [line for line in config.read_text("utf-8").splitlines() if not line.startswith("mail:")]
    text = "\n".join(re.sub(r", email: [^,}]+", "", line) for line in lines)
    config.write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert execute(["ask", "beijing"]) == 0
    told = capsys.readouterr()
    assert "No address is known for" in told.out
    assert "mail:" not in told.out + told.err


def test_a_talk_is_named_once_where_all_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kit.project(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert execute(["ask", "beijing", "--talk", "zzzz"]) == 2
    assert capsys.readouterr().err.count("\n  chef") == 1
