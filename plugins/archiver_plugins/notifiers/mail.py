"""Tell of a run by mail, through the server under `mail: smtp:`."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from archiver import api


def _mailbox(text: str) -> str:
    _, address = parseaddr(text)
    name, _, host = address.rpartition("@")
    if not (name and host and address.isascii() and text.isprintable()):
        raise ValueError("expected an address like COSUG <slides@example.org>")
    return text


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class MailOptions(api.Options):
    """Who gets the mail."""

    to: Annotated[
        tuple[Annotated[str, AfterValidator(_mailbox)], ...],
        Field(min_length=1, max_length=50),
        BeforeValidator(_several, json_schema_input_type=str | tuple[str, ...]),
    ]
    """The address, or a list of several. All of them see each other."""


class MailNotifier(api.Notifier[MailOptions]):
    """The digest of a run as a mail in plain text."""

    type_name = "mail"
    options_class = MailOptions

    def deliver(self, notice: api.Notice) -> None:
        """Send one mail to everybody."""
        self.context.send_mail(self.options.to, notice.subject, notice.text)
