"""The digest as plain data: what `archive report --format json` prints and a webhook gets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class When(StrEnum):
    """When a digest is delivered."""

    ALWAYS = "always"
    CHANGES = "changes"  # something came or went, or somebody has to look
    PROBLEMS = "problems"  # somebody has to look at something that was not known before


@dataclass(frozen=True, slots=True)
class Item:
    """One material that came, changed or went. `event` is its id, `stop` the event's title."""

    event: str
    stop: str
    source: str
    id: str
    kind: str
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One material that could not be stored. `known` says that it was met before the digest begins."""

    event: str
    stop: str
    source: str
    id: str
    title: str
    reason: str
    detail: str
    to_do: str
    known: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class SourceTrouble:
    """One source that could not be listed, or whose listing was not believed (`alarm`).

    With the reason `left-alone` nothing failed: a run over a bundle has left alone what `error` tells.
    """

    name: str
    error: str
    reason: str
    alarm: str
    to_do: str
    known: bool


@dataclass(frozen=True, slots=True)
class SinkTrouble:
    """One sink that could not be used, is damaged, or was left alone (`note`)."""

    name: str
    error: str
    damage: str
    note: str


@dataclass(frozen=True, slots=True)
class Place:
    """One thing that is expected. `talk` is "" for what the event as a whole should have."""

    event: str
    stop: str
    talk: str
    talk_title: str
    speakers: tuple[str, ...]
    kind: str
    state: str


@dataclass(frozen=True, slots=True)
class Figure:
    """Coverage: how much of what is wanted is held; `percent` is rounded down."""

    have: int
    wanted: int

    @property
    def percent(self) -> int:
        """Give the share in whole percent; 100 when nothing is wanted."""
        return 100 * self.have // self.wanted if self.wanted else 100


@dataclass(frozen=True)
class Digest:
    """All that is told of a run. Times are UTC, RFC 3339.

    `since` is the run after which the digest begins, "" for the first; `runs` are the ids that it covers.
    `unlisted` are the sources whose listing a limit or a stop ended early: what they have beyond `remaining`,
    nobody knows. `coverage` and `before` are None where a report of an older program does not say. `arrived`
    is held now and was missing before, `lost` the other way round. `error` says why there was no run at all.
    """

    archive: str
    run: str
    since: str = ""
    runs: tuple[str, ...] = ()
    started: str = ""
    finished: str = ""
    exit_code: int = 0
    interrupted: bool = False
    stopped: str = ""
    remaining: int = 0
    unlisted: tuple[str, ...] = ()
    error: str = ""
    new: tuple[Item, ...] = ()
    changed: tuple[Item, ...] = ()
    returned: tuple[Item, ...] = ()
    withdrawn: tuple[Item, ...] = ()
    problems: tuple[Trouble, ...] = ()
    sources: tuple[SourceTrouble, ...] = ()
    sinks: tuple[SinkTrouble, ...] = ()
    coverage: Figure | None = None
    before: Figure | None = None
    arrived: tuple[Place, ...] = ()
    lost: tuple[Place, ...] = ()
    missing: tuple[Place, ...] = ()

    @property
    def has_changes(self) -> bool:
        """Say whether anything came, changed or went."""
        moved = (self.new, self.changed, self.returned, self.withdrawn, self.arrived, self.lost)
        return any(moved)

    @property
    def has_news_of_problems(self) -> bool:
        """Say whether somebody has to look at something that was not known before this digest."""
        return bool(
            self.error
            or any(not each.known and each.is_open for each in self.problems)
            or any(each.alarm or not each.known for each in self.sources)
            or any(each.error or each.damage for each in self.sinks)
        )

    def is_due(self, when: When) -> bool:
        """Say whether it is worth delivering to somebody who wants to hear `when`."""
        if when is When.ALWAYS or self.has_news_of_problems:
            return True
        return when is When.CHANGES and self.has_changes

    def to_json(self) -> dict[str, Any]:
        """Turn into plain JSON data."""
        data = asdict(self)
        for name in ("coverage", "before"):
            figure: Figure | None = getattr(self, name)
            if figure is not None:
                data[name]["percent"] = figure.percent
        return data
