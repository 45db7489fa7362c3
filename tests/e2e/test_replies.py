"""Answers to our mails file themselves under their talks, doubtful ones wait, and decisions hold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import reply_kit as kit
from archiver.archive import Head, look
from archiver.cli import execute
from archiver.contracts import Context
from archiver.ledger import Record
from archiver.logbook import ASKED, DECISIONS
from archiver.testing import Reply, Routes, Service
from archiver_plugins.disk import DiskOptions, DiskSink
from reply_kit import Asked, Mail

TITLES = {
    "beijing/chef": "Deploy OpenStack with Chef",
    "beijing/keystone": "Explanation of Keystone",
    "beijing/swift": "Swift Architecture and Practice",
    "shenzhen/nagios": "Monitoring a Cloud with Nagios",
    "shenzhen/billing": "Billing for Private Clouds",
}


def head(folder: Path) -> Head:
    context = Context("local", folder, http=None)  # type: ignore[arg-type]  # a disk needs none
    return look("local", DiskSink(DiskOptions(path=Path("archive")), context))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """A project whose speakers were asked by drafts; those of a single talk each."""
    kit.project(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert execute(["ask", "beijing", "--to", "drafts"]) == 0
    assert execute(["ask", "shenzhen", "--to", "drafts"]) == 0
    found = kit.read_drafts(tmp_path / "drafts")
    assert len(found) == 6
    return [one for one in found if one.talk in TITLES]


def placed(record: Record) -> str:
    """Where a record is: "" while it waits."""
    if not record.material.event:
        assert not record.files
        return ""
    return "/".join(part for part in (record.material.event, record.match.talk) if part)


def check(folder: Path, mails: list[Mail]) -> list[Record]:
    """Hold every attachment to its place; give those that wait."""
    records = {
        (each.material.extra["key"], each.material.extra.get("name", "")): each
        for each in head(folder).records.values()
    }
    found, expected = {}, {}
    for mail in mails:
        for name, place in mail.belongs.items():
            key = next(key for key in records if key[0].startswith(mail.message_id) and key[1] == name)
            found[mail.name, name] = placed(records[key])
            expected[mail.name, name] = place
            assert bool(records[key].files) == bool(place), (mail.name, records[key].problem)
    assert found == expected
    return [record for record in records.values() if not record.material.event]


def test_a_hundred_answers_and_none_is_misfiled(
    tmp_path: Path, asked: list[Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    sure = [*kit.plain_replies(asked), *kit.titled_replies(asked, TITLES)]
    doubtful = [*kit.doubtful(asked, TITLES), *kit.by_evidence()]
    assert len(sure) + len(doubtful) >= 100
    kit.write(tmp_path, [*sure, *doubtful])
    assert execute(["run"]) == 0
    waiting = check(tmp_path, [*sure, *doubtful])
    capsys.readouterr()
    assert execute(["matches", "list", "--json"]) == 0
    listed = lines(capsys)
    assert len([each for each in listed if not each["held"]]) == len(waiting)
    assert all(each["why"] for each in listed)
    shown = json.dumps(listed)
    assert "@" not in shown.replace("@client.example", "")
    # Nothing new: the same again, no version, nothing fetched.
    before = head(tmp_path).digests
    assert execute(["run"]) == 0
    assert head(tmp_path).digests == before
    check(tmp_path, [*sure, *doubtful])


def short_of(name: str, listed: list[dict[str, Any]], subject: str = "") -> str:
    found = [each["id"] for each in listed if each["file"] == name and subject in each["subject"]]
    assert len(found) == 1, found
    return str(found[0])


def matches(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert execute(["matches", "list", "--json"]) == 0
    return lines(capsys)


def decided(tmp_path: Path, asked: list[Asked], capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Three doubtful mails, one accepted to a talk, one to an event, one rejected."""
    by_talk = {one.talk: one for one in asked}
    chef = by_talk["beijing/chef"]
    mails = [
        Mail("wrong", f"X <{chef.to}>", f"Re: {chef.subject}", {"Explanation of Keystone.pdf": ""}),
        Mail("both", "D <d@o.example>", "Beijing, Shenzhen", {"panel.pdf": ""}),
        Mail("bill", f"X <{chef.to}>", "Invoice 77", {"invoice 77.pdf": ""}),
    ]
    kit.write(tmp_path, mails)
    assert execute(["run"]) == 0
    check(tmp_path, mails)
    listed = matches(capsys)
    ids = {name: short_of(name, listed) for mail in mails for name in mail.belongs}
    keystone = ids["Explanation of Keystone.pdf"]
    likely = next(each for each in listed if each["id"] == keystone)["candidates"][0]
    assert (likely["event"], likely["talk"], likely["why"]) == ("beijing", "keystone", "by its title")
    assert execute(["matches", "accept", keystone, "beijing/keystone"]) == 0
    assert execute(["matches", "accept", ids["panel.pdf"][:5], "shenzhen"]) == 0
    assert execute(["matches", "reject", ids["invoice 77.pdf"], "--reason", "an invoice"]) == 0
    assert matches(capsys) == []
    return ids


