"""Listing entry by entry: events and talks are filled in, repeats left out, failures kept to the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from archiver.contracts import Options, Scope, ScopeEntry
from archiver.errors import GoneError, TransientError
from archiver.listing import Listed, list_entries
from archiver.model import Checkpoint, Event, Kind, Material, Unavailable


class Entry(Options):
    ids: str
    talk: str = ""


def scope(*entries: tuple[str, Entry], limit: int | None = None) -> Scope[Entry]:
    made = tuple(ScopeEntry(Event(event, event.title()), options) for event, options in entries)
    return Scope(made, limit)


def listed(entry: ScopeEntry[Entry]) -> Iterator[Listed]:
    for name in entry.options.ids:
        if name == "!":
            raise TransientError("the service is down")
        if name == "?":
            yield Checkpoint(complete=False)
        elif name == "x":
            yield Unavailable(Material("x", Kind.SLIDES), GoneError("deleted"))
        else:
            yield Material(name, Kind.SLIDES, talk="its own" if name == "t" else "")


def test_each_material_gets_the_event_and_talk_of_its_entry() -> None:
    found = list(
        list_entries(scope(("one", Entry(ids="axt", talk="first")), ("two", Entry(ids="a"))), listed)
    )
    assert found == [
        Material("a", Kind.SLIDES, event="one", talk="first"),
        found[1],
        Material("t", Kind.SLIDES, event="one", talk="its own"),
        Material("a", Kind.SLIDES, event="two"),
        Checkpoint(complete=True),
    ]
    assert isinstance(found[1], Unavailable)
    assert found[1].material == Material("x", Kind.SLIDES, event="one", talk="first")


def test_repeats_within_an_entry_are_left_out() -> None:
    found = list(list_entries(scope(("one", Entry(ids="abab"))), listed))
    assert [item.id for item in found if isinstance(item, Material)] == ["a", "b"]


def test_one_partial_entry_makes_the_listing_partial() -> None:
    assert (
        list(list_entries(scope(("one", Entry(ids="a?b")), ("two", Entry(ids="c"))), listed))[-1]
        == Checkpoint()
    )


def test_a_failing_entry_does_not_keep_the_others_from_being_listed() -> None:
    listing = list_entries(scope(("one", Entry(ids="a!")), ("two", Entry(ids="b"))), listed)
    assert [next(listing), next(listing)] == [
        Material("a", Kind.SLIDES, event="one"),
        Material("b", Kind.SLIDES, event="two"),
    ]
    with pytest.raises(TransientError, match="down"):
        next(listing)


@pytest.mark.parametrize("limit", [0, 1, 2, 3])
def test_the_limit_ends_the_listing_before_more_is_asked_for(limit: int) -> None:
    asked = []

    def counted(entry: ScopeEntry[Entry]) -> Iterator[Listed]:
        for item in listed(entry):
            asked.append(item)
            yield item

    *found, end = list_entries(
        scope(("one", Entry(ids="ab")), ("two", Entry(ids="cd")), limit=limit), counted
    )
    assert len(found) == len(asked) == limit
    assert end == Checkpoint(complete=False)
