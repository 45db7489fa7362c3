"""`archive why`: explain why something is here, or why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.common import common_options, echo_json, load, printable
from archiver.cli.reading import knowing, reading
from archiver.cli.words import count, size

if TYPE_CHECKING:
    from archiver.archive import Archive
    from archiver.config import Config
    from archiver.decisions import Decision
    from archiver.explain import Copy, Explained, Found
    from archiver.ledger import Key, StoredFile, Transition
    from archiver.visible import Visible

#: How many materials of one name, files of one material, and lines of its history are shown.
_MOST = 5

EPILOG = """\b
Examples:
  archive why ocfl/beijing/v1/content/slides/deploy-openstack-with-chef-3f9a2c41d07b.pdf
  archive why ~/Downloads/chef.pdf                    is that file in the archive?
  archive why 3f9a2c41                                an id that `archive matches list` shows
  archive why https://www.slideshare.net/slideshow/deploy-openstack-with-chef/14310005

\b
It says which source listed it and when, how it found its event and talk and what else came near, how good
the file is, in which sinks it lies with which digest, whether public sinks have it and why or why not, and
what became of it since. For what is not here, or of no talk, it says why, and the command that settles it.
"""


@click.command(epilog=EPILOG)
@click.argument("what", metavar="PATH-OR-ID")
@common_options
def why(what: str, config_path: Path, verbose: bool, as_json: bool) -> int:
    """Explain why something is here, or why not.

    PATH-OR-ID is the path of a stored file, a file on this machine, the id of a material, its address, or
    a SHA-256. Reads only; asks no source.
    """
    from archiver import recall
    from archiver.explain import Knowledge, explain, find

    config, registry = load(config_path)
    config = knowing(config, registry)
    with reading(config, registry) as archive:
        router = recall.router(archive.heads.values(), config)
        known = Knowledge(config, archive.heads, list(archive.records.values()), router)
        found = _found(find, what, known)
        explained = [(each, explain(each, known)) for each in found]
        shown = _shown(archive, config, explained)
    if not explained:
        raise click.UsageError(_unknown(what))
    if as_json:
        for each, told in explained:
            echo_json(_told_json(told, shown) if told else _decided_json(each))
    else:
        _show(explained, shown, everything=verbose)
    return 0


def _shown(
    archive: Archive, config: Config, explained: Sequence[tuple[Found, Explained | None]]
) -> dict[Key, list[Visible]]:
    """Say of each material what the public sinks have of it; nothing where there is no such sink."""
    from archiver import recall
    from archiver.visible import visible

    if not archive.public:
        return {}
    rulings = recall.clearance(archive.heads.values(), config).rulings(archive.records.values())
    records = [told.record for _, told in explained if told]
    return {each.key: visible(each, rulings[each.key], archive.public) for each in records}


def _told_json(told: Explained, shown: Mapping[Key, Sequence[Visible]]) -> dict[str, Any]:
    public = {each.sink: each.to_json() for each in shown.get(told.record.key, ())}
    return {**told.to_json(), "public": public}


def _found(find: Any, what: str, known: Any) -> list[Found]:
    try:
        found: list[Found] = find(what, known, Path.cwd())
    except OSError as error:
        raise click.UsageError(f"{what} cannot be read: {error.strerror or error}.") from error
    return found


def _unknown(what: str) -> str:
    if "://" in what:
        return (
            f"Nothing that a source listed has the address {what}. If it should be here, name it under the "
            "sources of its event, then run: archive run"
        )
    if Path(what).is_file():
        return f"{what} is in no sink, byte for byte. Add it with: archive add EVENT {what} --talk TALK"
    return (
        f"There is no stored file and no material {what!r}. "
        "`archive matches list --all` shows ids, `archive status` what is missing."
    )


def _decided_json(found: Found) -> dict[str, Any]:
    assert found.decision is not None
    data = found.decision.to_json()
    data.pop("material", None)
    return {"found_by": found.by, "decision": data}


def _show(
    explained: Sequence[tuple[Found, Explained | None]],
    shown: Mapping[Key, Sequence[Visible]],
    *,
    everything: bool,
) -> None:
    for number, (found, told) in enumerate(explained):
        if number == _MOST and not everything:
            click.echo(f"\n… and {len(explained) - _MOST} more: `archive why --json` tells of all.")
            break
        if number:
            click.echo()
        lines = _lines(told, shown, everything=everything) if told else _rejected(found)
        for line in lines:
            click.echo(printable(line))


def _rejected(found: Found) -> Iterator[str]:
    decision = found.decision
    assert decision is not None
    yield f"“{_flat(decision.title) or decision.id}” ({decision.source})"
    yield f"  Decided: {_decided(decision)}"
    yield "  No run fetches it. Change that with: archive matches accept ID EVENT[/TALK]"


def _lines(told: Explained, shown: Mapping[Key, Sequence[Visible]], *, everything: bool) -> Iterator[str]:
    record, material = told.record, told.record.material
    yield f"{material.kind} “{_flat(material.title) or material.id}”  {told.name}"
    yield f"  Found by: {told.found.by}"
    yield f"  Source: {record.source} ({record.type_name}), which calls it {_flat(material.id)}"
    if material.url:
        yield f"  Address: {_flat(material.url)}"
    if record.history:
        yield f"  First listed: {record.history[0].at}, in run {record.history[0].run or 'unknown'}"
    yield from _placed(told)
    if told.decision is not None:
        yield f"  Decided: {_decided(told.decision)}"
    yield from _stored(told, everything=everything)
    for each in shown.get(record.key, ()):
        yield f"  Public sink {each.sink}: {_flat(each.told)}"
    yield from _lacking(told)
    steps = record.history if everything else record.history[-_MOST:]
    yield f"  History ({count(len(record.history), 'change')}):"
    for step in steps:
        yield f"    {step.at}  {step.state}" + _reason(step)


def _reason(step: Transition) -> str:
    return f": {_flat(step.reason)}" if step.reason and step.reason != step.state else ""


def _placed(told: Explained) -> Iterator[str]:
    record = told.record
    event, match = record.material.event, record.match
    yield f"  Event: {event}, because {_flat(told.routed)}" if event else "  Event: none yet"
    if match.talk:
        score = f", {match.score:.2f}" if match.score is not None else ""
        yield f"  Talk: {match.talk} ({match.method}{score}), because {told.matched}"
    elif event:
        yield f"  Talk: none: {_flat(match.why or told.matched)}"
    if told.others:
        near = ", ".join(f"{talk} ({score:.2f})" for talk, score in told.others)
        yield f"  {'Next nearest' if match.talk else 'Nearest'} by title and speaker: {near}"


def _decided(decision: Decision) -> str:
    reason = f" ({_flat(decision.reason)})" if decision.reason else ""
    where = f" for {decision.place}" if decision.place else ""
    return f"{decision.verdict}ed{where} on {decision.at[:10]}{reason}"


def _stored(told: Explained, *, everything: bool) -> Iterator[str]:
    from archiver.ledger import best_grade

    record = told.record
    grade = best_grade(record.files)
    if grade is not None:
        yield f"  State: {record.state}; the best of it here: {grade}"
    else:
        yield f"  State: {record.state}; nothing of it is here"
    shown = told.copies if everything else told.copies[:_MOST]
    for file, copies in shown:
        yield from _file(file, copies)
    if len(told.copies) > len(shown):
        yield f"    … and {count(len(told.copies) - len(shown), 'more file')}: -v shows them"
    if record.earlier:
        editions = count(len(record.earlier), "earlier edition")
        yield f"  Kept as well: {editions}, the last until {record.earlier[-1].until}"


def _file(file: StoredFile, copies: Sequence[Copy]) -> Iterator[str]:
    yield f"    {file.path}  ({file.role}, {file.grade}, {size(file.size)})"
    yield f"      sha256 {file.sha256}"
    for copy in copies:
        if not copy.path:
            yield f"      {copy.sink}: not there; the next run brings it"
        elif copy.sha256 != file.sha256:
            yield f"      {copy.sink}: {copy.path}, with other bytes: {copy.sha256}"
        else:
            yield f"      {copy.sink}: {copy.path}"


def _lacking(told: Explained) -> Iterator[str]:
    if told.lacking:
        yield f"  Why not: {_flat(told.lacking)}"
    for each in told.candidates:
        yield f"    Perhaps: {each.place}  ({each.score:.2f}: {_flat(each.why)})"
    if told.advice:
        yield f"  What to do: {told.advice}"
    if told.command:
        yield f"    {told.command}"


def _flat(text: str) -> str:
    return " ".join(text.split())
