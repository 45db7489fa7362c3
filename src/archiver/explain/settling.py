"""Say why something is not here, or of no talk, and what settles it."""

from __future__ import annotations

import shlex
from dataclasses import replace

from archiver.errors import BlockedError, GoneError, InvalidError
from archiver.explain.model import Explained, Knowledge
from archiver.ledger import Record, State
from archiver.model import Kind
from archiver.review import candidates

_TO_DO = {
    "": "It is fetched at the next run.",
    "accepted": "It is fetched at the next run.",
    "failed": "It is tried again at the next run.",
    BlockedError.reason: "A person has to act first (log in, lift a quota, open the page); then run again.",
    GoneError.reason: "It no longer exists upstream. Ask the speaker, and add the file.",
    "link": "No source fetches it. Save it from its address, and add the file.",
    InvalidError.reason: "What arrived was not usable. Look at the address, or add the file.",
}


def settled(made: Explained, known: Knowledge) -> Explained:
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
    command = f"archive matches accept {made.name} {place}"
    return replace(made, candidates=found, lacking=why, advice=advice, command=command)
