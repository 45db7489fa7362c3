"""Mail through the whole program: from mailboxes and files to what a sink holds, and what it does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import media_samples as samples
from archiver.cli import execute
from archiver.testing import Reply, Request, Routes, Service
from plugins.dovecot import PASSWORD, Dovecot
from plugins.imap_proxy import ImapProxy
from plugins.mails import SEPARATOR, attachment, forwarded, header, mail, multipart, text

#: Nothing of this may reach a sink.
PRIVATE = [
    "stranger@", "secret.example", "10.9.8.7", "private-words", "private-lunch", "mx.hidden", PASSWORD,
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with Dovecot() as running:
        yield running


def project(folder: Path, sources: str) -> Path:
    config = folder / "archive.yaml"
    config.write_text(
        f"""
archive: {{title: A tour}}
sinks:
  local: {{type: disk, path: ./archive}}
sources:
{sources}
events:
  - id: beijing
    title: Beijing Stop
    talks:
      - {{title: Deploy OpenStack with Chef, speaker: Junqiang Chen, email: jq@secret.example}}
    sources:
      - {{use: inbox, subject: Beijing}}
  - id: shenzhen
    title: Shenzhen Stop
    talks: [{{title: Juju, speaker: Zheng Peng, email: zp@secret.example}}]
    sources:
      - {{use: inbox, subject: Shenzhen}}
