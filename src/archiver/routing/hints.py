"""What a source that reads mail tells of the message that a material came in.

The keys of `Material.extra` that are read here, all optional, several values separated by spaces:

- `key`: what names the message; materials of one message have the same
- `subject`: its subject as sent
- `tokens`: what stood behind a + in the addresses it was sent to
- `in_reply_to`, `references`: Message-IDs without angle brackets (RFC 5322, 3.6.4)
- `events`: the events whose filters chose it, where that was not exactly one
- `sender_talks`: "event/talk" for each talk whose speaker's address sent it
- `automatic`: anything but "" when no person sent it (RFC 3834)
- `wrapped`: set when the file came inside a forwarded message
- `link`: set when the material is an address in the text and not an attachment
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from archiver.asked import TOKEN_LENGTH
from archiver.model import Material

#: Any of these says that a material came in a message.
_MARKS = ("message_id", "subject", "tokens", "in_reply_to", "references", "sender_talks", "automatic")
#: "[beijing/chef#k3f9a2xz]": only tokens that were given out count, so nothing but the # is looked for.
_IN_SUBJECT = re.compile(rf"#\s*([a-z0-9]{{{TOKEN_LENGTH}}})(?![a-z0-9])")
#: Marks of a forwarded message: English, German, Dutch, Nordic, French, Spanish and Italian, Chinese.
_FORWARD = re.compile(
    r"^\W*(?:(?:re|aw|antw|sv|回复|回覆|答复)\s*(?:\[\d+\])?\s*:\W*)*"
    r"(?:fwd?|wg|vs|vb|doorst|tr|rv|i|enc|转发|轉寄|轉發)\s*(?:\[\d+\])?\s*:"
)
#: Answers of machines that do not say so in their header (RFC 3834): "自动回复: 出差", "Out of Office: …".
_AUTOMATIC = re.compile(
    r"^\W*(?:自动回复|自動回覆|自动答复|auto(?:matic)?[ -]?(?:reply|response|antwort)|automatische antwort|"
    r"out of (?:the )?office|abwesenheit|undeliver(?:ed|able)|delivery status notification|"
    r"mail delivery failed|returned mail|退信|系统退信)"
)
#: Names under which mail systems report (RFC 5321, 4.5.5; RFC 2142).
_SYSTEMS = re.compile(r"mailer[- ]?daemon|mail delivery (?:sub)?system|postmaster")


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known of the message of a material.

    `tokens` may hold anything that looks like one; `answered` are Message-IDs, the nearest first.
    """

    key: str
    subject: str
    tokens: tuple[str, ...]
    answered: tuple[str, ...]
    events: tuple[str, ...]
    sender_talks: tuple[tuple[str, str], ...]
    automatic: bool
    forwarded: bool


def read(material: Material) -> Hints | None:
    """Read the hints of a material; None when it came in no message."""
    extra = material.extra
    if not any(mark in extra for mark in _MARKS):
        return None
    subject = fold(extra.get("subject", ""))
    talks = (talk.partition("/") for talk in extra.get("sender_talks", "").split())
    return Hints(
        key=extra.get("key", ""),
        subject=subject,
        tokens=tuple(
            dict.fromkeys([*_IN_SUBJECT.findall(subject), *extra.get("tokens", "").casefold().split()])
        ),
        answered=(*extra.get("in_reply_to", "").split(), *reversed(extra.get("references", "").split())),
        events=tuple(extra.get("events", "").split()),
        sender_talks=tuple((event, talk) for event, _, talk in talks),
        automatic=bool(extra.get("automatic")) or _is_automatic(subject, material),
        forwarded=bool(_FORWARD.match(subject)) or bool(extra.get("wrapped")),
    )


def _is_automatic(subject: str, material: Material) -> bool:
    if _AUTOMATIC.match(subject):
        return True
    return any(_SYSTEMS.fullmatch(fold(author)) for author in material.authors)


def own_title(material: Material) -> str:
    """Give the title when the file itself has it; "" when the message's subject stands in for it.

    In answers the subject repeats our own words, so it says nothing of the file.
    """
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}\Z", "", material.extra.get("name", ""))
    same = fold(stem.replace("_", " ")) == fold(material.title.replace("_", " "))
    return material.title if stem and same else ""


def without_code(title: str) -> str:
    """Take "[beijing/chef#k3f9a2xz]" out of a title that a subject stands in for."""
    return re.sub(rf"\[[^\[\]]*#[a-z0-9]{{{TOKEN_LENGTH}}}\]\s*", "", title).strip() or title


def fold(text: str) -> str:
    """Ignore case, width (＃ for #) and line breaks."""
    return " ".join(unicodedata.normalize("NFKC", text[:2000]).casefold().split())
