"""What nobody waits for: which lines of the logbook hold, and what they change."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import logbook, recall
from archiver.amend import amending
from archiver.coverage import Standing, coverage
from archiver.model import Event, Kind, Talk
from archiver.waivers import Waiver, read
from line_kit import World

A = Event("a", "Stop A", talks=(Talk("chef", "Chef"), Talk("swift", "Swift")))
B = Event("b", "Stop B", expect=(Kind.VIDEO,))


def waiver(
    event: str = "a", kind: Kind = Kind.SLIDES, talk: str = "", why: str = "lost", at: str = "1"
) -> Waiver:
    return Waiver(event, kind, talk, why, at)


def test_a_waiver_is_read_back_as_it_was_written() -> None:
    made = waiver(talk="chef")
    assert read([made.line()], [A, B]) == (made,)


@given(st.permutations(["1", "2", "3"]))
def test_the_latest_line_counts_in_whatever_order_they_are_read(order: list[str]) -> None:
    lines = {
        "1": waiver(why="first", at="1").line(),
        "2": waiver(at="2").line(waived=False),
        "3": waiver(why="again", at="3").line(),
    }
    assert [each.why for each in read([lines[at] for at in order], [A])] == ["again"]
    assert read([lines[at] for at in order if at != "3"], [A]) == ()


def test_what_the_programme_does_not_have_waits_until_it_does() -> None:
    lines = [waiver("gone").line(), waiver(talk="gone").line(), waiver("b", Kind.VIDEO).line()]
    assert [each.place for each in read(lines, [A, B])] == ["b"]
    assert [each.place for each in read(lines, [A, B, Event("gone", "Back")])] == ["b", "gone"]


@pytest.mark.parametrize("broken", [{"kind": "song"}, {"waived": "yes"}, {"event": 7}, {"kind": ["slides"]}])
def test_a_line_that_says_something_else_is_passed_over(broken: dict[str, object]) -> None:
    assert read([{**waiver().line(), **broken}], [A]) == ()


def test_they_are_listed_in_the_order_of_the_programme() -> None:
    made = [
        waiver("b", Kind.VIDEO, at="1"),
        waiver(talk="swift", at="2"),
        waiver(talk="chef", at="3"),
        waiver(at="4"),
    ]
    listed = read([each.line() for each in made], [A, B])
    assert [each.place for each in listed] == ["a", "a/chef", "a/swift", "b"]


def test_every_sink_keeps_it_and_a_copy_without_it_gets_it(tmp_path: Path) -> None:
    world = World(tmp_path, sinks=("one", "two"))
    world.run()
    line = Waiver("a", Kind.SLIDES, "chef", "lost", logbook.now()).line()
    with amending(world.config, world.registry()) as desk:
        desk.write(logbook.WAIVERS, [line], "waived")
    for name in world.sinks:
        (found,) = recall.waivers([world.head(name)], world.config)
        assert (found.place, found.why) == ("a/chef", "lost")
    before = world.versions("one")
    world.run()
    assert world.versions("one") == before  # an idle run writes nothing


def test_coverage_is_have_by_expected_without_waived() -> None:
    whole = coverage([A, B], [], [waiver("b", Kind.VIDEO), waiver()])
    assert whole.events[1].kinds[Kind.VIDEO].state is Standing.WAIVED
    assert whole.tally() == (0, 3)  # report, photo and video of A
    assert whole.percent == 0
    assert coverage([B], [], [waiver("b", Kind.VIDEO)]).percent == 100
