"""What a user may write for e-mail."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from archiver import api
from archiver_plugins.mail.periods import ListArchive, Software, address

GOOGLE: Final = "https://oauth2.googleapis.com/token"

Texts = str | tuple[str, ...]


class OAuth(api.Options):
    """How to get an access token where passwords are not taken (RFC 6749, 6)."""

    base_url: api.BaseUrl = GOOGLE
    """Address of the token endpoint. Microsoft's is
    https://login.microsoftonline.com/common/oauth2/v2.0/token."""
    client_id: str
    """The id of the registered application."""
    client_secret: SecretStr = SecretStr("")
    """The application's secret, where it has one."""
    refresh_token: SecretStr
    """The token that stands for the owner's consent."""
    scope: str = ""
    """The scope to ask for; Microsoft wants https://outlook.office.com/IMAP.AccessAsUser.All."""


class EmailOptions(api.Options):
    """Options of the source: a mailbox on a server, message files, archives of lists, or several of these."""

    imap: str = ""
    """The IMAP server: its name, with :PORT where that is an unusual one."""
    username: str = ""
    """The name to log in with, mostly the address."""
    password: SecretStr = SecretStr("")
    """The password; at Gmail an app password, at NetEase (163, 126) the authorisation code."""
    oauth: OAuth | None = None
    """Log in by OAuth instead of a password."""
    tls: Literal["on", "starttls", "none"] = "on"
    """How the connection is encrypted; `none` only where nobody can listen."""
    ca_file: str = ""
    """Certificates to trust, in PEM, for a server with its own authority."""
    timeout: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds to wait for each answer of the server."""
    mailboxes: tuple[str, ...] = ("INBOX",)
    """Mailboxes to read; "*" means all but junk, trash and drafts."""
    search: Literal["server", "local"] = "server"
    """Where the filters are applied first; `local` for servers that search badly."""
    gmail_search: str = ""
    """Words for Gmail's own search, such as has:attachment; other servers do not get them."""
    paths: Texts = ()
    """Message files instead or besides: .eml, mbox, Maildir, or a folder of these."""
    hyperkitty: Texts = ()
    """Archives of mailing lists at Mailman 3: https://lists.example.org/hyperkitty/list/talks@example.org/."""
    pipermail: Texts = ()
    """Archives of mailing lists at Mailman 2: https://lists.example.org/pipermail/talks/."""
    since: date | None = None
    """Look at no message from before this day."""
    inline: Literal["large", "all", "none"] = "large"
    """Which pictures inside the text are kept: none, all, or from 100 kB on."""
    links: bool = True
    """Whether share links in the text are material too."""
    sidecar: Literal["brief", "text", "whole", "none"] = "brief"
    """What is kept of the message beside its attachment: subject, name, date and id; with the text; with
    all of the header, addresses included; nothing."""
    mirrors: dict[str, api.BaseUrl] = Field(default_factory=dict)
    """Other addresses for the hosts of share links and list archives: {lists.example.org: http://127.0.0.1:8080}."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.imap and not self.all_paths and not self.archives:
            raise ValueError(
                "name a server by imap, message files by paths, or lists by hyperkitty or pipermail"
            )
        if self.imap and not self.username:
            raise ValueError("imap needs a username")
        if self.imap and not self.oauth and not self.password.get_secret_value():
            raise ValueError("imap needs a password, or oauth")
        return self

    @field_validator("imap")
    @classmethod
    def _server(cls, value: str) -> str:
        if value and not re.fullmatch(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+)(?::[0-9]{1,5})?", value):
            raise ValueError("expected the name of a server, like imap.example.org or imap.example.org:1993")
        return value

    @field_validator("gmail_search")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not value.isascii() or not value.isprintable():
            raise ValueError("expected words in ASCII")
        return value

    @field_validator("username")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("expected one line of visible characters")
        return value

    @field_validator("hyperkitty", "pipermail")
    @classmethod
    def _addresses(cls, value: Texts) -> Texts:
        return tuple(dict.fromkeys(address(each) for each in _several(value)))

    @property
    def archives(self) -> tuple[ListArchive, ...]:
        """Give the archives of mailing lists."""
        by_software = {Software.HYPERKITTY: self.hyperkitty, Software.PIPERMAIL: self.pipermail}
        return tuple(
            ListArchive(software, url) for software, urls in by_software.items() for url in _several(urls)
        )

    @property
    def host(self) -> str:
        """Give the server's name."""
        bracketed = re.match(r"\[([^\]]*)\]", self.imap)
        return bracketed[1] if bracketed else self.imap.partition(":")[0]

    @property
    def port(self) -> int:
        """Give the server's port."""
        match = re.search(r":(\d+)\Z", self.imap)
        return int(match[1]) if match else (993 if self.tls == "on" else 143)

    @property
    def all_paths(self) -> tuple[str, ...]:
        """Give all paths."""
        return _several(self.paths)

    def ca_path(self, folder: Path) -> Path | None:
        """Give the file of certificates, relative to the configuration's folder."""
        return folder / Path(self.ca_file).expanduser() if self.ca_file else None


class EmailEntry(api.Options):
    """Which messages one event takes; without any of these all that carry material, to be sorted later.

    Where several are given, a message has to fit all; of a list, one.
    """

    subject: Texts = ()
    """Words in the subject."""
    sender: Texts = ()
    """Address, domain or name that the message comes from."""
    to: Texts = ()
    """Address or domain that it was sent to, copies included."""
    since: date | None = None
    """First day."""
    until: date | None = None
    """Last day."""
    talk: str = ""
    """Which talk the material belongs to: its id or title."""

    @property
    def filters(self) -> bool:
        """Say whether it chooses at all."""
        return bool(self.subjects or self.senders or self.recipients or self.since or self.until)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Give all words for the subject."""
        return _several(self.subject)

    @property
    def senders(self) -> tuple[str, ...]:
        """Give all senders."""
        return _several(self.sender)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Give all recipients."""
        return _several(self.to)

    @model_validator(mode="after")
    def _reasonable(self) -> Self:
        if self.since and self.until and self.since > self.until:
            raise ValueError("since is later than until")
        return self


def _several(value: Texts) -> tuple[str, ...]:
    found = (value,) if isinstance(value, str) else value
    return tuple(text for text in found if text.strip())
