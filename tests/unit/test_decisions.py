"""What people decided holds, in the ledger and for whatever is listed later."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        found = made.about("memory", "one", "a")
        assert found is not None
        assert found.verdict is Verdict.REJECT


def test_a_decision_is_read_back_as_it_was_written() -> None:
    made = decision(event="a", talk="chef", reason="r", source="src", title="T", material=record().material)
    assert of(made).about("memory", "one", "a") == made


def test_an_event_that_is_gone_makes_it_wait_again_and_of_a_lost_talk_the_event_stays() -> None:
    assert of(decision(event="gone")).about("memory", "one", "a") is None
    found = of(decision(event="a", talk="gone")).about("memory", "one", "a")
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


def in_both(**talks: str) -> dict[tuple[str, str, str], Record]:
    found = [record(event, held=True, match=Match(talk, "explicit", 1.0)) for event, talk in talks.items()]
    return {each.key: each for each in found}


@pytest.mark.parametrize("made", [decision(event="b", within="b"), decision(Verdict.REJECT, within="b")])
def test_a_decision_about_the_copy_in_one_event_leaves_the_other(made: Decision) -> None:
    known = in_both(a="chef", b="")
    result = settle(known, of(made), "later")
    assert [each.key[0] for each in result.entered] == ["b"]
    assert of(made).about("memory", "one", "a") is None


def test_a_decision_without_an_event_is_about_every_copy_as_it_always_was() -> None:
    known = in_both(a="chef", b="")
    settle(known, of(decision(event="b")), "later").apply(known)
    assert known["a", "src", "one"].match.why == "it belongs to b"
    assert known["b", "src", "one"].match.why == "accepted for the event as a whole"


def test_the_scope_of_a_decision_is_read_back_also_that_of_no_event() -> None:
    for within in (None, "", "a"):
        assert of(decision(event="b", within=within)).held[0].within == within
    assert of(decision(event="b", within="")).about("memory", "one", "a") is None


def test_one_about_every_copy_ends_all_earlier_ones_and_a_later_one_is_an_exception() -> None:
    narrow = decision(event="a", talk="chef", within="a")
    broad = decision(Verdict.REJECT, AT.replace("1Z", "2Z"))
    assert of(narrow, broad).about("memory", "one", "a") == broad
    lost = decision(event="gone", at=AT.replace("1Z", "2Z"))
    assert of(narrow, lost).about("memory", "one", "a") is None
    late = replace(narrow, at=AT.replace("1Z", "3Z"))
    made = of(narrow, broad, late)
    assert made.about("memory", "one", "a") == late
    assert made.about("memory", "one", "b") == broad


def test_what_was_sent_on_and_decided_about_there_goes_where_the_later_one_says() -> None:
    there = decision(event="b", within="a")
    back = decision(event="a", talk="swift", within="b", at=AT.replace("1Z", "2Z"))
    for made in (of(there, back), of(back, there)):
        assert made.about("memory", "one", "a") == back
        assert made.about("memory", "one", "b") == back


def test_what_was_sent_on_and_rejected_there_is_rejected_for_good() -> None:
    there = decision(event="b", within="a")
    end = decision(Verdict.REJECT, AT.replace("1Z", "2Z"), within="b")
    assert of(there, end).about("memory", "one", "a") == end
    sent_later = replace(there, at=AT.replace("1Z", "3Z"))
    assert of(end, sent_later).about("memory", "one", "b") == sent_later


def test_what_waits_where_an_earlier_decision_sent_it_is_forgotten() -> None:
    known = {("a", "src", "one"): record("a", held=True)}
    settle(known, of(decision(event="b", within="a")), "later").apply(known)
    assert set(known) == {("a", "src", "one"), ("b", "src", "one")}
    home = decision(event="a", talk="chef", within="a", at=AT.replace("1Z", "2Z"))
    settle(known, of(decision(event="b", within="a"), home), "later").apply(known)
    assert set(known) == {("a", "src", "one")}
    assert known["a", "src", "one"].match == Match("chef", "decision", 1.0)


_WHERE = st.sampled_from(["a", "b"])
_MADE = st.lists(
    st.builds(
        decision,
        verdict=st.sampled_from(Verdict),
        event=_WHERE,
        talk=st.sampled_from(["", "chef", "swift"]),
        within=st.sampled_from([None, "", "a", "b"]),
    ),
    max_size=6,
)


@given(_MADE, st.dictionaries(st.sampled_from(["", "a", "b"]), st.booleans()))
def test_following_decisions_twice_is_following_them_once(made: list[Decision], at: dict[str, bool]) -> None:
    held = of(*(replace(each, at=f"{AT}{number}") for number, each in enumerate(made)))
    known = {each.key: each for each in (record(event, held=files) for event, files in at.items())}
    settle(known, held, "1").apply(known)
    settle(known, held, "2").apply(known)
    again = settle(known, held, "3")
    assert (again.dropped, again.entered) == ([], [])


@given(_MADE, _WHERE, st.booleans())
def test_a_scoped_decision_changes_nothing_for_a_copy_that_it_does_not_concern(
    made: list[Decision], event: str, rejected: bool
) -> None:
    other = "b" if event == "a" else "a"
    before = [replace(each, at=f"{AT}{number}", within=other) for number, each in enumerate(made)]
    stay = [each for each in before if each.event != event]
    verdict = Verdict.REJECT if rejected else Verdict.ACCEPT
    last = decision(verdict, at=f"{AT}9", event=other, within=other)
    assert of(*stay, last).about("memory", "one", event) is None


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


def test_a_thing_of_two_events_is_routed_by_the_decision_about_its_own_copy(tmp_path: Path) -> None:
    """A photo of two albums has one id in both."""
    world = World(tmp_path, {"src": Upstream(extra=[Item("one", event="b")])})
    world.up.put(Item("one", event="a"))
    world.run()
    decide(world, its(Verdict.REJECT, within="b"))
    world.up.change("one", revision="2", data=(b"new bytes",))
    world.run()
    assert world.stored("one", event="a") == [b"new bytes"]
    assert world.record("one", event="b").match.why == "rejected"


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
