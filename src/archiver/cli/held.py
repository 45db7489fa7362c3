"""Which of the files that somebody hands over are here already, byte for byte, for the same talk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver import added, ocfl
from archiver.cli.common import printable
from archiver.cli.reading import reading
from archiver.decisions import is_rejected
from archiver.errors import ArchiverError, SinkError
from archiver.ledger import Record, State, StoredFile

if TYPE_CHECKING:
    from archiver.archive import Head
    from archiver.config import Config
    from archiver.model import Kind
    from archiver.registry import Registry

Wanted = tuple[Path, "Kind"]


def not_held(
    wanted: Sequence[Wanted], place: tuple[str, str], config: Config, registry: Registry
) -> list[Wanted]:
    """Leave out the files that a source brought for the same event, talk and kind, and say so on stderr.

    `place` is the event and the talk, "" for the event as a whole. What a sink lost, or holds damaged, is
    not left out: what is added now is what it is repaired from.
    """
    try:
        with reading(config, registry) as archive:
            records = [record for record in archive.records.values() if _is_of(record, place)]
            return list(_new(wanted, records, list(archive.heads.values())))
    except SinkError:
        return list(wanted)  # the run that follows tells of it


def _is_of(record: Record, place: tuple[str, str]) -> bool:
    event, talk = place
    here = record.material.event == event and (not talk or record.match.talk == talk)
    # The same file added twice is one material: the run itself sees that.
    return here and record.state is not State.TAKEN_DOWN and record.source != added.NAME


def _new(wanted: Iterable[Wanted], records: Sequence[Record], heads: Sequence[Head]) -> Iterator[Wanted]:
    for path, kind in wanted:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        held = next(_holding(digest, kind, records, heads), None)
        if held is None:
            yield path, kind
        else:
            title = " ".join((held.material.title or held.material.id).split())
            told = f"{path} is here already, byte for byte: “{title}” from {held.source}. Nothing to add."
            click.echo(printable(told), err=True)


def _holding(digest: str, kind: Kind, records: Iterable[Record], heads: Sequence[Head]) -> Iterator[Record]:
    for record in records:
        if record.material.kind is kind and not is_rejected(record):
            for file in record.files:
                if file.sha256 == digest and all(_is_whole(head, record, file) for head in heads):
                    yield record


def _is_whole(head: Head, record: Record, file: StoredFile) -> bool:
    try:
        where = head.object(record.material.event).locate(file.path)
        return ocfl.digest(head.sink, where) == file.sha256
    except ArchiverError:
        return False
