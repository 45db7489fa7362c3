"""What a run says at its end, for a tired organizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click

from archiver import added
from archiver.cli.ending import printable
from archiver.cli.words import count, size
from archiver.report import LEFT_ALONE, ItemProblem, Report, SinkReport

#: Items of one reason that are named; the run report has them all.
SHOWN = 20
_WORDS = {
    "new": "new",
    "changed": "changed",
    "resumed": "taken over from a run that was cut off",
    "same": "unchanged",
    "returned": "listed again",
    "withdrawn": "no longer upstream, kept here",
    "out-of-scope": "not asked for any more, kept here",
    "failed": "failed",
    "blocked": "blocked",
    "gone": "gone before it could be stored",
    "invalid": "rejected",
    "unrouted": "not yet assigned to an event",
    "link": "known by address only",
}
_WHAT_TO_DO = {
    "failed": "The next run tries again.",
    "blocked": "A person has to act first, for example log in; then run again.",
    "gone": "Ask the speaker for a copy, and add it with `archive add`.",
    "invalid": "What arrived is not usable. The next run tries again.",
    "unrouted": "Say where each belongs: `archive matches list`.",
    "link": "Nothing failed: no source fetches it. Save it yourself and add it with `archive add`.",
}
_BY_HAND = {
    "failed": "Nothing of it is kept. Add the file again.",
    "invalid": "What you gave is not usable, and nothing of it is kept. Get a whole file, and add that.",
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
        words = ", ".join(f"{number:,} {_WORDS.get(what, what)}" for what, number in counts.items())
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
            # "2 items of the bundle left alone: …" says itself what was not done.
            lead = f"Source {name}" if LEFT_ALONE in source.error else f"Source {name} could not be listed"
            yield f"{lead}: {source.error}"
        if source.alarm:
            yield f"ALARM: source {name}: {source.alarm}"
    for reason in dict.fromkeys(problem.reason for problem in report.problems):
        yield from _problems(reason, [item for item in report.problems if item.reason == reason])
    for name, sink in report.sinks.items():
        yield from _sink(name, sink)


def _problems(reason: str, items: list[ItemProblem]) -> Iterable[str]:
    word = _WORDS.get(reason, reason)
    # What was handed over is known to nobody else: no run can get it again.
    handed = all(item.source == added.NAME for item in items)
    advice = _BY_HAND.get(reason) if handed else None
    yield f"{count(len(items), 'item')} {word}. {advice or _WHAT_TO_DO.get(reason, '')}".rstrip()
    for item in items[:SHOWN]:
        where = "/".join(part for part in (item.event, item.source) if part)
        yield f"  {where}: {_named(item)}: {item.detail}"
    if len(items) > SHOWN:
        yield f"  … and {len(items) - SHOWN:,} more: the newest file in runs/ of the archive names them all"


def _named(item: ItemProblem) -> str:
    # Two files may bear one title: "login.pdf" and "login.pptx".
    return f"{item.title} ({item.id})" if item.title and item.title != item.id else item.id


def _sink(name: str, sink: SinkReport) -> Iterable[str]:
    if sink.error and sink.versions:
        yield f"Sink {name} failed on the way, and does not have everything: {sink.error}"
    elif sink.error:
        yield f"Sink {name} could not be used: {sink.error}"
    if sink.damage:
        yield f"DAMAGE: sink {name}: {sink.damage}"
    if sink.copied:
        yield f"Sink {name} got {count(sink.copied, 'file')} that it had missed, {size(sink.copied_bytes)}."
    if sink.written:
        yield f"Sink {name}: its pages are up to date. Open its index.html, or run `archive serve`."
    if sink.note:
        yield f"Sink {name} {sink.note}"
    yield from (f"Sink {name} {limit}" for limit in sink.limits)


def _ending(report: Report) -> str:
    fetched = sum(report.total(what) for what in ("new", "changed", "resumed"))
    if report.dry_run:
        return _dry(report, fetched)
    if any(sink.error for sink in report.sinks.values()):
        return _sink_trouble(report, fetched)
    if report.interrupted:
        recorded = "is" if fetched == 1 else "are"
        return (
            f"Interrupted: {count(fetched, 'item')} {recorded} stored and recorded, {_rest(report)}. "
            "Run again to go on from here."
        )
    if report.stopped:
        return _limited(report, fetched)
    rest = _rest(report) if report.remaining or report.unlisted else ""
    more = f" {rest[0].upper()}{rest[1:]}." if rest else ""
    if fetched:
        return f"Done: {count(fetched, 'item')}, {count(report.files, 'file')}, {size(report.bytes)}.{more}"
    listed_badly = any(source.error or source.alarm for source in report.sources.values())
    return f"Nothing new{' was stored' if report.problems or listed_badly else ''}.{more}"


def _limited(report: Report, fetched: int) -> str:
    recorded = f"{count(fetched, 'item')} {'is' if fetched == 1 else 'are'} stored and recorded"
    rest = (
        f"{_rest(report)}. The next run goes on" if report.unlisted else f"{_rest(report)} for the next run"
    )
    return f"The {report.stopped.replace('-', ' ')} was met: {recorded}, {rest}."


def _rest(report: Report) -> str:
    """Say how much remains, as far as it is known: what was never listed, nobody can count."""
    rest = f"{report.remaining:,} remain" if report.remaining != 1 else "1 remains"
    if not report.unlisted:
        return rest
    cut = (
        f"{', '.join(report.unlisted)} {'was' if len(report.unlisted) == 1 else 'were'} not listed to the end"
    )
    return f"{rest if report.remaining else 'how much remains is not known'} ({cut}: there may be more)"


def _dry(report: Report, fetched: int) -> str:
    about = f" ({size(report.bytes)} or more)" if report.bytes else ""
    cut = " It was interrupted: there may be more." if report.interrupted else ""
    return f"Dry run: {count(fetched, 'item')} would be fetched{about}. Nothing was changed.{cut}"


def _sink_trouble(report: Report, fetched: int) -> str:
    whole = [name for name, sink in report.sinks.items() if not sink.error and not sink.note]
    rest = f" {count(report.remaining, 'item')} not come to." if report.remaining else ""
    if not whole:
        return f"No sink has everything of this run.{rest} Mend what is said above, then run again."
    kept = (
        f"{count(fetched, 'item')} stored in {', '.join(whole)}."
        if fetched
        else f"{', '.join(whole)} is up to date."
    )
    return f"{kept}{rest} Mend what is said above, then run again."
