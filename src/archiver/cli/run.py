"""`archive run`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.amounts import seconds, size
from archiver.cli.common import common_options, load
from archiver.cli.named import check_events, check_sources

if TYPE_CHECKING:
    from archiver.config import Config
    from archiver.notify import Delivery
    from archiver.report import Report
    from archiver.run import Run

_KINDS = ("slides", "video", "photo", "report", "other")

EPILOG = """\b
Examples:
  archive run                          collect what is new, for all events
  archive run beijing                  only for one event
  archive run --dry-run                show what would be fetched, change nothing
  archive run --kind slides --limit 5  a first careful try
  archive run --json > run.jsonl       for machines: one JSON object per line
  archive run --time-limit 30m --wait 2m --fail-on new    for a nightly job

\b
Ctrl-C ends a run cleanly: what is stored is recorded, and the next run goes on from there. So does a
limit that is met; that something remains is then no fault, and the exit code is 0.
"""


@click.command(epilog=EPILOG)
@click.argument("events", metavar="[EVENT]...", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Show what would be done; change not a byte.")
@click.option("--source", "sources", metavar="NAME", multiple=True, help="Only this source (repeatable).")
@click.option(
    "--kind", "kinds", type=click.Choice(_KINDS), multiple=True, help="Only this kind (repeatable)."
)
@click.option("--jobs", type=click.IntRange(1, 64), help="How many fetches at once.")
@click.option("--limit", type=click.IntRange(0), help="Fetch at most so many items.")
@click.option(
    "--fail-on",
    type=click.Choice(["any", "new"]),
    default="any",
    show_default=True,
    help="What makes the exit code 1: any open problem, or only those this run saw first.",
)
@click.option(
    "--accept-shrink",
    "accept_shrink",
    metavar="NAME",
    multiple=True,
    help="Believe this source although it lists less than half of what it did (repeatable).",
)
@click.option(
    "--handoff",
    "bundle",
    metavar="BUNDLE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Fetch only what this bundle names: what another machine could not get (see `archive handoff`).",
)
@click.option("--time-limit", callback=seconds, metavar="TIME", help="End cleanly after so long: 30m, 2h.")
@click.option(
    "--byte-limit", callback=size, metavar="SIZE", help="End cleanly once sources have sent so much: 2GB."
)
@click.option(
    "--request-limit", type=click.IntRange(1), help="End cleanly after so many requests to sources."
)
@click.option("--wait", callback=seconds, metavar="TIME", help="Wait so long for another run to end: 2m.")
@common_options
def run(
    config_path: Path,
    verbose: bool,
    as_json: bool,
    events: tuple[str, ...],
    sources: tuple[str, ...],
    kinds: tuple[str, ...],
    dry_run: bool,
    jobs: int | None,
    limit: int | None,
    fail_on: str,
    accept_shrink: tuple[str, ...],
    bundle: Path | None,
    time_limit: float | None,
    byte_limit: int | None,
    request_limit: int | None,
    wait: float | None,
) -> int:
    """Collect what is new into the archive.

    Lists every source, compares with what the archive holds, fetches what is new or changed, proves
    it and stores it in every sink. Nothing is ever deleted.
    """
    del verbose
    from archiver.allowance import Limits
    from archiver.bundle import load as read_bundle
    from archiver.model import Kind
    from archiver.route import Filters
    from archiver.run import Run, RunOptions

    config, registry = load(config_path)
    check_events(events, config)
    check_sources((*sources, *accept_shrink), config)
    filters = Filters(frozenset(events), frozenset(sources), frozenset(map(Kind, kinds)), limit)
    limits = Limits(time_limit, byte_limit, request_limit)
    options = RunOptions(
        filters, jobs, dry_run, frozenset(accept_shrink), limits=limits, wait=wait or 0.0, fail_on=fail_on
    )
    if bundle is not None:
        options = replace(options, bundle=read_bundle(bundle))
    prepared = Run(config, registry, options)
    return go(config, prepared, as_json=as_json, notifying=True)


def go(config: Config, prepared: Run, *, as_json: bool, notifying: bool = False) -> int:
    """Do a prepared run with a display, tell its summary, and give the exit code.

    With `notifying`, those whom the configuration names are told of it as well.
    """
    from archiver.cli import summary, telling
    from archiver.cli.progress import watch
    from archiver.errors import ArchiverError

    titles = {event.id: event.title for event in config.events}
    watcher = watch(titles, as_json=as_json)
    prepared.watcher = watcher
    began, limit = time.monotonic(), prepared.options.limits.seconds
    try:
        report = prepared.execute()
    except ArchiverError as error:
        told = telling.after_failure(config, prepared.registry, prepared.report, error) if notifying else []
        if as_json:
            _last_record(prepared.report, error.exit_code, told, str(error))
        raise
    finally:
        watcher.close()
    if prepared.options.dry_run and not as_json:
        _tell_plan(prepared)
    summary.tell(report, titles)
    code = report.exit_code()
    left = None if limit is None else limit - (time.monotonic() - began)
    told = telling.after_run(prepared.config, prepared.registry, report, code, left) if notifying else []
    if as_json:
        _last_record(report, code, told)
    return code


def _last_record(report: Report, code: int, told: Sequence[Delivery], error: str = "") -> None:
    """Print the last line for machines. `error` says why there was no run at all."""
    from archiver.cli import telling
    from archiver.cli.common import echo_json

    why = {"error": error} if error else {}
    deliveries = {"deliveries": telling.as_data(told)}
    # No report knows of the error that kept a run from beginning: the code that is given counts.
    data = {**report.to_json(), "exit_code": code}
    echo_json({"type": "run.finished", "exit_code": code, **why, **data, **deliveries})


def _tell_plan(prepared: Run) -> None:
    from archiver.cli.ending import printable
    from archiver.cli.words import size

    for work in prepared.planned.work:
        material = work.found.material
        known = size(material.size) if material.size is not None else "size unknown"
        name = f"{material.event}: {material.kind} “{material.title or material.id}”"
        click.echo(printable(f"{work.reason:8} {name} ({known}) from {work.found.source}"))
