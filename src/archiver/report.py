"""What a run did, as data: stored in every sink, printed for people, read by the next run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, TypeGuard

#: Outcomes that are counted per event and source: each material that a run met has one of them.
COUNTS = (
    "new",
    "changed",
    "resumed",  # taken over from a killed run
    "same",
    "returned",  # listed again after it was withdrawn or out of scope
    "withdrawn",
    "out-of-scope",  # the configuration does not ask for it any more
    "failed",
    "blocked",
    "gone",
    "invalid",
    "unrouted",
    "link",  # known at an address, and nothing fetches it
)
#: How the error of a source begins to say what of a bundle was not done here: no listing failed then.
LEFT_ALONE = "left alone"
#: The `error_reason` of a source of which something was left alone, and nothing else went wrong.
LEFT = "left-alone"
#: Problems that are a state of things: somebody may do something, and nothing failed.
_CALM = frozenset({"unrouted", "link"})


@dataclass
class ItemProblem:
    """One item that is not stored as upstream has it now. `known` says that an earlier run saw it too.

    `linked` says that a report led to it, and no entry of the organizer's.
    """

    event: str
    source: str
    id: str
    title: str
    reason: str
    detail: str
    known: bool = False
    linked: bool = False

    @property
    def is_open(self) -> bool:
        """Say whether somebody has to look after it. Old reports link to much that is gone by now."""
        return self.reason not in _CALM and not (self.linked and self.reason == "gone")


@dataclass
class SourceReport:
    """One source: what it listed, where the next listing goes on, and what went wrong with it.

    `scopes` maps each event to a fingerprint of its entries, as they were when `cursor` was made: only
    equal scopes can be compared. `settled` and `baseline` are the scopes and the number of materials
    of the last complete listing. `at` is when it was listed last, and `new` how many of that were new.
    `known` says that the run before had the same trouble with it (see `tally.note_known`). `cut` says that a
    limit or a stop ended its listing early: how much more it has, nobody knows.
    """

    listed: int = 0
    complete: bool = False
    cursor: str = ""
    scopes: dict[str, str] = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict)
    baseline: int = 0
    error: str = ""
    error_reason: str = ""
    alarm: str = ""
    at: str = ""
    new: int = 0
    known: bool = False
    cut: bool = False


@dataclass
class SinkReport:
    """One sink: the versions made, the error that ended it, seen damage, or why it was left alone.

    `limits` are what its store does not do as it should; nothing is missing because of that. `copied`
    and `copied_bytes` count the files that it had missed before and got from other sinks; `pages` the
    pages of its site, and `written` the files of it that were made anew.
    """

    versions: dict[str, int] = field(default_factory=dict)
    error: str = ""
    note: str = ""
    damage: str = ""
    limits: list[str] = field(default_factory=list)
    copied: int = 0
    copied_bytes: int = 0
    pages: int = 0
    written: int = 0

    def add_note(self, note: str) -> None:
        """Note one thing more, in words that follow the sink's name."""
        self.note = f"{self.note}; it {note}" if self.note else note


@dataclass
class Lack:
    """One expected thing that is not held: `state` is a word of `archive status`, `talk` "" for the event."""

    event: str
    talk: str
    kind: str
    state: str


@dataclass
class CoverageReport:
    """How much of what is expected was held when the run ended; `lacking` is what is wanted and not held."""

    have: int
    wanted: int
    lacking: list[Lack] = field(default_factory=list)


@dataclass
class Report:
    """A whole run. Times are UTC, RFC 3339. `remaining` counts what was listed and not come to; what the
    sources named by `unlisted` have beyond that, nobody knows.

    `stopped` names the limit that ended the run early (`time-limit`, `byte-limit`, `request-limit`), which
    is no fault. `requests` and `received` (bytes) are what the sources were asked and sent. `rules` names
    that by which materials were matched to talks. `coverage` is None where it is not known, as in a dry run.
    `fail_on` says what counts as a failure: `any` open problem, or only a `new` one.
    """

    run: str
    started: str
    version: str
    finished: str = ""
    dry_run: bool = False
    interrupted: bool = False
    stopped: str = ""
    remaining: int = 0
    requests: int = 0
    received: int = 0
    files: int = 0
    bytes: int = 0
    counts: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    sources: dict[str, SourceReport] = field(default_factory=dict)
    sinks: dict[str, SinkReport] = field(default_factory=dict)
    problems: list[ItemProblem] = field(default_factory=list)
    revisions: dict[str, str] = field(default_factory=dict)
    rules: str = ""
    coverage: CoverageReport | None = None
    fail_on: str = "any"

    def count(self, event: str, source: str, what: str) -> None:
        """Count one material."""
        counts = self.counts.setdefault(event, {}).setdefault(source, {})
        counts[what] = counts.get(what, 0) + 1

    def total(self, what: str) -> int:
        """Add up one count over all events and sources."""
        return sum(counts.get(what, 0) for sources in self.counts.values() for counts in sources.values())

    @property
    def unlisted(self) -> list[str]:
        """Name the sources whose listing a limit or a stop ended before its end."""
        return [name for name, each in self.sources.items() if each.cut]

    def exit_code(self, fail_on: str = "") -> int:
        """Give the exit code: see docs/reference/command.md. `fail_on`, by default that of the run, says what
        counts: `any` open problem, or only a `new` one.

        That something remains because a limit was met is no problem.
        """
        if any(sink.error for sink in self.sinks.values()):
            return 3
        if any(sink.damage for sink in self.sinks.values()):
            return 4
        if self.interrupted:
            return 130
        sources, every = self.sources.values(), (fail_on or self.fail_on) == "any"
        if any(each.alarm or (each.error and (every or not each.known)) for each in sources):
            return 1
        open_problems = [item for item in self.problems if item.is_open]
        return 1 if any(every or not item.known for item in open_problems) else 0

    def to_json(self) -> dict[str, Any]:
        """Turn into plain JSON data, the exit code among them."""
        return {**asdict(self), "exit_code": self.exit_code()}


def source_reports(report: Mapping[str, Any]) -> dict[str, SourceReport]:
    """Read the sources of an earlier report back, for the next run to go by.

    What cannot be read is left out. So is what went wrong then: it is not this run's trouble.
    """
    return {name: _source_report(data) for name, data in _mappings(report.get("sources"))}


def _source_report(data: Mapping[str, Any]) -> SourceReport:
    listed, baseline, cursor = data.get("listed"), data.get("baseline"), data.get("cursor")
    at, new = data.get("at"), data.get("new")
    return SourceReport(
        at=at if isinstance(at, str) else "",
        listed=listed if _is_count(listed) else 0,
        new=new if _is_count(new) else 0,
        complete=data.get("complete") is True,
        cursor=cursor if isinstance(cursor, str) else "",
        scopes=_texts(data.get("scopes")),
        settled=_texts(data.get("settled")),
        baseline=baseline if _is_count(baseline) else 0,
    )


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _texts(data: object) -> dict[str, str]:
    items = data.items() if isinstance(data, Mapping) else ()
    return {key: value for key, value in items if isinstance(key, str) and isinstance(value, str)}


def revisions(report: Mapping[str, Any]) -> dict[str, str]:
    """Read back which revisions an earlier run saw to hold unchanged bytes."""
    return _texts(report.get("revisions"))


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
