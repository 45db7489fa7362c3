"""What people decided holds, in the ledger and for whatever is listed later."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import media_samples as samples
from archiver import decisions, logbook
from archiver.amend import amending
from archiver.decisions import Decision, Decisions, Verdict, settle, short_id
from archiver.errors import DamageError, LeaseHeldError
from archiver.lease import Lease
from archiver.ledger import Match, Problem, Record, State, StoredFile
from archiver.model import Kind, Material
from archiver.route import Filters
from line_kit import A, B, Item, Upstream, World

AT = "2012-09-16T00:00:00.000001Z"
FILE = StoredFile("slides/x.pdf", 1, "0" * 64)


def decision(verdict: Verdict = Verdict.ACCEPT, at: str = AT, **more: Any) -> Decision:
    return Decision("memory", "one", verdict, at, **more)


def of(*made: Decision) -> Decisions:
    return Decisions.of([each.to_json() for each in made], [A, B])


def record(event: str = "", *, held: bool = False, **more: Any) -> Record:
    problem = None if held else Problem("unrouted")
    files = (FILE,) if held else ()
    state = State.STORED if held else State.PENDING
    material = Material("one", Kind.SLIDES, "A title", event=event)
    return Record("src", "memory", material, state, files=files, problem=problem, **more)


def settled(one: Record, made: Decisions) -> dict[tuple[str, str, str], Record]:
    known = {one.key: one}
    settle(known, made, "later").apply(known)
    assert not settle(known, made, "later").entered  # the second time changes nothing
    return known


def test_the_latest_decision_counts_in_whatever_order_they_are_read() -> None:
    first, last = decision(event="a"), decision(Verdict.REJECT, AT.replace("1Z", "2Z"))
    for made in (of(first, last), of(last, first)):
        found = made.about("memory", "one")
        assert found is not None
        assert found.verdict is Verdict.REJECT


def test_a_decision_is_read_back_as_it_was_written() -> None:
    made = decision(event="a", talk="chef", reason="r", source="src", title="T", material=record().material)
    assert of(made).about("memory", "one") == made


def test_an_event_that_is_gone_makes_it_wait_again_and_of_a_lost_talk_the_event_stays() -> None:
    assert of(decision(event="gone")).about("memory", "one") is None
    found = of(decision(event="a", talk="gone")).about("memory", "one")
    assert found is not None
    assert found.place == "a"


def test_what_is_accepted_waits_for_its_bytes_in_its_event() -> None:
    known = settled(record(), of(decision(event="a", talk="chef")))
    (found,) = known.values()
    assert found.key == ("a", "src", "one")
    assert found.match == Match("chef", "decision", 1.0)
    assert found.problem is not None
    assert found.problem.reason == "accepted"


def test_what_is_rejected_and_not_held_is_forgotten() -> None:
    assert settled(record(), of(decision(Verdict.REJECT))) == {}


def test_what_is_rejected_and_held_stays_and_belongs_to_no_talk() -> None:
    held = record("a", held=True, match=Match("chef", "title", 0.9))
    (found,) = settled(held, of(decision(Verdict.REJECT, reason="wrong"))).values()
    assert found.files
    assert found.match == Match(method="decision", why="rejected: wrong")


def test_what_is_held_elsewhere_loses_its_talk_and_is_fetched_for_the_other() -> None:
    held = record("a", held=True, match=Match("chef", "explicit", 1.0))
    known = settled(held, of(decision(event="b")))
    assert known["a", "src", "one"].match.talk == ""
    assert known["b", "src", "one"].state is State.PENDING


def test_what_was_taken_down_is_left_alone() -> None:
    gone = replace(record("a", held=True), state=State.TAKEN_DOWN)
    assert settled(gone, of(decision(event="b"))) == {gone.key: gone}


def test_what_was_rejected_can_come_back_though_no_ledger_knows_it() -> None:
    back = decision(event="a", talk="chef", source="src", material=record().material)
    result = settle({}, of(back), "later")
    assert [each.key for each in result.entered] == [("a", "src", "one")]


def test_ids_are_short_and_the_same_everywhere() -> None:
    assert short_id("email", "m1@example.org/2") == short_id("email", "m1@example.org/2")
    assert len({short_id("email", str(number)) for number in range(2000)}) == 2000


@dataclass
class Letter(Item):
    """A thing that came by mail."""

    extra: dict[str, str] = field(default_factory=dict)

    @property
    def material(self) -> Material:
        return replace(super().material, extra={"subject": "hello", "key": self.id, **self.extra})


def mailbox(tmp_path: Path, *items: Item) -> World:
    """A source that lists only what is new, like a mailbox on a server."""
    world = World(tmp_path, {"src": Upstream(complete=False, cursor="c")}, sinks=("local", "other"))
    world.up.put(*items)
    return world


def decide(world: World, *made: Decision) -> None:
    with amending(world.config, world.registry()) as desk:
        desk.write(logbook.DECISIONS, [each.to_json() for each in made], "decided")


def one(event: str = "", **more: Any) -> Letter:
    more = {"kind": Kind.OTHER, **more}
    return Letter("one", event=event, title="Something", **more)


def its(verdict: Verdict, **more: Any) -> Decision:
    return replace(decision(verdict, **more), type_name="memory", source="src")


def test_an_accepted_mail_is_fetched_although_it_is_not_listed_again(tmp_path: Path) -> None:
    world = mailbox(tmp_path, one())
    world.run()
    assert world.record("one", event="").problem
    kept = dict(world.up.items)
    world.upstreams["src"] = Hidden(complete=False, cursor="c", items=kept)
    decide(world, its(Verdict.ACCEPT, event="a", talk="swift"))
    world.run()
    for sink in ("local", "other"):
        assert world.record("one", sink=sink).match == Match("swift", "decision", 1.0)
        assert world.stored("one", sink=sink) == [b"some bytes"]


@dataclass
class Hidden(Upstream):
    """A mailbox in which everything has been listed before."""

    def source(self) -> Any:
        made = super().source()
        upstream = self

        def discover(self: Any, scope: Any, cursor: str) -> Any:  # a source's interface
            from archiver.model import Checkpoint

            yield Checkpoint(upstream.cursor, upstream.complete)

        return type("HiddenSource", (made,), {"discover": discover})


def test_a_rejected_mail_is_never_fetched_nor_counted(tmp_path: Path) -> None:
    world = mailbox(tmp_path, one())
    world.run()
    decide(world, its(Verdict.REJECT))
    report = world.run()
    assert world.up.fetched == []
    assert world.records() == {}
    assert report.problems == []
    assert report.counts == {}


def test_a_sink_that_was_away_gets_the_decision_at_the_next_run(tmp_path: Path) -> None:
    world = mailbox(tmp_path, one())
    world.run()
    world.sinks = ("local",)
    decide(world, its(Verdict.REJECT))
    world.sinks = ("local", "other")
    assert world.records("other") != {}
    world.run()
    assert world.records("other") == {}
    assert world.head("other").logbooks == world.head("local").logbooks


def test_what_waits_is_looked_at_again_when_the_programme_grows(tmp_path: Path) -> None:
    letter = one()
    letter.title = "Kernel Tuning for Everybody"
    letter.extra = {"name": "Kernel Tuning for Everybody.pdf"}
    world = mailbox(tmp_path, letter)
    world.run()
    from archiver.model import Talk

    grown = replace(A, talks=(*A.talks, Talk("tuning", "Kernel Tuning for Everybody")))
    world.upstreams["src"] = Hidden(complete=False, cursor="c", items=dict(world.up.items))
    world.events = (grown, B)
    world.run()
    assert world.record("one").match.talk == "tuning"


def test_one_of_several_decks_stays_where_it_waits_though_its_mail_was_filed_in_part(tmp_path: Path) -> None:
    named = one(kind=Kind.SLIDES, data=(samples.pdf(["Swift"]),))
    other = replace(named, id="two", title="Another")
    named.title = "Swift 架构"
    named.extra = {"key": "m", "name": "Swift 架构.pdf"}
    other.extra = {"key": "m", "name": "Another.pdf", "subject": "for Stop A"}
    named.extra["subject"] = "for Stop A"
    world = mailbox(tmp_path, named, other)
    world.run()
    assert world.record("one").match.talk == "swift"
    assert world.record("two", event="").problem
    world.upstreams["src"] = Hidden(complete=False, cursor="c", items=dict(world.up.items))
    world.run()
    assert world.record("two", event="").problem


def test_two_who_decide_at_once_do_not_overwrite_each_other(tmp_path: Path) -> None:
    world = mailbox(tmp_path, one())
    world.sinks = ("local",)
    world.run()
    lease = Lease(world.head().sink, "20121202T093000Z-3f9a2c")
    lease.acquire()
    try:
        with pytest.raises(LeaseHeldError):
            decide(world, its(Verdict.REJECT))
    finally:
        lease.release()
    assert world.head().logbooks == {}


def test_a_filtered_run_fetches_what_was_accepted_for_its_event_alone(tmp_path: Path) -> None:
    world = mailbox(tmp_path, one())
    world.run()
    decide(world, its(Verdict.ACCEPT, event="b"))
    world.run(filters=Filters(events=frozenset("a")))
    assert world.up.fetched == []
    world.run(filters=Filters(events=frozenset("b")))
    assert world.up.fetched == ["one"]


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"at": 1}', b"\xff"])
def test_a_damaged_logbook_names_the_line(data: bytes) -> None:
    with pytest.raises(DamageError, match="book, line 2"):
        logbook.load(b'{"at": "x"}\n' + data, "book")


def test_lines_of_several_sinks_are_put_together_once() -> None:
    one_, two = {"at": "1", "x": "a"}, {"at": "2", "x": "b"}
    assert logbook.union([[two, one_], [one_]]) == (one_, two)


def test_match_of_a_decision() -> None:
    assert decisions.match(decision(event="a"), "a") is None
    assert decisions.match(decision(event="a", talk="t"), "b") == Match(
        method="decision", why="it belongs to a/t"
    )
