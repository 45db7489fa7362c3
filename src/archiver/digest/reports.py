"""The run reports of an archive: which there are, and finding one by what a person types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from archiver.archive import Head, read_report
from archiver.errors import ConfigError

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
#: What a person may type of a run's id: at least its day.
_PREFIX = re.compile(r"\d{8}[0-9A-Za-z.-]*")


class Reports:
    """The run reports that the sinks hold, by id, oldest first.

    `fresh` is the report of a run that no sink could take; it counts as the newest.
    """

    def __init__(self, heads: Iterable[Head], fresh: Mapping[str, Any] | None = None) -> None:
        self._heads = tuple(heads)
        self._read: dict[str, Mapping[str, Any]] = {}
        if fresh is not None:
            self._read[str(fresh["run"])] = fresh

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of all runs that left a report; they begin with the time."""
        return tuple(sorted({*self._read, *(run for head in self._heads for run in head.runs)}))

    def read(self, run: str) -> Mapping[str, Any]:
        """Read one; empty when no sink has it whole."""
        if run not in self._read:
            found = (read_report(head.sink, run) for head in self._heads if run in head.runs)
            self._read[run] = next((report for report in found if report), {})
        return self._read[run]

    def find(self, typed: str) -> str:
        """Find the one run whose id begins with what was typed. Raises `ConfigError`."""
        found = [run for run in self.ids if _PREFIX.fullmatch(typed) and run.startswith(typed)]
        if len(found) == 1 or typed in found:
            return typed if typed in found else found[0]
        if found:
            raise ConfigError(
                f"{len(found)} runs begin with {typed!r}: {', '.join(found[:3])}", hint="type more of its id"
            )
        newest = f"the newest is {self.ids[-1]}" if self.ids else "there was no run yet"
        raise ConfigError(
            f"there is no report of a run {typed!r}",
            hint=f"{newest}; a run is named by its id, or by the beginning of it, such as 20121202",
        )

    def before(self, run: str) -> str:
        """Give the run right before this one; "" for the first."""
        earlier = [each for each in self.ids if each < run]
        return earlier[-1] if earlier else ""

    def since(self, typed: str, run: str) -> str:
        """Give the run after which a digest of `run` begins, by what was typed. Raises `ConfigError`.

        `last` is the last earlier run that came to its end: neither interrupted nor ended by a limit. A day,
        such as 2012-12-02, takes in all runs from that day (UTC) on. Where there is none up to `run`, what is
        given is `run` itself or a later one.
        """
        if not typed:
            return self.before(run)
        if typed == "last":
            return self._last_whole(run)
        day = _DAY.fullmatch(typed)
        if day:
            return self.before("".join(day.groups()))
        found = self.find(typed)
        if found >= run:
            raise ConfigError(f"run {found} is not earlier than run {run}", hint="name an earlier run")
        return found

    def _last_whole(self, run: str) -> str:
        for each in reversed([each for each in self.ids if each < run]):
            report = self.read(each)
            if report and not report.get("interrupted") and not report.get("stopped"):
                return each
        return ""
