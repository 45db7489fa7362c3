"""What the header of a message says, as far as the archive needs it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

from archiver_plugins.mail import headers
from archiver_plugins.mail.telling import is_address, own_name, without_addresses

_RECIPIENTS: Final = ("to", "cc", "delivered-to", "x-original-to")
_CHINA: Final = 8 * 3600
#: Reply and forward marks of clients: "Re: 回复：[Fwd: …", "Antw:", "答复:", "转发：", "SV:", "AW:".
_MARKS: Final = re.compile(
    r"^(?:\s|\[?(?:re|fwd?|fw|aw|antw|sv|vs|tr|wg|rv|回复|回覆|答复|转发|轉寄|轉發)(?:\[\d+\])?\s*[:：])+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Head:
    """One message's header. `date` is ISO 8601 with its offset, or empty.

    `sender` is a name, or the part of the address before the @; neither in it nor in `subject` is an
    address. `sender_address` and `addresses` are for filters alone: they reach neither ledger nor sidecar.
    `tokens` are what stands after a + in an address it was sent to.
    """

    fields: headers.Fields = ()
    subject: str = ""
    sender: str = ""
    sender_address: str = ""
    addresses: tuple[str, ...] = ()
    date: str = ""
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Name the message: its Message-ID, or a digest of what else identifies it."""
        if self.message_id and len(self.message_id) <= 250 and not self.has_address_for_id:
            return self.message_id
        return f"{'long' if self.message_id else 'none'}-{self._digest()[:24]}"

    @property
    def has_address_for_id(self) -> bool:
        """Say whether the Message-ID is somebody's address, or begins with one: <w@example.org@mailer>."""
        people = (self.sender_address, *self.addresses)
        return _is_made_of_address(self.message_id) or self.message_id.lower() in people

    @property
    def told_id(self) -> str:
        """Give what may be written down of the Message-ID: a server finds the message by it."""
        return "@" + self.message_id.rpartition("@")[2] if self.has_address_for_id else self.message_id

    @property
    def named(self) -> str:
        """Name the message for people, by its subject and date."""
        day = f" of {self.date[:10]}" if self.date else ""
        return f"the mail {(self.subject or self.key)[:80]!r}{day}"

    @property
    def mark(self) -> str:
        """Tell two messages with one Message-ID apart; lists change the sender and the subject, not this."""
        return hashlib.sha256(headers.first(self.fields, "date")).hexdigest()[:8]

    @property
    def identity(self) -> str:
        """Tell this message from every other, and not from its copies."""
        return f"{self.key}~{self.mark}"

    def _digest(self) -> str:
        raw = [headers.first(self.fields, name) for name in ("date", "from", "subject", "message-id")]
        return hashlib.sha256(b"\0".join(b" ".join(value.split()) for value in raw)).hexdigest()

    @property
    def plain_subject(self) -> str:
        """Give the subject without the marks of replies and forwards."""
        return _MARKS.sub("", self.subject).strip(" ]") or self.subject

    @property
    def is_answered_by_machine(self) -> bool:
        """Say whether it is an out-of-office answer (RFC 3834) or a delivery report (RFC 3462).

        Reports carry the mail they are about, with its attachments.
        """
        answered = headers.first(self.fields, "auto-submitted").lower().startswith(b"auto-replied")
        media_type, _ = headers.value_and_params(headers.first(self.fields, "content-type"))
        return answered or media_type == "multipart/report"

    @property
    def is_automatic(self) -> bool:
        """Say whether no person sent it: then it answers no question."""
        auto = headers.first(self.fields, "auto-submitted").lower()
        no_return = any(value == b"<>" for name, value in self.fields if name == "return-path")
        return auto.startswith(b"auto-") or no_return


def read_head(block: bytes, *, arrived: str = "") -> Head:
    """Read a raw header block; `arrived` is a date for messages that have none. Never raises."""
    return head_of(headers.fields_of(block), arrived=arrived)


def head_of(fields: headers.Fields, *, arrived: str = "") -> Head:
    """Read the fields of a header; see `read_head`."""
    senders = headers.addresses(headers.every(fields, ("from",))) or headers.addresses(
        headers.every(fields, ("sender",))
    )
    name, address = senders[0] if senders else ("", "")
    received = [address for _, address in headers.addresses(headers.every(fields, _RECIPIENTS))]
    return Head(
        fields=fields,
        subject=without_addresses(headers.text(headers.first(fields, "subject")))[:1000],
        sender=(own_name(name) or address.partition("@")[0])[:200],
        sender_address=address,
        addresses=tuple(received[:1000]),
        date=_date(fields) or arrived,
        message_id=next(iter(headers.message_ids(headers.first(fields, "message-id"))), ""),
        in_reply_to=_answered(fields, "in-reply-to")[:5],
        references=_answered(fields, "references")[-20:],
        tokens=tuple(dict.fromkeys(_tokens(received)))[:20],
    )


def _answered(fields: headers.Fields, name: str) -> tuple[str, ...]:
    """Give the Message-IDs of a field; ours are made of no address."""
    found = headers.message_ids(headers.first(fields, name))
    return tuple(each for each in found if not _is_made_of_address(each))


def _is_made_of_address(message_id: str) -> bool:
    return is_address(message_id.rpartition("@")[0])


def _tokens(addresses: list[str]) -> list[str]:
    return [match[1] for address in addresses if (match := re.match(r"[^@+]+\+([\w.=-]{1,100})@", address))]


def _date(fields: headers.Fields) -> str:
    raw = headers.first(fields, "date")
    try:
        parts = parsedate_tz(raw.decode("ascii", "replace"))
        if parts is None:
            return ""
        offset = _offset(raw, parts[9], fields)
        zone = None if offset is None else timezone(timedelta(seconds=offset))
        return datetime(*parts[:6], tzinfo=zone).isoformat()
    except (ValueError, OverflowError, TypeError, IndexError):
        return ""


def _offset(raw: bytes, offset: int | None, fields: headers.Fields) -> int | None:
    """Read the zone "CST" as China's where the rest of the header speaks of China, else as America's."""
    if not re.search(rb"[^(]\bCST\b", raw) or re.search(rb"[+-]\d{4}", raw):
        return offset
    rest = b" ".join(value for name, value in fields if name != "date")[: headers.MAX_FIELD]
    chinese = re.search(rb"\+0800|gb2312|gbk|gb18030|big5|[\x80-\xff]", rest.lower())
    return _CHINA if chinese or any("\u4e00" <= char <= "\u9fff" for char in headers.text(rest)) else offset
