"""Ask speakers for the slides that are missing: who, with which words, by draft or by server.

`who` finds the speakers, `letter` writes, `post` sends. Every mail is written down before it goes out,
so that its answer is known whatever happens next.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from archiver import asked, logbook, recall
from archiver.amend import Amendment
from archiver.ask.letter import compose
from archiver.ask.post import Post
from archiver.ask.who import Asking, Request, whom
from archiver.asked import Ask, Way
from archiver.config.mail import MailSection, SmtpSection
from archiver.coverage import coverage
from archiver.errors import ArchiverError, ConfigError
from archiver.model import Event
from archiver.naming import slug
from archiver.talks import addressed, advice

__all__ = ["Asked", "Asking", "Request", "drafts", "find", "send", "sending_settings", "settings"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one request: the draft's path, or why it was not sent."""

    request: Request
    ask: Ask | None
    path: Path | None = None
    error: ArchiverError | None = None


@dataclass(frozen=True, slots=True)
class _Written:
    request: Request
    message: EmailMessage
    ask: Ask


def settings(mail: MailSection | None) -> MailSection:
    """Give the section about mail. Raises `ConfigError` when there is none."""
    if mail is None:
        raise ConfigError(
            "the configuration has no `mail:` section, so there is no address to write from",
            hint="add to it a line such as: mail: {from: Our Group <slides@example.org>}",
        )
    return mail


def sending_settings(mail: MailSection | None) -> SmtpSection:
    """Give the server that sends. Raises `ConfigError` when there is none."""
    smtp = settings(mail).smtp
    if smtp is None:
        raise ConfigError(
            "the `mail:` section names no server that sends",
            hint="add to that section: smtp: {host: smtp.example.org}; or leave --send out to get drafts",
        )
    return smtp


def find(desk: Amendment, event: Event, *, talk: str = "", again: bool = False) -> Asking:
    """Say who is to be asked for an event, by what the archive holds now.

    Addresses that are not typed are read anew from the event's tables and calendars, if any is needed.
    """
    found = _whom(desk, event, talk, again=again)
    if not found.no_address:
        return found
    told = addressed(desk.config, event)
    found = _whom(desk, told.event, talk, again=again)
    found.troubles = told.troubles
    found.advice = {each.id: advice(desk.config, event, each) for each in found.no_address}
    return found


def _whom(desk: Amendment, event: Event, talk: str, *, again: bool) -> Asking:
    waived = recall.waivers(desk.held.heads.values(), desk.config)
    found = coverage([event], desk.known.values(), waived).events[0]
    return whom(found, desk.router.asks, datetime.now(UTC), talk=talk, again=again)


def drafts(desk: Amendment, requests: Iterable[Request], folder: Path) -> Iterator[Asked]:
    """Write each mail as an .eml file that a mail program opens for sending; existing files stay.

    Raises `SinkError` before any file is written when that cannot be noted in the archive, and
    `ConfigError` when the folder cannot be made.
    """
    written = list(_written(desk, requests, Way.DRAFT))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the drafts cannot be written into {folder}: {error.strerror or error}"
        raise ConfigError(
            message, hint="name a folder that you may write: archive ask EVENT --to FOLDER"
        ) from error
    _note(desk, [each.ask for each in written if isinstance(each, _Written)])
    for each in written:
        if isinstance(each, Asked):
            yield each
            continue
        # Outlook opens a file with this header for sending, not for reading.
        each.message["X-Unsent"] = "1"
        name = slug(each.request.speaker, 60) or slug(each.request.talks[0].title, 60)
        path = folder / f"{each.request.event.id}-{name}-{each.ask.token}.eml"
        # It holds an address that the archive itself never does: for this user's eyes alone.
        with open(path, "xb", opener=_private) as file:
            file.write(each.message.as_bytes())
        yield Asked(each.request, each.ask, path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def send(desk: Amendment, requests: Iterable[Request], post: Post) -> Iterator[Asked]:
    """Send each mail; one that fails is told of and not counted as asked.

    Raises `SinkError` before anything is sent when that cannot be noted in the archive.
    """
    written = list(_written(desk, requests, Way.BEGUN))
    _note(desk, [each.ask for each in written if isinstance(each, _Written)])
    told = []
    try:
        for each in written:
            told.append(each if isinstance(each, Asked) else _sent(each, post))
            yield told[-1]
    finally:
        _note(desk, [each.ask for each in told if each.ask is not None])


def _sent(each: _Written, post: Post) -> Asked:
    try:
        post.send(each.message)
    except ArchiverError as error:
        return Asked(each.request, replace(each.ask, way=Way.REFUSED, at=logbook.now()), error=error)
    return Asked(each.request, replace(each.ask, way=Way.SENT, at=logbook.now()))


def _written(desk: Amendment, requests: Iterable[Request], way: Way) -> Iterator[_Written | Asked]:
    mail = settings(desk.config.mail)
    taken = set(desk.router.asks.by_token)
    for request in requests:
        token = next(token for token in iter(asked.new_token, None) if token not in taken)
        taken.add(token)
        try:
            message = compose(request, desk.config.archive, mail, token, datetime.now(UTC))
        except ConfigError as error:
            yield Asked(request, None, error=error)
            continue
        talks = tuple(talk.id for talk in request.talks)
        name = str(message["Message-ID"]).strip("<>")
        ask = Ask(token, request.event.id, talks, request.speaker, name, logbook.now(), way)
        yield _Written(request, message, ask)


def _note(desk: Amendment, asks: Iterable[Ask]) -> None:
    lines = [ask.to_json() for ask in asks]
    if lines:
        desk.write(logbook.ASKED, lines, f"asked for slides: {len(lines)} mails")
