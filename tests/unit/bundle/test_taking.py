"""What a run takes from a bundle, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from archiver.bundle import Bundle, Item, Refused, Taking, dump, gather, parse
from archiver.config import SourceSpec
from archiver.contracts import Options
from archiver.errors import BlockedError, GoneError
from archiver.ledger import Key, Record, State
from archiver.model import Kind, Material
from archiver.plan import Plan, Work
from archiver.report import Report, SourceReport
from archiver.route import Filters, Found
from line_kit import Item as Thing
from line_kit import Upstream, World, counts
from unit.bundle.records import BASE, FILE, record


def test_a_run_takes_the_ledgers_word_and_names_what_it_leaves() -> None:
    specs = [SourceSpec("decks", "speakerdeck", Options()), SourceSpec("inbox", "folder", Options())]
    stored = replace(BASE, material=Material("2", Kind.SLIDES, event="a"), files=(FILE,), state=State.STORED)
    known: dict[Key, Record] = {each.key: each for each in (record(), stored)}

    def entry_for(name: str) -> Any:
        raise LookupError(name)

    def offer(source: str, type_name: str, name: str, event: str = "a") -> Item:
        lie = Material(name, Kind.SLIDES, "A lie", "https://x", event=event, extra={"path": "/etc"})
        return Item(source, type_name, lie)

    made = Bundle(
        items=(
            offer("decks", "speakerdeck", "1"),
            offer("decks", "speakerdeck", "2"),
            offer("decks", "speakerdeck", "3"),
            offer("decks", "flickr", "1"),
            offer("decks", "speakerdeck", "1", event="z"),
            offer("nobody", "x", "1"),
            offer("nobody", "x", "2"),
        ),
        listings=(Refused("nobody", "x"), Refused("inbox", "folder")),
    )
    taking = Taking(specs, {"a"}, known, entry_for)
    handed = taking.take(made, Plan())
    (work,) = handed.plan.work
    assert (work.reason, work.found.material) == ("retry", BASE.material)
    assert [each.key for each in handed.plan.same] == [stored.key]
    assert len(handed.left["decks"]) == 3
    assert handed.left["nobody"] == [
        "2 items of the bundle left alone: no source of this name is configured here"
    ]
    assert "inbox" not in handed.left
    report = Report("run", "now", "0", sources={"decks": SourceReport(cursor="kept", baseline=4)})
    handed.tell(report)
    assert (report.sources["decks"].cursor, report.sources["decks"].baseline) == ("kept", 4)
    assert report.exit_code() == 1
    planned = Plan(work=[Work(Found("decks", "speakerdeck", BASE.material, "entry"), "retry")])
    assert taking.take(made, planned).plan.work == [], "what a listing of the same run plans is done once"
    limited = replace(taking, filters=Filters(limit=0))
    assert limited.take(made, Plan()).plan.work == []


def refusing(world: World) -> None:
    world.up.put(Thing("x"), Thing("y", fails=BlockedError("not you")), Thing("z", fails=GoneError("away")))


def handed_off(world: World) -> Bundle:
    found, refused = gather(world.records().values(), world.head().report, world.config.sources)
    # This world's configuration has a word of its own for each type.
    data, _ = dump(
        Bundle("A tour", "now", tuple(replace(each, type_name="memory-src") for each in found), refused)
    )
    return parse(data, "x.json")


def test_a_withdrawn_flag_and_a_cursor_outlive_a_hand_off(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.up.cursor = "seven"
    world.up.put(Thing("w"))
    world.run()
    del world.up.items["w"]
    refusing(world)
    assert counts(world.run(accept_shrink=frozenset({"src"})))["blocked"] == 1
    before = world.record("w")
    assert before.state is State.WITHDRAWN
    made = handed_off(world)
    assert [each.material.id for each in made.items] == ["y"]
    world.up.change("y", fails=None)
    listed = len(world.up.cursors)
    fetched = len(world.up.fetched)
    report = world.run(bundle=made)
    assert report.exit_code() == 0
    assert counts(report) == {"new": 1}
    assert world.up.fetched[fetched:] == ["y"]
    assert len(world.up.cursors) == listed, "nothing was listed"
    assert world.record("w") == before
    assert report.sources["src"].cursor == "seven"
    world.up.fetched.clear()
    assert counts(world.run(bundle=made)) == {"same": 1}
    assert world.up.fetched == []
    assert counts(world.run())["same"] >= 2
    assert world.up.cursors[-1] == "seven"


def test_what_is_blocked_here_too_stays_blocked_and_the_exit_code_says_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    refusing(world)
    world.run()
    versions = world.versions()
    report = world.run(bundle=handed_off(world))
    assert (report.exit_code(), counts(report)) == (1, {"blocked": 1})
    assert world.versions() == versions


def test_only_the_source_that_could_not_be_listed_is_listed(tmp_path: Path) -> None:
    world = World(tmp_path, {"src": Upstream(), "other": Upstream()})
    src, other = world.upstreams.values()
    other.put(Thing("o"))
    src.put(Thing("x"))
    src.error, src.breaks_after = BlockedError("not you"), 0
    assert world.run().exit_code() == 1
    made = handed_off(world)
    assert (made.items, made.listed) == ((), frozenset({"src"}))
    src.breaks_after = None
    other.put(Thing("unwanted"))
    report = world.run(bundle=made)
    assert report.exit_code() == 0
    assert report.counts == {"a": {"src": {"new": 1}}}
    assert len(other.cursors) == 1
