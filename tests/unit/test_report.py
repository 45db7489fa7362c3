"""Reports: their exit code, and what the next run reads back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.report import (
    COUNTS,
    ItemProblem,
    Report,
    Silent,
    SinkReport,
    SourceReport,
    revisions,
    source_reports,
)

NOW = "2012-09-16T10:00:00Z"


def report(**more: Any) -> Report:
    return Report("run", "2012-09-16T00:00:00Z", "0.1", **more)


def problem(reason: str, *, known: bool = False) -> ItemProblem:
    return ItemProblem("a", "src", "x", "X", reason, "why", known)


BROKEN = {"s": SinkReport(error="disk full")}


@pytest.mark.parametrize(
    ("more", "any_code", "new_code"),
    [
        ({}, 0, 0),
        ({"sinks": {"s": SinkReport(note="left alone")}}, 0, 0),
        ({"sinks": BROKEN}, 3, 3),
        ({"sinks": BROKEN, "interrupted": True}, 3, 3),
        ({"interrupted": True, "problems": [problem("failed")]}, 130, 130),
        ({"sources": {"s": SourceReport(error="503")}}, 1, 1),
        ({"sources": {"s": SourceReport(alarm="shrunk")}}, 1, 1),
        ({"problems": [problem("failed")]}, 1, 1),
        ({"problems": [problem("failed", known=True)]}, 1, 0),
        ({"problems": [problem("unrouted")]}, 0, 0),
    ],
)
def test_exit_codes(more: dict[str, Any], any_code: int, new_code: int) -> None:
    for fail_on, code in (("any", any_code), ("new", new_code)):
        made = report(fail_on=fail_on, **more)
        assert made.exit_code() == made.to_json()["exit_code"] == report(**more).exit_code(fail_on) == code


def test_counts_add_up() -> None:
    made = report()
    for event, source in (("a", "x"), ("a", "y"), ("b", "x"), ("a", "x")):
        made.count(event, source, "new")
    assert made.counts == {"a": {"x": {"new": 2}, "y": {"new": 1}}, "b": {"x": {"new": 1}}}
    assert made.total("new") == 4
    assert made.total("gone") == 0
    assert "new" in COUNTS


def test_what_the_next_run_goes_by_comes_back_and_trouble_does_not() -> None:
    full = SourceReport(3, True, "c", {"a": "1"}, {"a": "2"}, 5, "503", "failed", "shrunk", NOW, 2)
    written = json.loads(json.dumps(report(sources={"src": full}, revisions={"k": "r"}).to_json()))
    assert source_reports(written) == {
        "src": SourceReport(3, True, "c", {"a": "1"}, {"a": "2"}, 5, at=NOW, new=2)
    }
    assert revisions(written) == {"k": "r"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(["listed", "complete", "cursor", "scopes", "settled", "baseline", "error", "later"])


@given(JSON | st.dictionaries(st.text(), st.dictionaries(NAMES, JSON)), JSON)
def test_any_report_can_be_read(sources: Any, seen: Any) -> None:
    read = source_reports({"sources": sources})
    for each in read.values():
        assert isinstance(each.cursor, str)
        assert type(each.listed) is type(each.baseline) is int
        assert all(isinstance(part, str) for item in each.scopes.items() for part in item)
        assert not each.error
    assert all(isinstance(part, str) for item in revisions({"revisions": seen}).items() for part in item)


def test_nobody_watches() -> None:
    Silent().said("planned", plan=None)
    Silent().moved("a", "src", "x", 1, None)
