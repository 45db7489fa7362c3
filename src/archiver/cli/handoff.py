"""`archive handoff`: what this machine could not get, for another one to fetch."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.common import common_options, echo_json, load, printable
from archiver.cli.named import check_events
from archiver.cli.reading import reading
from archiver.cli.words import count
from archiver.errors import ConfigError

if TYPE_CHECKING:
    from archiver.bundle import Bundle
    from archiver.config import Config
    from archiver.registry import Registry

EPILOG = """\b
Examples:
  archive handoff                       write handoff.json: what was blocked here
  archive handoff --to night.json       into another file
  archive handoff --failed beijing      what failed too, of one event
  archive run --handoff handoff.json    on a machine that the sites let in: fetch just that

\b
A bundle with nothing in it is written too: a job can always pass it on.
"""


@click.command(epilog=EPILOG)
@click.argument("events", metavar="[EVENT]...", nargs=-1)
@click.option(
    "--to",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    default="handoff.json",
    show_default=True,
    help="The file to write; an older bundle is replaced, nothing else is.",
)
@click.option(
    "--failed", is_flag=True, help="Hand off what failed or came broken too, not only what is blocked."
)
@common_options
def handoff(
    config_path: Path, verbose: bool, as_json: bool, events: tuple[str, ...], target: Path, failed: bool
) -> int:
    """Write a bundle of what could not be fetched from here.

    Names the materials that sites refuse to this machine, and the sources that they would not even list, by
    what the archive knows of them. It holds no secrets. Carry it to a machine that the sites let in, with
    the same configuration, and run there with --handoff.
    """
    del verbose
    config, registry = load(config_path)
    check_events(events, config)
    _check_target(target)
    made = _made(config, registry, events, failed=failed)
    from archiver import bundle

    data, left_out = bundle.dump(made)
    _write(target, data)
    if as_json:
        echo_json(_as_dict(made, target, left_out))
    else:
        _tell(made, target, left_out)
    return 0


def _made(config: Config, registry: Registry, events: tuple[str, ...], *, failed: bool) -> Bundle:
    from archiver import bundle, handing
    from archiver.instances import Workshop

    reasons = bundle.BLOCKED | (bundle.FAILED if failed else frozenset())
    sources = handing.with_defaults(config.sources, config, registry)
    with reading(config, registry) as archive:
        items, listings = bundle.gather(archive.records.values(), archive.report, sources, reasons, events)
    if events:
        use = {spec.name for spec in sources for entry in spec.entries if entry.event.id in events}
        listings = tuple(each for each in listings if each.source in use)
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    shop = Workshop("handoff", config.folder, sources, config.sinks)
    own = bundle.own_addresses(spec.options for spec in sources)
    mask = shop.mask
    return bundle.masked(
        bundle.Bundle(config.archive.title, now, items, listings),
        lambda text: bundle.without(own, mask(text)),
    )


def _check_target(target: Path) -> None:
    """Refuse to write over anything but a bundle: one slip, and the configuration would be gone."""
    from archiver import bundle

    if not target.exists():
        return
    try:
        bundle.load(target)
    except ConfigError as error:
        hint = "name another file, or remove this one yourself"
        raise ConfigError(
            f"{target} is there already, and is no bundle: it is left as it is", hint=hint
        ) from error


def _write(target: Path, data: bytes) -> None:
    """Write all of it or nothing."""
    try:
        handle, name = tempfile.mkstemp(prefix=".handoff-", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        hint = "name a file in a folder that exists and can be written, with --to"
        raise ConfigError(f"{target} could not be written: {error.strerror}", hint=hint) from error


def _tell(made: Bundle, target: Path, left_out: int) -> None:
    for source, number in _numbers(made).items():
        click.echo(printable(f"{source}: {count(number, 'item')}"))
    for each in made.listings:
        click.echo(printable(f"{each.source}: to be listed again"))
    if left_out:
        click.echo(
            f"{count(left_out, 'item')} did not fit in: hand off once more when these are done.", err=True
        )
    if made.items or made.listings:
        click.echo(
            printable(f"Wrote {target}. Where the sites let you in: archive run --handoff {target.name}")
        )
    else:
        click.echo(printable(f"Nothing is waiting for another machine. Wrote {target}, with nothing in it."))


def _numbers(made: Bundle) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for item in made.items:
        numbers[item.source] = numbers.get(item.source, 0) + 1
    return numbers


def _as_dict(made: Bundle, target: Path, left_out: int) -> dict[str, Any]:
    about = {"file": str(target), "items": len(made.items) - left_out, "left_out": left_out}
    return {**about, "sources": _numbers(made), "listings": sorted(made.listed)}
