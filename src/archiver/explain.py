"""Explain one material: where it came from, how it found its event and talk, where its bytes lie.

`find` picks what a person names: a path in a sink, a file on this machine, an id, an address. `explain`
puts together what the ledgers, the decisions and the configuration say of it. Both only read.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from archiver import added
from archiver.archive import Head
from archiver.config import Config
from archiver.decisions import Decision, Verdict, short_id
from archiver.errors import BlockedError, GoneError, InvalidError, MissingError
from archiver.ledger import Record, State, StoredFile, best_grade, material_to_json
from archiver.matching import rank
from archiver.model import Event, Kind, Material
from archiver.pointers import FOUND_AT, FOUND_IN, is_handed
from archiver.review import LEAST, Candidate, candidates
from archiver.routing import Router

#: How a talk was found → in words.
METHODS = {
    "id": "it has, or links to, the code that its programme gives the talk",
    "speaker": "its title names the talk's speaker, and no other talk",
    "title+time": "of the talks with such a title it is the one at that time",
    "decision": "a person decided so",
    "title": "its title is near enough to the talk's, and to no other's",
    "title+speaker": "its title and its speaker are the talk's",
}
#: How an event was found → in words. The words of `archiver.route` and of what came by mail.
ROUTES = {
    "entry": "its source says so",
    "only event": "only this event uses its source",
    "date": "its date is one of the event's days, and of no other's",
    "tag": "one of its tags names the event",
    "talk": "its source names a talk that only this event has",
    "token": "the mail has the code that we asked with",
    "reply": "the mail answers ours",
    "subject": "the subject of the mail names the event",
    "sender": "a speaker of this event sent it",
    "title": "its title fits one talk of this event alone",
}
_TO_DO = {
    "": "It is fetched at the next run.",
    "accepted": "It is fetched at the next run.",
    "failed": "It is tried again at the next run.",
    BlockedError.reason: "A person has to act first (log in, lift a quota, open the page); then run again.",
    GoneError.reason: "It no longer exists upstream. Ask the speaker, and add the file.",
    "link": "No source fetches it. Save it from its address, and add the file.",
    InvalidError.reason: "What arrived was not usable. Look at the address, or add the file.",
}
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SHORT = re.compile(r"[0-9a-f]{4,12}")
_MOST = 3  # talks that are named beside the matched one
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """What a person named, and by what it was found. `file` is the stored file, where it was one."""

    record: Record | None
    decision: Decision | None
    by: str
    file: StoredFile | None = None


@dataclass(frozen=True)
class Knowledge:
    """All that an explanation rests on."""

    config: Config
    heads: Mapping[str, Head]
    records: Sequence[Record]
    router: Router

    def event(self, name: str) -> Event | None:
        """Give an event of the programme."""
        return next((event for event in self.config.events if event.id == name), None)


@dataclass(frozen=True, slots=True)
class Copy:
    """One stored file in one sink. `sha256` is what its inventory says; "" when the sink has no such file."""

    sink: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Explained:
    """What is known of one material. The texts may hold words from upstream.

    `routed` and `matched` say how event and talk were found; `others` the talks that came next, with their
    scores; `lacking` why it is not here, or of no talk; `advice` and `command` what to do about that.
    """

    short: str
    found: Found
    record: Record
    routed: str
    matched: str
    others: tuple[tuple[str, float], ...]
    copies: tuple[tuple[StoredFile, tuple[Copy, ...]], ...]
    decision: Decision | None
    candidates: tuple[Candidate, ...] = ()
    lacking: str = ""
    advice: str = ""
    command: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the shape of `archive why --json`."""
        record = self.record
        grade = best_grade(record.files)
        return {
            "id": self.short,
            "found_by": self.found.by,
            "source": record.source,
            "type": record.type_name,
            "material": _material_json(record),
            "state": record.state.value,
            "listed": record.history[0].at if record.history else None,
            "event": {"id": record.material.event, "how": self.routed},
            "talk": self._talk_json(),
            "grade": grade.value if grade else None,
            "files": [_file_json(file, copies) for file, copies in self.copies],
            "earlier": [{"until": each.until, "files": len(each.files)} for each in record.earlier],
            "decision": _decision_json(self.decision),
            "candidates": [asdict(each) for each in self.candidates],
            "lacking": self.lacking,
            "advice": self.advice,
            "command": self.command,
            "history": [
                {"at": step.at, "state": step.state.value, "run": step.run, "reason": step.reason}
                for step in record.history
            ],
        }

    def _talk_json(self) -> dict[str, Any]:
        match = self.record.match
        others = [{"id": talk, "score": score} for talk, score in self.others]
        told = {"id": match.talk, "method": match.method, "score": match.score}
        return {**told, "how": self.matched, "others": others}


