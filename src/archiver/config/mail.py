"""The part of the file about mail that is sent: who writes, and through which server."""

from __future__ import annotations

from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from archiver.config.sections import Text
from archiver.contracts import Options


def _mailbox(text: str) -> str:
    try:
        read_mailbox(text)
    except ValueError as error:
        raise ValueError("expected an address like COSUG <slides@example.org>") from error
    return text


def read_mailbox(text: str) -> Address:
    """Read "COSUG <slides@example.org>" or a bare address. Raises `ValueError`.

    Only addresses in ASCII: others need servers that speak SMTPUTF8 (RFC 6531) all the way.
    """
    name, address = parseaddr(text)
    if not address.isascii() or address.count("@") != 1 or not all(address.split("@")):
        raise ValueError(f"{text!r} is no mail address")
    try:
        return Address(name, addr_spec=address)
    except Exception as error:  # the header parser raises its own errors, IndexError among them
        raise ValueError(f"{text!r} is no mail address") from error


Mailbox = Annotated[Text, AfterValidator(_mailbox)]


class SmtpSection(Options):
    """The server that takes our mail."""

    host: Text
    """Its name."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Its port; 465 for `tls`, 587 for `starttls`, 25 for `none` if left out."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is encrypted; `none` only without a password, or on this machine."""
    username: Text = ""
    """The name to log in with; without one nobody logs in."""
    password: SecretStr = SecretStr("")
    """The password; at Gmail an app password, at NetEase (163, 126) the authorisation code."""
    ca_file: Path | None = None
    """Certificates to trust, in PEM, for a server with its own authority."""
    timeout: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Seconds to wait for each answer of the server."""

    @model_validator(mode="after")
    def _reasonable(self) -> Self:
        if bool(self.username) != bool(self.password.get_secret_value()):
            raise ValueError("username and password belong together")
        if self.username and self.security == "none" and not _is_here(self.host):
            raise ValueError("a password needs security: starttls or tls, so that nobody can read it")
        return self


class MailSection(Options):
    """How speakers are asked for what is missing."""

    from_: Mailbox = Field(alias="from")
    """Who writes, such as COSUG <slides@example.org>."""
    reply_to: Mailbox | None = None
    """Where the answers go, if not to `from`: a mailbox that an email source reads."""
    plus: bool = True
    """Whether that mailbox takes box+anything@…: then each answer names its request by its address too."""
    smtp: SmtpSection | None = None
    """The server for `archive ask --send`; drafts need none."""


def _is_here(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
