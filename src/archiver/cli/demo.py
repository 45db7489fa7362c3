"""`archive demo`."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import click

from archiver.cli.common import output_options, printable

#: What to try after the demo: the arguments, and what they show.
NEXT = (
    (("status",), "what the archive has and what is missing"),
    (("search", "云计算"), "words inside slides and reports"),
    (("search", "Swift 架构", "--event", "shenzhen"), "only in one event"),
    (("review",), "the review of the tour; for its pages, open index.html in the archive"),
)

EPILOG = """\b
Examples:
  archive demo                 archive the sample tour into ./demo
  archive demo --into /tmp/t   somewhere else

\b
Slides and photos come from services that the command starts on this machine for as long as it runs, the
rest from the folder "incoming". Nothing is fetched from the internet.
"""


@click.command(epilog=EPILOG)
@click.option(
    "--into",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    default="demo",
    show_default=True,
    help="Where to lay the demo out; what is there already stays as it is.",
)
@output_options
@click.pass_context
def demo(ctx: click.Context, into: Path, verbose: bool, as_json: bool) -> int:
    """Archive a sample tour on this machine.

    Lays out a folder with the example configuration and files as volunteers drop them, starts
    services on this machine, and runs `archive run` with all that. A second time, nothing is new.
    """
    from archiver.cli.run import run
    from archiver.demo.environment import overridden
    from archiver.demo.layout import INBOX, prepare
    from archiver.demo.services import services

    config = prepare(into)
    inbox = str((into / INBOX).resolve())
    with services() as addresses, overridden({**addresses, "TOUR_INBOX": inbox}):
        code: int = ctx.invoke(run, config_path=config, as_json=as_json, verbose=verbose)
    if code in {0, 1} and not as_json:
        _tell_next(config)
    return code


def _tell_next(config: Path) -> None:
    click.echo(f"\nThe archive is in {printable(str(config.parent / 'archive'))}. Try next:\n")
    for arguments, shows in NEXT:
        words = " ".join(map(_quoted, [_own_name(), "-c", str(config), *arguments]))
        click.echo(f"  {printable(words)}\n      {shows}")
    click.echo(
        f"\n{printable(str(config))} is an ordinary configuration, with comments that teach.\n"
        "Its decks exist in this demo only: to collect again, use the same command as now."
    )


def _quoted(word: str) -> str:
    # shlex quotes every word with a letter outside ASCII; shells take 云计算 as it is.
    return word if word.isalnum() else shlex.quote(word)


def _own_name() -> str:
    """Give the name under which the user can call this program: `archive`, or its path when not on PATH."""
    own, found = Path(sys.argv[0]), shutil.which("archive")
    if own.name != "archive" or (found and Path(found).samefile(own)):
        return "archive"
    return min(os.path.relpath(own), str(own.absolute()), key=len)
