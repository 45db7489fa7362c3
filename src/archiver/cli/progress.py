"""What a run shows while it goes: bars on a terminal, plain lines when piped, JSON Lines on request."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from archiver.cli import streams
from archiver.cli.copy_progress import CopyProgress
from archiver.cli.ending import json_text, printable
from archiver.cli.pace import Pace
from archiver.cli.words import count, size

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: Seconds between two plain lines about a running transfer, and between two changes of a bar.
PLAIN_EVERY = 10.0
BARS_EVERY = 0.1
#: Characters of an event's title that a bar shows.
TITLE_WIDTH = 28


class Plain:
    """Plain lines on stderr: one per source, one per item, one per ten seconds of work."""

    every = PLAIN_EVERY

    def __init__(self, titles: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._titles = titles
        self._clock = clock
        self._lock = threading.Lock()
        self._told = clock()
        self._all = Pace(clock=clock)
        self._events: dict[str, Pace] = {}
        self._copies = CopyProgress(self, clock)

    def said(self, what: str, /, **data: Any) -> None:
        """Write the line for an event."""
        handler = getattr(self, "_on_" + what.replace(".", "_"), None)
        if handler is not None:
            handler(**data)

    def moved(self, event: str, source: str, item: str, done: int, total: int | None) -> None:
        """Add up the bytes; now and then say how far it is. Called from worker threads."""
        del source, item, total
        with self._lock:
            for pace in (self._all, self._events.get(event)):
                if pace is not None:
                    pace.bytes += done
            if self._clock() - self._told < self.every:
                return
            self._told = self._clock()
        self._show()

    def line(self, text: str) -> None:
        """Write one line."""
        click.echo(printable(text), err=True)

    def close(self) -> None:
        """End the display."""

    def _show(self) -> None:
        self.line(f"{self._all.done} of {count(self._all.items, 'item')}, {self._all}")

    def _done(self, event: str) -> None:
        with self._lock:
            for pace in (self._all, self._events.get(event)):
                if pace is not None:
                    pace.done += 1

    def _on_source_listed(self, listing: Any) -> None:
        self.line(listed_line(listing))

    def _on_working(self, tasks: Any) -> None:
        self._all = Pace.over([task.material.size for task in tasks], self._clock)
        by_event: dict[str, list[int | None]] = {}
        for task in tasks:
            by_event.setdefault(task.material.event, []).append(task.material.size)
        self._events = {event: Pace.over(sizes, self._clock) for event, sizes in by_event.items()}
        if tasks:
            self._begin([task.material.size or 0 for task in tasks])

    def _begin(self, sizes: list[int]) -> None:
        known = f", {size(sum(sizes))} or more" if any(sizes) else ""
        self.line(f"{count(len(sizes), 'item')} to fetch{known}")

    def _on_item_done(self, outcome: Any, how: str, record: Any) -> None:
        del record
        if how == "resumed":
            self.line(f"{item_line(outcome, self._titles)}, taken over from a run that was cut off")
            return
        self._done(outcome.task.material.event)
        if outcome.problem is not None:
            self.line(item_line(outcome, self._titles))
        elif how != "same":
            self.line(f"[{self._all.done}/{self._all.items}] {item_line(outcome, self._titles)}")

    def _on_alarm(self, source: str, alarm: str) -> None:
        self.line(f"ALARM: source {source}: {alarm}")

    def _on_copying(self, sink: str, files: int, bytes: int) -> None:  # noqa: A002  # the word of the report
        self._copies.begin(sink, files, bytes)

    def _on_copy_moved(self, sink: str, bytes: int) -> None:  # noqa: A002  # likewise
        self._copies.moved(sink, bytes)

    def _on_copied(self, sink: str, files: int, bytes: int, left: int) -> None:  # noqa: A002  # likewise
        self._copies.end(sink, files, bytes, left)

    def _on_drawn(self, files: int) -> None:
        if self._clock() - self._told >= PLAIN_EVERY:
            self._told = self._clock()
            self.line(f"The pages are being made: {count(files, 'file')} drawn …")

    def _on_stopping(self) -> None:
        self.line(
            "Stopping: running transfers are given up, what is stored is being recorded. "
            "Press Ctrl-C again to end at once."
        )


def listed_line(listing: Any) -> str:
    """Say what a source listed."""
    if listing.error is not None:
        return f"{listing.source}: listing failed: {listing.error}"
    if not listing.size:
        return f"{listing.source}: nothing new is listed"
    events = len({found.material.event for found in listing.found} - {""})
    where = f"for {count(events, 'event')}" if events else "for no event yet"
    return f"{listing.source}: {count(listing.size, 'item')} listed {where}"


def item_line(outcome: Any, titles: Mapping[str, str]) -> str:
    """Say what became of an item."""
    material = outcome.material
    where = titles.get(material.event, material.event or "no event")
    name = f"{where}: {material.kind} “{material.title or material.id}”"
    if outcome.problem is not None:
        return f"{name} {outcome.problem.reason}: {outcome.problem.detail}"
    return f"{name}, {size(outcome.size)}"


class Bars(Plain):
    """A bar per event and one in all, on a terminal."""

    every = BARS_EVERY

    def __init__(self, titles: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(titles, clock)
        self._progress: Progress | None = None
        self._bars: list[tuple[TaskID, Pace]] = []

    def line(self, text: str) -> None:
        """Write one line above the bars."""
        if self._progress is None:
            super().line(text)
        else:
            from rich.text import Text

            self._progress.console.print(Text(printable(text)))

    def close(self) -> None:
        """Take the bars down."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _begin(self, sizes: list[int]) -> None:
        super()._begin(sizes)
        self._progress = progress = _progress()
        rows = [(self._titles.get(event, event), pace) for event, pace in self._events.items()]
        self._bars = [
            (progress.add_task(printable(title), total=pace.items, pace=""), pace)
            for title, pace in [*rows, ("All", self._all)]
        ]
        progress.start()

    def _show(self) -> None:
        progress = self._progress
        for bar, pace in self._bars if progress else ():
            assert progress is not None
            progress.update(bar, completed=pace.done, pace=str(pace) if pace.bytes else "")

    def _on_item_done(self, outcome: Any, how: str, record: Any) -> None:
        if outcome.problem is not None or how == "resumed":
            super()._on_item_done(outcome, how, record)
        else:
            self._done(outcome.task.material.event)
        self._show()


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.table import Column

    title = Column(no_wrap=True, overflow="ellipsis", max_width=TITLE_WIDTH)
    pace = Column(no_wrap=True, overflow="ellipsis")
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=title),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}", markup=False, table_column=pace),
        console=Console(stderr=True),
        transient=True,
    )


