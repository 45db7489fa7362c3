"""`archive site`: make the pages that show the archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.common import check_address, common_options, echo_json, load, printable
from archiver.cli.named import check_sinks
from archiver.cli.reading import knowing, reading
from archiver.cli.words import count

if TYPE_CHECKING:
    from archiver.archive import Archive, Head
    from archiver.config import Config
    from archiver.pages import Built

EPILOG = """\b
Examples:
  archive site                                  make the pages, or bring them up to date
  archive site --url https://slides.example.org a sitemap too, for search engines
  archive serve                                 look at them

\b
The pages lie in the folder "site" of each sink, and a page "index.html" beside it leads to them. They need
no server: open that page, or put the whole archive on any web server. Only what changed is written.
"""


@click.command(epilog=EPILOG)
@click.option("--sink", "only", metavar="NAME", help="Only in this sink; in every one if left out.")
@click.option(
    "--url",
    metavar="ADDRESS",
    default="",
    help="The public address of the archive, for the sitemap. It is remembered.",
)
@click.option("--anew", is_flag=True, help="Make every small picture and every page again.")
@common_options
def site(only: str | None, url: str, anew: bool, config_path: Path, verbose: bool, as_json: bool) -> int:
    """Make the pages that show the archive.

    Reads what each sink holds and writes its pages into it: stops, talks with their slides, speakers,
    photos, reports, what is missing, and a search that works without a server.
    """
    del verbose
    from archiver import recall
    from archiver.asked import NOBODY_ASKED
    from archiver.pages import build

    check_address("--url", url)
    config, registry = load(config_path)
    config = knowing(config, registry)
    if only is not None:
        check_sinks([only], config)
    with reading(config, registry, only) as archive:
        asks = recall.router(archive.heads.values(), config).asks
        narrowed = _narrowed(archive, config) if archive.public else config
        done: list[Head] = []
        for name, head in _chosen(archive, only).items():
            # A sink for the public is told of what is cleared alone.
            told = (narrowed, NOBODY_ASKED) if name in archive.public else (config, asks)
            result = build(head, *told, url=url, lenders=done, anew=anew, progress=_progress)
            done.append(head)
            _tell(name, head, result, as_json=as_json)
        return 3 if archive.errors else 0


def _narrowed(archive: Archive, config: Config) -> Config:
    """Give the configuration as the pages of a public sink may know it."""
    from archiver import recall

    clearance = recall.clearance(archive.heads.values(), config)
    return clearance.narrowed(clearance.records(archive.records.values()))


def _chosen(archive: Archive, only: str | None) -> dict[str, Head]:
    """Choose the sinks: one that never held this archive while another has may be a disk not mounted."""
    heads = {name: head for name, head in archive.every.items() if only in {None, name}}
    held = {name: head for name, head in heads.items() if not head.empty}
    return held or heads


def _progress(number: int) -> None:
    if number % 100 == 0:
        click.echo(f"{number:,} files drawn …", err=True)


def _tell(name: str, head: Head, result: Built, *, as_json: bool) -> None:
    root = head.sink.local_root
    if as_json:
        from dataclasses import asdict

        echo_json({"sink": name, **asdict(result)})
        return
    where = str(root / "index.html") if root is not None else f"index.html in sink {name}"
    changed = f"{count(result.written, 'file')} written" if result.written else "nothing had changed"
    click.echo(printable(f"{where}: {count(result.pages, 'page')}, {changed}."))
    if result.undrawn:
        click.echo(
            f"No small picture could be made of {count(result.undrawn, 'file')}; the pages show them without."
        )
