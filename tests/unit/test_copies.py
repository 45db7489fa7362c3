"""The copies of a material that a person can decide about, and how one of them is named."""

from __future__ import annotations

from archiver.copies import copies, fitting, names
from archiver.decisions import ACCEPTED, Decision, Decisions, Verdict, short_id
from archiver.ledger import Record, State, Transition
from archiver.model import Kind, Material

AT = "2012-09-16T00:00:00Z"
SHORT = short_id("memory", "o3@mail.example/2")


def record(event: str, reason: str = "stored", type_name: str = "memory") -> Record:
    material = Material("o3@mail.example/2", Kind.SLIDES, f"Of {event}", event=event)
    return Record(
        "src", type_name, material, State.STORED, history=(Transition(AT, State.STORED, "", reason),)
    )


def test_what_is_in_one_event_has_a_plain_name_and_a_decision_about_it_holds_everywhere() -> None:
    (only,) = copies([record("a")], Decisions())
    assert (only.name, only.about.within) == (SHORT, None)


def test_what_two_events_have_is_told_apart_and_decided_apart() -> None:
    found = copies([record("a"), record("b")], Decisions())
    assert [(each.name, each.about.within, each.about.title) for each in found] == [
        (f"a/{SHORT}", "a", "Of a"),
        (f"b/{SHORT}", "b", "Of b"),
    ]
    assert names(found)["b", "memory", "o3@mail.example/2"] == f"b/{SHORT}"
    for word in (SHORT[:4], "o3@mail.example/2"):
        assert fitting(found, word) == found
        assert fitting(found, f"b/{word}") == found[1:]
    for word in (SHORT[:3], f"b/{SHORT[:3]}", f"c/{SHORT}", ""):
        assert fitting(found, word) == []


def test_what_a_decision_sent_to_another_event_is_the_same_copy_by_either_name() -> None:
    found = copies([record("a"), record("b", ACCEPTED)], Decisions())
    (only,) = found
    assert (only.events, only.about.within, only.name) == (("a", "b"), None, SHORT)
    assert fitting(found, f"b/{SHORT}") == found


def test_what_was_added_by_hand_is_always_of_its_event_alone() -> None:
    (only,) = copies([record("a", type_name="added")], Decisions())
    assert (only.about.within, only.several) == ("a", False)


def test_a_copy_that_was_rejected_and_forgotten_can_still_be_named() -> None:
    gone = record("b").material
    said = Decision("memory", gone.id, Verdict.REJECT, AT, title="Of b", material=gone, within="b")
    found = copies([record("a")], Decisions((said,)))
    assert [each.name for each in found] == [f"a/{SHORT}", f"b/{SHORT}"]
    assert found[1].about is said
