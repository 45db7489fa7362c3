"""`archive add`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.common import common_options, load
from archiver.cli.reading import knowing

if TYPE_CHECKING:
    from archiver.model import Event

EPILOG = """\b
Examples:
  archive add beijing ~/stick/chef.pdf --talk deploy-openstack-with-chef
  archive add beijing IMG_*.jpg --kind photo
  archive add shenzhen keynote.mp4 --kind video --title "Opening by Hui Cheng"
"""


@click.command(epilog=EPILOG)
@click.argument("event")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
@click.option("--talk", metavar="TALK", default="", help="The talk it belongs to: its id or its title.")
@click.option(
    "--kind",
    type=click.Choice(["slides", "video", "photo", "report", "other"]),
    help="What it is; by default guessed from the name.",
)
@click.option("--title", default="", help="Its title; by default the title of the talk, or the file's name.")
@common_options
def add(
    config_path: Path,
    verbose: bool,
    as_json: bool,
    event: str,
    files: tuple[Path, ...],
    talk: str,
    kind: str | None,
    title: str,
) -> int:
    """Add files that somebody handed you.

    They are proven, stored in every sink and recorded like everything that sources bring.
    """
    del verbose
    import logging

    from archiver import added, staging
    from archiver.cli.held import not_held
    from archiver.cli.run import go
    from archiver.config import SourceSpec
    from archiver.contracts import Context, Options, ScopeEntry
    from archiver.model import Kind
    from archiver.run import Run
    from archiver.web import PoliteClient

    config, registry = load(config_path)
    config = knowing(config, registry)
    for path in files:
        _check_file(path, event)
    chosen = _event(event, config.events)
    talk_id, talk_title = _talk(talk, chosen)
    wanted = [(path, Kind(kind) if kind else added.guess_kind(path)) for path in files]
    if not title:
        wanted = not_held(wanted, (chosen.id, talk_id), config, registry)
    log = logging.getLogger("archiver.added")
    context = Context(added.NAME, config.folder, PoliteClient(), log, staging.report_progress)
    given = [added.Given(path, chosen, what, talk_id, title or talk_title) for path, what in wanted]
    source = added.AddedFiles(context, given)
    spec = SourceSpec(added.NAME, added.NAME, Options(), (ScopeEntry(chosen, Options()),))
    prepared = Run(config, registry, sources=[spec], given={added.NAME: source})
    return go(config, prepared, as_json=as_json)


def _event(name: str, events: tuple[Event, ...]) -> Event:
    import difflib

    for event in events:
        if event.id == name:
            return event
    ids = [event.id for event in events]
    near = difflib.get_close_matches(name, ids, n=1)
    guess = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(ids)}."
    raise click.UsageError(f"There is no event {name!r} in the configuration. {guess}")


def _check_file(path: Path, event: str) -> None:
    import os

    if path.is_dir():
        raise click.UsageError(
            f"{path} is a directory. Name the files in it: archive add {event} {path}/*\n"
            "For a directory that fills up over time, use a source of type folder in the configuration."
        )
    if not path.exists():
        raise click.UsageError(f"There is no file {path}.")
    # A named pipe would be waited for without end.
    if not path.is_file() or not os.access(path, os.R_OK):
        raise click.UsageError(f"{path} is not a file that can be read.")


def _talk(name: str, event: Event) -> tuple[str, str]:
    """Find a talk by id or title; an unknown one is an error, since the user meant a certain one."""
    if not name:
        return "", ""
    for talk in event.talks:
        if name == talk.id or name.casefold() == talk.title.casefold():
            return talk.id, talk.title
    raise click.UsageError(f"Event {event.id} has no talk {name!r}. {_other_talks(name, event)}")


def _other_talks(name: str, event: Event) -> str:
    import difflib

    words = {word.casefold(): talk.id for talk in event.talks for word in (talk.title, talk.id)}
    near = difflib.get_close_matches(name.casefold(), words, n=1)
    if near:
        return f"Did you mean {words[near[0]]!r}?"
    if not event.talks:
        return "It has no talks: leave --talk out, or name its talks in the configuration."
    return "Its talks are:" + "".join(f"\n  {talk.id}" for talk in event.talks)
