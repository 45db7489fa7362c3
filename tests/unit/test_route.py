"""Which event a material belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from archiver.model import Event, Kind, Material, Talk
from archiver.route import Filters, route

BEIJING = Event(
    "beijing", "Beijing Stop", date="2012-09-16", city="Beijing", talks=(Talk("chef", "Deploy it"),)
)
HANGZHOU = Event("hangzhou", "Stop", date="2012-09-22", end_date="2012-09-23", city="Hang Zhou")
WUHAN = Event("wuhan", "Wuhan Stop", talks=(Talk("swift", "Swift 架构"),))
EVENTS = [BEIJING, HANGZHOU, WUHAN]
ALL = ["beijing", "hangzhou", "wuhan"]


def routed(users: list[str] | None = None, **known: Any) -> tuple[str, str]:
    return route(Material("x", Kind.PHOTO, **known), EVENTS, ALL if users is None else users)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"event": "wuhan", "date": "2012-09-16"}, ("wuhan", "entry")),
        ({"date": "2012-09-16T23:30:00Z"}, ("beijing", "date")),
        ({"date": "2012-09-23", "tags": ("Beijing",)}, ("hangzhou", "date")),
        ({"date": "2012-09", "tags": ("hangzhou",)}, ("hangzhou", "tag")),
        ({"tags": ("openstack", "BEIJING")}, ("beijing", "tag")),
        ({"talk": "swift  架构"}, ("wuhan", "talk")),
        ({"talk": "chef"}, ("beijing", "talk")),
    ],
)
def test_the_first_hint_that_names_one_event_decides(
    known: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert routed(**known) == expected


@pytest.mark.parametrize(
    "known",
    [{}, {"date": "2012-09"}, {"date": "yesterday!"}, {"tags": ("beijing", "wuhan")}, {"talk": "another"}],
)
def test_what_names_no_single_event_waits(known: dict[str, Any]) -> None:
    event, why = routed(**known)
    assert event == ""
    assert "neither" in why


def test_the_only_user_gets_everything_but_what_names_another() -> None:
    assert routed(["wuhan"], date="2012-09-16") == ("wuhan", "only event")
    assert routed(["wuhan"], event="beijing") == ("beijing", "entry")


def test_an_event_that_is_not_configured_is_told() -> None:
    assert routed(event="xian") == ("", "no event 'xian' in the configuration")


def test_only_events_that_use_the_source_are_candidates() -> None:
    assert routed(["hangzhou", "wuhan"], date="2012-09-16")[0] == ""


def test_filters() -> None:
    assert not Filters().any
    assert Filters(limit=0).any
    photos = Filters(frozenset({"a"}), frozenset({"s"}), frozenset({Kind.PHOTO}))
    assert photos.takes("a", "s", Kind.PHOTO)
    assert not photos.takes("", "s", Kind.PHOTO)
    assert not photos.takes("a", "t", Kind.PHOTO)
    assert not photos.takes("a", "s", Kind.VIDEO)
