"""What became of files that were added before, and are added again with another talk, kind or title."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver import added
from archiver.cli.common import printable
from archiver.cli.reading import reading
from archiver.decisions import METHOD, short_id
from archiver.errors import SinkError
from archiver.ledger import Record

if TYPE_CHECKING:
    from archiver.config import Config
    from archiver.registry import Registry

#: What the ledgers know of files that were added to an event, by their digests.
Known = Mapping[str, Record]


def known(event: str, digests: Mapping[str, Path], config: Config, registry: Registry) -> Known:
    """Look up which of these files were added to the event before; none when no sink can be read."""
    try:
        with reading(config, registry) as archive:
            found = {digest: archive.records.get((event, added.NAME, digest)) for digest in digests}
    except SinkError:
        return {}  # the run tells of it
    return {digest: record for digest, record in found.items() if record is not None and record.files}


def tell(before: Known, after: Known, digests: Mapping[str, Path], talk: str) -> None:
    """Say on stderr what each file left and where it is now. `talk` is the one that was named, if any."""
    for digest, old in before.items():
        if digest in after:
            for line in _lines(old, after[digest], talk):
                click.echo(printable(f"{digests[digest]} {line}"), err=True)


def _lines(old: Record, new: Record, talk: str) -> Iterator[str]:
    if new.match.talk != old.match.talk:
        yield f"belongs to {_talk(new)} now, and no longer to {_talk(old)}."
    elif talk and talk != new.match.talk and new.match.method == METHOD:
        event, short = new.material.event, short_id(new.type_name, new.material.id)
        decided = f"stays where it was decided that it belongs: {_talk(new)}."
        yield f"{decided} Decide anew with: archive matches accept {event}/{short} {event}/{talk}"
    if new.material.kind is not old.material.kind:
        yield f"is of the kind {new.material.kind} now, and no longer {old.material.kind}."
    titles = [" ".join(each.material.title.split()) for each in (new, old)]
    # With its talk a file changes its title too, which says nothing more.
    if titles[0] != titles[1] and new.match.talk == old.match.talk:
        yield f"is called “{titles[0]}” now, and no longer “{titles[1]}”."


def _talk(record: Record) -> str:
    place = f"{record.material.event}/{record.match.talk}"
    return place if record.match.talk else f"no talk of {record.material.event}"
