"""Deliver the digest of a run to those whom the configuration names. A delivery that fails fails no run."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from archiver import digest, masking
from archiver.ask import sending_settings, settings
from archiver.ask.post import Post
from archiver.config import Config, NotifySpec
from archiver.config.mail import read_mailbox
from archiver.contracts import Context, Notice
from archiver.digest import Digest, When
from archiver.errors import ConfigError
from archiver.masking import Mask
from archiver.registry import Registry
from archiver.web import PoliteClient, origins_of

#: What the HTTP client says of what runs fetch. A notice is of one run: no other run sends it.
_RETRIED = re.compile("the next run tries again", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one delivery: `error` is "" when the other side has it."""

    type: str
    error: str = ""


def is_wanted(config: Config, told: Digest) -> bool:
    """Say whether anybody wants to hear of this digest."""
    return any(told.is_due(When(spec.when)) for spec in config.notify)


def deliver(config: Config, registry: Registry, told: Digest, *, forced: bool = False) -> list[Delivery]:
    """Deliver a digest to everybody who wants to hear of it; with `forced`, to everybody. Raises nothing."""
    due = [spec for spec in config.notify if forced or told.is_due(When(spec.when))]
    if not due:
        return []
    notice = Notice(digest.subject(told), digest.text(told), digest.markdown(told), told.to_json())
    return [_delivered(config, registry, spec, notice) for spec in due]


def _delivered(config: Config, registry: Registry, spec: NotifySpec, notice: Notice) -> Delivery:
    parts: list[object] = [spec.options]
    if config.mail is not None and config.mail.smtp is not None:
        parts.append(config.mail.smtp)
    mask = Mask.of(parts)
    try:
        with PoliteClient(hosts_allowed=origins_of(spec.options)) as http:
            log = logging.getLogger(f"archiver.plugin.{spec.type}")
            context = Context(f"notify-{spec.type}", config.folder, http, log, send_mail=_Mailing(config))
            registry.notifiers[spec.type](spec.options, context).deliver(notice)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin may raise anything
        told = _RETRIED.sub("this notice is not sent again", masking.text_of(error))
        return Delivery(spec.type, mask(told or type(error).__name__))
    return Delivery(spec.type)


@dataclass(frozen=True)
class _Mailing:
    """Sends mail through the configured server."""

    config: Config

    def __call__(self, to: Sequence[str], subject: str, text: str) -> None:
        """Send one mail; see `archiver.contracts.SendMail`."""
        smtp = sending_settings(self.config.mail)
        with Post(smtp, self.config.folder) as post:
            post.send(self._message(to, subject, text))

    def _message(self, to: Sequence[str], subject: str, text: str) -> EmailMessage:
        sender = read_mailbox(settings(self.config.mail).from_)
        message = EmailMessage(policy=SMTP)
        message["From"] = sender
        message["To"] = tuple(_mailbox(each) for each in to)
        message["Subject"] = " ".join(subject.split())[:200]
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = make_msgid(domain=sender.domain)
        # RFC 3834, section 5: so that no holiday answerer writes back.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text, cte="base64")
        return message


def _mailbox(text: str) -> object:
    try:
        return read_mailbox(text)
    except ValueError as error:
        raise ConfigError(
            "a notice cannot be sent to an address under `notify:`",
            hint="write each like COSUG <slides@example.org>, in ASCII",
        ) from error
