"""`archive plugins new`: write a plugin to start from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.common import echo_json, output_options, printable
from archiver.errors import ConfigError

if TYPE_CHECKING:
    from archiver.scaffold import Written

EPILOG = """\b
Examples:
  archive plugins new source my-photos          write it to ./archiver-my-photos
  archive plugins new sink my-store --to /tmp/s --licence MIT --author "Ada Fan"

\b
What is written works: a package with one small module, a stand-in for the service or store that it
talks to, tests, a README and a workflow for CI. Its own tests pass before you change anything.
"""


@click.command("new", epilog=EPILOG)
@click.argument("kind")
@click.argument("name")
@click.option(
    "--to",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where to write it; a folder that is not there yet, or empty.  [default: ./archiver-NAME]",
)
@click.option(
    "--licence",
    "--license",
    "licence",
    metavar="LICENCE",
    default="Apache-2.0",
    show_default=True,
    help="Apache-2.0, MIT, or none to choose one later.",
)
@click.option("--author", metavar="NAME", default="", help="Who holds the copyright, for the licence.")
@output_options
def new_plugin(
    kind: str, name: str, folder: Path | None, licence: str, author: str, verbose: bool, as_json: bool
) -> None:
    """Write a new plugin to start from: KIND is source or sink.

    NAME becomes the word for `type:` in the configuration. Nothing that is there is overwritten.
    """
    del verbose
    from archiver.registry import load_plugins
    from archiver.scaffold import KINDS, LICENCES, named, write

    kind = _one_of("kind of plugin", kind, KINDS)
    licence = _one_of("licence", licence, LICENCES)
    registry = load_plugins()
    names = named(name, registry.sources if kind == "source" else registry.sinks)
    written = write(kind, names, folder or Path(names.distribution), licence=licence, author=author)
    if as_json:
        files = [str(path) for path in written.files]
        echo_json({"kind": kind, "type": names.type, "folder": str(written.folder), "files": files})
    else:
        _tell(written)


def _one_of(what: str, given: str, known: tuple[str, ...]) -> str:
    from archiver.config.problems import listed, nearest

    for word in known:
        if given.lower() == word.lower():
            return word
    near = nearest(given, known)
    guess = f"did you mean {near!r}?" if near else f"use {listed(known)}"
    raise ConfigError(f"there is no {what} {given!r:.60}", hint=guess)


def _tell(written: Written) -> None:
    click.echo(f"The {written.kind} {written.names.type} is in {printable(str(written.folder))}:\n")
    for path in written.files:
        click.echo(f"  {path}")
    click.echo("\nTry next, in the environment of this program:\n")
    for command, shows in _next_steps(written):
        click.echo(f"  {printable(command)}\n      {shows}")
    click.echo("\nThen make it your own; its README.md says where to begin.")


def _next_steps(written: Written) -> list[tuple[str, str]]:
    word, folder = written.names.type, shlex.quote(str(written.folder))
    tried = f"archive plugins try {word} --option base_url=http://127.0.0.1:8123 --entry series=beijing-2012"
    steps = [
        (f"cd {folder}", "everything below is done there"),
        ('python -m pip install --editable ".[dev]"', "install it, so that changes show at once"),
        ("pytest", "run its tests"),
        ("archive plugins list", f"it is there, and runs where a configuration says: plugins: [{word}]"),
    ]
    if written.kind == "source":
        steps.append(("python tests/double.py", "start the stand-in for the service, in another terminal"))
        steps.append((tried, "see what the program makes of it"))
    return steps
