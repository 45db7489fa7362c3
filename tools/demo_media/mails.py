"""Write the mailbox of the demo: lecturers who send their decks, and somebody who only says thanks."""

from __future__ import annotations

import mailbox
import tempfile
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from archiver.demo.content import DemoDeck, decks
from demo_media.documents import pdf, pptx

FILE = "mail/decks.mbox"
TO = "COSUG <tour@cosug.example>"
_TYPES = {
    "pdf": "pdf",
    "pptx": "vnd.openxmlformats-officedocument.presentationml.presentation",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """One message; `decks` are the ids of what is attached."""

    number: int
    sender: str
    date: str
    subject: str
    text: str
    decks: tuple[str, ...] = ()


LETTERS = (
    Letter(
        1,
        "罗波 Bo Luo <luobo@mail.example>",
        "Mon, 31 Dec 2012 09:12:41 +0800",
        "成都站讲稿：libvirt 架构与 API",
        "你好，附件是我在成都站的讲稿，请查收。\n\n罗波",
        ("chengdu-libvirt",),
    ),
    Letter(
        2,
        "Min Xie <xiemin@mail.example>",
        "Wed, 02 Jan 2013 22:40:03 +0800",
        "Re: slides of the Chengdu Stop",
        "Sorry for the delay, here are my slides.\n\nMin\n\n> Dear Min, could you send us your slides?",
        ("chengdu-swift",),
    ),
    Letter(
        3,
        "小王 <wang@mail.example>",
        "Thu, 03 Jan 2013 08:01:17 +0800",
        "谢谢！",
        "成都站办得很好，谢谢大家！",
    ),
    Letter(
        4,
        "Lei Han <hanlei@mail.example>",
        "Sat, 05 Jan 2013 16:25:30 +0800",
        "天津站 Tianjin Stop: both of my decks",
        "Both are attached. Tell me if one of them does not open.\n\nLei",
        ("tianjin-opennebula", "tianjin-eucalyptus"),
    ),
)


def mbox() -> bytes:
    """Write all messages as one mbox file, the same bytes every time."""
    by_id = {deck.id: deck for deck in decks()}
    with tempfile.TemporaryDirectory(prefix="demo-mail-") as folder:
        path = Path(folder, "mbox")
        box = mailbox.mbox(path)
        for letter in LETTERS:
            message = mailbox.mboxMessage(_message(letter, by_id).as_bytes(policy=SMTP.clone(linesep="\n")))
            message.set_from(f"letter-{letter.number}@mail.example Mon Jan  7 08:00:00 2013")
            box.add(message)
        box.close()
        return path.read_bytes()


def _message(letter: Letter, by_id: dict[str, DemoDeck]) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = letter.sender, TO, letter.subject
    message["Date"], message["Message-ID"] = letter.date, f"<letter-{letter.number}@mail.example>"
    message.set_content(letter.text)
    for number, each in enumerate(letter.decks):
        deck = by_id[each]
        form = deck.address.rpartition(".")[2]
        content = pdf(deck) if form == "pdf" else pptx(deck)
        message.add_attachment(content, "application", _TYPES[form], filename=deck.address)
        message.set_boundary(f"=_letter-{letter.number}-{number}")
    return message
