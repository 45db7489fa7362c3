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
    from archiver.copies import Copy
    from archiver.decisions import Decision
    from archiver.ledger import Record
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
  archive matches reject second/9cea             of two events that have it, the copy in this one

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
        placed = review.placed(records, router.decisions) if everything else []
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
    _tell(*_decide(config, registry, item, "accept", event=event, talk=talk), as_json=as_json)
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
    why = " ".join(reason.split())[:500]
    _tell(*_decide(config, registry, item, "reject", reason=why), as_json=as_json)
    return 0


def _show_placed(placed: Sequence[Placed]) -> None:
    for each in placed:
        data = each.to_json()
        place = "/".join(part for part in (data["event"], data["talk"]) if part)
        how = f"{data['method']}, {data['score']:.2f}" if data["score"] is not None else data["method"]
        if not data["talk"] and data["why"]:
            how = f"{data['method']}: {' '.join(data['why'].split())}"
        click.echo(printable(f"{each.name}  {data['kind']} “{data['title']}”  {place}  ({how})"))
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
        click.echo(printable(f"{each.name}  {data['kind']} “{named}”{held}"))
        sent = [f"from {data['sender']}" if data["sender"] else "", data["date"][:10]]
        about = ", ".join(part for part in sent if part)
        for label, value in (("Subject", data["subject"]), ("Sent", about), ("Address", data["url"])):
            if value:
                click.echo(printable(f"          {label}: {' '.join(value.split())}"))
        for other in each.same:
            click.echo(printable(f"          Same bytes as: {_of_talk(other)}"))
        if each.why:
            click.echo(printable(f"          Why: {' '.join(each.why.split())}"))
        for candidate in each.candidates:
            told = f"{candidate.place}  ({candidate.score:.2f}: {candidate.why})"
            click.echo(printable(f"          Perhaps: {told}"))
    click.echo(f"\n{len(found)} in all. Decide with: archive matches accept ID EVENT[/TALK]")
    click.echo("                     or: archive matches reject ID")


def _of_talk(record: Record) -> str:
    named = record.material.extra.get("name") or record.material.title or record.material.id
    return f"“{' '.join(named.split())}” of {record.material.event}/{record.match.talk}"


def _decide(config: Config, registry: object, item: str, verdict: str, **what: str) -> tuple[Copy, Decision]:
    """Write a decision down in every sink. Raises `SinkError`."""
    from archiver import logbook
    from archiver.amend import amending
    from archiver.copies import copies
    from archiver.decisions import Verdict
    from archiver.registry import Registry

    assert isinstance(registry, Registry)
    with amending(config, registry) as desk:
        copy = _pick(copies(desk.known.values(), desk.router.decisions), item, what.get("event", ""))
        about = copy.about
        if verdict == "accept":
            _check_reach(copy, what["event"], desk)
        kept = about.material if verdict == "reject" or about.verdict is Verdict.REJECT else None
        made = replace(about, verdict=Verdict(verdict), at=logbook.now(), material=kept, **_NOTHING | what)
        desk.write(logbook.DECISIONS, [made.to_json()], f"decided about one material: {verdict}")
        desk.refresh_index()
        warn_of_lagging(desk.troubles)
    return copy, made


def _pick(found: Sequence[Copy], item: str, event: str) -> Copy:
    """Find what an id, or the beginning of one, names. `event` is where it shall go, if anywhere."""
    from archiver.copies import LEAST, fitting

    own = fitting(found, item)
    if not own and len(item.rpartition("/")[2]) < LEAST:
        raise click.UsageError(f"{item!r} is too short: give at least the first four characters of an id.")
    if not own:
        raise click.UsageError(f"There is no material {item!r}. `archive matches list --all` shows the ids.")
    shorts = sorted({copy.short for copy in own})
    if len(shorts) > 1:
        raise click.UsageError(f"{item!r} may be {' or '.join(shorts[:5])}: give more of it.")
    # `accept ID second/alpha` means the copy that waits in second, and none that has its talk elsewhere.
    waiting = [copy for copy in own if event in copy.events and not copy.talk]
    if len(own) > 1 and len(waiting) != 1:
        raise click.UsageError(_which(item, own))
    return own[0] if len(own) == 1 else waiting[0]


def _which(item: str, own: Sequence[Copy]) -> str:
    lines = (
        f"\n  {copy.name}  “{' '.join(copy.about.title.split())}”"
        + (f" of the talk {copy.talk}" if copy.talk else ", of no talk")
        for copy in own
    )
    told = printable("".join(lines))
    return f"{item!r} is in {len(own)} events, and a decision is about one of them. Say which:{told}"


def _check_reach(copy: Copy, event: str, desk: Amendment) -> None:
    """Refuse to send what was added by hand to an event that has no copy of it: no run can fetch it."""
    from archiver import added

    about = copy.about
    if about.type_name != added.NAME or any(
        record.files and (record.material.event, record.material.id) == (event, about.id)
        for record in desk.known.values()
    ):
        return
    raise click.UsageError(
        f"“{about.title}” was added to {copy.events[0]} by hand, so no run can fetch it for {event}. "
        f"Add the file there: archive add {event} FILE --talk TALK\n"
        f"Then say that the other copy does not belong: archive matches reject {copy.events[0]}/{copy.short}"
    )


def _tell(copy: Copy, decided: Decision, *, as_json: bool) -> None:
    from archiver.decisions import Verdict

    named = f"“{decided.title}”" + (f" of {copy.events[0] or 'no event'}" if copy.several else "")
    if as_json:
        data = decided.to_json()
        data.pop("material", None)
        echo_json({**data, "short": copy.short})
    elif decided.verdict is Verdict.REJECT:
        click.echo(printable(f"{named} is rejected. No run will fetch it."))
    else:
        told = f"{named} belongs to {decided.place}. What is not stored yet comes with: archive run"
        click.echo(printable(told))
