"""Replies as mail programs really write them, each with the place where its deck belongs."""

from __future__ import annotations

import base64
import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from itertools import cycle, product
from pathlib import Path
from urllib.parse import quote

import media_samples as samples

CONFIG = """
archive: {{title: 2012 OpenStack China Tour, organizer: COSUG, language: {language}}}
mail: {{from: "COSUG <box@cosug.example>"}}
sinks:
  local: {{type: disk, path: ./archive}}
sources:
  inbox: {{type: email, paths: [./mail, ./box.mbox]{more}}}
events:
  - id: beijing
    title: Beijing Stop
    city: Beijing
    talks:
      - {{title: Deploy OpenStack with Chef, id: chef, speaker: Junqiang Chen, email: jq@speakers.example}}
      - {{title: Explanation of Keystone, id: keystone, speaker: Wei Li, email: liwei@speakers.example}}
      - {{title: Swift Architecture and Practice, id: swift, speaker: Ming Li, email: ming@speakers.example}}
      - {{title: Quantum Networking Inside, id: quantum, speaker: Hui Cheng, email: hui@speakers.example}}
      - {{title: Cinder Volumes at Sina, id: cinder, speaker: Hui Cheng, email: hui@speakers.example}}
      - {{title: Nobody Knows the Address, id: unknown, speaker: No Address}}
    sources:
      - {{use: inbox}}
  - id: shenzhen
    title: Shenzhen Stop
    city: Shenzhen
    talks:
      - {{title: Monitoring a Cloud with Nagios, id: nagios, speaker: Ada Fan, email: ada@speakers.example}}
      - {{title: Billing for Private Clouds, id: billing, speaker: Bo Wu, email: bo@speakers.example}}
    sources:
      - {{use: inbox}}
"""


