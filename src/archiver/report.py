"""What a run did, as data: stored in every sink, printed for people, read by the next run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

#: Outcomes that are counted per event and source.
COUNTS = (
    "new",
    "changed",
    "same",
    "resumed",
    "withdrawn",
    "failed",
    "blocked",
    "gone",
    "invalid",
    "unrouted",
)


@dataclass
class ItemProblem:
    """One item that is not stored as upstream has it now. `known` says that an earlier run saw it too."""

    event: str
    source: str
    id: str
    title: str
    reason: str
    detail: str
    known: bool = False


@dataclass
class SourceReport:
    """One source: what it listed, where the next listing goes on, and what went wrong with it.

    `scopes` maps each event to a fingerprint of its entries: only equal scopes can be compared.
    """

    listed: int = 0
    complete: bool = False
    cursor: str = ""
    scopes: dict[str, str] = field(default_factory=dict)
    error: str = ""
    error_reason: str = ""
    alarm: str = ""


@dataclass
class SinkReport:
    """One sink: the versions made, the error that ended it, or why it was left alone."""

    versions: dict[str, int] = field(default_factory=dict)
    error: str = ""
    note: str = ""


@dataclass
class Report:
    """A whole run. Times are UTC, RFC 3339."""

    run: str
    started: str
    version: str
    finished: str = ""
    dry_run: bool = False
    interrupted: bool = False
    remaining: int = 0
    files: int = 0
    bytes: int = 0
    counts: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    sources: dict[str, SourceReport] = field(default_factory=dict)
    sinks: dict[str, SinkReport] = field(default_factory=dict)
    problems: list[ItemProblem] = field(default_factory=list)
    revisions: dict[str, str] = field(default_factory=dict)

    def count(self, event: str, source: str, what: str) -> None:
        """Count one material."""
        counts = self.counts.setdefault(event, {}).setdefault(source, {})
        counts[what] = counts.get(what, 0) + 1

    def total(self, what: str) -> int:
        """Add up one count over all events and sources."""
        return sum(counts.get(what, 0) for sources in self.counts.values() for counts in sources.values())

    def exit_code(self, fail_on: str = "any") -> int:
        """Give the exit code: see docs/reference/command.md. `fail_on` `new` passes over known problems."""
        if any(sink.error for sink in self.sinks.values()):
            return 3
        if self.interrupted:
            return 130
        if any(source.error or source.alarm for source in self.sources.values()):
            return 1
        open_problems = [item for item in self.problems if item.reason != "unrouted"]
        return 1 if any(fail_on == "any" or not item.known for item in open_problems) else 0

    def to_json(self) -> dict[str, Any]:
        """Turn into plain JSON data."""
        return asdict(self)


def source_reports(report: Mapping[str, Any]) -> dict[str, SourceReport]:
    """Read the sources of an earlier report back; what cannot be read is left out."""
    names = SourceReport.__dataclass_fields__.keys()
    result = {}
    for name, data in _mappings(report.get("sources")):
        known = {key: value for key, value in data.items() if key in names}
        result[name] = SourceReport(**known)
    return result


def _mappings(data: object) -> Iterable[tuple[str, Mapping[str, Any]]]:
    if isinstance(data, Mapping):
        for name, value in data.items():
            if isinstance(name, str) and isinstance(value, Mapping):
                yield name, value


class Watcher(Protocol):
    """Whoever watches a run: a progress display, a log, a JSON writer."""

    def said(self, what: str, /, **data: Any) -> None:
        """Hear of an event of the run, such as `source.listed`, `planned`, `item.done` or `committed`."""

    def moved(self, event: str, source: str, item: str, done: int, total: int | None) -> None:
        """Hear that `done` more bytes of an item came. Called from worker threads."""


class Silent:
    """A watcher that does not look."""

    def said(self, what: str, /, **data: Any) -> None:
        """Pass over."""

    def moved(self, event: str, source: str, item: str, done: int, total: int | None) -> None:
        """Pass over."""
