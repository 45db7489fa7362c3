"""Deliver the digest of a run to those whom the configuration names. A delivery that fails fails no run."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from concurrent.futures import wait
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
from archiver.threads import DaemonPool
from archiver.web import PoliteClient, origins_of

#: What the HTTP client says of what runs fetch. A notice is of one run: no other run sends it.
_RETRIED = re.compile("the next run tries again", re.IGNORECASE)


#: Seconds for all deliveries of a run together, and for those of a run whose own time was over.
SECONDS, SHORT = 30.0, 5.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one delivery: `error` is "" when the other side has it.

    `entry` is its place under `notify:`, from 1 on.
    """

    type: str
    error: str = ""
    entry: int = 1


def is_wanted(config: Config, told: Digest) -> bool:
    """Say whether anybody wants to hear of this digest."""
    return any(told.is_due(When(spec.when)) for spec in config.notify)


def deliver(
    config: Config, registry: Registry, told: Digest, *, forced: bool = False, left: float | None = None
) -> list[Delivery]:
    """Deliver a digest to everybody who wants to hear of it; with `forced`, to everybody. Raises nothing.

    All at once, and all within `SECONDS`. `left` is what the run's own time limit leaves, None without one:
    then it is no more than that, but `SHORT` at least. What takes longer is given up.
    """
    due = [
        (entry, spec) for entry, spec in enumerate(config.notify, 1) if forced or told.is_due(When(spec.when))
    ]
    if not due:
        return []
    seconds = SECONDS if left is None else min(SECONDS, max(SHORT, left))
    # A little less for the notifiers: they know better than this one what they waited for.
    notice = Notice(
        digest.subject(told), digest.text(told), digest.markdown(told), told.to_json(), 0.9 * seconds
    )
    couriers = [_Courier(config, registry, spec, entry) for entry, spec in due]
    return _delivered(couriers, notice, seconds)


def _delivered(couriers: Sequence[_Courier], notice: Notice, seconds: float) -> list[Delivery]:
    pool = DaemonPool(len(couriers), "notify")
    try:
        under_way = [pool.submit(courier.deliver, notice) for courier in couriers]
        wait(under_way, timeout=seconds)
        return [
            future.result() if future.done() else courier.given_up(seconds)
            for courier, future in zip(couriers, under_way, strict=True)
        ]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for courier in couriers:
            courier.end()


class _Courier:
    """Makes one delivery."""

    def __init__(self, config: Config, registry: Registry, spec: NotifySpec, entry: int) -> None:
        self._config, self._registry, self._spec, self._entry = config, registry, spec, entry
        self._http: PoliteClient | None = None

    def deliver(self, notice: Notice) -> Delivery:
        """Deliver; what goes wrong is told, without secrets."""
        config, spec = self._config, self._spec
        try:
            self._http = http = PoliteClient(hosts_allowed=origins_of(spec.options))
            log = logging.getLogger(f"archiver.plugin.{spec.type}")
            context = Context(f"notify-{spec.type}", config.folder, http, log, send_mail=_Mailing(config))
            self._registry.notifiers[spec.type](spec.options, context).deliver(notice)
        except BaseException as error:  # noqa: BLE001  # a plugin may raise anything, in this thread of its own
            told = _RETRIED.sub("no other run sends this notice", masking.text_of(error))
            return Delivery(spec.type, self._mask(told or type(error).__name__), self._entry)
        return Delivery(spec.type, "", self._entry)

    def end(self) -> None:
        """End what is still under way over HTTP, and close the connections."""
        if self._http is not None:
            self._http.close()

    def given_up(self, seconds: float) -> Delivery:
        """Tell of a delivery that is not done: perhaps the other side has it, and did not say so."""
        told = f"it was not done within {seconds:.0f} seconds, and was given up; perhaps it arrived"
        return Delivery(self._spec.type, told, self._entry)

    @property
    def _mask(self) -> Mask:
        mail = self._config.mail
        return Mask.of([self._spec.options, *([mail.smtp] if mail is not None and mail.smtp else [])])


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
