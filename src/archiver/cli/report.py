"""`archive report`: what a run did, for people."""

from __future__ import annotations

from pathlib import Path

import click

from archiver.cli import streams, telling
from archiver.cli.common import common_options, echo_json, load

EPILOG = """\b
Examples:
  archive report                               what the last run did
  archive report 20121202                      the run of that day
  archive report --since last                  since the last run that came to its end
  archive report --since 2012-12-01            all that happened since that day
  archive report --format markdown > digest.md
  archive report --send                        deliver it to everybody under notify: once more
"""


@click.command(epilog=EPILOG)
@click.argument("run", metavar="[RUN]", default="")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How it is written.",
)
@click.option(
    "--since",
    metavar="RUN|DAY|last",
    default="",
    help="Take in all runs after this one, since that day, or after the last that came to its end.",
)
@click.option("--send", "sending", is_flag=True, help="Deliver it to everybody under notify:, due or not.")
@common_options
def report(
    run: str, form: str, since: str, sending: bool, config_path: Path, verbose: bool, as_json: bool
) -> int:
    """Show what a run did, and deliver it to those who want to know.

    What came, what went wrong, what is still missing. By default it is the newest run, compared with the
    one before. RUN is the id of a run, or the beginning of it. Reads only; asks no source.
    """
    del verbose
    from archiver import digest

    form = "json" if as_json else form
    if form == "json":
        streams.keep_for_machines()
    config, registry = load(config_path)
    told = telling.newest(config, registry, run, since)
    if told is None:
        when = f"since {since}{f', up to {run}' if run else ''}" if since else "yet"
        click.echo(f"There was no run {when}. Start one with: archive run", err=form != "text")
        return 0
    if form == "json":
        echo_json(told.to_json())
    else:
        click.echo(digest.markdown(told) if form == "markdown" else digest.text(told), nl=False)
    if not sending:
        return 0
    if not config.notify:
        raise click.UsageError("The configuration has no `notify:`, so there is nobody to send it to.")
    return int(any(each.error for each in telling.send(config, registry, told, forced=True)))
