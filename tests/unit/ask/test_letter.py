"""The mail that asks: its address, its code, its words; and who gets one."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.ask.letter import compose
from archiver.ask.who import Request, whom
from archiver.asked import NOBODY_ASKED, Ask, Asks, Way
from archiver.config import ArchiveSettings
from archiver.config.mail import MailSection
from archiver.coverage import coverage
from archiver.errors import ConfigError
from archiver.ledger import Match, Problem, Record, State, StoredFile
from archiver.model import Event, Kind, Material, Talk
from archiver.routing import hints

CHEF = Talk("chef", "Deploy {OpenStack} with “Chef” 100%", ("Junqiang Chen",), "jq@example.org")
LIBVIRT = Talk("libvirt", "Libvirt", ("Junqiang Chen", "Wei Li"), "JQ@example.org")
ALONE = Talk("alone", "No address", ("Nobody",))
EVENT = Event("beijing", "Beijing Stop", talks=(CHEF, LIBVIRT, ALONE))
NOW = datetime(2012, 9, 23, 12, tzinfo=UTC)
ARCHIVE = ArchiveSettings("2012 Tour", "COSUG")


def written(*talks: Talk, language: str = "en", token: str = "k3f9b2xz", **mail: Any) -> EmailMessage:
    section = MailSection.model_validate({"from": "COSUG <box@cosug.example>", **mail})
    request = Request(EVENT, talks, talks[0].speakers[0] if talks[0].speakers else "", talks[0].email)
    made = compose(request, replace(ARCHIVE, language=language), section, token, NOW)
    parsed = email.message_from_bytes(made.as_bytes(), policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_one_talk() -> None:
    mail = written(CHEF)
    assert mail["Subject"] == "[beijing/chef#k3f9b2xz] Your slides of “Deploy {OpenStack} with “Chef” 100%”"
    assert mail["Reply-To"] == "COSUG <box+k3f9b2xz@cosug.example>"
    assert mail["To"] == "Junqiang Chen <jq@example.org>"
    text = mail.get_content().replace("\r\n", "\n")
    assert text.startswith("Dear Junqiang Chen,\n\nthank you for your talk “Deploy {OpenStack}")
    assert text.endswith("Many thanks,\nCOSUG\n")


def test_several_talks_in_chinese() -> None:
    mail = written(CHEF, LIBVIRT, language="zh-CN")
    assert mail["Subject"] == "[beijing#k3f9b2xz] 请分享您在Beijing Stop的讲稿"
    assert "  - Libvirt\r\n" in mail.get_content()


def test_answers_to_another_mailbox_without_plus() -> None:
    mail = written(CHEF, reply_to="desk@cosug.example", plus=False)
    assert mail["Reply-To"] == "desk@cosug.example"


def test_a_talk_that_several_give_goes_to_all_of_them() -> None:
    talk = Talk("chef", "Chef", ("A", "B"), email="a@example.org, b@example.org")
    message = written(talk)
    assert [each.addr_spec for each in message["To"].addresses] == ["a@example.org", "b@example.org"]
    assert talk.emails == ("a@example.org", "b@example.org")
    (request,) = whom(coverage([Event("e", "E", talks=(talk,))], ()).events[0], NOBODY_ASKED, NOW).requests
    assert (request.speaker, request.email) == ("A & B", talk.email)


def test_an_address_that_cannot_be_written_to_is_told() -> None:
    with pytest.raises(ConfigError, match="address of Junqiang Chen"):
        written(replace(CHEF, email="讲师@example.org"))


@given(title=st.text(min_size=1, max_size=300), talk=st.text(min_size=1, max_size=80))
def test_the_code_is_found_again_whatever_the_talk_is_called(title: str, talk: str) -> None:
    plain = " ".join("".join(c if c.isprintable() else " " for c in title).split()) or "x"
    mail = written(replace(CHEF, id=talk, title=plain))
    found = hints.read(Material("x", Kind.SLIDES, extra={"subject": f"回复：{mail['Subject']}"}))
    assert found is not None
    assert found.tokens[0] == "k3f9b2xz"


def held(talk: str, *, problem: str = "", url: str = "") -> Record:
    files = () if problem else (StoredFile("slides/x.pdf", 1, "0" * 64),)
    state = State.PENDING if problem else State.STORED
    material = Material(talk, Kind.SLIDES, url=url, event="beijing")
    why = Problem(problem) if problem else None
    return Record("src", "memory", material, state, Match(talk, "explicit", 1.0), files, why)


def ask_for(*records: Record, asks: Asks = NOBODY_ASKED, **options: Any) -> Any:
    return whom(coverage([EVENT], records).events[0], asks, NOW, **options)


def test_one_mail_for_each_address() -> None:
    found = ask_for()
    (request,) = found.requests
    assert [talk.id for talk in request.talks] == ["chef", "libvirt"]
    assert request.speaker == "Junqiang Chen"
    assert found.no_address == [ALONE]


def test_what_is_held_is_not_asked_for() -> None:
    (request,) = ask_for(held("chef")).requests
    assert request.talks == (LIBVIRT,)
    assert request.speaker == "Junqiang Chen & Wei Li"


def test_what_a_person_can_get_is_asked_for_only_by_name() -> None:
    link = held("chef", problem="blocked", url="https://pan.baidu.com/s/1x")
    assert ask_for(link).within_reach == [CHEF]
    assert ask_for(link, talk="chef").requests[0].talks == (CHEF,)


@pytest.mark.parametrize(("days", "again", "asked"), [(6, False, 1), (6, True, 2), (7, False, 2)])
def test_nobody_is_asked_twice_in_a_week(days: int, again: bool, asked: int) -> None:
    at = NOW.replace(day=NOW.day - days).isoformat()
    before = Ask("t", "beijing", ("chef",), "J", "m", at, Way.SENT)
    found = ask_for(asks=Asks.of([before.to_json()], [EVENT]), again=again)
    assert len(found.requests[0].talks) == asked
    assert bool(found.recently) is (asked == 1)
