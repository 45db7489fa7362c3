"""One logged-in IMAP connection. It examines mailboxes and peeks at messages; it has no way to change any."""

from __future__ import annotations

import imaplib
import logging
import re
import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from archiver import api
from archiver_plugins.mail import utf7
from archiver_plugins.mail.answers import Answer, answers
from archiver_plugins.mail.filters import Query, quoted
from archiver_plugins.mail.oauth import Tokens
from archiver_plugins.mail.options import EmailOptions
from archiver_plugins.mail.wire import Connection

#: What NetEase wants to know before it opens a mailbox (RFC 2971).
_ID: Final = '("name" "event-archiver" "version" "0.1" "vendor" "event-archiver")'
#: Response codes (RFC 5530) of a refusal that passes.
_PASSING: Final = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|OVERQUOTA)\]|too many", re.IGNORECASE)
#: Mailboxes that "*" leaves out (RFC 6154).
_UNWANTED: Final = frozenset({r"\noselect", r"\nonexistent", r"\junk", r"\trash", r"\drafts"})
_LISTED: Final = re.compile(rb'\(([^)]*)\) (?:"(?:[^"\\]|\\.)*"|NIL) (.+)\Z')
_MAX_MAILBOXES: Final = 500


class Lost(api.TransientError):
    """The connection broke: another one may go on."""


@dataclass(frozen=True, slots=True)
class Box:
    """What EXAMINE told of a mailbox; `next_uid` is None where a server does not name it."""

    name: str
    validity: int
    next_uid: int | None
    count: int


class Session:
    """A connection after login, one thread's alone.

    Every method raises `SourceError`; `Lost` is the one for a connection that broke.
    """

    def __init__(
        self, options: EmailOptions, folder: Path, tokens: Tokens | None, log: logging.Logger
    ) -> None:
        self._options = options
        self._log = log
        self.box: Box | None = None
        with self._asking("connect"):
            self._wire = Connection(
                options.host,
                options.port,
                tls=options.tls,
                ca_file=options.ca_path(folder),
                timeout=options.timeout,
            )
        try:
            self._log_in(tokens)
            self._introduce()
        except BaseException:
            self.close()
            raise

    @property
    def is_gmail(self) -> bool:
        """Say whether the server has Gmail's extensions."""
        return "X-GM-EXT-1" in self._capabilities

    def close(self) -> None:
        """Say goodbye if the server still listens, and close the connection."""
        with suppress(imaplib.IMAP4.error, OSError, ValueError):
            self._wire.sock.settimeout(2)
            self._wire.send(b"BYE0 LOGOUT\r\n")
        with suppress(OSError):
            self._wire.shutdown()

    def _log_in(self, tokens: Tokens | None) -> None:
        if tokens is None:
            self._by_password()
            return
        token = tokens.token()
        try:
            self._by_token(token)
        except api.BlockedError:
            # It may have been taken back before its time: one new token, then no more.
            self._by_token(tokens.token(refused=token))

    def _by_password(self) -> None:
        name, password = self._options.username, self._options.password.get_secret_value()
        with self._asking("log in"):
            if "AUTH=PLAIN" in self._wire.capabilities:
                self._wire.authenticate("PLAIN", lambda _: f"\0{name}\0{password}".encode())
            elif "LOGINDISABLED" in self._wire.capabilities:
                raise api.BlockedError(
                    f"The mail server {self._options.host} takes no password on this connection",
                    hint="Set tls to on or starttls.",
                )
            else:
                # imaplib speaks ASCII alone, and would show what it cannot encode.
                if not (name + password).isascii() or not password.isprintable():
                    raise api.BlockedError(
                        f"The mail server {self._options.host} takes no password with such characters",
                        hint="Choose one of ASCII letters and digits, such as an app password.",
                    )
                self._wire.login(quoted(name), password)

    def _by_token(self, token: str) -> None:
        first = f"user={self._options.username}\1auth=Bearer {token}\1\1".encode()
        replies = iter([first])
        with self._asking("log in"):
            # On refusal comes a second question, with details, which wants an empty answer.
            self._wire.authenticate("XOAUTH2", lambda _: next(replies, b""))

    def _introduce(self) -> None:
        with self._asking("log in"):
            _, data = self._wire.capability()
        words = " ".join(str(item, "ascii", "replace") for item in data if isinstance(item, bytes))
        self._capabilities = frozenset(words.upper().split())
        if "ID" in self._capabilities:
            with self._asking("introduce this program"):
                self._wire.xatom("ID", _ID)

    def mailboxes(self) -> list[str]:
        """Name the mailboxes that "*" stands for.

        Where one holds all mail, as at Gmail, that one: the others are labels on the same messages.
        """
        with self._asking("list the mailboxes"):
            _, data = self._wire.list()
        found: list[str] = []
        for flags, name in _mailboxes(data):
            if r"\all" in flags:
                return [name]
            if not flags & _UNWANTED:
                found.append(name)
        if len(found) > _MAX_MAILBOXES:
            raise api.FatalError(
                f"The account has more than {_MAX_MAILBOXES} mailboxes",
                hint="Name the ones to read in `mailboxes`.",
            )
        return found

    def examine(self, name: str) -> Box:
        """Open a mailbox for reading alone (RFC 9051, 6.3.3)."""
        self.box = None
        with self._asking(f"open the mailbox {name!r}"):
            status, data = self._wire.select(quoted(utf7.encode(name)), readonly=True)
            if status != "OK":
                raise self._refused(name, _said(data))
            validity = self._wire.number("UIDVALIDITY") or 0
            self.box = Box(name, validity, self._wire.number("UIDNEXT"), self._wire.number("EXISTS") or 0)
        return self.box

    def _refused(self, name: str, said: str) -> api.SourceError:
        if "unsafe login" in said.lower():
            return api.BlockedError(
                f"The mail server refuses to open {name!r}: {said}",
                hint="Allow IMAP in the settings of the mailbox on the web, and use its authorisation code.",
            )
        return api.InvalidError(
            f"The mailbox {name!r} cannot be opened: {said}",
            hint=f"There are: {', '.join(self.mailboxes()[:30])}.",
        )

    def search(self, after: int, query: Query, gmail: str = "") -> list[int]:
        """Give the UIDs above `after` of the messages that may be wanted, ascending."""
        words = ["UID", f"{after + 1}:*"]
        if gmail and self.is_gmail:
            words += ["X-GM-RAW", quoted(gmail)]
        try:
            data = self._uid_search(words, query)
        except api.InvalidError:
            if not query.literal:
                raise
            # [BADCHARSET]: the server cannot search for it; we can.
            self._log.debug("the server cannot search for %r", query.literal.decode())
            plain = Query(query.criteria.removesuffix("SUBJECT").strip())
            data = self._uid_search(words, plain)
        numbers = {
            int(each) for line in data if isinstance(line, bytes) for each in line.split() if each.isdigit()
        }
        # "999:*" means the last message too, whatever its number is.
        return sorted(number for number in numbers if number > after)

    def _uid_search(self, words: Sequence[str], query: Query) -> list[Any]:
        with self._asking("search"):
            charset = ["CHARSET", "UTF-8"] if query.literal else []
            if query.literal:
                self._wire.literal = query.literal  # type: ignore[assignment]  # bytes are meant
            status, data = self._wire.uid("SEARCH", *charset, *words, *filter(None, [query.criteria]))
            if status != "OK":
                raise api.InvalidError(f"The mail server does not search as asked: {_said(data)}")
        return list(data)

    def fetch(self, uids: Iterable[int], items: str) -> Iterator[tuple[int, Answer]]:
        """Fetch from the messages of the examined mailbox: UID and answer, in the server's order."""
        with self._asking("fetch"):
            status, data = self._wire.uid("FETCH", _set(uids), f"(UID {items})")
            if status != "OK":
                raise api.TransientError(f"The mail server does not give a message: {_said(data)}")
        for answer in answers(data):
            uid = answer.get("UID")
            if isinstance(uid, bytes) and uid.isdigit():
                yield int(uid), answer

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """Make errors of ours of what the library raises; nothing that was sent is repeated."""
        host = self._options.host
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise api.FatalError(
                f"The certificate of the mail server {host} cannot be trusted: {error.verify_message}",
                hint="Check the name; for a server with its own authority name its certificates in ca_file.",
            ) from None
        except (imaplib.IMAP4.abort, OSError, EOFError, ValueError) as error:
            # ValueError: answers in no ASCII or no base64, on which the library stumbles.
            raise _lost(host, what, error) from None
        except imaplib.IMAP4.error as error:
            raise self._no(what, str(error)) from None

    def _no(self, what: str, said: str) -> api.SourceError:
        said = self._clean(said)
        message = f"The mail server {self._options.host} does not let us {what}: {said}"
        if _PASSING.search(said):
            return api.TransientError(message, hint="Try again later.")
        if what == "log in":
            return api.BlockedError(
                message,
                hint="Check username and password; many services want an app password instead.",
            )
        return api.InvalidError(message)

    def _clean(self, said: str) -> str:
        """Make one line of what the server said, without our password should it repeat it."""
        secret = self._options.password.get_secret_value()
        shown = said.replace(secret, "***") if secret else said
        return "".join(char for char in shown if char.isprintable())[:200]


