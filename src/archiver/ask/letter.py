"""Write the mail that asks a speaker for slides, in the archive's language."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from archiver.ask.who import Request
from archiver.config import ArchiveSettings
from archiver.config.mail import MailSection, read_mailbox
from archiver.errors import ConfigError
from archiver.naming import slug

#: Bytes of a talk's id in the subject: the token alone decides, the rest is for people.
_SUBJECT_ID = 48


@dataclass(frozen=True)
class Words:
    """The wording in one language. `talk` and `talks` are for one missing deck and for several."""

    subject: str
    subject_several: str
    greeting: str
    greeting_unnamed: str
    one: str
    several: str
    how: str
    how_several: str
    code: str
    thanks: str
    title: str
    item: str


ENGLISH = Words(
    subject="Your slides of “{title}”",
    subject_several="Your slides for {event}",
    greeting="Dear {speaker},",
    greeting_unnamed="Hello,",
    one="thank you for your talk {talks} at {event}. We are putting the slides of all talks into the archive "
    "“{archive}”, and yours are still missing. Would you send them to us?",
    several="thank you for your talks at {event}. We are putting the slides of all talks into the archive "
    "“{archive}”, and these of yours are still missing:\n\n{talks}\n\nWould you send them to us?",
    how="Simply answer this mail and attach the file, or paste a link from which it can be downloaded. PDF, "
    "PowerPoint, Keynote or anything else is fine.",
    how_several=" If you send several files, please let the name of each say which talk it belongs to.",
    code="Please leave the code in brackets in the subject: by it your answer finds its place.",
    thanks="Many thanks,",
    title="“{title}”",
    item="  - {title}",
)
CHINESE = Words(
    subject="请分享您的讲稿《{title}》",
    subject_several="请分享您在{event}的讲稿",
    greeting="{speaker}，您好：",
    greeting_unnamed="您好：",
    one="感谢您在{event}带来的演讲{talks}。我们正在把所有演讲的讲稿收入“{archive}”资料库，"
    "目前还缺您的这一份。能否请您发给我们？",
    several="感谢您在{event}带来的演讲。我们正在把所有演讲的讲稿收入“{archive}”资料库，"
    "目前还缺您的以下几份：\n\n{talks}\n\n能否请您发给我们？",
    how="直接回复本邮件并附上文件即可，也可以附上可下载的链接。PDF、PowerPoint、Keynote 等格式均可。",
    how_several="如果一次发送多个文件，请让文件名能看出属于哪个演讲。",
    code="请保留邮件主题中方括号内的编号，您的回复会据此自动归档。",
    thanks="非常感谢！",
    title="《{title}》",
    item="  - {title}",
)


def words(language: str) -> Words:
    """Choose the wording for a language tag; English where we have none."""
    return CHINESE if language.lower().partition("-")[0] == "zh" else ENGLISH


def compose(
    request: Request, archive: ArchiveSettings, mail: MailSection, token: str, now: datetime
) -> EmailMessage:
    """Write one mail. Raises `ConfigError` when the speaker's address cannot stand in one."""
    sender = read_mailbox(mail.from_)
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = _recipients(request)
    message["Reply-To"] = _answers_to(mail, token)
    message["Subject"] = subject(request, words(archive.language), token)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{token}.{secrets.token_hex(8)}@{sender.domain}>"
    message.set_content(body(request, archive, words(archive.language)), cte="base64")
    return message


def _recipients(request: Request) -> tuple[Address, ...]:
    """Give everybody the mail goes to; the name belongs to an address only where there is one."""
    try:
        found = [read_mailbox(each.strip()) for each in request.email.split(",")]
    except ValueError as error:
        raise ConfigError(
            f"the address of {request.speaker or request.talks[0].title} cannot be written to",
            hint="correct `email` at the talk; only addresses in ASCII can be used",
        ) from error
    name = _line(request.speaker) if len(found) == 1 else ""
    return tuple(Address(name, addr_spec=each.addr_spec) for each in found)


def _answers_to(mail: MailSection, token: str) -> Address:
    box = read_mailbox(mail.reply_to or mail.from_)
    user = f"{box.username}+{token}" if mail.plus else box.username
    return Address(box.display_name, user, box.domain)


def subject(request: Request, wording: Words, token: str) -> str:
    """Give the subject. The code stands first: what is cut off is cut off at the end."""
    one = len(request.talks) == 1
    place = f"{request.event.id}/{slug(request.talks[0].id, _SUBJECT_ID)}" if one else request.event.id
    told = wording.subject if one else wording.subject_several
    title, event = _line(request.talks[0].title), _line(request.event.title)
    return f"[{place}#{token}] " + told.format(title=title, event=event)


def body(request: Request, archive: ArchiveSettings, wording: Words) -> str:
    """Give the text."""
    one = len(request.talks) == 1
    form = wording.title if one else wording.item
    talks = "\n".join(form.format(title=_line(talk.title)) for talk in request.talks)
    greeting = wording.greeting if request.speaker else wording.greeting_unnamed
    told = wording.one if one else wording.several
    paragraphs = [
        greeting.format(speaker=_line(request.speaker)),
        told.format(talks=talks, event=_line(request.event.title), archive=archive.title),
        wording.how if one else wording.how + wording.how_several,
        wording.code,
        f"{wording.thanks}\n{archive.organizer or archive.title}",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _line(text: str) -> str:
    """Make one line of a text: a programme read from elsewhere may hold line ends, which end a header."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