class JsonLines:
    """One JSON object per event on stdout; `inner` shows the progress on stderr as usual."""

    def __init__(self, inner: Plain) -> None:
        self._inner = inner

    def said(self, what: str, /, **data: Any) -> None:
        """Write the record of an event."""
        self._inner.said(what, **data)
        if what in _RECORDS:
            streams.echo(json_text({"type": what, **_RECORDS[what](**data)}))

    def moved(self, event: str, source: str, item: str, done: int, total: int | None) -> None:
        """Pass on: bytes on their way are no events."""
        self._inner.moved(event, source, item, done, total)

    def close(self) -> None:
        """End the display."""
        self._inner.close()


def _listed(listing: Any) -> dict[str, Any]:
    error = str(listing.error) if listing.error else None
    return {
        "source": listing.source,
        "listed": listing.size,
        "complete": listing.complete,
        "error": error,
    }


def _planned(plan: Any, known: Any) -> dict[str, Any]:
    del known
    work = [
        {
            "event": work.found.material.event,
            "source": work.found.source,
            "id": work.found.material.id,
            "kind": str(work.found.material.kind),
            "title": work.found.material.title,
            "size": work.found.material.size,
            "reason": work.reason,
        }
        for work in plan.work
    ]
    return {"work": work, "same": len(plan.same), "changes": len(plan.changes)}


def _item(outcome: Any, how: str, record: Any) -> dict[str, Any]:
    del record
    material, problem = outcome.material, outcome.problem
    return {
        "event": material.event,
        "source": outcome.task.source,
        "id": material.id,
        "kind": str(material.kind),
        "title": material.title,
        "outcome": how,
        "detail": problem.detail if problem else "",
        "files": [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in outcome.files],
        "sinks": list(outcome.stored),
    }


_RECORDS: dict[str, Callable[..., dict[str, Any]]] = {
    "source.listed": _listed,
    "planned": _planned,
    "item.done": _item,
    "alarm": lambda source, alarm: {"source": source, "alarm": alarm},
    "copied": lambda **data: data,
    "shown": lambda **data: data,
    "committed": lambda sink, versions: {"sink": sink, "versions": versions},
}


def watch(titles: Mapping[str, str], *, as_json: bool) -> Plain | JsonLines:
    """Choose the display: bars where stderr is a terminal."""
    inner = Bars(titles) if sys.stderr.isatty() else Plain(titles)
    return JsonLines(inner) if as_json else inner
