"""Make the digest of a run at the command line, and tell those whom the configuration names of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.common import printable
from archiver.cli.reading import knowing, reading
from archiver.errors import ArchiverError

if TYPE_CHECKING:
    from archiver.archive import Archive
    from archiver.config import Config
    from archiver.digest import Digest, Reports
    from archiver.notify import Delivery
    from archiver.registry import Registry
    from archiver.report import Report


def newest(config: Config, registry: Registry, run: str = "", since: str = "") -> Digest | None:
    """Give the digest of a run, by default the newest; None when there was none yet, or none since.

    Raises `ConfigError` when no run is called so, `SinkError` when no sink can be read.
    """
    from archiver.digest import Reports

    config = knowing(config, registry)
    with reading(config, registry) as archive:
        reports = Reports(archive.heads.values())
        if not reports.ids and not run:
            return None
        chosen = reports.find(run) if run else reports.ids[-1]
        begin = reports.since(since, chosen)
        return _digest(config, archive, reports, chosen, begin) if begin < chosen else None


def after_run(
    config: Config, registry: Registry, report: Report, code: int, left: float | None = None
) -> list[Delivery]:
    """Tell of a run that has ended. Raises nothing: what could not be delivered is told on stderr.

    `left` are the seconds that the run's time limit leaves, None without one.
    """
    if not config.notify or report.dry_run:
        return []
    from archiver.digest import Reports, failure

    try:
        with reading(config, registry) as archive:
            reports = Reports(archive.heads.values(), report.to_json())
            before = reports.before(report.run)
            told = _digest(config, archive, reports, report.run, before, code)
    except ArchiverError as error:
        told = failure(config, report.run, report.started, str(error), code)
    return send(config, registry, told, left=left)


def after_failure(config: Config, registry: Registry, report: Report, error: ArchiverError) -> list[Delivery]:
    """Tell of a run that could not begin."""
    if not config.notify or report.dry_run:
        return []
    from archiver.digest import failure

    return send(config, registry, failure(config, report.run, report.started, str(error), error.exit_code))


def send(
    config: Config, registry: Registry, told: Digest, *, forced: bool = False, left: float | None = None
) -> list[Delivery]:
    """Deliver a digest; name on stderr what could not be delivered."""
    from archiver import notify

    deliveries = notify.deliver(config, registry, told, forced=forced, left=left)
    for each in deliveries:
        if each.error:
            entry = f"{each.type} (entry {each.entry} under `notify`)"
            click.echo(printable(f"Warning: nobody was told of the run by {entry}: {each.error}"), err=True)
    if any(each.error for each in deliveries):
        click.echo("What to do: mend that, then deliver it again with: archive report --send", err=True)
    return deliveries


def as_data(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Give deliveries for the last record of `run --json`."""
    return [{"type": each.type, "error": each.error} for each in deliveries]


def _digest(
    config: Config, archive: Archive, reports: Reports, run: str, since: str, code: int | None = None
) -> Digest:
    from archiver import recall
    from archiver.coverage import coverage
    from archiver.digest import gather

    records = archive.records.values()
    waivers = recall.waivers(archive.heads.values(), config)
    now = coverage(config.events, records, waivers)
    return gather(config, reports, records, now, run=run, since=since, exit_code=code)
