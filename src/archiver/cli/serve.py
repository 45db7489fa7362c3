"""`archive serve`: show the archive in a browser on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from archiver.cli.common import common_options, echo_json, load, printable
from archiver.cli.named import check_sinks
from archiver.cli.reading import knowing, reading

EPILOG = """\b
Examples:
  archive serve                 on http://127.0.0.1:8000/
  archive serve --port 0        on any free port
  archive serve --sink cloud    what lies in that sink

\b
Only this machine can reach it, unless --listen names another address. End it with Ctrl-C.
"""


@click.command(epilog=EPILOG)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port.")
@click.option(
    "--listen",
    metavar="ADDRESS",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen at. Any but a loopback one opens the archive to others.",
)
@click.option("--sink", "only", metavar="NAME", help="The sink to show; the best if left out.")
@common_options
def serve(port: int, listen: str, only: str | None, config_path: Path, verbose: bool, as_json: bool) -> int:
    """Show the archive in a browser on this machine.

    Serves the pages that `archive site` made, and the files they lead to. Writes nothing.
    """
    del verbose
    from archiver.pages.serving import Server, is_loopback

    config, registry = load(config_path)
    config = knowing(config, registry)
    if only is not None:
        check_sinks([only], config)
    with reading(config, registry, only) as archive:
        head = archive.every[only] if only is not None else archive.best
        if not is_loopback(listen):
            click.echo(
                f"Warning: everybody who can reach {printable(listen)} can read this archive, all of it.",
                err=True,
            )
        with Server(head, listen, port) as server:
            if as_json:
                echo_json({"url": server.url})
            else:
                click.echo(f"The archive is at {server.url} (Ctrl-C ends).")
                if not server.has_pages:
                    click.echo("It has no pages yet: make them with `archive site`.", err=True)
            server.serve_forever()
    return 0
