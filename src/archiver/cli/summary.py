"""What a run says at its end, for a tired organizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click

from archiver.cli.ending import printable
from archiver.cli.progress import size
from archiver.report import ItemProblem, Report

_WORDS = {
    "new": "new",
    "retry": "new at last",
    "changed": "changed",
    "resumed": "taken over from the run before",
    "same": "unchanged",
    "withdrawn": "no longer upstream, kept here",
    "pending": "waiting",
    "failed": "failed",
    "blocked": "blocked",
    "gone": "gone before we had it",
    "invalid": "rejected",
    "unrouted": "not yet assigned to an event",
}
_WHAT_TO_DO = {
    "failed": "They are tried again at the next run.",
    "blocked": "A person has to act here first; then run again.",
    "gone": "Upstream says these do not exist any more: ask the speaker for a copy.",
    "invalid": "What arrived was not usable; it is tried again at the next run.",
    "unrouted": "Name the event in the source's entry, or give the event a date.",
}


def tell(report: Report, titles: Mapping[str, str]) -> None:
    """Write the summary of a run on stderr, so that stdout stays for machines."""
    for line in lines(report, titles):
        click.echo(printable(line), err=True)


def lines(report: Report, titles: Mapping[str, str]) -> Iterable[str]:
    """Give the summary line by line."""
    yield ""
    for event, sources in report.counts.items():
        counts = _added(sources.values())
        words = ", ".join(f"{number} {_WORDS.get(what, what)}" for what, number in counts.items())
        yield f"{titles.get(event, event) or 'No event yet'}: {words}"
    yield from _troubles(report)
    yield _ending(report)


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    added: dict[str, int] = {}
    for each in counts:
        for what, number in each.items():
            added[what] = added.get(what, 0) + number
    return {what: added[what] for what in [*_WORDS, *sorted(added.keys() - _WORDS.keys())] if what in added}


def _troubles(report: Report) -> Iterable[str]:
    for name, source in report.sources.items():
        if source.error:
            yield f"Source {name} could not be listed: {source.error}"
        if source.alarm:
            yield f"ALARM: source {name}: {source.alarm}"
    for reason in dict.fromkeys(problem.reason for problem in report.problems):
        yield from _problems(reason, [item for item in report.problems if item.reason == reason])
    for name, sink in report.sinks.items():
        if sink.error:
            yield f"Sink {name} could not be used: {sink.error}"
        if sink.note:
            yield f"Sink {name} {sink.note}"


def _problems(reason: str, items: list[ItemProblem]) -> Iterable[str]:
    yield f"{len(items)} {_WORDS.get(reason, reason)}. {_WHAT_TO_DO.get(reason, '')}".rstrip()
    for item in items[:20]:
        where = "/".join(part for part in (item.event, item.source) if part)
        yield f"  {where}: {item.title or item.id}: {item.detail}"
    if len(items) > 20:
        yield f"  … and {len(items) - 20} more: see the run report"


def _ending(report: Report) -> str:
    fetched = sum(report.total(what) for what in ("new", "changed", "retry", "resumed"))
    if report.dry_run:
        return f"Dry run: {fetched} items would be fetched. Nothing was changed."
    if report.interrupted:
        return (
            f"Interrupted: {fetched} items stored and recorded, {report.remaining} remain. "
            "Run again to go on from here."
        )
    if any(sink.error for sink in report.sinks.values()):
        return (
            f"{fetched} items stored before the trouble; {report.remaining} remain. Mend it, then run again."
        )
    if not fetched and not report.problems:
        return "Nothing new."
    return f"Done: {fetched} items, {report.files} files, {size(report.bytes)}."
