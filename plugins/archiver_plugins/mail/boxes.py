"""List the messages of an account: only what is new since the cursor, and nothing read twice.

Its part of the cursor is JSON: {"INBOX": [UIDVALIDITY, last UID]}. A UID is good as long as its mailbox
keeps the UIDVALIDITY; with another one the mailbox is read from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from archiver import api
from archiver_plugins.mail import letter as letters
from archiver_plugins.mail import scan
from archiver_plugins.mail.answers import Answer, parts_of, section
from archiver_plugins.mail.filters import Query
from archiver_plugins.mail.head import Head, read_head
from archiver_plugins.mail.headers import MOST_BLOCKS, fields_of
from archiver_plugins.mail.letter import MAX_TEXT, Letter
from archiver_plugins.mail.parts import Part
from archiver_plugins.mail.retrieval import HEADER, WHOLE_HEADER, Retrieval, Spot
from archiver_plugins.mail.session import Box, Session
from archiver_plugins.mail.sessions import Sessions

_BATCH: Final = 100
_TEXT_BATCH: Final = 50


@dataclass
class Listing:
    """One pass over the mailboxes. `seen` is for the next cursor; `fresh` says that all began anew."""

    sessions: Sessions
    retrieval: Retrieval
    mailboxes: Sequence[str]
    queries: Sequence[Query]
    gmail: str
    wanted: Callable[[Head], bool]
    before: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    failures: list[api.SourceError] = field(default_factory=list)

    @property
    def fresh(self) -> bool:
        """Say whether every mailbox was read from its beginning."""
        return not any(self.before.get(name, (None,))[0] == seen[0] for name, seen in self.seen.items())

    def letters(self) -> Iterator[Letter]:
        """Read all mailboxes; one that cannot be read does not keep the others from it."""
        for name in self._names():
            try:
                yield from self._box(name)
            except api.SourceError as error:
                self.failures.append(error)

    def _names(self) -> list[str]:
        if "*" not in self.mailboxes:
            return list(dict.fromkeys(self.mailboxes))
        return self.sessions.repeat(Session.mailboxes)

    def _box(self, name: str) -> Iterator[Letter]:
        box, uids = self.sessions.repeat(lambda session: self._new(session, name))
        for start in range(0, len(uids), _BATCH):
            read = partial(self._batch, box=box, uids=uids[start : start + _BATCH])
            yield from self.sessions.repeat(read, name)
        last = max([self._after(box), *uids, (box.next_uid or 1) - 1])
        self.seen[name] = (box.validity, last)

    def _after(self, box: Box) -> int:
        validity, last = self.before.get(box.name, (0, 0))
        return last if validity == box.validity and validity else 0

    def _new(self, session: Session, name: str) -> tuple[Box, list[int]]:
        box = session.examine(name)
        after = self._after(box)
        if box.count == 0 or (box.next_uid is not None and box.next_uid <= after + 1):
            return box, []
        found: set[int] = set()
        for query in dict.fromkeys(self.queries) or [Query("")]:
            found.update(session.search(after, query, self.gmail))
        return box, sorted(found)

    def _batch(self, session: Session, box: Box, uids: Sequence[int]) -> list[Letter]:
        if session.box is None or session.box.name != box.name:
            now = session.examine(box.name)
            if now.validity != box.validity:
                raise api.TransientError(
                    f"The mailbox {box.name!r} was exchanged while it was read",
                    hint="The next run reads it anew.",
                )
        answers = self._answers(session, uids)
        found = [
            (uid, letter)
            for uid in uids
            if uid in answers and (letter := self._letter(session, box, uid, answers[uid])) is not None
        ]
        return self._with_texts(session, [(uid, _renamed(session, uid, letter)) for uid, letter in found])

    def _answers(self, session: Session, uids: Sequence[int]) -> dict[int, Answer]:
        """Fetch headers and structures; a message whose answer makes no sense spoils its own alone."""
        try:
            return dict(session.fetch(uids, f"{HEADER} INTERNALDATE BODYSTRUCTURE"))
        except api.InvalidError:
            if len(uids) == 1:
                return dict(session.fetch(uids, f"{HEADER} INTERNALDATE"))
        middle = len(uids) // 2
        return self._answers(session, uids[:middle]) | self._answers(session, uids[middle:])

    def _letter(self, session: Session, box: Box, uid: int, answer: Answer) -> Letter | None:
        block = section(answer, "HEADER") or b""
        if len(block) >= MOST_BLOCKS:
            block = section(dict(session.fetch([uid], WHOLE_HEADER)).get(uid, {}), "HEADER") or block
        head = read_head(block, arrived=_arrived(answer.get("INTERNALDATE")))
        if head.is_answered_by_machine or not self.wanted(head):
            return None
        place = {"mailbox": box.name, "validity": str(box.validity), "uid": str(uid)}
        try:
            parts = parts_of(answer.get("BODYSTRUCTURE"))
        except api.InvalidError as error:
            return Letter(head, place=place, problem=error)
        return Letter(head, tuple(parts), place=place)

    def _with_texts(self, session: Session, found: Sequence[tuple[int, Letter]]) -> list[Letter]:
        """Read the beginnings of the texts, all messages of one build with one command."""
        groups: dict[tuple[str, ...], list[int]] = {}
        for uid, letter in found:
            numbers = tuple(part.number for part in letters.readable(letter.parts))
            groups.setdefault(numbers, []).append(uid)
        texts: dict[int, Answer] = {}
        for numbers, uids in groups.items():
            items = " ".join(f"BODY.PEEK[{number}]<0.{MAX_TEXT}>" for number in numbers)
            for start in range(0, len(uids) if items else 0, _TEXT_BATCH):
                texts |= dict(session.fetch(uids[start : start + _TEXT_BATCH], items))
        return [self._complete(letter, texts.get(uid, {})) for uid, letter in found]

    def _complete(self, letter: Letter, answer: Answer) -> Letter:
        texts = {
            part.number: letters.beginning([section(answer, part.number) or b""], part.encoding)
            for part in letters.readable(letter.parts)
        }
        try:
            more = [self._unwrapped(letter, part) for part in letter.parts if part.is_wrapped_message]
        except api.InvalidError as error:  # what may pass fails the listing, so that the cursor stays
            return replace(letter, problem=error)
        parts = [*letter.parts, *(part for found, _ in more for part in found)]
        for _, found in more:
            texts |= found
        return replace(letter, parts=tuple(parts), texts=texts)

    def _unwrapped(self, letter: Letter, part: Part) -> tuple[list[Part], dict[str, bytes]]:
        place = letter.place
        spot = Spot(place["mailbox"], int(place["validity"]), int(place["uid"]), letter.head)
        pieces = self.retrieval.pieces(spot, part.number)
        with letters.unwrapped(pieces, part.encoding) as window:
            return letters.inside(window, part.number)


def _renamed(session: Session, uid: int, letter: Letter) -> Letter:
    """Read names anew from the raw header of their part where the server lost something of them.

    Servers make "????.pdf" of raw bytes, and "my" of an unquoted `my talk.pdf`.
    """
    parts = list(letter.parts)
    for index, part in enumerate(parts):
        if not part.name or not ({"?", "\ufffd"} & set(part.name) or "." not in part.name):
            continue
        fields = letter.head.fields
        if part.around:  # else the message's own header is the part's
            answer = dict(session.fetch([uid], f"BODY.PEEK[{part.number}.MIME]")).get(uid, {})
            fields = fields_of(section(answer, f"{part.number}.MIME") or b"")
        parts[index] = replace(part, name=scan.part_of(part.number, fields).name or part.name)
    return replace(letter, parts=tuple(parts)) if tuple(parts) != letter.parts else letter


def read_known(data: Any) -> dict[str, tuple[int, int]]:
    """Read the cursor's part; one that makes no sense counts as none."""
    try:
        return {str(name): (int(validity), int(last)) for name, (validity, last) in data.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _arrived(value: object) -> str:
    """Read " 1-Jan-2026 10:00:00 +0800" as ISO 8601, "" when it is none."""
    shown = value.decode("ascii", "replace").strip() if isinstance(value, bytes) else ""
    try:
        return datetime.strptime(shown, "%d-%b-%Y %H:%M:%S %z").astimezone(UTC).isoformat()
    except ValueError:
        return ""


def merged(queries: Iterable[Query | None]) -> list[Query]:
    """Give the searches for several entries; one that wants everything makes the others needless."""
    found = list(dict.fromkeys(queries))
    if None in found or len(found) > 16 or any(query == Query("") for query in found):
        return []
    return [query for query in found if query is not None]
