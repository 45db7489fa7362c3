"""What a run shows while it goes: bars on a terminal, plain lines when piped, JSON Lines on request."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.ending import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: Seconds between two plain lines about a running transfer.
PLAIN_EVERY = 10.0


def size(number: float) -> str:
    """Write a number of bytes for people, in decimal units: 1.3 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError


def duration(seconds: float) -> str:
    """Write a time for people: 12 s, 3 min 5 s, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Plain:
    """Plain lines on stderr: one per source, one per item that failed, one per ten seconds of work."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._titles = titles
        self._lock = threading.Lock()
        self._started = self._told = time.monotonic()
        self._bytes = self._done = self._all = 0

    def said(self, what: str, /, **data: Any) -> None:
        """Write the line for an event."""
        handler = getattr(self, "_on_" + what.replace(".", "_"), None)
        if handler is not None:
            handler(**data)

    def moved(self, event: str, source: str, item: str, done: int, total: int | None) -> None:
        """Add up the bytes; now and then say how far it is."""
        del event, source, item, total
        with self._lock:
            self._bytes += done
            now = time.monotonic()
            if now - self._told < PLAIN_EVERY:
                return
            self._told = now
            rate = self._bytes / max(now - self._started, 0.001)
            line = f"{self._done} of {self._all} items, {size(self._bytes)}, {size(rate)}/s{self._left(now)}"
        self.line(line)

    def _left(self, now: float) -> str:
        if not self._done:
            return ""
        each = (now - self._started) / self._done
        return f", about {duration(each * (self._all - self._done))} left"

    def line(self, text: str) -> None:
        """Write one line."""
        click.echo(printable(text), err=True)

    def _on_source_listed(self, listing: Any) -> None:
        self.line(listed_line(listing))

    def _on_working(self, tasks: Any) -> None:
        self._all, self._started = len(tasks), time.monotonic()
        if tasks:
            known = sum(task.material.size or 0 for task in tasks)
            self.line(f"{len(tasks)} items to fetch" + (f", {size(known)} or more" if known else ""))

    def _on_item_done(self, outcome: Any, how: str, record: Any) -> None:
        del record
        self._done += 1
        if outcome.problem is not None:
            self.line(item_line(outcome, self._titles))
        elif how != "same":
            self.line(f"[{self._done}/{self._all}] {item_line(outcome, self._titles)}")

    def _on_alarm(self, source: str, alarm: str) -> None:
        self.line(f"ALARM: source {source}: {alarm}")

    def _on_stopping(self) -> None:
        self.line("Stopping: running transfers are given up, what is stored is recorded. Again: at once.")

    def close(self) -> None:
        """End the display."""


def listed_line(listing: Any) -> str:
    """Say what a source listed."""
    if listing.error is not None:
        return f"{listing.source}: listing failed: {listing.error}"
    events = len({found.material.event for found in listing.found})
    return f"{listing.source}: {len(listing.found)} listed for {events} event{'s' if events != 1 else ''}"


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

    def __init__(self, titles: Mapping[str, str]) -> None:
        super().__init__(titles)
        self._progress: Progress | None = None
        self._bars: dict[str, TaskID] = {}
        self._total: TaskID | None = None

    def moved(self, event: str, source: str, item: str, done: int, total: int | None) -> None:
        """Move the event's bytes and those in all."""
        del source, item, total
        with self._lock:
            self._bytes += done
            if self._progress is not None and self._total is not None:
                self._show(self._total)
                if event in self._bars:
                    self._progress.update(self._bars[event], advance=0)

    def line(self, text: str) -> None:
        """Write one line above the bars."""
        if self._progress is None:
            super().line(text)
        else:
            from rich.text import Text

            self._progress.console.print(Text(printable(text)))

    def _show(self, bar: TaskID) -> None:
        assert self._progress is not None
        rate = self._bytes / max(time.monotonic() - self._started, 0.001)
        self._progress.update(bar, rate=f"{size(self._bytes)}, {size(rate)}/s")

    def _on_working(self, tasks: Any) -> None:
        self._all, self._started = len(tasks), time.monotonic()
        if not tasks:
            return
        self._progress = _progress()
        for event, number in Counter(task.material.event for task in tasks).items():
            title = self._titles.get(event, event)
            self._bars[event] = self._progress.add_task(title, total=number, rate="")
        self._total = self._progress.add_task("All", total=len(tasks), rate="")
        self._progress.start()

    def _on_item_done(self, outcome: Any, how: str, record: Any) -> None:
        del how, record
        with self._lock:
            self._done += 1
            if self._progress is not None:
                for bar in (self._bars.get(outcome.material.event), self._total):
                    if bar is not None:
                        self._progress.advance(bar)
        if outcome.problem is not None:
            self.line(item_line(outcome, self._titles))

    def close(self) -> None:
        """Take the bars down."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
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
            click.echo(json.dumps({"type": what, **_RECORDS[what](**data)}, ensure_ascii=False))

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
        "listed": len(listing.found),
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


def _done(outcome: Any, how: str, record: Any) -> dict[str, Any]:
    del record
    material, problem = outcome.material, outcome.problem
    return {
        "event": material.event,
        "source": outcome.task.source,
        "id": material.id,
        "kind": str(material.kind),
        "title": material.title,
        "outcome": problem.reason if problem else how,
        "detail": problem.detail if problem else "",
        "files": [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in outcome.files],
        "sinks": list(outcome.stored),
    }


_RECORDS: dict[str, Callable[..., dict[str, Any]]] = {
    "source.listed": _listed,
    "planned": _planned,
    "item.done": _done,
    "alarm": lambda source, alarm: {"source": source, "alarm": alarm},
    "committed": lambda sink, versions: {"sink": sink, "versions": versions},
}


def watch(titles: Mapping[str, str], *, as_json: bool) -> Plain | JsonLines:
    """Choose the display: bars where stderr is a terminal."""
    inner = Bars(titles) if sys.stderr.isatty() else Plain(titles)
    return JsonLines(inner) if as_json else inner
