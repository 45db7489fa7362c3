"""The archive, opened for the commands that only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click

from archiver.cli.common import printable
from archiver.errors import SinkError

if TYPE_CHECKING:
    from archiver.archive import Archive
    from archiver.config import Config
    from archiver.registry import Registry


@contextmanager
def reading(config: Config, registry: Registry, needed: str | None = None) -> Iterator[Archive]:
    """Open every sink for reading; warn on stderr of those that cannot be read.

    Raises `SinkError` when none can, or the one that is `needed` cannot.
    """
    from archiver import identity
    from archiver.archive import open_archive
    from archiver.instances import Instances, Workshop

    shop = Workshop("reading", config.folder, config.sources, config.sinks, config.plugins, config.path)
    instances = Instances(shop, registry)
    try:
        public = {spec.name for spec in config.sinks if spec.audience == "public"}
        sinks = ((spec.name, partial(instances.sink, spec.name)) for spec in config.sinks)
        archive = open_archive(sinks, public)
        identity.check(identity.of_heads(archive.heads.values()))
        if not archive.heads:
            raise _none(archive.errors)
        for name, error in archive.errors.items():
            click.echo(printable(f"Warning: sink {name} could not be read: {error}"), err=True)
        for name in archive.absent:
            where = f"sink {name} holds nothing of this archive while another sink does"
            click.echo(printable(f"Warning: {where}. Is its disk mounted?"), err=True)
        for name, head in archive.every.items():
            if head.damage:
                click.echo(printable(f"DAMAGE: sink {name}: {head.damage}"), err=True)
        if needed in archive.errors:
            raise archive.errors[needed]
        yield archive
    finally:
        instances.close()


def knowing(config: Config, registry: Registry) -> Config:
    """Give the configuration with the talks that the archive keeps of its programmes (`talks: {from: …}`)."""
    from archiver.talks import with_kept

    if not config.programmes:
        return config
    try:
        with reading(config, registry) as archive:
            return with_kept(config, archive.heads.values())
    except SinkError:
        return config  # whoever needs the archive itself tells of it


def _none(errors: dict[str, SinkError]) -> SinkError:
    told = "; ".join(f"{name}: {error.message}" for name, error in errors.items())
    hints = dict.fromkeys(error.hint for error in errors.values() if error.hint)
    return SinkError(f"no sink of this archive can be read: {told}", hint="; ".join(hints))
