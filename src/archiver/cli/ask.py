"""`archive ask`: ask speakers for the slides that are missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.common import common_options, echo_json, load, printable, warn_of_lagging
from archiver.cli.named import find_event, find_talk
from archiver.cli.reading import knowing
from archiver.cli.words import count

if TYPE_CHECKING:
    from archiver.amend import Amendment
    from archiver.ask import Asked, Asking
    from archiver.config import Config
    from archiver.model import Event

EPILOG = """\b
Examples:
  archive ask beijing                        write drafts into ./asks, to look at and send yourself
  archive ask beijing --to ~/Desktop
  archive ask beijing --send                 send them through the server under mail: smtp:
  archive ask beijing --talk deploy-openstack-with-chef --again

\b
Each mail has a code in its subject and its own answer address. Leave them as they are: by them the
answer is filed under its talk at the next run, when a source of type email reads that mailbox.
"""


@click.command(epilog=EPILOG)
@click.argument("event")
@click.option("--talk", metavar="TALK", default="", help="Only this talk: its id or its title.")
@click.option(
    "--to",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("asks"),
    show_default=True,
    help="Where the drafts are written.",
)
@click.option("--send", "sending", is_flag=True, help="Send the mails instead of writing drafts.")
@click.option("--again", is_flag=True, help="Also ask those who were asked within the last 7 days.")
@common_options
def ask(
    config_path: Path,
    verbose: bool,
    as_json: bool,
    event: str,
    talk: str,
    folder: Path,
    sending: bool,
    again: bool,
) -> int:
    """Ask the speakers of an event for the slides that are missing.

    One mail for each speaker covers all of that speaker's missing slides of the event. Who was asked
    when is kept in the archive, without addresses; `archive status` shows it.
    """
    del verbose
    from archiver import ask as asking
    from archiver.amend import amending

    config, registry = load(config_path)
    config = knowing(config, registry)
    chosen = find_event(event, config)
    talk_id = find_talk(talk, chosen).id if talk else ""
    if sending and config.mail is not None:
        asking.sending_settings(config.mail)
    with amending(config, registry) as desk:
        found = asking.find(desk, chosen, talk=talk_id, again=again)
        done = _write(desk, found, None if sending else folder)
        if done:
            desk.refresh_index()
        waiting = _waiting(desk, chosen)
        troubles = desk.troubles
    warn_of_lagging(troubles)
    if as_json:
        echo_json(_as_data(chosen, found, done, waiting))
    else:
        _show(chosen, found, done, waiting)
    return 1 if found.troubles or any(each.error for each in done) else 0


def _write(desk: Amendment, found: Asking, folder: Path | None) -> list[Asked]:
    from archiver import ask as asking
    from archiver.ask.post import Post

    if not found.requests:
        return []  # whoever has nobody to ask needs no address to ask from
    config: Config = desk.config
    if folder is not None:
        asking.settings(config.mail)
        return list(asking.drafts(desk, found.requests, folder))
    with Post(asking.sending_settings(config.mail), config.folder) as post:
        return list(asking.send(desk, found.requests, post))


def _waiting(desk: Amendment, event: Event) -> int:
    """Count what waits for a decision and may belong to the event: perhaps it is what is asked for.

    Slides that are held in the event itself are told of apart (`Asking.loose`).
    """
    from archiver import review
    from archiver.model import Kind

    found = review.waiting(desk.known.values(), desk.router)
    loose = (event.id, Kind.SLIDES)
    others = (each for each in found if (each.record.material.event, each.record.material.kind) != loose)
    return sum(any(candidate.event == event.id for candidate in each.candidates) for each in others)


def _as_data(event: Event, found: Asking, done: list[Asked], waiting: int) -> dict[str, Any]:
    return {
        "event": event.id,
        "asked": [_asked(each) for each in done],
        "no_address": [talk.id for talk in found.no_address],
        "recently": [{"talk": talk.id, "at": last.at} for talk, last in found.recently],
        "within_reach": [talk.id for talk in found.within_reach],
        "waiting": waiting,
        "loose": found.loose,
        "troubles": [{"programme": each.where, "error": str(each.error)} for each in found.troubles],
    }


def _asked(each: Asked) -> dict[str, Any]:
    return {
        "speaker": each.request.speaker,
        "talks": [talk.id for talk in each.request.talks],
        "way": each.ask.way.value if each.ask else "",
        "token": each.ask.token if each.ask else "",
        "message_id": each.ask.message_id if each.ask else "",
        "draft": str(each.path) if each.path else "",
        "error": str(each.error) if each.error else "",
    }


def _show(event: Event, found: Asking, done: list[Asked], waiting: int) -> None:
    from archiver.asked import how_long_ago

    for each in done:
        _say(_told(each))
    for trouble in found.troubles:
        _say(f"No addresses could be read from {trouble.where}: {trouble.error}")
    for talk in found.no_address:
        by = f" by {', '.join(talk.speakers)}" if talk.speakers else ""
        _say(f"No address is known for “{talk.title}”{by}: {found.advice[talk.id]}.")
    for talk, last in found.recently:
        _say(f"“{talk.title}”: {how_long_ago(last)}. Ask once more with --again.")
    for talk in found.within_reach:
        _say(f"“{talk.title}” is known at an address: `archive status {event.id}` says what to do.")
    if found.loose:
        decks = f"{count(found.loose, 'deck')} of {event.title} {'is' if found.loose == 1 else 'are'}"
        _say(f"{decks} here already, but of no known talk: look first with `archive matches list`.")
    if waiting:
        _say(
            f"{count(waiting, 'material')} that may belong to {event.id} "
            f"{'waits' if waiting == 1 else 'wait'} for a decision: see `archive matches list` first."
        )
    if not (done or found.no_address or found.recently or found.within_reach):
        _say(f"No slides of {event.title} are missing.")


def _told(each: Asked) -> str:
    talks = ", ".join(f"“{talk.title}”" for talk in each.request.talks)
    name = each.request.speaker or "The speaker"
    if each.error is not None:
        return f"{name} was not asked for {talks}: {each.error}"
    if each.path is not None:
        return f"Draft for {name}, asking for {talks}: {each.path}"
    return f"{name} was asked for {talks}."


def _say(text: str) -> None:
    click.echo(printable(" ".join(text.split())))
