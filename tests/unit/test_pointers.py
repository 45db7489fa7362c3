"""What reports point to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver.errors import BlockedError, InvalidError
from archiver.ledger import Record, State, StoredFile
from archiver.model import Kind, Material
from archiver.pointers import (
    MAX_FOLLOWED,
    Pointer,
    is_handed,
    marked,
    pointers,
    reason_of,
    with_marks,
)

FILE = StoredFile("report/a.wacz", 1, "0" * 64)
DECK = {
    "kind": "slides",
    "source": "slideshare",
    "url": "https://decks.example/1",
    "title": " Chef \n slides",
}


def report(links: Any, name: str = "r", event: str = "a", date: str = "", **changes: Any) -> Record:
    text = links if isinstance(links, str) else json.dumps(links)
    address = f"https://blog.example/{name}"
    material = Material(name, Kind.REPORT, f"Report {name}", address, event=event, date=date)
    made = Record("blog", "web", replace(material, extra={"links": text}), State.STORED, files=(FILE,))
    return replace(made, **changes)


def test_a_pointer_tells_what_it_is() -> None:
    record = report([DECK])
    assert pointers([record], ["a"]) == [
        Pointer(record, "https://decks.example/1", Kind.SLIDES, "slideshare", "Chef slides")
    ]


def test_the_first_report_of_an_event_is_the_one_that_is_named() -> None:
    late, early = report([DECK], "late", date="2012-09-20"), report([DECK], "early", date="2012-09-17")
    other = report([DECK], "other", "b")
    found = pointers([other, late, early], ["a", "b"])
    assert [(each.event, each.told) for each in found] == [("a", "Report early"), ("b", "Report other")]
    assert [each.event for each in pointers([other, early], ["b", "a"])] == ["b", "a"]
    assert pointers([other], ["a"]) == []


@pytest.mark.parametrize(
    "changes", [{"state": State.TAKEN_DOWN}, {"state": State.PENDING, "files": ()}], ids=["down", "pending"]
)
def test_what_is_not_held_leads_nowhere(changes: dict[str, Any]) -> None:
    assert pointers([report([DECK], **changes)], ["a"]) == []


def test_a_withdrawn_report_still_leads_on() -> None:
    assert len(pointers([report([DECK], state=State.WITHDRAWN)], ["a"])) == 1


def test_what_a_report_led_to_leads_no_further() -> None:
    first = report([DECK])
    (pointer,) = pointers([first], ["a"])
    second = report([{"url": "https://decks.example/2"}], "second")
    linked = replace(second, material=marked(second.material, pointer))
    assert [each.url for each in pointers([first, linked], ["a"])] == [DECK["url"]]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://decks.example/1", "javascript:alert(1)", "/1", "", None, 7, "https://u:p@decks.example/1",
        "https://decks.example/1?token=s3cr3tS3cr3tS3cr3t", "https://decks.example/\u202e1",
        "https://decks.example/" + "x" * 2_000,
    ],
)  # fmt: skip
def test_what_is_no_public_address_is_passed_over(url: object) -> None:
    assert pointers([report([{**DECK, "url": url}, DECK])], ["a"])[0].url == DECK["url"]
    assert pointers([report([{**DECK, "url": url}])], ["a"]) == []


def test_a_report_that_is_a_list_of_links_is_not_followed_to_its_end() -> None:
    rows = [{"url": f"https://decks.example/{number}"} for number in range(200)]
    assert len(pointers([report(rows)], ["a"])) == MAX_FOLLOWED


VALUES = st.sampled_from([None, True, 7, "", "x", DECK["url"], "slides", [], {}, ["url"], {"url": "x"}])
ROWS = st.lists(
    VALUES | st.dictionaries(st.sampled_from(["url", "kind", "source", "title"]), VALUES), max_size=4
)


@given(ROWS.map(json.dumps) | VALUES.map(json.dumps) | st.text(max_size=20))
@example("[" * 9_000)
@example("[NaN, 1e999]")
def test_nothing_in_it_makes_it_raise(text: str) -> None:
    for pointer in pointers([report(text)], ["a"]):
        assert pointer.url == DECK["url"]
        assert pointer.kind is None or pointer.kind in Kind


def test_the_marks_outlive_a_fetch() -> None:
    (pointer,) = pointers([report([DECK])], ["a"])
    listed = marked(Material("1", Kind.SLIDES, extra={"own": "1"}), pointer)
    fetched = with_marks(Material("1", Kind.SLIDES, "Chef", extra={"own": "2"}), listed)
    assert fetched.extra == {
        "own": "2", "found_in": "Report r", "found_at": "https://blog.example/r", "found_as": DECK["url"]
    }  # fmt: skip
    assert is_handed(fetched)
    plain = Material("1", Kind.SLIDES)
    assert with_marks(plain, plain) is plain


def test_what_is_no_material_is_a_link_only_where_a_report_led_to_it() -> None:
    (pointer,) = pointers([report([DECK])], ["a"])
    plain = Material("1", Kind.SLIDES)
    assert reason_of(InvalidError("a page"), plain) == "invalid"
    assert reason_of(InvalidError("a page"), marked(plain, pointer)) == "link"
    assert reason_of(BlockedError("login"), marked(plain, pointer)) == "blocked"
