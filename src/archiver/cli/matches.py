"""`archive matches`: decide what a run could not, such as where a mail's attachment belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.common import common_options, echo_json, load, printable, warn_of_lagging
from archiver.cli.named import read_place
from archiver.cli.reading import knowing, reading

if TYPE_CHECKING:
    from archiver.amend import Amendment
    from archiver.config import Config
    from archiver.decisions import Decision
    from archiver.review import Placed, Waiting

#: What an earlier decision said is not said any more.
_NOTHING = {"event": "", "talk": "", "reason": ""}

EPILOG = """\b
Examples:
  archive matches list
  archive matches list --all                     what has its place, too
  archive matches accept 3f9a2c41 beijing/deploy-openstack-with-chef
  archive matches accept 3f9a beijing            of the event, of no certain talk
  archive matches reject 77c0 --reason "an invoice"

\b
A decision is kept in the archive and holds for ever: also when the material is listed again, under
another name, or on another machine. Decide again to change it.
"""


@click.group(epilog=EPILOG)
def matches() -> None:
    """Decide where materials belong that no run could place."""


@matches.command(name="list")
@click.option("--all", "everything", is_flag=True, help="Also what has its place, to correct a wrong one.")
@common_options
def list_(everything: bool, config_path: Path, verbose: bool, as_json: bool) -> int:
    """List what waits for a decision, and where it may belong.

    Senders are shown by their initials. Reads only.
    """
    del verbose
    from archiver import recall, review

    config, registry = load(config_path)
    config = knowing(config, registry)
    with reading(config, registry) as archive:
        router = recall.router(archive.heads.values(), config)
        records = archive.records.values()
        found = review.waiting(records, router)
        placed = review.placed(records) if everything else []
    if as_json:
        for waits in found:
            echo_json(waits.to_json())
        for each in placed:
            echo_json(each.to_json())
    else:
        _show_placed(placed)
        _show(found)
    return 0


@matches.command()
@click.argument("item", metavar="ID")
@click.argument("place", metavar="EVENT[/TALK]")
@common_options
def accept(item: str, place: str, config_path: Path, verbose: bool, as_json: bool) -> int:
    """Say that a material belongs to an event, or to one of its talks.

    What is not stored yet is fetched at the next run.
    """
    del verbose
    config, registry = load(config_path)
    config = knowing(config, registry)
    event, talk = read_place(place, config)
    decided = _decide(config, registry, item, "accept", event=event, talk=talk)
    _tell(decided, as_json=as_json)
    return 0


@matches.command()
@click.argument("item", metavar="ID")
@click.option("--reason", default="", help="Why, for whoever reads it later.")
@common_options
def reject(item: str, reason: str, config_path: Path, verbose: bool, as_json: bool) -> int:
    """Say that a material does not belong here: it is never fetched, and counts for nothing.

    What the archive holds already stays, and is not asked about again.
    """
    del verbose
    config, registry = load(config_path)
    config = knowing(config, registry)
    decided = _decide(config, registry, item, "reject", reason=" ".join(reason.split())[:500])
    _tell(decided, as_json=as_json)
    return 0


def _show_placed(placed: Sequence[Placed]) -> None:
    for each in placed:
        data = each.to_json()
        place = "/".join(part for part in (data["event"], data["talk"]) if part)
        how = f"{data['method']}, {data['score']:.2f}" if data["score"] is not None else data["method"]
        click.echo(printable(f"{each.short}  {data['kind']} “{data['title']}”  {place}  ({how})"))
    if placed:
        click.echo()


def _show(found: Sequence[Waiting]) -> None:
    if not found:
        click.echo("Nothing waits for a decision.")
        return
    for each in found:
        data = each.to_json()
        held = f"  (held in {data['event']}, of no known talk)" if data["held"] else ""
        named = data["file"] or data["title"]
        click.echo(printable(f"{each.short}  {data['kind']} “{named}”{held}"))
        sent = [f"from {data['sender']}" if data["sender"] else "", data["date"][:10]]
        about = ", ".join(part for part in sent if part)
        for label, value in (("Subject", data["subject"]), ("Sent", about), ("Address", data["url"])):
            if value:
                click.echo(printable(f"          {label}: {' '.join(value.split())}"))
        if each.why:
            click.echo(printable(f"          Why: {' '.join(each.why.split())}"))
        for candidate in each.candidates:
            told = f"{candidate.place}  ({candidate.score:.2f}: {candidate.why})"
            click.echo(printable(f"          Perhaps: {told}"))
    click.echo(f"\n{len(found)} in all. Decide with: archive matches accept ID EVENT[/TALK]")
    click.echo("                     or: archive matches reject ID")


def _decide(config: Config, registry: object, item: str, verdict: str, **what: str) -> Decision:
    """Write a decision down in every sink. Raises `SinkError`."""
    from archiver import logbook
    from archiver.amend import amending
    from archiver.decisions import Verdict
    from archiver.registry import Registry

    assert isinstance(registry, Registry)
    with amending(config, registry) as desk:
        about = _pick(desk, item)
        kept = about.material if verdict == "reject" or about.verdict is Verdict.REJECT else None
        made = replace(about, verdict=Verdict(verdict), at=logbook.now(), material=kept, **_NOTHING | what)
        desk.write(logbook.DECISIONS, [made.to_json()], f"decided about one material: {verdict}")
        desk.refresh_index()
        warn_of_lagging(desk.troubles)
    return made


def _pick(desk: Amendment, item: str) -> Decision:
    """Find what an id, or the beginning of one, names: a record, or what was decided about before."""
    from archiver.decisions import Decision, Verdict, short_id

    found = {}
    for record in desk.known.values():
        about, names = record.material, (record.type_name, record.material.id)
        found[short_id(*names)] = Decision(
            *names, Verdict.ACCEPT, "", source=record.source, title=about.title, material=about
        )
    for decision in desk.router.decisions.latest.values():
        if decision.material is not None:
            found[short_id(*decision.item)] = decision
    # The id by which the source knows it does as well: "o3@mail.example/2", as in the ledger.
    named = [short for short, decision in found.items() if decision.item[1] == item]
    fitting = named or [short for short in found if short.startswith(item.casefold())]
    if not named and len(item) < 4:
        raise click.UsageError(f"{item!r} is too short: give at least the first four characters of an id.")
    if not fitting:
        raise click.UsageError(f"There is no material {item!r}. `archive matches list --all` shows the ids.")
    if len(fitting) > 1:
        raise click.UsageError(f"{item!r} may be {' or '.join(sorted(fitting)[:5])}: give more of it.")
    return found[fitting[0]]


def _tell(decided: Decision, *, as_json: bool) -> None:
    from archiver.decisions import Verdict, short_id

    if as_json:
        data = decided.to_json()
        data.pop("material", None)
        echo_json({**data, "short": short_id(*decided.item)})
    elif decided.verdict is Verdict.REJECT:
        click.echo(printable(f"“{decided.title}” is rejected. No run will fetch it."))
    else:
        told = f"“{decided.title}” belongs to {decided.place}. What is not stored yet comes with: archive run"
        click.echo(printable(told))
