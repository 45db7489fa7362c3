"""`archive copy`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.common import common_options, load
from archiver.cli.named import check_sinks

if TYPE_CHECKING:
    from archiver.copying import Copied, Copying

#: Files of one kind of trouble that are named.
SHOWN = 20

EPILOG = """\b
Examples:
  archive copy --from local --to cloud     fill a new sink with everything that another has
  archive copy --from cloud --to disk2     the same, back

\b
A copy that was cut off goes on where it stopped: run the same command again.
"""


@click.command(epilog=EPILOG)
@click.option("--from", "origin", metavar="SINK", required=True, help="The sink that has the archive.")
@click.option("--to", "target", metavar="SINK", required=True, help="The sink that is to have it too.")
@click.option("--jobs", type=click.IntRange(1, 64), help="How many files at once.")
@common_options
def copy(config_path: Path, verbose: bool, as_json: bool, origin: str, target: str, jobs: int | None) -> int:
    """Copy the whole archive from one sink to another.

    For a sink that never held this archive: runs leave such a one alone, since it may be a disk that is
    not mounted. Every file is proven by its SHA-256 on the way. Nothing is changed in the first sink, and
    nothing is removed from the second. A sink for the public gets what is cleared, and no more.
    """
    del verbose
    from archiver.copying import Copying

    config, registry = load(config_path)
    check_sinks((origin, target), config)
    if origin == target:
        raise click.UsageError("--from and --to name the same sink.")
    return _go(Copying(config, registry, origin, target, jobs), as_json=as_json)


def _go(prepared: Copying, *, as_json: bool) -> int:
    from archiver.cli.common import echo_json
    from archiver.cli.progress import Plain

    watcher = Plain({})
    prepared.watcher = watcher
    try:
        copied = prepared.execute()
    finally:
        watcher.close()
    _tell(copied)
    if as_json:
        echo_json({"type": "copy.finished", "exit_code": copied.exit_code, **copied.to_json()})
    return copied.exit_code


def _tell(copied: Copied) -> None:
    from archiver.cli.ending import printable

    for line in _lines(copied):
        click.echo(printable(line), err=True)


def _lines(copied: Copied) -> list[str]:
    from archiver.cli.words import count, size

    lines = [f"DAMAGE: sink {copied.origin}: {text}" for text in copied.damage[:SHOWN]]
    left = [f"Not copied: {path}: {reason}" for path, reason in copied.left.items()]
    lines += left[:SHOWN]
    if len(left) > SHOWN:
        lines.append(f"… and {len(left) - SHOWN:,} more; `archive copy --json` names them all.")
    if copied.note:
        told = "" if copied.partial else "is complete, but "
        lines.append(f"Sink {copied.target} {told}{copied.note}")
    done = f"{count(copied.files, 'file')}, {size(copied.bytes)}, from {copied.origin} to {copied.target}."
    return [*lines, _ending(copied, done)]


def _ending(copied: Copied, done: str) -> str:
    from archiver.cli.words import count

    if copied.error:
        return f"Sink {copied.target} failed on the way: {copied.error}\nCopied until then: {done}"
    if copied.interrupted:
        return f"Interrupted: {done} Run the same command again to go on from here."
    if copied.lacking:
        lacking = count(copied.lacking, "material")
        return f"Copied: {done} {copied.target} still lacks files of {lacking}. Repair {copied.origin}."
    if copied.partial:
        return (
            f"Done: {done} A public sink holds what is cleared alone: this is no copy of the whole archive."
        )
    if not copied.versions:
        return f"Nothing to copy: {copied.target} has all that {copied.origin} has."
    return f"Done: {done} {copied.target} has all that {copied.origin} has."
