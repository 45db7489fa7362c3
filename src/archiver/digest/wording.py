"""The words of a digest: its sections in their order, and what a person can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archiver.digest.model import Digest, Figure, Item, Place, SinkTrouble, SourceTrouble, Trouble
from archiver.report import LEFT

#: Entries of one section that are written out; the JSON has them all.
MOST = 20
_TO_DO = {
    "blocked": "A person has to act first: log in, lift the quota, or run from a network that is let in.",
    "failed": "Nothing to do yet: the next run tries again.",
    "gone": "Ask the speaker for a copy, and add it: archive add EVENT FILE --talk TALK",
    "invalid": "What arrived was not usable. Open the address; ask for the file if it is wrong there too.",
    "unrouted": "Say where each belongs: archive matches list",
    "link": "No source fetches it. Save it yourself, then: archive add EVENT FILE",
}
#: What a person can do about what a run over a bundle has left alone.
LEFT_TO_DO = "Correct what is said of each in the configuration here, and run over the bundle again."
_PROBLEMS = {
    "blocked": "Blocked",
    "failed": "Failed",
    "invalid": "Rejected",
    "gone": "Gone before it could be stored",
    "unrouted": "Not yet assigned to an event",
    "link": "Known by address only",
}
_LIMITS = {"time-limit": "time", "byte-limit": "bytes", "request-limit": "requests"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a section: plain words, and the address they may lead to."""

    words: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its number, what to do about it, and its lines; those left out are counted."""

    heading: str
    entries: tuple[Entry, ...]
    left_out: int = 0
    to_do: str = ""


def to_do(reason: str) -> str:
    """Say what a person can do about items of one reason; "" for an unknown one."""
    return _TO_DO.get(reason, "")


def subject(told: Digest) -> str:
    """Sum it up in one line, for the subject of a mail."""
    if told.error:
        return f"{told.archive}: the run could not begin"
    blocked = sum(each.reason == "blocked" for each in told.problems)
    failed = sum(each.is_open and each.reason != "blocked" for each in told.problems)
    words = {"new": len(told.new), "changed": len(told.changed), "withdrawn": len(told.withdrawn)}
    words |= {"blocked": blocked, "failed": failed}
    sinks = sum(bool(each.error or each.damage) for each in told.sinks)
    parts = [f"{number:,} {word}" for word, number in words.items() if number]
    parts += [
        f"{number:,} {noun}{'' if number == 1 else 's'} in trouble"
        for noun, number in (("source", len(told.sources)), ("sink", sinks))
        if number
    ]
    here = [f"{told.coverage.percent} % here"] if told.coverage else []
    return f"{told.archive}: {', '.join([*(parts or ['nothing new']), *here])}"


def front(told: Digest) -> Iterator[str]:
    """Say what is told of, how the run ended, and how much is here."""
    if told.error:
        yield f"The run of {_time(told.started)} could not begin: {told.error}"
        return
    runs = f"{len(told.runs)} runs, the last one {told.run}" if len(told.runs) > 1 else f"Run {told.run}"
    yield f"{runs}, ended {_time(told.finished)}, exit code {told.exit_code}."
    rest = _rest(told)
    if told.stopped:
        yield f"It ended at its limit of {_LIMITS.get(told.stopped, told.stopped)}.{rest}"
    elif told.interrupted or rest:
        yield f"{'It was interrupted.' if told.interrupted else ''}{rest}".strip()
    if told.coverage:
        yield _coverage(told.coverage, told.before)
    if not told.has_changes:
        yield "Nothing new came."


def _rest(told: Digest) -> str:
    """Say how much remains, as far as it is known."""
    if not told.unlisted:
        return f" {_remain(told)}; the next run goes on." if told.remaining else ""
    known = _remain(told) if told.remaining else "How much remains is not known"
    names = ", ".join(told.unlisted)
    return f" {known}, and not listed to the end: {names}. There may be more; the next run goes on."


def _remain(told: Digest) -> str:
    return "1 remains" if told.remaining == 1 else f"{told.remaining:,} remain"


def _coverage(now: Figure, before: Figure | None) -> str:
    line = f"Here: {now.have:,} of {now.wanted:,} expected ({now.percent} %)"
    if before is None or before == now:
        return f"{line}{'' if before is None else ', as before'}."
    return f"{line}; before it was {before.have:,} of {before.wanted:,} ({before.percent} %)."


def sections(told: Digest) -> Iterator[Section]:
    """Give what there is to tell, in the order in which a reader wants it."""
    for heading, items in (("New", told.new), ("Changed", told.changed), ("Listed again", told.returned)):
        yield from _section(heading, [_item(each) for each in items])
    yield from _section("No longer upstream, kept here", [_item(each) for each in told.withdrawn])
    yield from _section("Not missing any more", [Entry(_place(each)) for each in told.arrived])
    yield from _section("Missing again", [Entry(_place(each)) for each in told.lost])
    yield from _section("Sinks", [Entry(words) for each in told.sinks for words in _sink(each)])
    unlisted = [Entry(_source(each)) for each in told.sources if each.reason != LEFT]
    yield from _section("Sources that could not be listed", unlisted)
    left = [Entry(_source(each)) for each in told.sources if each.reason == LEFT]
    yield from _section("Left alone of the bundle", left, LEFT_TO_DO)
    reasons = dict.fromkeys([*_PROBLEMS, *(each.reason for each in told.problems)])
    for reason in reasons:
        found = [each for each in told.problems if each.reason == reason]
        heading = _PROBLEMS.get(reason, reason)
        yield from _section(heading, [Entry(_trouble(each)) for each in found], to_do(reason))
    yield from _section("Still missing", [Entry(_place(each, state=True)) for each in told.missing])


def _section(heading: str, entries: list[Entry], advice: str = "") -> Iterator[Section]:
    if entries:
        left_out = max(0, len(entries) - MOST)
        yield Section(f"{heading} ({len(entries):,})", tuple(entries[:MOST]), left_out, advice)


def _item(each: Item) -> Entry:
    return Entry(f"{each.stop or 'No event yet'}: {each.kind} “{each.title}” from {each.source}", each.url)


def _trouble(each: Trouble) -> str:
    new = "" if each.known else " (new)"
    return f"{each.stop or 'No event yet'}, {each.source}: “{each.title}”{new}: {each.detail}"


def _source(each: SourceTrouble) -> str:
    new = "" if each.known else " (new)"
    advice = "" if each.reason == LEFT else each.to_do  # said once, above all of them
    return f"{each.name}{new}: {each.error or each.alarm} {advice}".rstrip()


def _sink(each: SinkTrouble) -> Iterator[str]:
    if each.error:
        yield f"{each.name} did not take everything: {each.error}"
    if each.damage:
        yield f"{each.name} is damaged: {each.damage}"
    if each.note:
        yield f"{each.name} {each.note}"


def _place(each: Place, *, state: bool = False) -> str:
    by = f" by {', '.join(each.speakers)}" if each.speakers else ""
    what = f"{each.kind} of “{each.talk_title}”{by}" if each.talk else f"{each.kind} of the event"
    how = f" ({each.state})" if state and each.state != "missing" else ""
    return f"{each.stop}: {what}{how}"


def _time(told: str) -> str:
    return f"{told[:10]} {told[11:16]} UTC" if told else "at an unknown time"