def _material_json(record: Record) -> dict[str, Any]:
    # What is for the source's own fetch is nobody else's business; event and talk are told beside.
    data = material_to_json(record.material)
    return {name: value for name, value in data.items() if name not in ("extra", "event", "talk")}


def _decision_json(decision: Decision | None) -> dict[str, str] | None:
    if decision is None:
        return None
    told = {"verdict": decision.verdict.value, "at": decision.at}
    return {**told, "place": decision.place, "reason": decision.reason}


def _file_json(file: StoredFile, copies: Iterable[Copy]) -> dict[str, Any]:
    return {
        "path": file.path,
        "role": file.role.value,
        "grade": file.grade.value,
        "size": file.size,
        "sha256": file.sha256,
        "sinks": {copy.sink: {"path": copy.path, "sha256": copy.sha256} for copy in copies},
    }


def find(what: str, known: Knowledge, folder: Path) -> list[Found]:
    """Find what a person names; `folder` is where relative paths begin. The first way that finds decides.

    Raises `OSError` when a file of that name cannot be read.
    """
    for way in (_by_id, _by_address, _by_stored_path, _by_file, _by_digest, _by_short):
        found = list(way(what, known, folder))
        if found:
            return found
    return []


def _by_id(what: str, known: Knowledge, folder: Path) -> Iterator[Found]:
    del folder
    yield from (Found(each, None, "its id") for each in known.records if each.material.id == what)
    yield from (each for each in _forgotten(known, "its id") if each.decision and each.decision.id == what)


def _by_address(what: str, known: Knowledge, folder: Path) -> Iterator[Found]:
    del folder
    if "://" in what:
        wanted = _plain_address(what)
        for each in known.records:
            if each.material.url and _plain_address(each.material.url) == wanted:
                yield Found(each, None, "its address")


def _plain_address(url: str) -> str:
    """Bring an address into the form that is compared: without scheme, `www.`, fragment and last slash."""
    rest = url.partition("://")[2].partition("#")[0].rstrip("/")
    host, slash, path = rest.partition("/")
    return host.casefold().removeprefix("www.") + slash + path


def _by_stored_path(what: str, known: Knowledge, folder: Path) -> Iterator[Found]:
    """Take a path in a sink, one below a sink's folder, one within an event, or the bare name of a file."""
    plain = {what, *_below_roots(what, known, folder)}
    for record in known.records:
        for file in _every_file(record):
            names = {file.path, file.path.rpartition("/")[2], *_places(record, file, known)}
            if plain & names:
                yield Found(record, None, "the path of its file", file)


def _below_roots(what: str, known: Knowledge, folder: Path) -> Iterator[str]:
    path = (folder / what).resolve()
    for head in known.heads.values():
        root = head.sink.local_root
        if root is not None and path.is_relative_to(root.resolve()):
            yield path.relative_to(root.resolve()).as_posix()


def _places(record: Record, file: StoredFile, known: Knowledge) -> Iterator[str]:
    for head in known.heads.values():
        target = head.object(record.material.event)
        if target.inventory:
            for path in target.inventory.manifest.get(file.sha256, ()):
                yield target.prefix + path


