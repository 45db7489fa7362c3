"""`archive consent`: who may see what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.common import common_options, echo_json, load, printable, warn_of_lagging
from archiver.cli.named import read_place
from archiver.cli.reading import knowing, reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from archiver.amend import Amendment
    from archiver.archive import Archive
    from archiver.config import Config
    from archiver.consents import Given
    from archiver.ledger import Record
    from archiver.registry import Registry
    from archiver.rulings import Ruling

EPILOG = """\b
Examples:
  archive consent                              list what is held, and who may see it
  archive consent 3f9a2c41                     who may see that one, and what says so
  archive consent 3f9a2c41 public              decide for it, by its id in that list
  archive consent beijing/chef internal --reason "the speaker asked for it"
  archive consent 3f9a2c41 default             take the decision back
  archive consent left                         files in public sinks that are not cleared any more

\b
A decision is kept in the archive and counts more than what archive.yaml says. Only what is public reaches a
sink with `audience: public`, at the next run; what nobody said anything of is unknown, and not public.
"""
_LEFT = "left"
_WORDS = ["public", "internal", "unknown", "default"]


@click.command(epilog=EPILOG)
@click.argument("item", metavar="[ID|EVENT/TALK|left]", default="")
@click.argument("word", metavar="[CONSENT]", type=click.Choice(_WORDS), required=False)
@click.option("--reason", default="", help="Why, for whoever reads it later.")
@common_options
def consent(item: str, word: str | None, reason: str, config_path: Path, verbose: bool, as_json: bool) -> int:
    """Say who may see a material or a talk, or list who may see what.

    CONSENT is public, internal, unknown, or default for what archive.yaml says. Without it nothing is
    decided: who may see that one is shown, and why.
    """
    del verbose
    config, registry = load(config_path)
    config = knowing(config, registry)
    if word:
        _decide(config, registry, item, word, " ".join(reason.split())[:500], as_json=as_json)
        return 0
    with reading(config, registry) as archive:
        if item == _LEFT:
            return _left(archive, as_json=as_json)
        if item:
            _tell(archive, config, item, as_json=as_json)
        else:
            _list(archive, config, as_json=as_json)
    return 0


def _decide(config: Config, registry: Registry, item: str, word: str, reason: str, *, as_json: bool) -> None:
    """Write a decision down in every internal sink. Raises `SinkError`."""
    from dataclasses import replace

    from archiver import logbook
    from archiver.amend import amending
    from archiver.model import Consent

    with amending(config, registry) as desk:
        about = _talk(item, config) if "/" in item and not _held(desk, item) else _pick(desk, item)
        said = None if word == "default" else Consent(word)
        made = replace(about, consent=said, at=logbook.now(), reason=reason)
        desk.write(logbook.CONSENTS, [made.line()], "decided who may see one thing")
        warn_of_lagging(desk.troubles)
    if as_json:
        echo_json(made.line())
        return
    told = "as archive.yaml says" if said is None else said.value
    click.echo(printable(f"“{made.title}” is {told} now. Public sinks follow at the next: archive run"))


def _held(desk: Amendment, item: str) -> bool:
    """Say whether a source calls something so: "o3@mail.example/2" has a slash and is no talk."""
    return any(record.material.id == item for record in desk.known.values())


def _talk(item: str, config: Config) -> Given:
    from archiver.consents import Given

    event, talk = read_place(item, config)
    title = next(
        each.title for known in config.events for each in known.talks if (known.id, each.id) == (event, talk)
    )
    return Given(("talk", event, talk), None, title=title)


def _pick(desk: Amendment, item: str) -> Given:
    """Find what an id, or the beginning of one, names."""
    from archiver.consents import Given

    record = _named(desk.known.values(), item)
    return Given(("item", record.type_name, record.material.id), None, title=record.material.title)


def _named(records: Iterable[Record], item: str) -> Record:
    """Find one record of what an id, or the beginning of one, names."""
    from archiver.decisions import short_id

    found = {short_id(each.type_name, each.material.id): each for each in records}
    named = [short for short, each in found.items() if each.material.id == item]
    fitting = named or [short for short in found if len(item) >= 4 and short.startswith(item.casefold())]
    if not fitting:
        raise click.UsageError(f"There is no material {item!r}. `archive consent` lists the ids.")
    if len(fitting) > 1:
        raise click.UsageError(f"{item!r} may be {' or '.join(sorted(fitting)[:5])}: give more of it.")
    return found[fitting[0]]


def _list(archive: Archive, config: Config, *, as_json: bool) -> None:
    rows = _rows(archive, config)
    for row in rows:
        _show(row, as_json=as_json)
    if not as_json:
        count = sum(row["consent"] == "public" for row in rows)
        click.echo(f"{count} of {len(rows)} are public. Decide with: archive consent ID public")


def _tell(archive: Archive, config: Config, item: str, *, as_json: bool) -> None:
    """Tell who may see one material or one talk, and what says so."""
    from archiver.decisions import short_id

    records = archive.records.values()
    if "/" in item and all(each.material.id != item for each in records):
        _show(_talk_row(archive, config, item), as_json=as_json)
        return
    record = _named(records, item)
    short = short_id(record.type_name, record.material.id)
    rows = [row for row in _rows(archive, config) if row["short"] == short]
    if not rows:
        raise click.UsageError(
            f"Nothing of {item!r} is held: there is nothing to see. See: archive why {short}"
        )
    for row in rows:
        _show(row, as_json=as_json)


def _talk_row(archive: Archive, config: Config, item: str) -> dict[str, str]:
    from archiver import recall

    event, name = read_place(item, config)
    at = next(each for each in config.events if each.id == event)
    talk = next((each for each in at.talks if each.id == name), None)
    told = recall.clearance(archive.heads.values(), config)
    ruling = told.of_talk(at, talk) if talk else told.of_event(at)
    title = talk.title if talk else at.title
    about = {"short": item, "event": event, "kind": "talk" if talk else "event", "title": title}
    return {**about, "consent": ruling.consent.value, "why": ruling.why}


def _show(row: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        echo_json(row)
    else:
        told = f"{row['short']}  {row['consent']:8}  {row['event']}: “{row['title']}”  ({row['why']})"
        click.echo(printable(told))


def _rows(archive: Archive, config: Config) -> list[dict[str, str]]:
    """Give a row for what is held: one for each material in each event, however many lists it is in."""
    from archiver import recall
    from archiver.decisions import short_id
    from archiver.rulings import strictest

    # Everything decides, also what is not held.
    rulings = recall.clearance(archive.heads.values(), config).rulings(archive.records.values())
    together: dict[tuple[str, str], list[Record]] = {}
    for record in sorted(archive.records.values(), key=lambda each: each.key):
        if record.files:
            short = short_id(record.type_name, record.material.id)
            together.setdefault((record.material.event, short), []).append(record)
    return [
        _row(short, records[0], strictest(rulings[each.key] for each in records))
        for (_, short), records in together.items()
    ]


def _row(short: str, record: Record, ruling: Ruling) -> dict[str, str]:
    return {
        "short": short,
        "event": record.material.event,
        "kind": record.material.kind.value,
        "title": record.material.title,
        "consent": ruling.consent.value,
        "why": ruling.why,
    }


def _left(archive: Archive, *, as_json: bool) -> int:
    """Name what lies in public sinks and is not cleared any more; 1 when there is any."""
    from archiver import leftovers

    total = 0
    for name, head in archive.public.items():
        paths = leftovers.find(head)
        total += len(paths)
        for path in paths:
            root = head.sink.local_root
            if as_json:
                echo_json({"sink": name, "path": path})
            else:
                click.echo(printable(f"{name}: {root / path if root else path}"))
    if not as_json:
        click.echo(_advice(total), err=bool(total))
    return 1 if total else 0


def _advice(total: int) -> str:
    if not total:
        return "Nothing lies in a public sink that is not cleared, as far as runs have withdrawn it by now."
    return (
        "Remove these by hand: no page and no ledger names them any more. Inventories of earlier versions "
        "still do; to be rid of the names too, empty the sink and fill it anew with `archive copy`."
    )
