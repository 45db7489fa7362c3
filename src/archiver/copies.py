"""Which copies of a material there are to decide about, and how a person names one of them.

Most materials are in one event, and the beginning of an id names them. One file that was added to two events,
or a photo of two albums, has one id in both: there `second/3f9a2c41` names the copy of one event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archiver import added
from archiver.decisions import ACCEPTED, Decision, Decisions, Item, Verdict, short_id
from archiver.ledger import Record, State

#: The fewest characters of an id that name anything.
LEAST = 4
#: What tells a material of an event: the event, the type of source and the source's own id.
Thing = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Copy:
    """A material as it lies in an event. `about` is a decision about it, to be filled in.

    `events` are all that have it, by a decision too; `talk` is its talk by now. It is one of `several` where
    other events have a copy of their own.
    """

    short: str
    events: tuple[str, ...]
    about: Decision
    talk: str = ""
    several: bool = False

    @property
    def name(self) -> str:
        """Give the word by which a person picks it and no other: "3f9a2c41" or "second/3f9a2c41"."""
        return f"{self.events[0]}/{self.short}" if self.several else self.short


def copies(records: Iterable[Record], decisions: Decisions) -> list[Copy]:
    """List all copies that can be decided about, those too that no ledger has and a decision names. Pure."""
    at: dict[Item, dict[str, Record]] = {}
    for record in once(each for each in records if each.state is not State.TAKEN_DOWN):
        at.setdefault((record.type_name, record.material.id), {})[record.material.event] = record
    said: dict[Item, list[Decision]] = {}
    for decision in decisions.held:
        said.setdefault(decision.item, []).append(decision)
    items = dict.fromkeys([*at, *said])
    return [each for item in items for each in _of_item(item, at.get(item, {}), said.get(item, ()))]


def names(found: Iterable[Copy]) -> dict[Thing, str]:
    """Give the word by which a person picks what lies in an event."""
    return {(event, *copy.about.item): copy.name for copy in found for event in copy.events}


def fitting(found: Sequence[Copy], word: str) -> list[Copy]:
    """Find what a person names: a source's own id or the beginning of a short one, perhaps after EVENT/."""
    own = [copy for copy in found if copy.about.id == word]
    if own:
        return own  # "o3@mail.example/2" has a slash and names no event
    event, slash, rest = word.partition("/")
    if slash:
        return fitting([copy for copy in found if event in copy.events], rest)
    return [copy for copy in found if len(word) >= LEAST and copy.short.startswith(word.casefold())]


def once(records: Iterable[Record]) -> Iterable[Record]:
    """Give each material of an event once, however many lists it is in: one that is held if there is any."""
    found: dict[Thing, Record] = {}
    for record in records:
        thing = (record.material.event, record.type_name, record.material.id)
        if thing not in found or (record.files and not found[thing].files):
            found[thing] = record
    return found.values()


def _of_item(item: Item, at: Mapping[str, Record], said: Sequence[Decision]) -> Iterator[Copy]:
    """Give the copies of one material: one for each event where a decision must not reach the others."""
    kept = [each for each in said if each.material is not None]
    if _is_apart(item, at, said):
        found = {event: ((event,), _about(record, event), record.match.talk) for event, record in at.items()}
        for each in kept:
            if each.within is not None:
                found.setdefault(each.within, ((each.within,), each, ""))
        if found:
            yield from (Copy(short_id(*item), *parts, several=len(found) > 1) for parts in found.values())
            return
    lying = [*filter(_is_own, at.values()), *at.values()]
    about = kept[-1] if kept else _about(lying[0], None) if lying else None
    if about is not None:
        # What was brought elsewhere by a decision is the same copy: either event names it.
        events = tuple(dict.fromkeys([*(each.material.event for each in lying), *([] if lying else [""])]))
        yield Copy(short_id(*item), events, about, lying[0].match.talk if lying else "")


def _is_apart(item: Item, at: Mapping[str, Record], said: Iterable[Decision]) -> bool:
    """Say whether a decision is about the copy in one event alone.

    Whoever adds a file says where it belongs: the copy of an event that gets it next year is another one.
    """
    several = sum(map(_is_own, at.values())) > 1
    return item[0] == added.NAME or several or any(each.within is not None for each in said)


def _is_own(record: Record) -> bool:
    """Say whether it is in its event for its own sake, and not only because a decision sent it there."""
    return not record.history or record.history[0].reason != ACCEPTED


def _about(record: Record, within: str | None) -> Decision:
    material, names = record.material, (record.type_name, record.material.id)
    told = {"source": record.source, "title": material.title}
    return Decision(*names, Verdict.ACCEPT, "", **told, material=material, within=within)
