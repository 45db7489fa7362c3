"""`archive sources`: when each source was listed last, how much it had, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.common import common_options, echo_json, load, printable
from archiver.cli.reading import reading

if TYPE_CHECKING:
    from archiver.config import Config

EPILOG = """\b
Examples:
  archive sources           one line for each source, and what went wrong with it
  archive sources --json    the same for a program
"""


@click.command(epilog=EPILOG)
@common_options
def sources(config_path: Path, verbose: bool, as_json: bool) -> int:
    """Show when each source was listed, and what came of it.

    Reads the report of the last run; asks no source.
    """
    del verbose
    config, registry = load(config_path)
    with reading(config, registry) as archive:
        rows = list(_rows(config, archive.report))
    if as_json:
        echo_json({"sources": rows})
        return 0
    for line in _lines(rows):
        click.echo(printable(line))
    return 0


def _rows(config: Config, report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    from archiver.report import source_reports

    told = report.get("sources")
    known = source_reports(report)
    for spec in config.sources:
        last = known.get(spec.name)
        # Why a listing failed stands in the report of its run alone.
        raw = told.get(spec.name) if isinstance(told, Mapping) else None
        trouble = raw if isinstance(raw, Mapping) else {}
        yield {
            "name": spec.name,
            "type": spec.type,
            "events": list(dict.fromkeys(entry.event.id for entry in spec.entries)),
            "listed_at": (last.at if last else "") or None,
            "listed": last.listed if last else None,
            "new": last.new if last else None,
            "complete": last.complete if last else None,
            "error": str(trouble.get("error") or trouble.get("alarm") or "") or None,
            "reason": str(trouble.get("error_reason") or "") or None,
        }


def _lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "The configuration names no source."
        return
    head = ("SOURCE", "TYPE", "EVENTS", "LISTED", "ITEMS", "NEW")
    table = [head, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    yield "  ".join(map(str.ljust, head, widths)).rstrip()
    for row, cells in zip(rows, table[1:], strict=True):
        yield "  ".join(map(str.ljust, cells, widths)).rstrip()
        if row["error"]:
            yield f"    {row['reason'] or 'alarm'}: {row['error']}"


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    if row["listed_at"] is None:
        return (row["name"], row["type"], str(len(row["events"])), "never", "-", "-")
    at = f"{row['listed_at'][:10]} {row['listed_at'][11:16]} UTC"
    if row["error"]:
        return (row["name"], row["type"], str(len(row["events"])), at, "-", "-")
    items = str(row["listed"]) if row["complete"] else f"{row['listed']}+"
    return (row["name"], row["type"], str(len(row["events"])), at, items, str(row["new"]))
