"""`archive doctor`: one page on what is installed and what is missing."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.common import common_options, echo_json, printable

if TYPE_CHECKING:
    from archiver.doctor import Line

EPILOG = """\b
Examples:
  archive doctor            one page: versions, plugins, sinks, sources, tools, disks, clock
  archive doctor --json     the same for a program
  archive doctor -v         with the names of hosts, buckets and folders, for your own eyes

\b
Without -v the page can be pasted where others read it: it holds no secrets, no names of hosts and buckets,
~ for the home directory, and of other folders of the archive only the last part.

\b
Exit codes: 0 nothing is in the way (there may be warnings), 1 something is bad.
"""
_COLOURS = {"ok": "green", "warn": "yellow", "bad": "red"}


@click.command(epilog=EPILOG)
@common_options
def doctor(config_path: Path, verbose: bool, as_json: bool) -> int:
    """Tell what is installed, what works, and what to do next.

    Works without a configuration too, and with a broken one. Each sink is asked what it honours, which may
    write three small objects below .probe/ there; the archive itself is not touched. No source is asked.
    """
    from archiver.doctor import examine

    visit = examine(config_path, os.environ, hosts=verbose)
    if as_json:
        echo_json({"ok": visit.healthy, "lines": [asdict(line) for line in visit.lines]})
    else:
        for line in visit.lines:
            _echo(line)
    return 0 if visit.healthy else 1


def _echo(line: Line) -> None:
    level = click.style(f"{line.level:5}", fg=_COLOURS[line.level])
    first, *others = printable(f"{line.subject}: {line.text}").splitlines() or [""]
    click.echo(f"{level}{first}")
    for other in others:
        click.echo(f"{'':7}{other}")
    if line.hint:
        click.echo(f"{'':5}What to do: {printable(line.hint)}")
