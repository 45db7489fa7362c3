"""The `archive` command: which subcommands there are, and how a run of it ends.

Nothing but click is imported until a subcommand is chosen, so that `archive --help` stays quick.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Sequence
from importlib import import_module
from typing import TextIO

import click

from archiver import __version__
from archiver.cli import streams
from archiver.cli.common import group_options
from archiver.utf8 import foreign_encoding

#: Subcommand: the module that holds it, and the line that `archive --help` shows for it.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("archiver.cli.init", "Write a commented configuration to start from."),
    "check": ("archiver.cli.check", "Check configuration, talks, sources, sinks and the mail server."),
    "run": ("archiver.cli.run", "Collect what is new into the archive."),
    "handoff": ("archiver.cli.handoff", "Write a bundle of what could not be fetched from here."),
    "status": ("archiver.cli.status", "Show what the archive has and what is missing."),
    "sources": ("archiver.cli.sources", "Show when each source was listed, and what came of it."),
    "report": ("archiver.cli.report", "Show what a run did, and deliver it to those who want to know."),
    "search": ("archiver.cli.search", "Find words in titles, slides, transcripts and reports."),
    "add": ("archiver.cli.add", "Add files that somebody handed you."),
    "ask": ("archiver.cli.ask", "Ask the speakers of an event for the slides that are missing."),
    "matches": ("archiver.cli.matches", "Decide where materials belong that no run could place."),
    "waive": ("archiver.cli.waive", "Say what nobody waits for any more."),
    "consent": ("archiver.cli.consent", "Say who may see a material or a talk, or list who may see what."),
    "why": ("archiver.cli.why", "Explain why something is here, or why not."),
    "copy": ("archiver.cli.copy", "Copy the whole archive from one sink to another."),
    "export": ("archiver.cli.export", "Copy an event out of the archive, with readable names."),
    "verify": ("archiver.cli.verify", "Prove that every byte is what was stored, and repair what is not."),
    "rebuild": ("archiver.cli.rebuild", "Make the catalog again from what the archive holds."),
    "site": ("archiver.cli.site", "Make the pages that show the archive."),
    "serve": ("archiver.cli.serve", "Show the archive in a browser on this machine."),
    "review": ("archiver.cli.review", "Write the review of the tour, as Markdown."),
    "doctor": ("archiver.cli.doctor", "Tell what is installed, what works, and what to do next."),
    "plugins": ("archiver.cli.plugins", "Show the plugins and the types they provide."),
    "schema": ("archiver.cli.schema", "Print the JSON Schema of the configuration, or of run --json."),
    "demo": ("archiver.cli.demo", "Archive a sample tour on this machine."),
}

EPILOG = """\b
Examples:
  archive init                      write archive.yaml, then edit it
  archive check                     see whether everything is in place
  archive run                       collect what is new
  archive status                    see what is still missing

\b
Exit codes:
  0    all done; nothing new is all done too
  1    finished, but some items or sources failed or are blocked
  2    wrong usage or configuration
  3    a sink could not be used, or another run holds it
  4    damage was found in the archive
  130  interrupted
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the work, not of the alphabet."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command and return the command named like it."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)
        if not foreign_encoding():
            return command
        from archiver.cli.foreign import guarded

        return guarded(command, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is an error that names the nearest."""
        name = args[0]
        if name in COMMANDS or name.startswith("-"):
            return super().resolve_command(ctx, args)
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, n=1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        raise click.UsageError(f"There is no command {name!r}.{guess}", ctx)


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="archive", message="%(prog)s %(version)s")
@group_options
def archive() -> None:
    """Collect the slides, videos, photos and reports of your events into an archive that lasts."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    be_quick()
    streams.take_over()
    code = execute(argv)
    streams.settle()
    from archiver.cli.leaving import leave

    leave(code)


def be_quick() -> None:
    """Look for unused objects more seldom than Python does by itself.

    The ledgers of 10,000 photos are a million objects that stay: to look through them whenever 700 more have
    come takes a fifth of the time of a command.
    """
    gc.set_threshold(50_000, 20, 100)
    # Nor at the very end, where all of them go anyway: that takes another tenth of a second.
    atexit.register(gc.freeze)


def execute(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code. Errors are told on stderr, never raised."""
    from archiver.cli import ending

    output = ending.Output()
    try:
        _tolerate(streams.ours())
        result = archive.main(
            args=argv, prog_name="archive", standalone_mode=False, obj=output, color=ending.colour()
        )
        streams.ours().flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the last line of defence: all are told
        return ending.tell(error, output)
    return result if isinstance(result, int) else 0


def _tolerate(stream: TextIO) -> None:
    # A Chinese title on a terminal set to Latin-1 is written with escapes instead of failing.
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
