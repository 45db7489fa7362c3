"""`archive consent`: who may see what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.common import common_options, echo_json, load, printable
from archiver.cli.place import read_place
from archiver.cli.reading import knowing, reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from archiver.amend import Amendment
    from archiver.archive import Archive
    from archiver.config import Config
    from archiver.consents import Given
    from archiver.ledger import Record
    from archiver.registry import Registry

EPILOG = """\b
Examples:
  archive consent                              list what is held, and who may see it
  archive consent 3f9a2c41 public              one material, by its id in that list
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
@click.argument("word", metavar="[CONSENT]", type=click.Choice(["", *_WORDS]), default="")
@click.option("--reason", default="", help="Why, for whoever reads it later.")
@common_options
def consent(item: str, word: str, reason: str, config_path: Path, verbose: bool, as_json: bool) -> int:
    """Say who may see a material or a talk, or list who may see what.

    CONSENT is public, internal, unknown, or default for what archive.yaml says.
    """
    del verbose
    config, registry = load(config_path)
    config = knowing(config, registry)
    if item and item != _LEFT and not word:
        raise click.UsageError(f"Say what holds for {item!r}: {', '.join(_WORDS)}.")
    if word:
        _decide(config, registry, item, word, " ".join(reason.split())[:500], as_json=as_json)
        return 0
    with reading(config, registry) as archive:
        if item == _LEFT:
            return _left(archive, as_json=as_json)
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
        for name, trouble in desk.troubles.items():
            click.echo(printable(f"Warning: sink {name} does not have it yet: {trouble}"), err=True)
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
    from archiver.decisions import short_id

    found: dict[str, Given] = {}
    for record in desk.known.values():
        names = (record.type_name, record.material.id)
        found[short_id(*names)] = Given(("item", *names), None, title=record.material.title)
    named = [short for short, each in found.items() if each.about[2] == item]
    fitting = named or [short for short in found if len(item) >= 4 and short.startswith(item.casefold())]
    if not fitting:
        raise click.UsageError(f"There is no material {item!r}. `archive consent` lists the ids.")
    if len(fitting) > 1:
        raise click.UsageError(f"{item!r} may be {' or '.join(sorted(fitting)[:5])}: give more of it.")
    return found[fitting[0]]


def _list(archive: Archive, config: Config, *, as_json: bool) -> None:
    from archiver import recall

    clearance = recall.clearance(archive.heads.values(), config)
    records = [record for record in archive.records.values() if record.files]
    rulings = clearance.rulings(records)
    count = 0
    for row in _rows(records, rulings):
        count += row["consent"] == "public"
        if as_json:
            echo_json(row)
        else:
            told = f"{row['short']}  {row['consent']:8}  {row['event']}: “{row['title']}”  ({row['why']})"
            click.echo(printable(told))
    if not as_json:
        click.echo(f"{count} of {len(records)} are public. Decide with: archive consent ID public")


def _rows(records: Iterable[Record], rulings: Any) -> Iterator[dict[str, str]]:
    from archiver.decisions import short_id

    for record in sorted(records, key=lambda each: each.key):
        ruling = rulings[record.key]
        yield {
            "short": short_id(record.type_name, record.material.id),
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
