"""How the standing of an archive is shown to a person: in words, with colour as a help only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archiver.asked import NOBODY_ASKED, Asks, how_long_ago
from archiver.cli.common import printable
from archiver.cli.words import count
from archiver.coverage import Cell, Coverage, Standing
from archiver.gaps import Gap, Step, gaps
from archiver.ledger import Record
from archiver.model import Kind
from archiver.waivers import Waiver

if TYPE_CHECKING:
    from archiver.verify.lately import Lately

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
_STEPS = {
    Step.ADD: "add it when somebody gives it to you",
    Step.ASK: "ask the speaker",
    Step.WAIT: "wait for the answer, and add what comes",
    Step.ACT: "log in, lift the quota or open the page, then run again",
    Step.OPEN: "open the address, save the file, and add it",
    Step.RETRY: "it is tried again at the next run",
    Step.DECIDE: "decide whether it is among these",
    Step.BETTER: "ask for the whole file, and add it",
}
_TO_DO = {
    "blocked": "A person has to act first (log in, lift a quota, open the page); then run again.",
    "failed": "Nothing to do yet: it is tried again at the next run.",
    "invalid": "What arrived was not usable. Look at the address; ask for the file if it is wrong there.",
    "gone": "It no longer exists upstream. Ask the speaker, then: archive add EVENT FILE --talk TALK",
    "unrouted": "Say where each belongs: archive matches list",
    "link": "No source fetches it. Save it yourself, then: archive add EVENT FILE; or name a source for it.",
    "accepted": "It is fetched at the next run.",
}
#: How many entries of one list are shown; `--json` has them all.
MOST = 20
#: Letters of an event's title that the table shows.
_TITLE = 60
#: Wide enough for any table where there is no terminal: lines are for grep then, not for a screen.
_NO_TERMINAL = 10_000


def console() -> Console:
    """Give a console on stdout that never breaks lines when its output goes into a pipe."""
    width = None if sys.stdout.isatty() else _NO_TERMINAL
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def _safe(text: str) -> str:
    return printable(" ".join(text.split()))


def _shortened(title: str) -> str:
    """Keep a title from making every line as wide as itself: a whole sentence was seen as one."""
    plain = _safe(title)
    return plain if len(plain) <= _TITLE else f"{plain[: _TITLE - 1].rstrip()}…"


def show_table(result: Coverage, title: str) -> None:
    """Show the events by kinds of material."""
    kinds = [kind for kind in Kind if any(kind in event.kinds for event in result.events)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Event")
    for kind in kinds:
        table.add_column(kind.value.capitalize())
    for event in result.events:
        table.add_row(_shortened(event.event.title), *(_cell(event.kinds.get(kind)) for kind in kinds))
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
    counted = cell.state in (Standing.HAVE, Standing.PARTIAL) or (
        # Some is here, and may be any of those that are missing.
        cell.unmatched > 0 and cell.state is not Standing.WAIVED
    )
    if counted and cell.expected > 1:
        return f"{cell.have} of {cell.expected}"
    if cell.state is Standing.HAVE and cell.have > 1:
        return f"yes, {cell.have}"
    return _WORDS[cell.state]


def show_missing(result: Coverage, asks: Asks = NOBODY_ASKED, *, steps: bool = False) -> None:
    """List what is expected and not here, with whom to ask, or when they were asked.

    With `steps`, each line is followed by what to do and the command for it.
    """
    lacking: dict[str, list[Gap]] = {}
    for gap in gaps(result, asks):
        lacking.setdefault(gap.event.id, []).append(gap)
    click.echo()
    if not lacking:
        click.echo("Nothing is missing.")
        return
    click.echo("Missing:")
    for name, found in lacking.items():
        click.echo(f"  {_safe(found[0].event.title)} ({name})")
        for gap in found:
            for line in _gap(gap, steps=steps):
                click.echo(f"    {line}")
    if not steps and any(found[0].event.talks for found in lacking.values()):
        click.echo("Ask the speakers with: archive ask EVENT")
        click.echo("Add a file that somebody gives you with: archive add EVENT FILE --talk TALK")


def _gap(gap: Gap, *, steps: bool) -> Iterator[str]:
    told = f", {how_long_ago(gap.asked)}" if gap.asked is not None else ""
    yield f"{_what(gap)}{_unless_missing(gap.cell)}{told}"
    if steps:
        if gap.why and gap.cell.state is not Standing.PARTIAL:
            yield f"    why: {_safe(gap.why)}"
        if gap.url:
            yield f"    at: {_safe(gap.url)}"
        yield f"    {_STEPS[gap.step]}: {_safe(gap.command)}"


def _what(gap: Gap) -> str:
    if gap.talk is None:
        return f"{gap.kind.value} of the event"
    speakers = f" by {', '.join(map(_safe, gap.talk.speakers))}" if gap.talk.speakers else ""
    return f"{gap.kind.value} of “{_safe(gap.talk.title)}”{speakers}"


def _unless_missing(cell: Cell) -> str:
    if cell.state is Standing.PARTIAL:
        return ": only a thumbnail is here"
    return "" if cell.state is Standing.MISSING else f": {_WORDS[cell.state]}"


def show_waived(waived: Sequence[Waiver]) -> None:
    """List what nobody waits for, and why."""
    _show_list(
        "Not expected any more",
        (f"{each.place}: {each.kind.value}: {_safe(each.why)}" for each in waived),
        len(waived),
        "",
    )


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
    have, wanted = result.tally()
    withdrawn = sum(cell.withdrawn for event in result.events for cell in event.kinds.values())
    click.echo(f"\nHere: {have} of {wanted} expected ({result.percent} %).")
    if withdrawn:
        click.echo(f"Kept here although upstream no longer shows it: {withdrawn}.")
    click.echo(last_run(report))


def show_damage(damaged: Iterable[Lately]) -> None:
    """Say what the last verification of each sink left damaged, and what to do about it."""
    for each in damaged:
        files, more = count(len(each.paths), "damaged file"), " and others" if len(each.paths) > 1 else ""
        click.echo(
            f"DAMAGE: the verification of {_safe(each.at[:10])} found {files} in sink {each.sink}: "
            f"{_safe(each.paths[0])}{more}. Restore what can be with: archive verify --repair"
        )


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
