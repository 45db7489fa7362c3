"""What upstream lost and the archive still holds, with when and how that was seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import click

from archiver.cli.common import printable
from archiver.ledger import Record, State
from archiver.model import Event, Role


def as_data(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Give every material that upstream does not show any more, in the order in which that was seen."""
    return sorted(map(_row, filter(_lost, records)), key=lambda row: (row["since"], row["event"], row["id"]))


def show(records: Iterable[Record], events: Mapping[str, Event]) -> None:
    """Tell a person."""
    rows = as_data(records)
    if not rows:
        click.echo("Nothing that is held here was lost upstream.")
        return
    click.echo(f"Lost upstream and kept here ({len(rows)}):")
    for row in rows:
        for line in _lines(row, events):
            click.echo(printable(f"  {line}"))


def _lost(record: Record) -> bool:
    # Only what a complete listing lacks, or its own address says is gone, gets this state: a login page, a
    # quota or an error of the server is no loss.
    return record.state is State.WITHDRAWN and any(file.role is not Role.SIDECAR for file in record.files)


def _row(record: Record) -> dict[str, Any]:
    material, lost = record.material, _transition(record)
    return {
        "event": material.event,
        "talk": record.match.talk,
        "source": record.source,
        "id": material.id,
        "kind": material.kind.value,
        "title": material.title,
        "url": material.url,
        "since": lost["at"],
        "run": lost["run"],
        "proof": lost["reason"],
        "files": [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in record.files],
    }


def _transition(record: Record) -> dict[str, str]:
    for step in reversed(record.history):
        if step.state is State.WITHDRAWN:
            return {"at": step.at, "run": step.run, "reason": step.reason}
    return {"at": "", "run": "", "reason": ""}


def _lines(row: Mapping[str, Any], events: Mapping[str, Event]) -> Iterator[str]:
    event = events.get(row["event"])
    where = event.title if event else row["event"]
    yield f"{where}: {row['kind']} “{' '.join(row['title'].split()) or row['id']}” ({row['source']})"
    yield f"  since {row['since'][:10]}: {row['proof'] or 'not listed any more'}"
    if row["url"]:
        yield f"  was at {row['url']}"
    names = [PurePosixPath(file["path"]).name for file in row["files"]]
    yield f"  here: {names[0]}" + (f" and {len(names) - 1} more" if len(names) > 1 else "")
