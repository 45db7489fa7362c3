"""What is not here: why, what to do next, and with which command."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from archiver.asked import Ask, Asks, Way
from archiver.coverage import coverage
from archiver.gaps import Gap, Step, gaps
from archiver.ledger import Match, Problem, Record, State, StoredFile
from archiver.model import Event, Grade, Kind, Material, Talk
from archiver.waivers import Waiver

NOW = datetime(2012, 9, 23, tzinfo=UTC)
TALK = Talk("chef", "Deploy OpenStack with Chef", ("Junqiang Chen",))
EVENT = Event("beijing", "Beijing Stop", talks=(TALK,), expect=())
FILE = StoredFile("slides/x.pdf", 1, "0" * 64)


def record(
    reason: str = "", *, talk: str = "chef", url: str = "https://example.org/d", **more: object
) -> Record:
    material = Material(reason or "one", Kind.SLIDES, "A deck", url, event="beijing")
    problem = Problem(reason, f"it {reason}") if reason else None
    made = Record("src", "folder", material, State.PENDING, Match(talk), problem=problem)
    return replace(made, **more)  # type: ignore[arg-type]  # fields of a record


def asked(day: int, way: Way = Way.SENT) -> Asks:
    ask = Ask("token", "beijing", ("chef",), "Junqiang Chen", "id@x", f"2012-09-{day:02}T00:00:00Z", way)
    return Asks({"token": ask}, {})


def only(*records: Record, asks: Asks | None = None, event: Event = EVENT) -> Gap:
    (found,) = gaps(coverage([event], records), asks or Asks({}, {}), NOW)
    return found


@pytest.mark.parametrize(
    ("reason", "step", "command"),
    [
        ("blocked", Step.ACT, "archive run beijing"),
        ("failed", Step.RETRY, "archive run beijing"),
        ("accepted", Step.RETRY, "archive run beijing"),
        ("invalid", Step.OPEN, "archive add beijing FILE --talk chef"),
        ("link", Step.OPEN, "archive add beijing FILE --talk chef"),
        ("gone", Step.ADD, "archive add beijing FILE --talk chef"),
    ],
)
def test_what_is_known_says_what_to_do(reason: str, step: Step, command: str) -> None:
    found = only(record(reason))
    assert (found.step, found.command, found.why) == (step, command, f"it {reason}")
    assert found.url == "https://example.org/d"


def test_what_a_person_can_settle_comes_before_what_is_gone() -> None:
    assert only(record("gone"), record("failed"), record("blocked")).why == "it blocked"


def test_a_fresh_question_is_waited_for_and_an_old_one_is_asked_again() -> None:
    reachable = replace(EVENT, talks=(replace(TALK, email="jq@example.org"),))
    assert only(event=reachable).command == "archive ask beijing --talk chef"
    assert only(asks=asked(20), event=reachable).step is Step.WAIT
    late = only(asks=asked(10), event=reachable)
    assert (late.step, late.command) == (Step.ASK, "archive ask beijing --talk chef --again")
    assert only(asks=asked(10)).step is Step.ADD  # no address is known
    assert only(asks=asked(20, Way.REFUSED)).asked is None


def test_a_deck_of_no_talk_may_be_the_missing_one() -> None:
    loose = record(talk="", state=State.STORED, files=(FILE,))
    found = only(loose)
    assert (found.step, found.command) == (Step.DECIDE, "archive matches list")
    assert found.why == "1 material here has no talk yet"


def test_a_thumbnail_wants_a_better_copy() -> None:
    found = only(record(state=State.STORED, files=(replace(FILE, grade=Grade.THUMBNAIL),)))
    assert (found.step, found.why) == (Step.BETTER, "only a thumbnail is here")


def test_what_the_event_as_a_whole_lacks_has_no_talk() -> None:
    found = only(event=Event("wuhan", "Wuhan", expect=(Kind.VIDEO,)))
    assert (found.talk, found.command) == (None, "archive add wuhan FILE --kind video")
    assert found.to_json() == {
        "event": "wuhan",
        "talk": "",
        "kind": "video",
        "state": "missing",
        "why": "",
        "next": "add",
        "command": "archive add wuhan FILE --kind video",
        "url": "",
        "asked": None,
    }


def test_an_address_that_runs_something_is_none() -> None:
    assert only(record("gone", url="javascript:alert(1)")).url == ""


def test_what_is_here_or_waived_is_no_gap() -> None:
    assert gaps(coverage([EVENT], [record(state=State.STORED, files=(FILE,))])) == []
    assert gaps(coverage([EVENT], [], [Waiver("beijing", Kind.SLIDES, "chef")])) == []
