"""The section about mail: what is wrong is told at its place, and no password is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver import config
from archiver.config.mail import read_mailbox
from archiver.registry import load_plugins

REST = """
archive: {title: A tour}
sinks: {local: {type: disk, path: ./archive}}
events: [{id: stop, title: The stop}]
"""


def load(tmp_path: Path, mail: str) -> config.Config:
    path = tmp_path / "archive.yaml"
    path.write_text(f"mail: {mail}\n{REST}", encoding="utf-8")
    return config.load(path, load_plugins(), {"PASSWORD": "correct horse"})


def problems(tmp_path: Path, mail: str) -> str:
    with pytest.raises(config.ConfigProblems) as caught:
        load(tmp_path, mail)
    return str(caught.value)


def test_a_whole_section(tmp_path: Path) -> None:
    smtp = "{host: smtp.example.org, username: box, password: '${PASSWORD}', security: tls}"
    mail = load(tmp_path, f"{{from: 'COSUG <box@example.org>', smtp: {smtp}}}").mail
    assert mail is not None
    assert mail.smtp is not None
    assert mail.smtp.password.get_secret_value() == "correct horse"
    assert "correct horse" not in repr(mail)
    assert read_mailbox(mail.from_).addr_spec == "box@example.org"


def test_no_section_is_no_error(tmp_path: Path) -> None:
    assert load(tmp_path, "").mail is None


@pytest.mark.parametrize(
    ("mail", "told"),
    [
        ("{}", "'from' is missing"),
        ("{from: nobody}", "an address like"),
        ("{from: 'a@b@c'}", "an address like"),
        ("{from: '讲师@example.org'}", "an address like"),
        ("{from: a@b.c, replyto: x@y.z}", "reply_to"),
        ("{from: a@b.c, smtp: {host: x, username: u}}", "belong together"),
        ("{from: a@b.c, smtp: {host: x, security: none, username: box, password: '${PASSWORD}'}}", "needs"),
        ("{from: a@b.c, smtp: {host: x, port: 0}}", "at least 1"),
        ("{from: a@b.c, smtp: {host: x, security: ssl}}", "tls"),
        ("[a]", "a mapping"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, mail: str, told: str) -> None:
    text = problems(tmp_path, mail)
    assert told in text
    assert "archive.yaml:1" in text
    assert "correct horse" not in text


def test_a_password_may_go_to_this_machine_in_the_open(tmp_path: Path) -> None:
    smtp = "{host: 127.0.0.1, username: box, password: '${PASSWORD}', security: none}"
    assert load(tmp_path, f"{{from: a@b.c, smtp: {smtp}}}").mail
