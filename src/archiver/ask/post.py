"""Hand mails to an SMTP server, one by one; what goes wrong with one does not stop the others."""

from __future__ import annotations

import logging
import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Self

from archiver.config.mail import SmtpSection
from archiver.errors import ArchiverError, BlockedError, TransientError
from archiver.masking import Mask

_log = logging.getLogger("archiver.ask")
_PORTS = {"tls": 465, "starttls": 587, "none": 25}


class Post:
    """A connection to the server, made when the first mail is sent, and anew when it broke.

    `folder` is where a relative `ca_file` starts.
    """

    def __init__(self, settings: SmtpSection, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._mask = Mask.of([settings])
        self._server: smtplib.SMTP | None = None
        self._refusal: ArchiverError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()

    def check(self) -> None:
        """Connect, encrypt and log in as for sending, and send nothing.

        Raises `BlockedError` when the server refuses us, `TransientError` when the connection fails.
        """
        try:
            code, text = self._connected().noop()
            if code >= 400:
                raise smtplib.SMTPResponseException(code, text)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._forget_broken(error)
            raise self._explained(error) from error

    def send(self, message: EmailMessage) -> None:
        """Send one mail; return when the server has taken it for its recipient, or for one of several.

        Raises `BlockedError` when it is refused, `TransientError` when the connection fails.
        """
        if self._refusal is not None:
            raise self._refusal  # a wrong password is not tried once more for each speaker
        try:
            refused = self._connected().send_message(message)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._forget_broken(error)
            raise self._explained(error) from error
        if refused:
            told = "; ".join(_answer(code, text) for code, text in refused.values())
            _log.warning(
                "%s refused %d of the recipients: %s", self._settings.host, len(refused), self._mask(told)
            )

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            try:
                self._server = self._connect()
            except (smtplib.SMTPException, OSError, ValueError) as error:
                self._refusal = self._explained(error)
                raise
        return self._server

    def _connect(self) -> smtplib.SMTP:
        given = self._settings
        port = given.port or _PORTS[given.security]
        if given.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                given.host, port, timeout=given.timeout, context=self._context()
            )
        else:
            server = smtplib.SMTP(given.host, port, timeout=given.timeout)
        try:
            if given.security == "starttls":
                server.starttls(context=self._context())
            if given.username:
                server.login(given.username, given.password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server

    def _context(self) -> ssl.SSLContext:
        ca_file = self._settings.ca_file
        return ssl.create_default_context(cafile=ca_file and self._folder / ca_file.expanduser())

    def _forget_broken(self, error: Exception) -> None:
        refused = isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPSenderRefused)
        if self._server is not None and not refused and not isinstance(error, smtplib.SMTPDataError):
            self._server.close()
            self._server = None

    def _explained(self, error: Exception) -> ArchiverError:
        host = self._settings.host
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            answers = (_answer(code, text) for code, text in error.recipients.values())
            return self._blocked(f"{host} refused the recipient: {'; '.join(answers)}", "check the address")
        if isinstance(error, smtplib.SMTPAuthenticationError):
            hint = "check mail.smtp.username and password; many services want a password made for programs"
            return self._blocked(f"{host} refused the login: {_of(error)}", hint)
        if isinstance(error, smtplib.SMTPResponseException):
            return self._blocked(f"{host} refused the mail: {_of(error)}", "see what the server says")
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = "name the server as its certificate does, or its authority as mail.smtp.ca_file"
            return self._blocked(f"the certificate of {host} is not trusted: {error.verify_message}", hint)
        if isinstance(error, smtplib.SMTPNotSupportedError | ssl.SSLError):
            hint = "check mail.smtp.security and port"
            return self._blocked(f"{host} does not speak as configured: {error}", hint)
        told = self._mask(f"{host} could not be reached: {type(error).__name__}: {error}")
        return TransientError(told, hint="check mail.smtp.host and port, and try again")

    def _blocked(self, message: str, hint: str) -> BlockedError:
        return BlockedError(self._mask(message), hint=hint)


def _of(error: smtplib.SMTPResponseException) -> str:
    return _answer(error.smtp_code, error.smtp_error)


def _answer(code: int, text: bytes | str) -> str:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(shown.split())[:300]}"