def project(folder: Path, language: str = "en", more: str = "") -> Path:
    """Write the configuration, an empty folder of mails and an empty mbox."""
    (folder / "mail").mkdir()
    (folder / "box.mbox").touch()
    path = folder / "archive.yaml"
    path.write_text(CONFIG.format(language=language, more=more), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Asked:
    """What a speaker got from us."""

    talk: str
    to: str
    name: str
    subject: str
    message_id: str
    reply_to: str

    @property
    def code(self) -> str:
        """The code in brackets."""
        return self.subject[: self.subject.index("]") + 1]


def read_drafts(folder: Path) -> list[Asked]:
    """Read drafts back with the standard library: what a mail program would see."""
    found = []
    for path in sorted(folder.glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        subject = str(message["Subject"])
        to = message["To"].addresses[0]
        place = subject[1 : subject.index("#")]
        found.append(
            Asked(
                place,
                to.addr_spec,
                to.display_name,
                subject,
                str(message["Message-ID"]),
                message["Reply-To"].addresses[0].addr_spec,
            )
        )
    return found


@dataclass
class Mail:
    """One message; `belongs` says of each attachment where it must be: "beijing/chef", or "" for review."""

    name: str
    sender: str
    subject: str
    belongs: dict[str, str]
    to: str = "box@cosug.example"
    in_reply_to: str = ""
    references: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    text: str = "Here it is.\n"
    encoding: str = "plain"
    data: dict[str, bytes] = field(default_factory=dict)

    @property
    def message_id(self) -> str:
        return f"{self.name}@client.example"

    def raw(self) -> bytes:
        """Write it out byte by byte."""
        head = {
            "From": self.sender,
            "To": self.to,
            "Subject": _word(self.subject),
            "Date": "Sun, 23 Sep 2012 10:00:00 +0800",
            "Message-ID": f"<{self.message_id}>",
            "In-Reply-To": self.in_reply_to,
            "References": self.references,
            "MIME-Version": "1.0",
            **self.fields,
            "Content-Type": 'multipart/mixed; boundary="=_b"',
        }
        lines = b"".join(f"{key}: {value}\r\n".encode() for key, value in head.items() if value)
        parts = [b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + self.text.encode()]
        parts += [self._part(name) for name in self.belongs if not name.startswith("http")]
        return lines + b"\r\n" + b"".join(b"--=_b\r\n" + part + b"\r\n" for part in parts) + b"--=_b--\r\n"

    def _part(self, name: str) -> bytes:
        data = self.data.get(name) or deck(f"{self.name} {name}")
        return (
            b"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; "
            + _file_name(name, self.encoding)
            + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(data)
        )


def deck(text: str) -> bytes:
    """Make a PDF that no other is equal to."""
    return samples.pdf([text.encode("ascii", "replace").decode()])


def _word(text: str) -> str:
    if text.isascii():
        return text
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def _file_name(name: str, encoding: str) -> bytes:
    if encoding == "rfc2231":
        return f"filename*=utf-8''{quote(name)}".encode()
    if encoding == "gbk":
        return b'filename="' + name.encode("gbk") + b'"'
    if encoding == "word":
        return f'filename="=?gb2312?B?{base64.b64encode(name.encode("gbk")).decode()}?="'.encode()
    return f'filename="{name}"'.encode()


PREFIXES = ("Re: ", "RE: ", "回复：", "答复: ", "Antw: ", "AW: ", "SV: ", "回复: Re: ", "Re: Re: ")
#: Names that tell nothing; none is a title.
NAMES = (
    ("slides.pdf", "plain"),
    ("最终版.pdf", "gbk"),
    ("演示文稿.pdf", "rfc2231"),
    ("讲稿.pdf", "word"),
    ("v2 final.pdf", "rfc2231"),
)
#: What a client leaves of the links to our mail.
LINKS = ("all", "in-reply-to", "references", "subject", "address", "private subject")


def plain_replies(asked: list[Asked]) -> Iterator[Mail]:
    """Every prefix with every way of keeping a link, over all single requests: all belong to the talk."""
    names, turns = cycle(NAMES), cycle(asked)
    for number, (prefix, link) in enumerate(product(PREFIXES, LINKS)):
        one = next(turns)
        name, encoding = next(names)
        subject = "My slides" if link in ("address", "private subject") else prefix + one.subject
        if link in ("in-reply-to", "references"):
            subject = prefix + "about the talk"
        mail = Mail(f"plain{number}", f"{one.name} <{one.to}>", subject, {name: one.talk}, encoding=encoding)
        if link in ("all", "in-reply-to", "private subject"):
            mail.in_reply_to = one.message_id
        if link in ("all", "references"):
            mail.references = f"<older@x.example> {one.message_id}"
        if link in ("all", "address"):
            mail.to = one.reply_to
        if number % 2:  # top-posting
            mail.text += f"\n> -----Original Message-----\n> Subject: {one.subject}\n> Dear {one.name},\n"
        if number % 5 == 4:  # from an address that nobody knows
            mail.sender = f"{one.name} <private{number}@elsewhere.example>"
        yield mail


def titled_replies(asked: list[Asked], titles: dict[str, str]) -> Iterator[Mail]:
    """Forwards and replies whose file is named after the talk: they belong to it."""
    for number, (one, prefix) in enumerate(product(asked, ("Fwd: ", "转发：", "FW: Re: "))):
        name = f"{titles[one.talk]}.pdf"
        yield Mail(
            f"titled{number}", f"Office <office{number}@org.example>", prefix + one.subject, {name: one.talk}
        )


def doubtful(asked: list[Asked], titles: dict[str, str]) -> Iterator[Mail]:
    """All that must wait for a person."""
    by_talk = {one.talk: one for one in asked}
    chef, nagios = by_talk["beijing/chef"], by_talk["shenzhen/nagios"]
    for number, (one, other) in enumerate((a, b) for a in asked for b in asked if a.talk != b.talk):
        name = f"{titles[other.talk]}.pdf"
        wrong = Mail(f"wrong{number}", f"{one.name} <{one.to}>", f"Re: {one.subject}", {name: ""})
        yield wrong
    for number, one in enumerate(asked):
        auto = {"Auto-Submitted": "auto-generated"} if number % 2 else {"Return-Path": "<>"}
        yield Mail(
            f"away{number}",
            f"{one.name} <{one.to}>",
            f"自动回复: {one.subject}",
            {"card.pdf": ""},
            fields=auto,
        )
        decks = {f"{titles[one.talk]}.pdf": one.talk, "another.pdf": ""}
        yield Mail(f"two{number}", f"{one.name} <{one.to}>", f"Re: {one.subject}", decks, to=one.reply_to)
        both = {"slides.pdf": "", "talk.pdf": ""}
        yield Mail(f"both{number}", f"{one.name} <{one.to}>", f"Re: {one.subject}", both)
        stranger = Mail(f"thread{number}", "Somebody <x@org.example>", f"Fwd: {one.subject}", {"a.pdf": ""})
        yield stranger
        lost = Mail(f"lost{number}", f"{one.name} <{one.to}>", "here you are", {"slides.pdf": ""})
        lost.text += f"\n> Subject: {one.subject}\n"
        yield lost
    yield Mail(
        "elses", f"{nagios.name} <{nagios.to}>", "Fwd: FYI", {"notes.pdf": ""}, references=chef.message_id
    )
    two = f"{chef.code} {nagios.code}"
    yield Mail("codes", "Somebody <x@org.example>", f"Re: {two}", {"slides.pdf": ""})
    made_up = "Re: [beijing/chef#zzzzzzzz] Your slides"
    yield Mail("forged", "Somebody <y@org.example>", made_up, {"nagios.pdf": ""})
    picture = Mail("photo", f"{chef.name} <{chef.to}>", f"Re: {chef.subject}", {"me.jpg": ""})
    picture.data = {"me.jpg": samples.jpeg(320, 240)}
    yield picture
    yield Mail("invoice", f"{chef.name} <{chef.to}>", "Invoice 77", {"invoice 77.pdf": ""})


def by_evidence() -> Iterator[Mail]:
    """Mails that answer nothing: subject, sender and title decide."""
    yield Mail("subject", "A <a@o.example>", "Shenzhen: a deck", {"something else.pdf": "shenzhen"})
    yield Mail(
        "sender",
        "Ada Fan <ada@speakers.example>",
        "as promised",
        {"Monitoring a Cloud with Nagios.pdf": "shenzhen/nagios"},
    )
    yield Mail("title", "B <b@o.example>", "deck", {"billing_for_private_clouds_v2.pdf": "shenzhen/billing"})
    yield Mail("stops", "C <c@o.example>", "Beijing and Shenzhen", {"both stops.pdf": ""})
    yield Mail("against", "Ada Fan <ada@speakers.example>", "Beijing slides", {"mine.pdf": ""})


def write(folder: Path, mails: list[Mail]) -> None:
    """Put half of the mails into .eml files, half into one mbox."""
    box = bytearray()
    for number, mail in enumerate(mails):
        if number % 2:
            (folder / "mail" / f"{mail.name}.eml").write_bytes(mail.raw())
        else:
            text = mail.raw().replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From ")
            box += b"From - Sun Sep 23 10:00:00 2012\n" + text + b"\n"
    (folder / "box.mbox").write_bytes((folder / "box.mbox").read_bytes() + bytes(box))
