"""`archive waive`: say what nobody waits for any more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.common import common_options, echo_json, load, printable, warn_of_lagging
from archiver.cli.named import read_place
from archiver.cli.reading import knowing, reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from archiver.config import Config
    from archiver.model import Event, Kind
    from archiver.registry import Registry
    from archiver.waivers import Waiver

EPILOG = """\b
Examples:
  archive waive                                        list what is waived
  archive waive wuhan video --reason "nobody filmed"
  archive waive beijing/explanation-of-keystone slides --reason "the speaker declined"
  archive waive wuhan video --undo

\b
What is waived is not expected any more: coverage does not count it, and nobody is asked for it. It is
kept in the archive, and the reason is shown on its pages. What arrives all the same is stored and counted.
"""


@click.command(epilog=EPILOG)
@click.argument("place", metavar="[EVENT[/TALK]]", default="")
@click.argument(
    "kind",
    metavar="[KIND]",
    type=click.Choice(["slides", "video", "photo", "report", "other"]),
    required=False,
)
@click.option(
    "--reason", default="", help="Why nobody waits for it; the pages show it. Needed, except with --undo."
)
@click.option("--undo", is_flag=True, help="Expect it again.")
@common_options
def waive(
    place: str, kind: str | None, reason: str, undo: bool, config_path: Path, verbose: bool, as_json: bool
) -> int:
    """Say what nobody waits for any more.

    Without arguments it lists what is waived. KIND is slides, video, photo, report or other; the slides of
    an event are those of all its talks.
    """
    del verbose
    config, registry = load(config_path)
    config = knowing(config, registry)
    if not place:
        _list(config, registry, as_json=as_json)
        return 0
    event, talk = read_place(place, config)
    wanted = _wanted(config, event, talk, kind or "")
    told = " ".join(reason.split())[:500]
    if not undo and not told:
        raise click.UsageError('Say why, for whoever reads it later: --reason "nobody filmed".')
    _decide(config, registry, wanted, "" if undo else told, undo=undo, as_json=as_json)
    return 0


def _wanted(config: Config, event: str, talk: str, kind: str) -> Waiver:
    """Check that the kind is expected there."""
    from archiver.model import Kind
    from archiver.waivers import Waiver

    chosen = next(each for each in config.events if each.id == event)
    expected = sorted(map(str, _expected(chosen, talk)))
    where = f"{event}/{talk}" if talk else event
    if not kind:
        raise click.UsageError(
            f"Name a kind as well. Expected of {where}: {', '.join(expected) or 'nothing'}."
        )
    if kind not in expected:
        listed = ", ".join(expected) or "nothing"
        raise click.UsageError(
            f"No {kind} is expected of {where}: there is nothing to waive. Expected: {listed}."
        )
    return Waiver(event, Kind(kind), talk)


def _expected(event: Event, talk: str) -> set[Kind]:
    if talk:
        return {kind for each in event.talks if each.id == talk for kind in each.expect}
    return {kind for each in event.talks for kind in each.expect} | set(event.expect)


def _decide(
    config: Config, registry: Registry, wanted: Waiver, reason: str, *, undo: bool, as_json: bool
) -> None:
    """Write it down in every sink. Raises `SinkError`."""
    from archiver import logbook, recall
    from archiver.amend import amending

    with amending(config, registry) as desk:
        known = recall.waivers(desk.held.heads.values(), desk.config)
        before = next(
            (each for each in known if (each.place, each.kind) == (wanted.place, wanted.kind)), None
        )
        if undo and before is None:
            raise click.UsageError(_not_waived(wanted, known))
        made = replace(wanted, why=reason, at=logbook.now())
        if undo or before is None or before.why != reason:
            what = "expected again" if undo else "waived"
            desk.write(logbook.WAIVERS, [made.line(waived=not undo)], f"{what}: {made.kind} of {made.place}")
            desk.refresh_index()
        warn_of_lagging(desk.troubles)
    if as_json:
        echo_json(made.line(waived=not undo))
    else:
        _tell(made, undo=undo)


def _not_waived(wanted: Waiver, known: Sequence[Waiver]) -> str:
    whole = next((each for each in known if (each.place, each.kind) == (wanted.event, wanted.kind)), None)
    if wanted.talk and whole is not None:
        return (
            f"The {wanted.kind} of the whole event {wanted.event} are waived, not of this talk alone. "
            f"Take that back with: archive waive {wanted.event} {wanted.kind} --undo"
        )
    return f"The {wanted.kind} of {wanted.place} is not waived. `archive waive` lists what is."


def _tell(made: Waiver, *, undo: bool) -> None:
    if undo:
        click.echo(printable(f"Expected again: {made.kind} of {made.place}."))
        return
    click.echo(printable(f"Waived: {made.kind} of {made.place} ({made.why})."))
    click.echo(printable(f"Take it back with: archive waive {made.place} {made.kind} --undo"))


def _list(config: Config, registry: Registry, *, as_json: bool) -> None:
    from archiver import recall
    from archiver.coverage import coverage

    with reading(config, registry) as archive:
        known = recall.waivers(archive.heads.values(), config)
        records = archive.records.values()
    if as_json:
        for each in known:
            echo_json(each.to_json())
        return
    arrived = coverage(config.events, records).held()
    for each in known:
        here = "  (here by now)" if (each.event, each.talk, each.kind) in arrived else ""
        click.echo(printable(f"{each.place}  {each.kind}  since {each.at[:10]}: {each.why}{here}"))
    click.echo(
        f"\n{len(known)} in all. Take one back with: archive waive EVENT[/TALK] KIND --undo"
        if known
        else "Nothing is waived."
    )
