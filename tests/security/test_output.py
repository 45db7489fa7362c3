"""What strangers wrote, on its way to a terminal, into a mail, into files of this machine."""

from __future__ import annotations

import email
import email.policy
import json
import logging
import os
import stat
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import ask, errors
from archiver.ask.letter import compose
from archiver.ask.who import Request
from archiver.cli import ending
from archiver.cli.common import echo_json
from archiver.cli.progress import JsonLines, Plain
from archiver.config import ArchiveSettings
from archiver.config.environment import expand
from archiver.config.mail import MailSection
from archiver.errors import ConfigError
from archiver.model import Event, Talk

#: Clears the screen, sets the title of the window, 8-bit commands, writes right to left, rings.
STEERING = "\x1b[2J\x1b]0;owned\x07\x9b31m\x9d0;x\x9c\u202ereversed\u2066\x7f\x08\r"


def steers(text: str) -> bool:
    return any(not char.isprintable() for char in text if char != "\n")


@given(st.text())
def test_json_steers_no_terminal_and_says_the_same(text: str) -> None:
    shown = ending.json_text({"title": text + STEERING, "list": [text]})
    assert not steers(shown)
    assert "\n" not in shown
    assert json.loads(shown) == {"title": text + STEERING, "list": [text]}


def test_json_keeps_letters_of_every_script() -> None:
    assert ending.json_text({"title": "北京站 émigré"}) == '{"title": "北京站 émigré"}'


def test_no_way_out_of_the_program_steers_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = errors.InvalidError(f"a title {STEERING}", hint=STEERING)
    for output in (ending.Output(), ending.Output(verbose=True), ending.Output(as_json=True)):
        ending.tell(error, output)
    ending.tell(ValueError(STEERING), ending.Output(verbose=True))
    echo_json({"title": STEERING})
    from archiver.cli import common

    monkeypatch.setattr(logging.getLogger("archiver"), "handlers", [common._EchoHandler()])
    logging.getLogger("archiver").warning("a file called %s\nError: forged", STEERING)
    JsonLines(Plain({})).said("alarm", source="src", alarm=STEERING)
    out, err = capsys.readouterr()
    assert not steers(out)
    assert not steers(err)


NAMES = st.text(alphabet=st.sampled_from('ab \r\n\t:,;<>@"\\()=?,\x00\x1b\u2028\x85北')) | st.text()


@given(speaker=NAMES, title=NAMES, event=NAMES, address=NAMES)
def test_nothing_forges_a_header_or_a_recipient(speaker: str, title: str, event: str, address: str) -> None:
    section = MailSection.model_validate({"from": "COSUG <box@cosug.example>"})
    talk = Talk("chef", title, (speaker,), "jq@example.org")
    for to in ("jq@example.org", f"jq@example.org\r\nBcc: {address}", address):
        request = Request(Event("beijing", event), (talk,), speaker, to)
        try:
            mail = compose(request, ArchiveSettings("Tour", "COSUG"), section, "k3f9b2xz", datetime.now(UTC))
        except ConfigError:
            assert to != "jq@example.org"
            continue  # told to the organizer, and the next speaker is asked
        parsed = email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        assert {name.lower() for name in parsed} == {
            "from", "to", "reply-to", "subject", "date", "message-id", "mime-version", "content-type",
            "content-transfer-encoding",
        }  # fmt: skip
        if to == "jq@example.org":
            assert [each.addr_spec for each in parsed["To"].addresses] == [to]
        assert [each.addr_spec for each in parsed["From"].addresses] == ["box@cosug.example"]
        assert "bcc" not in parsed


def test_a_draft_is_for_its_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with open(tmp_path / "draft.eml", "xb", opener=ask._private) as file:
            file.write(b"To: jq@example.org")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file_mode(tmp_path / "draft.eml")) == 0o600
    with pytest.raises(FileExistsError), open(tmp_path / "draft.eml", "xb", opener=ask._private):
        pass


def file_mode(path: Path) -> int:
    return path.stat().st_mode


def test_a_link_in_the_place_of_a_draft_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "draft.eml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError), open(tmp_path / "draft.eml", "xb", opener=ask._private):
        pass
    assert not (tmp_path / "elsewhere").exists()


@given(st.text(alphabet="${}ABC:-_x"))
def test_what_a_variable_holds_is_not_expanded_again(value: str) -> None:
    """A secret may hold `${OTHER}`, and so may whatever an environment was filled with."""
    assert expand("${A}", {"A": value, "B": "hunter2", "C": "hunter2"}).text == value