def _by_file(what: str, known: Knowledge, folder: Path) -> Iterator[Found]:
    path = folder / what
    if not path.is_file():
        return
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    yield from _of_digest(digest.hexdigest(), known, "the bytes of that file")


def _by_digest(what: str, known: Knowledge, folder: Path) -> Iterator[Found]:
    """Take a SHA-256, also as the folder of what was derived: derived/<sha256>/text."""
    del folder
    for digest in _DIGEST.findall(what.casefold()):
        yield from _of_digest(digest, known, "the SHA-256 of its file")


def _of_digest(digest: str, known: Knowledge, by: str) -> Iterator[Found]:
    for record in known.records:
        file = next((file for file in _every_file(record) if file.sha256 == digest), None)
        if file is not None:
            yield Found(record, None, by, file)


def _every_file(record: Record) -> Iterator[StoredFile]:
    yield from record.files
    for edition in record.earlier:
        yield from edition.files


def _by_short(what: str, known: Knowledge, folder: Path) -> Iterator[Found]:
    """Take the begin of a short id, as `archive matches list` shows it, or the mark in a file's name."""
    del folder
    wanted = what.casefold()
    if not _SHORT.fullmatch(wanted):
        return
    for record in known.records:
        marked = (file for file in _every_file(record) if f"-{wanted}." in file.path and len(wanted) == 12)
        if _short(record).startswith(wanted):
            yield Found(record, None, "its id")
        elif file := next(marked, None):
            yield Found(record, None, "the mark in the name of its file", file)
    for each in _forgotten(known, "its id"):
        if each.decision and short_id(*each.decision.item).startswith(wanted):
            yield each


def _forgotten(known: Knowledge, by: str) -> Iterator[Found]:
    """Give what was decided about and is in no ledger: rejected before anything of it was stored."""
    listed = {(record.type_name, record.material.id) for record in known.records}
    for item, decision in known.router.decisions.latest.items():
        if item not in listed:
            yield Found(None, decision, by)


def _short(record: Record) -> str:
    return short_id(record.type_name, record.material.id)


def explain(found: Found, known: Knowledge) -> Explained | None:
    """Explain what was found. None for what no ledger has: then its decision is all there is."""
    record = found.record
    if record is None:
        return None
    decision = known.router.decisions.about(record.type_name, record.material.id)
    made = Explained(
        _short(record),
        found,
        record,
        _routed(record, known, decision),
        _matched(record, known),
        tuple(_others(record, known)),
        tuple((file, tuple(_copies(record, file, known))) for file in record.files),
        decision,
    )
    return _settling(made, known)


def _routed(record: Record, known: Knowledge, decision: Decision | None) -> str:
    """Say how a material found its event: worked out again, for ledgers keep only the result."""
    material = record.material
    if not material.event:
        return ""
    if decision is not None and decision.verdict is Verdict.ACCEPT and decision.event == material.event:
        return ROUTES.get("decision", "a person decided so")
    if record.source == added.NAME:
        return "somebody added it to this event by hand"
    if is_handed(material):
        return _reported(material)
    return _listed(record, known)


def _listed(record: Record, known: Knowledge) -> str:
    material = record.material
    spec = next((spec for spec in known.config.sources if spec.name == record.source), None)
    if spec is None:
        return "its source, which the configuration does not name any more, said so"
    users = [entry.event.id for entry in spec.entries]
    again = known.router.route(
        record.source, record.type_name, [(replace(material, event="", talk=""), None)], users
    )[0]
    if again.material.event == material.event:
        return ROUTES.get(again.routed, again.routed)
    if material.event in users:
        return "the event's own entry for this source takes it"
    return "its source listed it for this event"


