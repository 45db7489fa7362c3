"""`archive export`: hand an event over, without this program."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.common import common_options, echo_json, load, printable
from archiver.cli.named import check_events
from archiver.cli.reading import reading
from archiver.cli.words import count, size

if TYPE_CHECKING:
    from rich.progress import Progress

    from archiver.archive import Archive
    from archiver.export import Exported, Order

EPILOG = """\b
Examples:
  archive export beijing --to ~/handover               folders of slides, videos, photos, reports
  archive export beijing shenzhen --to /media/stick    two events, each in its own directory
  archive export beijing --to out --bagit --zip        a BagIt bag as one zip file, for an archive

\b
Each event comes to lie in the directory DIR, under its id. It appears there only when all of it is
written; every byte is compared with the ledger on its way.
"""
#: Seconds between two plain lines about how far it is.
PLAIN_EVERY = 10.0


@click.command(epilog=EPILOG)
@click.argument("events", metavar="EVENT...", nargs=-1, required=True)
@click.option(
    "--to",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="The directory to write below; it is made when it is not there.",
)
@click.option("--bagit", is_flag=True, help="Write a BagIt 1.0 bag: with checksums of everything.")
@click.option("--zip", "zipped", is_flag=True, help="Write one zip file for each event.")
@click.option("--all-editions", is_flag=True, help="Add what stood for a material earlier.")
@click.option(
    "--audience",
    type=click.Choice(["internal", "public"]),
    default="internal",
    show_default=True,
    help="For whom it is: with public, only what is cleared.",
)
@common_options
def export(
    events: tuple[str, ...],
    folder: Path,
    bagit: bool,
    zipped: bool,
    all_editions: bool,
    audience: str,
    config_path: Path,
    verbose: bool,
    as_json: bool,
) -> int:
    """Copy an event out of the archive, with readable names.

    Writes the current files in a folder for each kind, with a description of all of them in
    ro-crate-metadata.json. Reads only; asks no source.
    """
    del verbose
    from archiver.archive import COMMON
    from archiver.export import Order, check_targets

    config, registry = load(config_path)
    order, wanted = Order(folder, bagit, zipped, all_editions), list(dict.fromkeys(events))
    check_targets(order, wanted)
    damaged = False
    with reading(config, registry) as archive:
        if audience == "public":
            from archiver import recall
            from archiver.documents import public_documents
            from archiver.talks import with_kept

            told = recall.clearance(archive.heads.values(), with_kept(config, archive.heads.values()))
            shown = told.narrowed(told.records(archive.records.values()))
            documents = public_documents(shown.archive, shown.events)
            order = replace(order, clearance=told, documents=documents)
        # An event that left the configuration is still kept.
        held = {name for head in archive.heads.values() for name in head.objects if name != COMMON}
        check_events([event for event in wanted if event not in held], config)
        for event in wanted:
            with _watching() as watch:
                done = _export(archive, event, order, watch)
            damaged = damaged or bool(done.damaged)
            _tell(done, order, as_json=as_json)
    return 4 if damaged else 0


def _export(archive: Archive, event: str, order: Order, watch: _Plain) -> Exported:
    from archiver.export import export as export_event

    watch.event = event
    return export_event(archive, event, order, begun=watch.begun, moved=watch.moved)


def _tell(done: Exported, order: Order, *, as_json: bool) -> None:
    for each in done.damaged:
        told = f"DAMAGE: {each} is not what was stored. Another sink had it: the export is whole."
        click.echo(printable(told), err=True)
    if as_json:
        echo_json(as_data(done, order))
        return
    click.echo(
        printable(f"{done.title}: {count(done.files, 'file')}, {size(done.bytes)}, exported to {done.path}")
    )


def as_data(done: Exported, order: Order) -> dict[str, Any]:
    """Give what `archive export --json` prints of one event."""
    return {
        "event": done.event,
        "title": done.title,
        "path": str(done.path),
        "bagit": order.bagit,
        "zip": order.zipped,
        "all_editions": order.all_editions,
        "files": done.files,
        "bytes": done.bytes,
        "damaged": list(done.damaged),
    }


class _Plain:
    """Lines on stderr: one when an event begins, one each ten seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.event = ""
        self._clock = clock
        self._told = clock()
        self.total = self.done = 0

    def begun(self, files: int, total: int) -> None:
        """Say what is to be copied."""
        self.total, self.done, self._told = total, 0, self._clock()
        click.echo(printable(f"{self.event}: {count(files, 'file')}, {size(total)}"), err=True)

    def moved(self, number: int) -> None:
        """Add up bytes; now and then say how far it is."""
        self.done += number
        if self._clock() - self._told >= PLAIN_EVERY:
            self._told = self._clock()
            click.echo(printable(f"{self.event}: {size(self.done)} of {size(self.total)}"), err=True)


class _Bar(_Plain):
    """A bar on a terminal."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def begun(self, files: int, total: int) -> None:
        """Begin the bar of an event."""
        del files
        self._progress.reset(self._task, total=total, description=printable(self.event))

    def moved(self, number: int) -> None:
        """Move the bar on."""
        self._progress.update(self._task, advance=number)


@contextmanager
def _watching() -> Iterator[_Plain]:
    """Choose the display: a bar where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield _Plain()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=20))
    console = Console(stderr=True)
    with Progress(
        *columns, DownloadColumn(), TransferSpeedColumn(), console=console, transient=True
    ) as progress:
        yield _Bar(progress)
