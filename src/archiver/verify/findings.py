"""What a verification found, as data: printed for people, stored in every sink as a report."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from archiver.errors import DamageError, SinkError


class What(StrEnum):
    """What is the matter with a value."""

    DAMAGED = "damaged"  # its bytes are not what was stored
    MISSING = "missing"  # it is not there any more
    UNREADABLE = "unreadable"  # the disk does not give its bytes
    UNNAMED = "unnamed"  # no inventory names it
    UNFINISHED = "unfinished"  # what a killed run had not come to: the next run does it
    UNSEALED = "unsealed"  # nothing says which bytes it should have
    OFFLINE = "offline"  # its store would have to fetch it first: archived, not verified


#: Everything else is a note: nothing is lost, and nothing has to be done.
_DAMAGE = frozenset({What.DAMAGED, What.MISSING, What.UNREADABLE})


@dataclass
class Finding:
    """One value of one sink. `hint` is the next step; `repaired` says what was done, "" when nothing."""

    sink: str
    path: str
    what: What
    detail: str
    hint: str = ""
    repaired: str = ""

    @property
    def is_damage(self) -> bool:
        """Say whether bytes are lost here, unless they were restored."""
        return self.what in _DAMAGE


@dataclass
class Looked:
    """How much was looked at, and how much was not come to."""

    files: int = 0
    bytes: int = 0
    left_files: int = 0
    left_bytes: int = 0


@dataclass
class SinkResult:
    """One sink. `groups` are by object; what belongs to no object is under "".

    `next` is where the next partial verification begins: see `archiver.verify.selection`. `accepted` are
    objects of which a newer version was missed until now.
    """

    groups: dict[str, Looked] = field(default_factory=dict)
    next: str = ""
    error: str = ""
    note: str = ""
    accepted: list[str] = field(default_factory=list)

    def add_note(self, note: str) -> None:
        """Note one thing more, once, in words that follow the sink's name."""
        if note not in self.note:
            self.note = f"{self.note}; it {note}" if self.note else note

    def total(self, name: str) -> int:
        """Add up one of the numbers over all groups."""
        return sum(getattr(each, name) for each in self.groups.values())


@dataclass
class VerifyReport:
    """A whole verification. Times are UTC, RFC 3339; `asked` is what it was limited to."""

    run: str
    started: str
    version: str
    kind: str = "verify"
    finished: str = ""
    interrupted: bool = False
    asked: dict[str, Any] = field(default_factory=dict)
    sinks: dict[str, SinkResult] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def damage(self) -> list[Finding]:
        """Give what is damaged now: not what was repaired."""
        return [each for each in self.findings if each.is_damage and not each.repaired]

    def alone(self, sink: str) -> VerifyReport:
        """Give what one sink may know: nothing of what lies in others, or was asked of them."""
        result = replace(self.sinks[sink], note="")
        own = [each for each in self.findings if each.sink == sink]
        return replace(self, asked={}, sinks={sink: result}, findings=own)

    def exit_code(self) -> int:
        """Give the exit code: damage counts more than a sink that could not be used."""
        if self.damage:
            return DamageError.exit_code
        if any(each.error for each in self.sinks.values()):
            return SinkError.exit_code
        return 130 if self.interrupted else 0

    def to_json(self) -> dict[str, Any]:
        """Turn into plain JSON data."""
        return asdict(self)
