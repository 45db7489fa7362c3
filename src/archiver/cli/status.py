"""`archive status`: what is there, what is missing, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.asked import NOBODY_ASKED
from archiver.cli.common import common_options, echo_json, load
from archiver.cli.named import check_events
from archiver.cli.reading import knowing, reading
from archiver.gaps import gaps

if TYPE_CHECKING:
    from archiver.asked import Asks
    from archiver.config import Config
    from archiver.coverage import Coverage
    from archiver.ledger import Record
    from archiver.waivers import Waiver

EPILOG = """\b
Examples:
  archive status                    every event, what it has and what it lacks
  archive status beijing shenzhen   only these two
  archive status --missing          only what is missing, with the command to type next
  archive status --fail-under 90    leave with 1 when less than 90 % of it is here, for a nightly job
  archive status --withdrawn        what upstream lost and is kept here, with how that was seen
  archive status --json             the same for a program

\b
What a cell of the table says:
  yes, 6 of 6     all that is expected is here
  4 of 6          some of it is here
  blocked         known, but somebody has to act first: a login, a quota
  link only       known at an address, but not held here
  waived          decided not to wait for it: see archive waive
  missing         nobody has given it yet
"""


@click.command(epilog=EPILOG)
@click.argument("events", metavar="[EVENT]...", nargs=-1)
@click.option("--missing", is_flag=True, help="Show only what is missing.")
@click.option(
    "--fail-under",
    metavar="PERCENT",
    type=click.FloatRange(0, 100),
    help="Leave with 1 when less than this share of what is expected is here.",
)
@click.option("--withdrawn", is_flag=True, help="Show only what upstream lost and is kept here.")
@common_options
def status(
    events: tuple[str, ...],
    missing: bool,
    fail_under: float | None,
    withdrawn: bool,
    config_path: Path,
    verbose: bool,
    as_json: bool,
) -> int:
    """Show what the archive has and what is missing.

    Compares the events and talks of the configuration with what the archive holds. Reads only; asks
    no source.
    """
    del verbose
    from archiver import recall, review
    from archiver.cli import standing
    from archiver.coverage import coverage
    from archiver.verify.lately import known_damage

    if withdrawn and fail_under is not None:
        raise click.UsageError("--fail-under is about what is missing: it does not go with --withdrawn.")
    config, registry = load(config_path)
    config = knowing(config, registry)
    check_events(events, config)
    with reading(config, registry) as archive:
        everything = archive.records.values()
        records = [record for record in everything if _asked(record, events)]
        router = recall.router(archive.heads.values(), config)
        waiting = len(review.waiting(everything, router))
        waivers = recall.waivers(archive.heads.values(), config)
        report = archive.report
        damaged = known_damage((name, head.sink) for name, head in archive.every.items())
    if withdrawn:
        _tell_withdrawn(records, config, as_json=as_json)
        return 0
    programme = [event for event in config.events if not events or event.id in events]
    waived = [waiver for waiver in waivers if not events or waiver.event in events]
    result = coverage(programme, records, waived)
    if as_json:
        known = {"waiting": waiting, "damage": [each.to_json() for each in damaged]}
        echo_json({**as_data(result, report, router.asks, waived), **known})
    else:
        shown = replace(result, unrouted=() if events else result.unrouted)
        _print(shown, report, config, router.asks, waived, missing=missing)
        if waiting and not missing:
            click.echo(f"Waiting for a decision: {waiting}. See: archive matches list")
        standing.show_damage(damaged)
    return _judged(result, fail_under)


def _judged(result: Coverage, fail_under: float | None) -> int:
    """Give the exit code: 1 when less is here than the user wants."""
    if fail_under is None or result.share * 100 >= fail_under:
        return 0
    have, wanted = result.tally()
    told = f"{have} of {wanted} expected, {result.percent} %"
    click.echo(f"Coverage is below {fail_under:g} %: {told}. See: archive status --missing", err=True)
    return 1


def _tell_withdrawn(records: Sequence[Record], config: Config, *, as_json: bool) -> None:
    from archiver.cli import withdrawn

    if as_json:
        echo_json({"withdrawn": withdrawn.as_data(records)})
    else:
        withdrawn.show(records, {event.id: event for event in config.events})


def _asked(record: Record, events: Sequence[str]) -> bool:
    return not events or record.material.event in events


def _print(
    result: Coverage,
    report: Mapping[str, Any],
    config: Config,
    asks: Asks,
    waived: Sequence[Waiver],
    *,
    missing: bool,
) -> None:
    from archiver.cli import standing

    if missing:
        standing.show_missing(result, asks, steps=True)
        return
    standing.show_table(result, config.archive.title)
    standing.show_missing(result, asks)
    standing.show_waived(waived)
    standing.show_open(result)
    standing.show_sum(result, report)


def as_data(
    result: Coverage, report: Mapping[str, Any], asks: Asks = NOBODY_ASKED, waived: Iterable[Waiver] = ()
) -> dict[str, Any]:
    """Give what `archive status --json` prints: coverage, then what is open, then the last run.

    `gaps` has an entry for each cell that is expected and not fully here: why, and what to do next.
    """
    pending = [record for event in result.events for record in event.pending]
    outdated = [record for event in result.events for record in event.outdated]
    loose = [record for event in result.events for record in event.unmatched]
    return {
        **result.to_json(),
        "pending": [_pending(record) for record in (*pending, *result.unrouted)],
        "outdated": [_pending(record) for record in outdated],
        "outside": [_about(record) for record in result.outside],
        "unmatched": [{**_about(record), "why": record.match.why} for record in loose],
        "last_run": str(report.get("finished") or report.get("started") or "") or None,
        "asked": list(_asks(result, asks)),
        "gaps": [gap.to_json() for gap in gaps(result, asks)],
        "waived": [waiver.to_json() for waiver in waived],
    }


def _asks(result: Coverage, asks: Asks) -> Iterator[dict[str, Any]]:
    for event in result.events:
        for talk in event.event.talks:
            last = asks.last(event.event.id, talk.id)
            if last is not None:
                yield {"event": event.event.id, "talk": talk.id, "at": last.at, "way": last.way.value}


def _about(record: Record) -> dict[str, Any]:
    material = record.material
    return {
        "event": material.event,
        "source": record.source,
        "id": material.id,
        "kind": material.kind.value,
        "title": material.title,
    }


def _pending(record: Record) -> dict[str, Any]:
    problem = record.problem
    return {
        **_about(record),
        "talk": record.match.talk,
        "url": record.material.url,
        "reason": problem.reason if problem else "",
        "detail": problem.detail if problem else "",
    }
