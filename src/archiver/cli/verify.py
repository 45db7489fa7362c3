"""`archive verify`: prove that what the archive holds is what was stored, and repair what is not."""

from __future__ import annotations

import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.amounts import seconds
from archiver.cli.common import common_options, echo_json, load, printable
from archiver.cli.named import check_events, check_sinks
from archiver.cli.reading import knowing
from archiver.cli.words import count, size

if TYPE_CHECKING:
    from archiver.verify import Finding, SinkResult, VerifyReport, Wanted

EPILOG = """\b
Examples:
  archive verify                       every byte in every sink
  archive verify beijing --sink local  one event, in one sink
  archive verify --sample 10%          a tenth: what was looked at longest ago
  archive verify --budget 30m          as much as half an hour allows, then stop
  archive verify --repair              restore what is damaged from another sink
  archive verify --accept-loss xian    what is left of xian is all there is

\b
Exit codes: 0 all that was looked at is what was stored, or was repaired; 3 a sink could not be used;
4 damage was found, and is still there; 130 interrupted.
"""


def _share(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """Read a share of the whole, 10% or 0.1: a number above 0, at most 1."""
    del ctx, param
    found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)(%?)", value, re.ASCII)
    share = float(found[1]) / (100 if found[2] else 1) if found else 0.0
    if not 0 < share <= 1:
        raise click.BadParameter(f"{value!r} is no share of the whole: write it like 10% or 0.1.")
    return share


def _day(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Read a day, 2012-09-16, or a time, 2012-09-16T18:00:00+08:00, as text that compares: RFC 3339, UTC."""
    del ctx, param
    try:
        if not value or re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
            return value and date.fromisoformat(value).isoformat()
        at = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(f"{value!r} is no date: write it like 2012-09-16.") from error
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


@click.command(epilog=EPILOG)
@click.argument("events", metavar="[EVENT]...", nargs=-1)
@click.option("--sink", "sinks", metavar="NAME", multiple=True, help="Only this sink (repeatable).")
@click.option("--repair", is_flag=True, help="Restore what is damaged, from copies that prove right.")
@click.option(
    "--accept-loss", "accepted", metavar="EVENT", multiple=True,
    help="Take an event as it is now, though a newer version of it is gone (repeatable).",
)  # fmt: skip
@click.option("--sample", callback=_share, default="100%", metavar="SHARE", help="Only such a share: 10%.")
@click.option("--since", callback=_day, default="", metavar="DATE", help="Only what was stored since then.")
@click.option("--budget", callback=seconds, metavar="TIME", help="Look at contents for so long: 90s, 30m.")
@common_options
def verify(
    config_path: Path,
    verbose: bool,
    as_json: bool,
    events: tuple[str, ...],
    sinks: tuple[str, ...],
    repair: bool,
    accepted: tuple[str, ...],
    sample: float,
    since: str,
    budget: float | None,
) -> int:
    """Prove that every byte is what was stored, and repair what is not.

    Reads all files and compares their digests with the inventories; extracted texts, reports and the
    catalog with the digests beside them; in every version and every sink. Leaves a report in each sink.
    Nothing else is changed, unless --repair is given: then what is damaged is restored, never from a
    copy that does not prove right. Where a whole event, or its newest version, is gone and no copy of it
    exists, --accept-loss says so, and runs go on with what is there.
    """
    del verbose
    from archiver.verify import Verify, Wanted

    config, registry = load(config_path)
    config = knowing(config, registry)
    check_events(events, config)
    check_sinks(sinks, config)
    asked = Wanted(frozenset(sinks), frozenset(events), sample, since, budget, repair, frozenset(accepted))
    watcher = Progress()
    try:
        report = Verify(config, registry, asked, watcher).execute()
    finally:
        watcher.close()
    code = report.exit_code()
    if as_json:
        echo_json({**report.to_json(), "exit_code": code})
    else:
        _tell(report, asked)
    return code


class Progress:
    """Bytes and files per sink, on stderr: a bar on a terminal, else a line per sink."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def began(self, sink: str, files: int, total: int) -> None:
        """Begin a sink."""
        self.close()
        if not sys.stderr.isatty():
            click.echo(printable(f"{sink}: looking at {count(files, 'file')}, {size(total)}"), err=True)
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.progress import Progress as Bar

        name = TextColumn("{task.description}", markup=False)
        columns = (name, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(printable(sink), total=total)
        self._bar.start()

    def moved(self, done: int) -> None:
        """Count bytes."""
        if self._bar is not None:
            self._bar.advance(self._task, done)

    def stopping(self) -> None:
        """Say that the end is near."""
        click.echo("Stopping: what was found until now is told.", err=True)

    def close(self) -> None:
        """Take the bar down."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _tell(report: VerifyReport, asked: Wanted) -> None:
    for name, result in report.sinks.items():
        click.echo(printable(_sink_line(name, result, report)))
    for name in sorted(asked.accepted):
        _tell_accepted(name, [sink for sink, result in report.sinks.items() if name in result.accepted])
    for each in report.findings:
        _tell_finding(each)
    if asked.events:
        click.echo("Reports, journals and the catalog were not looked at: they belong to no single event.")
    if report.damage and not asked.repair:
        click.echo("\nTo restore what is damaged from another sink: archive verify --repair")


def _sink_line(name: str, result: SinkResult, report: VerifyReport) -> str:
    if result.error:
        return f"{name}: could not be verified: {result.error}"
    state = _state(name, report)
    line = f"{name}: {count(result.total('files'), 'file')} ({size(result.total('bytes'))}), {state}"
    if left := result.total("left_files"):
        line += f"; not looked at: {count(left, 'file')} ({size(result.total('left_bytes'))})"
        line += _events_left(result)
    return f"{line}; it {result.note}" if result.note else line


def _state(name: str, report: VerifyReport) -> str:
    """Say how a sink stands now, and what of it had to be repaired."""
    bad = sum(each.sink == name for each in report.damage)
    mended = sum(each.sink == name and each.is_damage and bool(each.repaired) for each in report.findings)
    repaired = f"{count(mended, 'file')} repaired" if mended else ""
    if bad:
        return ", ".join(filter(None, [f"DAMAGE in {count(bad, 'file')}", repaired]))
    return f"{repaired}, the others as they were stored" if mended else "all as it was stored"


def _events_left(result: SinkResult) -> str:
    names = [name for name, each in result.groups.items() if name and each.left_files]
    return f" of {', '.join(names[:5])}{' …' if len(names) > 5 else ''}" if names else ""


def _tell_accepted(name: str, sinks: list[str]) -> None:
    where = ", ".join(sinks)
    told = f"taken as it is now in {where}; the next run stores again what its sources still have"
    if not sinks:
        told = "nothing was accepted: no version of it is missed, or something else lies in its place"
    click.echo(printable(f"{name}: {told}"))


def _tell_finding(each: Finding) -> None:
    word = each.what.upper() if each.is_damage and not each.repaired else str(each.what)
    click.echo(printable(f"\n{word}  {each.sink}: {each.path}\n    {each.detail}"))
    click.echo(
        printable(f"    Repaired: {each.repaired}" if each.repaired else f"    What to do: {each.hint}")
    )
