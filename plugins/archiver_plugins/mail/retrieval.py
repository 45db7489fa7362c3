"""Get parts of messages from the server, piece by piece, through any number of broken connections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from archiver import api
from archiver_plugins.mail.answers import parts_of, section
from archiver_plugins.mail.filters import Query, quoted
from archiver_plugins.mail.head import Head, read_head
from archiver_plugins.mail.headers import MAX_BLOCK, MOST_BLOCKS
from archiver_plugins.mail.parts import Part
from archiver_plugins.mail.session import Box, Lost, Session
from archiver_plugins.mail.sessions import ATTEMPTS, Sessions

#: Bytes asked for at once: few round trips, little memory.
PIECE: Final = 1 << 20
#: The header of each of many messages, and that of one, in full.
HEADER: Final = f"BODY.PEEK[HEADER]<0.{MOST_BLOCKS}>"
WHOLE_HEADER: Final = f"BODY.PEEK[HEADER]<0.{MAX_BLOCK}>"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a message lies now, its header, and the first piece of the part that is wanted of it."""

    mailbox: str
    validity: int
    uid: int
    head: Head
    number: str = ""
    first: bytes = b""


@dataclass(frozen=True)
class Retrieval:
    """Reads parts. `mailboxes` gives the names in which a message may be that was moved."""

    sessions: Sessions
    mailboxes: Callable[[Session], Sequence[str]]

    def find(self, place: Mapping[str, str], key: str, number: str = "") -> Spot:
        """Find a message where it was listed, or by its id: mailboxes are rebuilt, and people move mail.

        Raises `GoneError` when it is in no mailbox any more. `key` is the identity of its header. The
        beginning of part `number` comes with the header, which saves a round trip.
        """

        def use(session: Session) -> Spot:
            return self._find(session, place, key, number)

        return self.sessions.repeat(use, place.get("mailbox", ""))

    def pieces(self, spot: Spot, number: str) -> Iterator[bytes]:
        """Read a part as it is encoded; after a break it goes on where it was."""
        offset = failures = 0
        if spot.first and spot.number == number:
            yield spot.first
            offset = len(spot.first)
            if offset < PIECE:
                return
        while True:
            try:
                with self.sessions.lend(spot.mailbox) as session:
                    spot = self._still_there(session, spot)
                    while piece := _piece(session, spot.uid, number, offset):
                        yield piece
                        offset, failures = offset + len(piece), 0
                        if len(piece) < PIECE:
                            break
                    return
            except Lost:
                failures += 1
                if failures >= ATTEMPTS:
                    raise

    def parts(self, spot: Spot) -> list[Part]:
        """Ask the server for the structure of a message."""

        def use(session: Session) -> list[Part]:
            now = self._still_there(session, spot)
            answer = dict(session.fetch([now.uid], "BODYSTRUCTURE")).get(now.uid, {})
            return parts_of(answer.get("BODYSTRUCTURE"))

        return self.sessions.repeat(use, spot.mailbox)

    def _still_there(self, session: Session, spot: Spot) -> Spot:
        """Open the mailbox where it is not open, and look for the message anew when the UIDs are new."""
        box = session.box
        if box is None or box.name != spot.mailbox:
            box = session.examine(spot.mailbox)
        if box.validity == spot.validity:
            return spot
        place = {"mailbox": spot.mailbox, "message_id": spot.head.told_id}
        return self._find(session, place, spot.head.identity)

    def _find(self, session: Session, place: Mapping[str, str], key: str, number: str = "") -> Spot:
        mailbox, uid = place.get("mailbox", ""), int(place.get("uid", "0"))
        box = session.box if session.box and session.box.name == mailbox else session.examine(mailbox)
        if str(box.validity) == place.get("validity"):
            spot = _look(session, box, uid, number)
            if spot is not None and spot.head.identity == key:
                return spot
        for name in dict.fromkeys([mailbox, *self.mailboxes(session)]):
            box = session.examine(name)
            for candidate in _with_id(session, place.get("message_id", "")):
                spot = _look(session, box, candidate, number)
                if spot is not None and spot.head.identity == key:
                    return spot
        raise api.GoneError(
            f"The message <{key.rpartition('~')[0]}> is in no mailbox any more",
            hint="Move it back into one that is read, or waive it.",
        )


@dataclass(frozen=True)
class OnServer:
    """A message on a server, opened for its fetch."""

    retrieval: Retrieval
    spot: Spot

    @property
    def head(self) -> Head:
        """Its header."""
        return self.spot.head

    def parts(self) -> list[Part]:
        """List its parts."""
        return self.retrieval.parts(self.spot)

    def pieces(self, number: str) -> Iterator[bytes]:
        """Read a part, still encoded."""
        return self.retrieval.pieces(self.spot, number)


def _piece(session: Session, uid: int, number: str, offset: int) -> bytes:
    _check_number(number)
    for found, answer in session.fetch([uid], f"BODY.PEEK[{number}]<{offset}.{PIECE}>"):
        value = section(answer, number, offset)
        if found == uid and value is not None:
            return value
    if offset == 0:
        raise api.InvalidError(
            f"The mail server does not give part {number} of the message",
            hint="Look at it in a mail program.",
        )
    return b""


def _with_id(session: Session, message_id: str) -> list[int]:
    if not message_id or not message_id.isascii() or not message_id.isprintable():
        return []
    return session.search(0, Query(f"HEADER Message-ID {quoted(message_id)}"))[-20:]


def _check_number(number: str) -> None:
    """Let nothing else than a part number into a command: it comes out of a ledger."""
    if not re.fullmatch(r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,200}", number):
        raise api.InvalidError(f"{number!r:.100} is no number of a part", hint="List the mailbox again.")


def _look(session: Session, box: Box, uid: int, number: str) -> Spot | None:
    if number:
        _check_number(number)
    items = f"{WHOLE_HEADER} BODY.PEEK[{number}]<0.{PIECE}>" if number else WHOLE_HEADER
    for found, answer in session.fetch([uid], items):
        block = section(answer, "HEADER")
        if found == uid and block is not None:
            first = section(answer, number) if number else None
            return Spot(box.name, box.validity, uid, read_head(block), number, first or b"")
    return None
