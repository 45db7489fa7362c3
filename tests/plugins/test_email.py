from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from archiver import api
from archiver_plugins.mail import Email, EmailEntry, EmailOptions, archiver_sources
from archiver_plugins.mail.materials import title
from plugins.mails import PDF, SHENZHEN, Sources, attachment, entry, fetched, listed, mail, materials

IMAP: dict[str, Any] = {"imap": "imap.example.org", "username": "box@example.org", "password": "secret"}


def test_is_announced() -> None:
    assert list(archiver_sources()) == [Email]
    assert Email.type_name == "email"


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "host", "port"),
        [
            ({}, "imap.example.org", 993),
            ({"tls": "starttls"}, "imap.example.org", 143),
            ({"tls": "none"}, "imap.example.org", 143),
            ({"imap": "imap.example.org:1993"}, "imap.example.org", 1993),
            ({"imap": "[::1]:1993"}, "::1", 1993),
            ({"imap": "[::1]"}, "::1", 993),
        ],
    )
    def test_servers(self, options: dict[str, Any], host: str, port: int) -> None:
        found = EmailOptions(**(IMAP | options))
        assert (found.host, found.port) == (host, port)

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"imap": "imap.example.org"},
            {"imap": "imap.example.org", "username": "a"},
            {"paths": ""},
            IMAP | {"imap": "imaps://imap.example.org"},
            IMAP | {"imap": "user@imap.example.org"},
            IMAP | {"username": "a\r\nb"},
            IMAP | {"tls": "maybe"},
            IMAP | {"timeout": 0},
            IMAP | {"mirrors": {"www.dropbox.com": "nowhere"}},
            IMAP | {"oauth": {"client_id": "x"}},
            IMAP | {"gmail_search": "北京"},
            IMAP | {"unknown": 1},
        ],
    )
    def test_what_makes_no_sense_is_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            EmailOptions(**options)

    @pytest.mark.parametrize("options", [{"since": "2012-09-17", "until": "2012-09-16"}, {"from": "x"}])
    def test_entries_that_make_no_sense_are_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            EmailEntry(**options)

    def test_secrets_are_not_shown(self) -> None:
        oauth = {"client_id": "x", "client_secret": "hidden-1", "refresh_token": "hidden-2"}
        options = EmailOptions(**(IMAP | {"password": "hidden-3", "oauth": oauth}))
        assert "hidden" not in repr(options)
        assert "hidden" not in str(options.model_dump(mode="json"))

    def test_encryption_is_on_unless_somebody_turns_it_off(self) -> None:
        assert EmailOptions(**IMAP).tls == "on"


class TestRouting:
    def put(self, sources: Sources, *messages: bytes) -> Email:
        (sources.folder / "mail").mkdir()
        for number, message in enumerate(messages):
            (sources.folder / "mail" / f"{number:03}.eml").write_bytes(message)
        return sources.make(paths="mail")

    def test_an_entry_without_filters_chooses_for_nobody(self, sources: Sources) -> None:
        source = self.put(sources, mail(1, attachment("a.pdf")))
        assert [item.event for item in materials(source, entry(), entry(SHENZHEN))] == [""]

    def test_the_entry_whose_filters_fit_names_event_and_talk(self, sources: Sources) -> None:
        source = self.put(
            sources, mail(1, attachment("a.pdf"), subject="Beijing"), mail(2, attachment("b.pdf"))
        )
        items = materials(source, entry(subject="beijing", talk="chef"), entry(SHENZHEN))
        assert [(item.event, item.talk) for item in items] == [("beijing", "chef"), ("", "")]

    def test_two_entries_of_one_event_agree_or_name_no_talk(self, sources: Sources) -> None:
        source = self.put(sources, mail(1, attachment("a.pdf"), subject="Beijing"))
        entries = [entry(subject="beijing", talk="chef"), entry(sender="jq@example.org", talk="nova")]
        (item,) = materials(source, *entries)
        assert (item.event, item.talk) == ("beijing", "")

    def test_what_no_entry_takes_is_not_listed(self, sources: Sources) -> None:
        source = self.put(sources, mail(1, attachment("a.pdf")))
        assert listed(source, entry(subject="Shenzhen"))[0] == []

    def test_the_source_looks_at_nothing_older(self, sources: Sources) -> None:
        self.put(
            sources, mail(1, attachment("a.pdf")), mail(2, attachment("b.pdf"), date="1 Oct 2012 10:00 +0800")
        )
        source = sources.make(paths="mail", since="2012-09-20")
        assert [item.id for item in materials(source)] == ["m2@example.org/2"]

    def test_what_helps_to_find_the_talk_is_told_without_an_address(self, sources: Sources) -> None:
        source = self.put(
            sources,
            mail(
                1,
                attachment("a.pdf"),
                subject="回复：[AM-x1] slides",
                in_reply_to="<ask-1@archive.example>",
                references="<ask-1@archive.example>",
                to="box+tok-1@example.test",
                auto_submitted="auto-generated",
            ),
        )
        talk = api.Talk("chef", "Deploy OpenStack with Chef", email="JQ@example.org")
        event = api.Event("beijing", "Beijing Stop", talks=(talk, api.Talk("nova", "Nova")))
        (item,) = materials(source, entry(event))
        assert item.extra["subject"] == "回复：[AM-x1] slides"
        assert item.extra["in_reply_to"] == item.extra["references"] == "ask-1@archive.example"
        assert item.extra["tokens"] == "tok-1"
        assert item.extra["sender_talks"] == "beijing/chef"
        assert item.extra["automatic"] == "yes"
        assert "jq@example.org" not in str(item)
        assert "box+tok-1" not in str(item)

    def test_a_limit_ends_the_listing_unfinished(self, sources: Sources) -> None:
        source = self.put(sources, *(mail(number, attachment("a.pdf")) for number in range(5)))
        items, last = listed(source, limit=2)
        assert len(items) == 2
        assert not last.complete

    def test_the_core_reads_the_kinds_that_arrive(self, sources: Sources, tmp_path: Path) -> None:
        """The sidecar is plain text to the core's own check, beside a deck too."""
        from archiver import media

        source = self.put(sources, mail(1, attachment("a.pdf"), subject="{"))
        (item,) = materials(source)
        assert fetched(source, item, tmp_path / "into")[1]["file"] == PDF
        path = tmp_path / "into" / "message.txt"
        assert media.verify(path, api.Kind.SLIDES, api.Role.SIDECAR, "text/plain") == "text/plain"


@pytest.mark.parametrize(
    ("name", "subject", "shown"),
    [
        ("Deploy_OpenStack_with_Chef.pptx", "Slides", "Deploy OpenStack with Chef"),
        ("slides.pdf", "Chef at Beijing", "Chef at Beijing"),
        ("Presentation1.pptx", "Chef", "Chef"),
        ("新建演示文稿 (2).pptx", "北京", "北京"),
        ("final_version_v2.ppt", "Chef", "Chef"),
        ("2012.pdf", "Chef", "Chef"),
        ("slides.pdf", "", "slides"),
        ("", "Chef", "Chef"),
        ("slides " + "1" * 180 + "x.pdf", "s", "slides " + "1" * 180 + "x"),
    ],
)
def test_titles(name: str, subject: str, shown: str) -> None:
    assert title(name, subject) == shown
