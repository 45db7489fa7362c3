"""`archive search`: find words in everything the archive holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.common import common_options, echo_json, load, printable
from archiver.cli.named import check_events
from archiver.cli.reading import knowing, reading

if TYPE_CHECKING:
    from archiver.archive import Head
    from archiver.catalog import Hit
    from archiver.config import Config

_KINDS = ("slides", "video", "photo", "report", "other")
_MARKED = re.compile("«([^«»]*)»")

EPILOG = """\b
Examples:
  archive search 云计算                       one word, in any language
  archive search swift 架构 --kind slides     both words, slides only
  archive search '"block device"'             words that follow each other
  archive search 'virtual*' --event beijing   words that begin so, in one event
  archive search keystone --json              one JSON object per line

\b
Titles, speakers, events, descriptions, transcripts and the text of slides are searched. Capital
letters and accents make no difference.
"""


@click.command(epilog=EPILOG)
@click.argument("words", metavar="WORDS...", nargs=-1, required=True)
@click.option(
    "--kind", "kinds", type=click.Choice(_KINDS), multiple=True, help="Only this kind (repeatable)."
)
@click.option("--event", "events", metavar="EVENT", multiple=True, help="Only this event (repeatable).")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="The most results to show."
)
@common_options
def search(
    words: tuple[str, ...],
    kinds: tuple[str, ...],
    events: tuple[str, ...],
    limit: int,
    config_path: Path,
    verbose: bool,
    as_json: bool,
) -> int:
    """Find words in titles, slides, transcripts and reports.

    Shows the materials that have all the words, best first, each with the passage that was found and
    the path of its file.
    """
    del verbose
    from archiver import catalog
    from archiver.catalog.serving import local
    from archiver.model import Kind

    query = " ".join(words)
    config, registry = load(config_path)
    config = knowing(config, registry)
    check_events(events, config)
    with reading(config, registry) as archive, local(archive.best, config) as path:
        wanted = [Kind(kind) for kind in kinds]
        hits = catalog.search(path, query, kinds=wanted, events=events, limit=limit)
        _show(hits, archive.best, config, as_json=as_json)
        empty = not archive.records
    if not hits and not as_json:
        _advise(query, filtered=bool(kinds or events), empty=empty)
    return 0


def _show(hits: list[Hit], head: Head, config: Config, *, as_json: bool) -> None:
    for number, hit in enumerate(hits, 1):
        if as_json:
            echo_json(hit.to_json())
        else:
            _tell(number, hit, head, config)


def _tell(number: int, hit: Hit, head: Head, config: Config) -> None:
    root = head.sink.local_root
    where = str(root / hit.path) if root is not None else f"{head.name}: {hit.path}"
    title = click.style(printable(_line(hit.title) or "(without a title)"), bold=True)
    click.echo(f"{number}. {title}")
    click.echo(f"   {printable(_belongs(hit, config))}")
    if hit.snippet:
        click.echo(f"   {_coloured(printable(hit.snippet))}")
    click.echo(f"   {printable(where)}")


def _belongs(hit: Hit, config: Config) -> str:
    """Say what it is and where it belongs: "slides, Beijing Stop, talk “Deploy OpenStack with Chef”"."""
    event = next((event for event in config.events if event.id == hit.event), None)
    talk = next((talk for talk in event.talks if talk.id == hit.talk), None) if event else None
    names = [hit.kind, event.title if event else hit.event]
    if talk is not None and talk.title != hit.title:
        names.append(f"talk “{talk.title}”")
    if talk is not None and talk.speakers:
        names.append(f"by {', '.join(talk.speakers)}")
    return ", ".join(names)


def _line(text: str) -> str:
    return " ".join(text.split())


def _coloured(snippet: str) -> str:
    # The marks stay: click takes colours away where there is no terminal.
    return _MARKED.sub(lambda found: click.style(found[0], fg="green"), snippet)


def _advise(query: str, *, filtered: bool, empty: bool) -> None:
    from archiver.catalog.words import parse

    if empty:
        click.echo("The archive is still empty. Fill it with: archive run", err=True)
        return
    if not parse(query):
        click.echo("There is no word to look for: give one with letters or digits.", err=True)
        return
    click.echo(printable(f"Nothing was found for {query!r}."), err=True)
    click.echo("Try fewer words, or the beginning of a word with a star: 'virtual*'.", err=True)
    if filtered:
        click.echo("Or search everywhere: leave out --kind and --event.", err=True)
    click.echo("`archive status` shows what the archive does not have yet.", err=True)
