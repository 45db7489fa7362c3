"""How the standing of an archive is shown to a person: in words, with colour as a help only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archiver.asked import NOBODY_ASKED, Ask, Asks, how_long_ago
from archiver.cli.common import printable
from archiver.coverage import Cell, Coverage, EventCoverage, Standing, TalkCoverage
from archiver.ledger import Record
from archiver.model import Kind

_COLOURS = {
    Standing.HAVE: "green",
    Standing.PARTIAL: "yellow",
    Standing.BLOCKED: "magenta",
    Standing.LINK: "yellow",
    Standing.WAIVED: "dim",
    Standing.MISSING: "red",
}
_WORDS = {
    Standing.HAVE: "yes",
    Standing.PARTIAL: "in part",
    Standing.BLOCKED: "blocked",
    Standing.LINK: "link only",
    Standing.WAIVED: "waived",
    Standing.MISSING: "missing",
}
_TO_DO = {
    "blocked": "A person has to act first (log in, lift a quota, open the page); then run again.",
    "failed": "Nothing to do yet: it is tried again at the next run.",
    "invalid": "What arrived was not usable. Look at the address; ask for the file if it is wrong there.",
    "gone": "It no longer exists upstream. Ask the speaker, then: archive add EVENT FILE --talk TALK",
    "unrouted": "Say where each belongs: archive matches list",
    "accepted": "It is fetched at the next run.",
}
#: How many entries of one list are shown; `--json` has them all.
MOST = 20
#: Wide enough for any table where there is no terminal: lines are for grep then, not for a screen.
_NO_TERMINAL = 10_000


def console() -> Console:
    """Give a console on stdout that never breaks lines when its output goes into a pipe."""
    width = None if sys.stdout.isatty() else _NO_TERMINAL
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def _safe(text: str) -> str:
    return printable(" ".join(text.split()))


def show_table(result: Coverage, title: str) -> None:
    """Show the events by kinds of material."""
    kinds = [kind for kind in Kind if any(kind in event.kinds for event in result.events)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Event")
    for kind in kinds:
        table.add_column(kind.value.capitalize())
    for event in result.events:
        table.add_row(_safe(event.event.title), *(_cell(event.kinds.get(kind)) for kind in kinds))
    click.echo(f"{_safe(title)}\n")
    out = console()
    with out.capture() as capture:
        out.print(table)
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def _cell(cell: Cell | None) -> Text:
    if cell is None:
        return Text("not expected", style="dim")
    notes = [f"{cell.unmatched} unmatched" if cell.unmatched else ""]
    notes += [f"{cell.withdrawn} withdrawn" if cell.withdrawn else ""]
    notes += [f"{cell.waived} waived" if cell.waived and cell.state is not Standing.WAIVED else ""]
    told = ", ".join(note for note in notes if note)
    return Text(_word(cell) + (f" ({told})" if told else ""), style=_COLOURS[cell.state])


def _word(cell: Cell) -> str:
    counted = cell.state in (Standing.HAVE, Standing.PARTIAL)
    if counted and cell.expected > 1:
        return f"{cell.have} of {cell.expected}"
    if cell.state is Standing.HAVE and cell.have > 1:
        return f"yes, {cell.have}"
    return _WORDS[cell.state]


def show_missing(result: Coverage, asks: Asks = NOBODY_ASKED) -> None:
    """List what is expected and not here, with whom to ask, or when they were asked."""
    found = [(event, list(_lacks(event, asks))) for event in result.events]
    lacking = [(event, lines) for event, lines in found if lines]
    click.echo()
    if not lacking:
        click.echo("Nothing is missing.")
        return
    click.echo("Missing:")
    for event, lines in lacking:
        click.echo(f"  {_safe(event.event.title)} ({event.event.id})")
        for line in lines:
            click.echo(f"    {line}")
    if any(event.event.talks for event, _ in lacking):
        click.echo("Ask the speakers with: archive ask EVENT")
        click.echo("Add a file that somebody gives you with: archive add EVENT FILE --talk TALK")


def _lacks(event: EventCoverage, asks: Asks) -> Iterator[str]:
    by_talks = {kind for talk in event.talks for kind in talk.talk.expect}
    for kind, cell in event.kinds.items():
        if cell.expected and kind not in by_talks and _lacking(cell):
            yield f"{kind.value} of the event{_unless_missing(cell)}"
    for talk in event.talks:
        yield from _lacks_of_talk(talk, asks.last(event.event.id, talk.talk.id))


def _lacks_of_talk(talk: TalkCoverage, asked: Ask | None) -> Iterator[str]:
    speakers = f" by {', '.join(map(_safe, talk.talk.speakers))}" if talk.talk.speakers else ""
    for kind, cell in talk.kinds.items():
        if cell.expected and _lacking(cell):
            told = f", {how_long_ago(asked)}" if asked is not None and kind is Kind.SLIDES else ""
            yield f"{kind.value} of “{_safe(talk.talk.title)}”{speakers}{_unless_missing(cell)}{told}"


def _lacking(cell: Cell) -> bool:
    return cell.state not in (Standing.HAVE, Standing.WAIVED)


def _unless_missing(cell: Cell) -> str:
    if cell.state is Standing.PARTIAL:
        return ": only a thumbnail is here"
    return "" if cell.state is Standing.MISSING else f": {_WORDS[cell.state]}"


def show_open(result: Coverage) -> None:
    """List what is known and not held, and what is held and belongs to no talk."""
    pending = [record for event in result.events for record in event.pending] + list(result.unrouted)
    for reason in sorted({_reason(record) for record in pending}):
        records = [record for record in pending if _reason(record) == reason]
        _show_list(
            f"Known, but not here: {reason}",
            map(_pending_line, records),
            len(records),
            _TO_DO.get(reason, ""),
        )
    outdated = [record for event in result.events for record in event.outdated]
    advice = "What was here stays. It is tried again at the next run."
    title = "Here, but not as upstream has it now"
    _show_list(title, map(_pending_line, outdated), len(outdated), advice)
    loose = [record for event in result.events for record in event.unmatched]
    advice = "Say which talk: archive matches list. Until then they count for none."
    _show_list("Here, but of no known talk", map(_loose_line, loose), len(loose), advice)
    _show_outside(result.outside)


def _show_outside(records: Sequence[Record]) -> None:
    if records:
        events = ", ".join(dict.fromkeys(record.material.event for record in records))
        click.echo(
            f"\nHere, but of events that the configuration does not name ({len(records)}): {_safe(events)}"
        )


def _show_list(title: str, lines: Iterable[str], count: int, advice: str) -> None:
    if not count:
        return
    click.echo(f"\n{title} ({count}):")
    for number, line in enumerate(lines):
        if number == MOST:
            click.echo(f"  … and {count - MOST} more: `archive status --json` lists them all")
            break
        click.echo(f"  {line}")
    if advice:
        click.echo(f"  What to do: {advice}")


def _reason(record: Record) -> str:
    return record.problem.reason if record.problem else "not fetched yet"


def _pending_line(record: Record) -> str:
    detail = record.problem.detail if record.problem else ""
    return ": ".join(part for part in (_name(record), _safe(detail), _safe(record.material.url)) if part)


def _loose_line(record: Record) -> str:
    return f"{_name(record)}: {_safe(record.match.why) or 'no talk is known for it'}"


def _name(record: Record) -> str:
    material = record.material
    where = "/".join(part for part in (material.event, record.source) if part)
    return f"{where}: {material.kind.value} “{_safe(material.title or material.id)}”"


def show_sum(result: Coverage, report: Mapping[str, Any]) -> None:
    """Show how much is here in all, what upstream lost, and when the archive last ran."""
    cells = [cell for event in result.events for cell in event.counted() if cell.state is not Standing.WAIVED]
    have = sum(cell.state is Standing.HAVE for cell in cells)
    withdrawn = sum(cell.withdrawn for event in result.events for cell in event.kinds.values())
    click.echo(f"\nHere: {have} of {len(cells)} expected ({_percent(have, len(cells))} %).")
    if withdrawn:
        click.echo(f"Kept here although upstream no longer shows it: {withdrawn}.")
    click.echo(last_run(report))


def _percent(have: int, of: int) -> int:
    # Rounded down: 100 % means that nothing is missing.
    return 100 * have // of if of else 100


def last_run(report: Mapping[str, Any], now: datetime | None = None) -> str:
    """Say when the run of a report ended, and how long ago that is."""
    told = str(report.get("finished") or report.get("started") or "")
    try:
        at = datetime.fromisoformat(told).astimezone(UTC)
    except ValueError:
        return "There was no run yet. Start one with: archive run"
    return f"Last run: {at:%Y-%m-%d %H:%M} UTC ({_ago((now or datetime.now(UTC)) - at)})."


def _ago(distance: timedelta) -> str:
    days = distance.days
    if days < 0:
        return "by a clock that was ahead of this one"
    if days < 1:
        return "less than a day ago"
    return "one day ago" if days == 1 else f"{days} days ago"
