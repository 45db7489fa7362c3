"""What an explanation rests on, and what it says, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from archiver.archive import Head
from archiver.config import Config
from archiver.decisions import Decision
from archiver.ledger import Record, StoredFile, best_grade, material_to_json
from archiver.model import Event
from archiver.review import Candidate
from archiver.routing import Router


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
    scores; `lacking` why it is not here, or of no talk; `advice` and `command` what to do about that. `name`
    is the word by which a person picks it: its short id, after its event where other events have it too.
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
    name: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the shape of `archive why --json`."""
        record = self.record
        grade = best_grade(record.files)
        return {
            "id": self.short,
            "name": self.name,
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