def _lost(host: str, what: str, error: Exception) -> Lost:
    if isinstance(error, socket.gaierror):
        return Lost(f"The mail server {host} is not known", hint="Check its name and this machine's network.")
    if isinstance(error, imaplib.IMAP4.abort):
        reason = "it ended the connection"
    elif isinstance(error, TimeoutError):
        reason = "it did not answer in time"
    else:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return Lost(
        f"The mail server {host} was lost on the way to {what}: {reason}", hint="The next run goes on."
    )


def _said(data: Sequence[Any]) -> str:
    words = [str(item, "utf-8", "replace") for item in data if isinstance(item, bytes)]
    return "".join(char for char in " ".join(words) if char.isprintable())[:200]


def _mailboxes(data: Sequence[Any]) -> Iterator[tuple[frozenset[str], str]]:
    """Read the answers to LIST; a name that needs one comes as a literal."""
    for item in data:
        line, literal = item if isinstance(item, tuple) else (item, None)
        match = _LISTED.match(line) if isinstance(line, bytes) else None
        if match is None:
            continue
        raw = match[2] if literal is None else literal
        if raw.startswith(b'"') and literal is None:
            raw = re.sub(rb"\\(.)", rb"\1", raw[1:-1])
        flags = frozenset(match[1].decode("ascii", "replace").lower().split())
        yield flags, utf7.decode(raw.decode("ascii", "replace"))


def _set(uids: Iterable[int]) -> str:
    """Write numbers as ranges: "1:3,7"."""
    ranges: list[list[int]] = []
    for uid in sorted(uids):
        if ranges and uid == ranges[-1][1] + 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in ranges)
