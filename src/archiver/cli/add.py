"""`archive add`."""

from __future__ import annotations

from pathlib import Path

import click

from archiver.cli.common import common_options, load
from archiver.cli.named import find_event, find_talk
from archiver.cli.reading import knowing

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
    from archiver.cli import again
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
    chosen = find_event(event, config)
    named = find_talk(talk, chosen) if talk else None
    talk_id, talk_title = (named.id, named.title) if named else ("", "")
    wanted = [(path, Kind(kind) if kind else added.guess_kind(path)) for path in files]
    if not title:
        wanted = not_held(wanted, (chosen.id, talk_id), config, registry)
    log = logging.getLogger("archiver.added")
    context = Context(added.NAME, config.folder, PoliteClient(), log, staging.report_progress)
    given = [added.Given(path, chosen, what, talk_id, title or talk_title) for path, what in wanted]
    source = added.AddedFiles(context, given)
    spec = SourceSpec(added.NAME, added.NAME, Options(), (ScopeEntry(chosen, Options()),))
    prepared = Run(config, registry, sources=[spec], given={added.NAME: source})
    before = again.known(chosen.id, source.digests, config, registry)
    code = go(config, prepared, as_json=as_json)
    if before:
        after = again.known(chosen.id, source.digests, config, registry)
        again.tell(before, after, source.digests, talk_id)
    return code


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
