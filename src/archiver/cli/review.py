"""`archive review`: write down what the tour was and what came of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from archiver.cli.common import check_address, common_options, echo_json, load, printable
from archiver.cli.named import check_sinks
from archiver.cli.reading import knowing, reading

if TYPE_CHECKING:
    from archiver.archive import Head
    from archiver.asked import Asks
    from archiver.config import Config
    from archiver.pages.model import Item

EPILOG = """\b
Examples:
  archive review                        print it
  archive review --to review.md         write it into a file
  archive review --language en          in English, whatever the archive's own language is
  archive review --url https://slides.example.org --to review.md

\b
Counts come from what the archive holds; dates, places and figures such as who attended come from the
configuration. Links lead to the pages of the archive when their public address is known (it is remembered
from `archive site --url`), else to where a material was found, else to its file.
"""


@click.command(epilog=EPILOG)
@click.option(
    "--to",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write into this file, which is replaced; printed if left out.",
)
@click.option(
    "--url", metavar="ADDRESS", default="", help="The public address of the archive, for the links."
)
@click.option(
    "--language", metavar="TAG", default="", help="The language: zh or en; the archive's if left out."
)
@click.option("--sink", "only", metavar="NAME", help="The sink to read; the best if left out.")
@common_options
def review(
    target: Path | None,
    url: str,
    language: str,
    only: str | None,
    config_path: Path,
    verbose: bool,
    as_json: bool,
) -> int:
    """Write the review of the tour, as Markdown.

    Stops with dates, places, speakers and attendance, topics with links to slides, recordings and reports,
    totals, and what is still missing. Reads only. `archive site` shows the same as a page.
    """
    del verbose
    check_address("--url", url)
    config, registry = load(config_path)
    config = knowing(config, registry)
    if only is not None:
        check_sinks([only], config)
    with reading(config, registry, only) as archive:
        from archiver import recall

        head = archive.heads[only] if only is not None else archive.best
        asks = recall.router(archive.heads.values(), config).asks
        written = _written(head, config, asks, url, language, target)
    if target is not None:
        _write(target, written)
        click.echo(printable(f"The review is in {target}."), err=as_json)
    if as_json:
        echo_json({"markdown": written} if target is None else {"path": str(target)})
    elif target is None:
        click.echo(written, nl=False)
    return 0


def _written(head: Head, config: Config, asks: Asks, url: str, language: str, target: Path | None) -> str:
    from archiver.pages.markdown import markdown
    from archiver.pages.reviewing import of_head
    from archiver.pages.words import Words

    told = of_head(head, config, asks)
    base = url or _remembered(head)
    beside = target.parent if target is not None else Path()
    words = Words(language or told.site.language)
    return markdown(told, words, _where(head.sink.local_root, base, beside))


def _remembered(head: Head) -> str:
    """Give the public address that `archive site --url` was told; "" when there is none."""
    import json

    from archiver.errors import DamageError, MissingError
    from archiver.inventory import UNREADABLE
    from archiver.ocfl_object import read
    from archiver.pages.writing import STATE

    try:
        url = json.loads(read(head.sink, STATE))["url"]
    except (DamageError, MissingError, *UNREADABLE):
        return ""
    return url if isinstance(url, str) and url.startswith(("http://", "https://")) else ""


def _where(root: Path | None, base: str, beside: Path) -> Callable[[Item], str]:
    """Make what says where a material can be had: its page, its own address, or its file."""

    def where(item: Item) -> str:
        if base:
            return f"{base.rstrip('/')}/{quote(item.page, safe='/#-._~')}"
        if item.url and not item.withdrawn:
            return item.url
        if root is None or item.main is None:
            return ""
        path = Path(os.path.relpath(root / item.main.path, beside))
        return quote(path.as_posix(), safe="/-._~")

    return where


def _write(target: Path, written: str) -> None:
    """Write the file in one step. Raises `ConfigError` when it cannot be written."""
    from archiver.errors import ConfigError

    unfinished = target.with_name(f".{target.name}.part")
    try:
        unfinished.write_text(written, encoding="utf-8", newline="\n")
        unfinished.replace(target)
    except OSError as error:
        message = f"the review cannot be written to {target}: {error.strerror or error}"
        raise ConfigError(message, hint="name a file in a folder that you may write: --to FILE") from error