def places(folder: Path) -> dict[str, str]:
    return {each.material.extra["name"]: placed(each) for each in head(folder).records.values()}


WANTED = {"Explanation of Keystone.pdf": "beijing/keystone", "panel.pdf": "shenzhen"}


def test_decisions_are_followed_and_hold(
    tmp_path: Path, asked: list[Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    decided(tmp_path, asked, capsys)
    # Before the next run the archive says so already; then the bytes come.
    assert places(tmp_path) == WANTED
    assert not any(each.files for each in head(tmp_path).records.values())
    assert execute(["run"]) == 0
    assert places(tmp_path) == WANTED
    assert all(each.files for each in head(tmp_path).records.values())
    before = head(tmp_path).digests
    assert execute(["run"]) == 0
    assert head(tmp_path).digests == before
    assert matches(capsys) == []


def test_a_decision_outlives_the_name_of_the_source_and_the_machine(
    tmp_path: Path, asked: list[Asked], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = decided(tmp_path, asked, capsys)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("mail", "archive"):
        shutil.copytree(tmp_path / name, elsewhere / name)
    shutil.copy(tmp_path / "box.mbox", elsewhere)
    text = (tmp_path / "archive.yaml").read_text("utf-8")
    (elsewhere / "archive.yaml").write_text(text.replace("inbox", "letters"), "utf-8")
    monkeypatch.chdir(elsewhere)
    assert execute(["run"]) == 0
    records = [each for each in head(elsewhere).records.values() if each.source == "letters"]
    assert {each.material.extra["name"]: placed(each) for each in records} == WANTED
    assert all(each.files for each in records)
    # Somebody changes their mind.
    assert execute(["matches", "accept", ids["invoice 77.pdf"], "beijing"]) == 0
    assert execute(["run"]) == 0
    assert places(elsewhere)["invoice 77.pdf"] == "beijing"


def test_what_was_filed_wrongly_is_moved_by_a_decision(
    tmp_path: Path, asked: list[Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    chef = next(one for one in asked if one.talk == "beijing/chef")
    mail = Mail("odd", f"X <{chef.to}>", f"Re: {chef.subject}", {"slides.pdf": "beijing/chef"})
    kit.write(tmp_path, [mail])
    assert execute(["run"]) == 0
    check(tmp_path, [mail])
    capsys.readouterr()
    assert execute(["matches", "list", "--json"]) == 0
    assert not lines(capsys)
    assert execute(["matches", "list", "--all", "--json"]) == 0
    (placed,) = lines(capsys)
    assert (placed["event"], placed["talk"]) == ("beijing", "chef")
    # By the short id that the list shows, or by the source's own as it stands in the ledger.
    record = next(iter(head(tmp_path).records.values()))
    assert execute(["matches", "accept", record.material.id, "beijing"]) == 0
    assert execute(["matches", "accept", placed["id"], "shenzhen/billing"]) == 0
    assert execute(["run"]) == 0
    capsys.readouterr()
    assert execute(["status", "--json"]) == 0
    status = lines(capsys)[0]
    states = {
        (event["id"], talk["id"]): talk["kinds"]["slides"]["state"]
        for event in status["events"]
        for talk in event["talks"]
    }
    assert states["beijing", "chef"] == "missing"
    assert states["shenzhen", "billing"] == "have"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["accept", "zzzz", "beijing"], "no material 'zzzz'"),
        (["accept", "zzzz", "bejing"], "Did you mean 'beijing'?"),
        (["accept", "zzzz", "beijing/chief"], "Did you mean 'chef'?"),
        (["reject", "a"], "at least the first four"),
    ],
)
def test_a_wrong_call_says_what_is_right(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    call: list[str],
    message: str,
) -> None:
    kit.project(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert execute(["matches", *call]) == 2
    assert message in capsys.readouterr().err


class Share(Service):
    """A share service with one file."""

    def routes(self) -> Routes:
        return {"/{path:path}": lambda _: Reply.file(kit.deck("shared"), "application/pdf")}


def test_a_share_link_in_an_answer_is_filed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Share() as service:
        kit.project(tmp_path, more=f', mirrors: {{www.dropbox.com: "{service.url}"}}')
        assert execute(["ask", "beijing", "--talk", "chef", "--to", "drafts"]) == 0
        (chef,) = kit.read_drafts(tmp_path / "drafts")
        mail = Mail("link", f"X <{chef.to}>", "Re: slides", {}, in_reply_to=chef.message_id)
        mail.text = "https://www.dropbox.com/scl/fi/x1y2z3/my-final.pdf?rlkey=k&dl=0\n"
        baidu = Mail("pan", f"X <{chef.to}>", "Re: slides", {}, to=chef.reply_to)
        baidu.text = "https://pan.baidu.com/s/1AbCdEfGhIjKlMnOpQrStUw 提取码: 8k2q\n"
        kit.write(tmp_path, [mail, baidu])
        assert execute(["run"]) == 1  # the second needs a person
    records = head(tmp_path).records.values()
    held = {each.material.extra["service"]: (placed(each), bool(each.files)) for each in records}
    assert held == {"dropbox": ("beijing/chef", True), "baidu-pan": ("beijing/chef", False)}


class TestAsking:
    def test_who_was_asked_is_told_and_not_asked_again(
        self, tmp_path: Path, asked: list[Asked], capsys: pytest.CaptureFixture[str]
    ) -> None:
        capsys.readouterr()
        assert execute(["ask", "beijing", "--to", "more"]) == 0
        told = capsys.readouterr().out
        assert "“Deploy OpenStack with Chef”: asked today (as a draft). Ask once more with --again." in told
        assert "No address is known for “Nobody Knows the Address” by No Address" in told
        assert not (tmp_path / "more").exists()
        assert execute(["ask", "beijing", "--to", "more", "--again"]) == 0
        assert len(kit.read_drafts(tmp_path / "more")) == 4
        capsys.readouterr()
        assert execute(["status"]) == 0
        shown = capsys.readouterr().out
        assert "slides of “Deploy OpenStack with Chef” by Junqiang Chen, asked today (as a draft)" in shown

    def test_one_mail_covers_all_talks_of_a_speaker(self, tmp_path: Path, asked: list[Asked]) -> None:
        drafts = kit.read_drafts(tmp_path / "drafts")
        (hui,) = [one for one in drafts if one.to == "hui@speakers.example"]
        assert hui.talk == "beijing"
        mails = [
            Mail(
                "q",
                f"X <{hui.to}>",
                f"Re: {hui.subject}",
                {"quantum-networking-inside.pdf": "beijing/quantum"},
            ),
            Mail("n", f"X <{hui.to}>", f"Re: {hui.subject}", {"slides.pdf": ""}),
        ]
        kit.write(tmp_path, mails)
        assert execute(["run"]) == 0
        check(tmp_path, mails)

    def test_no_address_and_no_text_reaches_the_archive(self, tmp_path: Path, asked: list[Asked]) -> None:
        (tmp_path / "mail" / "x.eml").write_bytes(
            Mail("x", f"X <{asked[0].to}>", f"Re: {asked[0].subject}", {"slides.pdf": ""}).raw()
        )
        assert execute(["run"]) == 0
        for path in (tmp_path / "archive").rglob("*"):
            data = path.read_bytes() if path.is_file() else b""
            assert b"speakers.example" not in data, path
            assert b"Would you send" not in data, path

    def test_the_logbooks_are_lines_that_anybody_reads(
        self, tmp_path: Path, asked: list[Asked], capsys: pytest.CaptureFixture[str]
    ) -> None:
        decided(tmp_path, asked, capsys)
        common = head(tmp_path).object("_archive")
        first = json.loads(common.read(ASKED).splitlines()[0])
        assert set(first) == {"at", "event", "message_id", "speaker", "talks", "token", "way"}
        verdicts = [json.loads(line)["verdict"] for line in common.read(DECISIONS).splitlines()]
        assert verdicts == ["accept", "accept", "reject"]

    def test_drafts_in_chinese(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        kit.project(tmp_path, "zh")
        monkeypatch.chdir(tmp_path)
        assert execute(["ask", "beijing"]) == 0
        assert "请分享您的讲稿《Deploy OpenStack with Chef》" in " ".join(
            one.subject for one in kit.read_drafts(tmp_path / "asks")
        )


def test_drafts_that_cannot_be_written_are_told_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kit.project(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert execute(["run"]) in {0, 1}
    (tmp_path / "taken").write_text("a file")
    assert execute(["ask", "beijing", "--to", "taken/drafts"]) == 2
    assert "cannot be written into taken/drafts" in capsys.readouterr().err