def _reported(material: Material) -> str:
    report, at = (" ".join(material.extra.get(mark, "").split()) for mark in (FOUND_IN, FOUND_AT))
    named = f" “{report}”" if report and report != at else ""
    return f"it was found in the report{named}{f' ({at})' if at else ''} of this event"


def _matched(record: Record, known: Knowledge) -> str:
    """Say how a material found its talk."""
    found = record.match
    if found.method != "explicit":
        return METHODS.get(found.method, found.why or found.method)
    if record.source == added.NAME:
        return "whoever added it named the talk"
    event = known.event(record.material.event)
    talk = next((talk for talk in event.talks if talk.id == found.talk), None) if event else None
    names = {name.casefold() for name in (found.talk, talk.title if talk else "") if name}
    if any(name.casefold() in names for name in _entry_talks(record, known)):
        return "its entry in the configuration names the talk"
    if record.material.title.casefold() in names:
        return "its title, or the name of its file, is the talk's"
    return "its source names the talk"


def _entry_talks(record: Record, known: Knowledge) -> Iterator[str]:
    """Give what the entries of its event say of the talk."""
    for spec in known.config.sources:
        for entry in spec.entries if spec.name == record.source else ():
            named = getattr(entry.options, "talk", "")
            if entry.event.id == record.material.event and isinstance(named, str):
                yield named


def _others(record: Record, known: Knowledge) -> Iterator[tuple[str, float]]:
    event = known.event(record.material.event)
    if event is not None:
        ranks = rank(record.material, event, series=known.router.series)
        rest = [each for each in ranks if each.talk.id != record.match.talk and each.score >= LEAST]
        yield from ((each.talk.id, each.score) for each in rest[:_MOST])


def _copies(record: Record, file: StoredFile, known: Knowledge) -> Iterator[Copy]:
    for name, head in known.heads.items():
        target = head.object(record.material.event)
        try:
            yield Copy(name, target.locate(file.path), target.state[file.path])
        except MissingError:
            yield Copy(name, "", "")


def _settling(made: Explained, known: Knowledge) -> Explained:
    """Add why something is not here, or of no talk, and the command that settles it."""
    record, event = made.record, made.record.material.event
    reason, detail = (record.problem.reason, record.problem.detail) if record.problem else ("", "")
    if record.state is State.TAKEN_DOWN:
        return replace(made, lacking="it was taken down by decision")
    if not record.files and not event:
        return _undecided(made, known, detail or reason)
    if not record.files:
        advice = _TO_DO.get(reason, "")
        by_hand = reason in (GoneError.reason, InvalidError.reason, "link")
        command = _add(record) if by_hand else f"archive run {event}"
        return replace(made, lacking=detail or reason or "not fetched yet", advice=advice, command=command)
    if _is_loose(record, known):
        return _undecided(made, known, record.match.why or "no talk is known for it")
    if record.problem is not None:
        advice = "What is here stays. It is tried again at the next run."
        return replace(
            made,
            lacking=f"upstream has a newer state: {detail or reason}",
            advice=advice,
            command=f"archive run {event}",
        )
    return made


def _add(record: Record) -> str:
    talk = f" --talk {shlex.quote(record.match.talk)}" if record.match.talk else ""
    return f"archive add {record.material.event} FILE{talk} --kind {record.material.kind}"


def _is_loose(record: Record, known: Knowledge) -> bool:
    event = known.event(record.material.event)
    if event is None or record.match.method == "decision":
        return False
    expected: set[Kind] = {kind for talk in event.talks for kind in talk.expect}
    return record.match.talk not in {talk.id for talk in event.talks} and record.material.kind in expected


def _undecided(made: Explained, known: Knowledge, why: str) -> Explained:
    found = tuple(candidates(made.record.material, known.router))
    place = found[0].place if found else "EVENT[/TALK]"
    advice = "Decide where it belongs. This names the likeliest place:" if found else "Say where it belongs:"
    command = f"archive matches accept {made.short} {place}"
    return replace(made, candidates=found, lacking=why, advice=advice, command=command)
