"""The end of a run: what it says of itself, for people and for the next run, and where it leaves that."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from archiver import ocfl, ready, seal, tally
from archiver.allowance import Allowance
from archiver.archive import RUNS
from archiver.config import ArchiveSettings
from archiver.errors import SinkError
from archiver.record import Recorder
from archiver.report import Report, SourceReport
from archiver.shelf import Shelf


def count_traffic(report: Report, allowance: Allowance, before: Mapping[str, Any]) -> None:
    """Note what a run took, and what sources the run before could not list either."""
    report.stopped, report.requests = allowance.reached, allowance.requests
    report.received = allowance.bytes
    tally.note_known(report, before)


@dataclass(frozen=True)
class Closing:
    """Completes the report of a run. `earlier` are the sources as the run before left them."""

    report: Report
    settings: ArchiveSettings
    earlier: Mapping[str, SourceReport]
    stop: threading.Event

    def count(
        self, scopes: Mapping[str, Mapping[str, str]], allowance: Allowance, before: Mapping[str, Any]
    ) -> None:
        """Count what came. `scopes` are the entries of what was listed, `before` the report of then."""
        tally.count_new(self.report, scopes)
        count_traffic(self.report, allowance, before)

    def close(self, recorder: Recorder) -> None:
        """Say what is wrong with the sinks, then leave the report in each that still takes anything."""
        self._count_copies(recorder)
        self._note_errors(recorder)
        broken = any(each.error for each in recorder.shelves.values())
        if broken or self.report.remaining or self.stop.is_set():
            self._keep_earlier()
        self.report.finished = ready.now()
        for name, shelf in recorder.healthy.items():
            try:
                self._leave(shelf)
            except SinkError as error:
                recorder.stop(name, error)
        self._note_errors(recorder)

    def _count_copies(self, recorder: Recorder) -> None:
        """Name the sinks that lack something; they are faults where too few have everything."""
        lacking = {name: recorder.lacking(shelf) for name, shelf in recorder.healthy.items()}
        whole = sum(not number for number in lacking.values())
        few = whole < self.settings.min_copies and not self.stop.is_set()
        for name, number in lacking.items():
            sink = self.report.sinks[name]
            if number:
                sink.add_note(ready.lacking(number))
            if number and few:
                sink.error, sink.note = f"it {sink.note}; min_copies is {self.settings.min_copies}", ""

    def _note_errors(self, recorder: Recorder) -> None:
        for name, each in recorder.shelves.items():
            if each.error is not None:
                self.report.sinks[name].error = str(each.error)

    def _keep_earlier(self) -> None:
        """Let nothing count that is not recorded everywhere: the next run goes on from the one before."""
        self.report.rules = ""
        for name, now in self.report.sources.items():
            before = self.earlier.get(name, SourceReport())
            self.report.sources[name] = replace(
                now,
                cursor=before.cursor,
                scopes=before.scopes,
                settled=before.settled,
                baseline=before.baseline,
            )

    def _leave(self, shelf: Shelf) -> None:
        data = json.dumps(self.report.to_json(), ensure_ascii=False, indent=1)
        sink = shelf.head.sink
        seal.create(
            sink, f"{RUNS}{self.report.run}.json", ocfl.blob(data.encode("utf-8", "backslashreplace"))
        )
        sink.flush()