""",
        encoding="utf-8",
    )
    return config


def run(config: Path, *words: str) -> int:
    return execute([words[0] if words else "run", "-c", str(config), *words[1:]])


def stored(folder: Path, event: str = "*") -> list[str]:
    return sorted(path.name for path in (folder / "archive").glob(f"ocfl/{event}/v*/content/slides/*"))


def pending(folder: Path, event: str = "beijing") -> dict[str, Any]:
    """Give the newest reason of each item of an event's ledgers that is not stored."""
    newest: dict[str, Any] = {}
    for path in sorted((folder / "archive").glob(f"ocfl/{event}/v*/content/metadata/ledger/*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            newest[record["material"]["id"]] = record
    return {ident: each["problem"] for ident, each in newest.items() if each["state"] != "stored"}


def everything(folder: Path) -> bytes:
    """Give all bytes and names that a sink holds."""
    files = [path for path in (folder / "archive").rglob("*") if path.is_file()]
    return b"\n".join(str(path.relative_to(folder)).encode() + path.read_bytes() for path in files)


def letters() -> list[bytes]:
    private = {
        "cc": "Stranger <stranger@secret.example>",
        "received": "from mx.hidden by here",
        "x_originating_ip": "10.9.8.7",
        "from": "Junqiang Chen <jq@secret.example>",
    }
    pages = samples.pdf(["Deploy OpenStack with Chef"])
    return [
        mail(1, attachment("chef.pdf", pages), subject="Beijing", body="private-words", **private),
        mail(2, subject="Beijing lunch", body="private-lunch", **private),
        mail(3, subject="Shenzhen", body="https://pan.baidu.com/s/1AbCdEf 提取码: x1y2", **private),
    ]


def test_a_mailbox_and_files_become_an_archive(
    server: Dovecot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    server.put("whole@example.test", letters())
    (tmp_path / "old.mbox").write_bytes(b"".join(SEPARATOR + each + b"\n" for each in letters()[:2]))
    with ImapProxy(server.port) as proxy:
        config = project(
            tmp_path,
            f"""
  inbox:
    type: email
    imap: 127.0.0.1:{proxy.port}
    username: whole@example.test
    password: "${{MAIL_PASSWORD}}"
    tls: none
    paths: old.mbox
""",
        )
        assert run(config) == 1  # one link needs a person
        told = capsys.readouterr().err
        assert "https://pan.baidu.com/s/1AbCdEf with the code x1y2 needs a person" in told
        # The same message in the mailbox and in the file is one deck.
        assert [name.rpartition(".")[2] for name in stored(tmp_path)] == ["pdf", "txt"]
        proxy.lines.clear()
        before = everything(tmp_path)
        assert run(config, "run", "--fail-on", "new") == 0
        assert proxy.commands("EXAMINE", "UID", "FETCH", "SELECT", "STATUS") == ['EXAMINE "INBOX"']
    # What needs a person still does, for the same reason.
    assert not list((tmp_path / "archive").glob("ocfl/*/v2"))
    assert [word for word in PRIVATE if word.encode() in before] == []
    capsys.readouterr()
    assert run(config, "search", "Chef", "--json") == 0
    assert json.loads(capsys.readouterr().out)["talk"] == "deploy-openstack-with-chef"
    assert run(config, "status") == 0
    shown = capsys.readouterr().out
    assert "x1y2" in shown
    assert "2 of 2" not in shown


class Shares(Service):
    """WeTransfer, as far as its links go."""

    def __init__(self, deck: bytes) -> None:
        super().__init__()
        self.deck = deck
        self.posted: list[Any] = []

    def routes(self) -> Routes:
        return {
            "/short/t-AbCdEf": lambda _: Reply.redirect("/long/downloads/0a1b2c3d4e/ff00"),
            "/long/downloads/0a1b2c3d4e/ff00": lambda _: Reply.html("<html>a page</html>"),
            "POST /long/api/v4/transfers/0a1b2c3d4e/download": self.address,
            "/cdn": lambda _: Reply(self.deck, headers={"content-disposition": "a; filename=Swift%20.pdf"}),
        }

    def address(self, request: Request) -> Reply:
        self.posted.append(json.loads(request.body))
        return Reply.json({"direct_link": f"{self.url}/cdn"})


def test_what_a_share_link_leads_to_is_archived(tmp_path: Path) -> None:
    deck = samples.pdf(["Behind a link"])
    (tmp_path / "a.eml").write_bytes(mail(1, subject="Beijing", body="Here: https://we.tl/t-AbCdEf"))
    with Shares(deck) as shares:
        hosts = f'{{we.tl: "{shares.url}/short", wetransfer.com: "{shares.url}/long"}}'
        config = project(tmp_path, f"  inbox: {{type: email, paths: a.eml, mirrors: {hosts}}}")
        assert run(config) == 0
        assert shares.posted == [{"intent": "entire_transfer", "security_hash": "ff00"}]
        address = shares.url.removeprefix("http://").encode()
    (path,) = (tmp_path / "archive").glob("ocfl/beijing/v1/content/slides/*.pdf")
    assert path.read_bytes() == deck
    assert path.name.startswith("swift")
    ledger = tmp_path / "archive/ocfl/beijing/v1/content/metadata/ledger/inbox.jsonl"
    assert b"https://we.tl/t-AbCdEf" in ledger.read_bytes()
    assert address not in everything(tmp_path)


def nested(depth: int) -> bytes:
    return b"".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n".encode() for n in range(depth)
    )


def bad_letters(deck: bytes) -> dict[str, bytes]:
    """Give messages with something wrong, by the words that tell what it is."""
    return {
        "nested deeper than 80": header(1, subject="Beijing") + nested(1000),
        "more than 1,000 parts": header(2, subject="Beijing") + multipart([text("x")] * 1001),
        "empty": mail(3, attachment("empty.pdf", b""), subject="Beijing"),
        "web page": mail(4, attachment("login.pdf", samples.login_page()), subject="Beijing"),
        "": mail(5, forwarded(mail(6, attachment("good.pdf", deck))), subject="Beijing"),
    }


@pytest.mark.parametrize("place", ["server", "file"])
def test_bad_messages_stay_pending_each_with_its_reason(
    server: Dovecot, tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    letters = bad_letters(samples.pdf(["A good deck"]))
    if place == "server":
        user = "bad@example.test"
        server.put(user, list(letters.values()))
        way = f'imap: "127.0.0.1:{server.port}", username: {user}, password: {PASSWORD}, tls: none'
    else:
        box = b"".join(SEPARATOR + each + b"\n" for each in letters.values())
        (tmp_path / "box").write_bytes(box)
        way = "paths: box"
    config = project(tmp_path, f"  inbox: {{type: email, {way}}}")
    assert run(config) == 1
    told = capsys.readouterr().err
    reasons = pending(tmp_path)
    assert len(reasons) == 4
    for words in filter(None, letters):
        assert words in told
        assert words in " | ".join(each["detail"] for each in reasons.values())
    assert len([name for name in stored(tmp_path, "beijing") if name.endswith(".pdf")]) == 1
    # The server lists only what is new now; what is tried again fails for the same reason.
    assert run(config, "run", "--fail-on", "new") == 0
    assert pending(tmp_path) == reasons


@pytest.mark.parametrize(
    "name", ["../../../evil.pdf", "a\0b.pdf", "a\r\nX-Evil: y.pdf", "C:\\con.pdf", "\u202efdp.exe", "-rf.pdf"]
)
def test_names_of_attachments_lead_nowhere(tmp_path: Path, name: str) -> None:
    deck = samples.pdf(["A deck"])
    (tmp_path / "a.eml").write_bytes(mail(1, attachment(name, deck), subject="Beijing"))
    config = project(tmp_path, "  inbox: {type: email, paths: a.eml}")
    assert run(config) == 0
    found = [path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == deck]
    assert len(found) == 1
    assert found[0].parent == tmp_path / "archive/ocfl/beijing/v1/content" / found[0].parent.name
    assert found[0].name.isprintable()


def test_a_mailbox_cut_in_the_middle_gives_what_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deck = samples.pdf(["A deck"])
    one, two = (attachment(name, deck + name.encode()) for name in ("heat.pdf", "swift.pdf"))
    box = b"".join(
        SEPARATOR + mail(number, part, subject="Beijing") + b"\n" for number, part in enumerate((one, two))
    )
    (tmp_path / "box").write_bytes(box[:-200])
    config = project(tmp_path, "  inbox: {type: email, paths: box}")
    assert run(config) == 1
    assert "ends in the middle of 'swift'" in capsys.readouterr().err
    assert len([name for name in stored(tmp_path) if name.endswith(".pdf")]) == 1
    (tmp_path / "box").write_bytes(box)  # copied whole this time
    assert run(config) == 0
    assert len({name for name in stored(tmp_path) if name.endswith(".pdf")}) == 2
