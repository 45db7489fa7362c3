"""The planner is a pure function: what it says of any listing and any ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from archiver.ledger import Key, Problem, Record, State, StoredFile, Transition
from archiver.model import Kind, Material
from archiver.plan import MOVED, OUT_OF_SCOPE, Knowledge, Plan, Standing, ledger_name, plan
from archiver.route import Filters, Found

FILE = StoredFile("other/x.bin", 1, "0" * 64)


def found(name: str, event: str = "a", problem: Problem | None = None, **more: Any) -> Found:
    return Found("src", "t", Material(name, Kind.OTHER, event=event, **more), "entry", problem)


def record(
    name: str,
    event: str = "a",
    state: State = State.STORED,
    problem: Problem | None = None,
    last: str = "stored",
    **more: Any,
) -> Record:
    material = Material(name, Kind.OTHER, event=event, **more)
    files = () if state is State.PENDING else (FILE,)
    history = (Transition("2012-09-16T00:00:00Z", state, reason=last),)
    return Record("src", "t", material, state, files=files, problem=problem, history=history)


def known(*records: Record, standing: Standing = Standing.COMPLETE, **more: Any) -> Knowledge:
    return Knowledge({each.key: each for each in records}, {"src": standing}, {"a", "b"}, **more)


def words(planned: Plan) -> dict[str, str]:
    """Id → what is to be done with it."""
    told = {item.material.id: "same" for item in planned.same}
    told |= {change.key[2]: f"{change.state}: {change.reason}" for change in planned.changes}
    told |= {work.found.material.id: work.reason for work in planned.work}
    return told | {key[2]: "dropped" for key in planned.dropped}


FAILED, GONE, BLOCKED = Problem("failed", "why"), Problem("gone", "410"), Problem("blocked", "login")


def test_what_is_listed() -> None:
    planned = plan(
        [
            found("new"),
            found("same", revision="1"),
            found("no revision"),
            found("changed", revision="2"),
            found("failed before"),
            found("waited"),
            found("taken down", revision="2"),
            found("gone", problem=GONE),
            found("hidden", problem=BLOCKED),
        ],
        known(
            record("same", revision="1"),
            record("no revision", revision="1"),
            record("changed", revision="1"),
            record("failed before", state=State.PENDING, problem=FAILED),
            record("waited", state=State.PENDING, problem=Problem("unrouted")),
            record("taken down", state=State.TAKEN_DOWN, revision="1"),
            record("gone"),
            record("hidden"),
        ),
    )
    assert words(planned) == {
        "new": "new",
        "same": "same",
        "no revision": "same",
        "changed": "changed",
        "failed before": "retry",
        "waited": "new",
        "taken down": "same",
        "gone": "withdrawn: 410",
        "hidden": "same",
    }


def test_what_is_not_listed() -> None:
    ledger = [
        record("lost"),
        record("failed", state=State.PENDING, problem=FAILED),
        record("gone", state=State.PENDING, problem=GONE),
        record("withdrawn", state=State.WITHDRAWN),
        record("taken down", state=State.TAKEN_DOWN, problem=FAILED),
        record("update failed", problem=FAILED),
        record("unasked", last=OUT_OF_SCOPE),
        record("unasked failure", state=State.PENDING, problem=FAILED, last=MOVED),
        record("old event", event="z", problem=FAILED),
    ]
    assert words(plan([], known(*ledger))) == {
        "lost": "withdrawn: no longer listed",
        "failed": "pending: ",
        "update failed": "withdrawn: no longer listed",
        "old event": "withdrawn: no longer listed",
    }
    assert words(plan([], known(*ledger, standing=Standing.PARTIAL))) == {
        "failed": "retry",
        "update failed": "retry",
    }
    for standing in (Standing.DOUBTFUL, Standing.HANDED):
        assert words(plan([], known(*ledger, standing=standing))) == {}


def test_a_source_that_was_not_listed_says_nothing() -> None:
    assert words(plan([], Knowledge({("a", "src", "x"): record("x")}, {}, {"a"}))) == {}


def test_a_doubtful_listing_takes_only_what_is_new() -> None:
    items = [found("new"), found("x", revision="2"), found("y", problem=GONE), found("z")]
    ledger = [record("x", revision="1"), record("y"), record("z", state=State.WITHDRAWN)]
    planned = plan(items, known(*ledger, standing=Standing.DOUBTFUL))
    assert words(planned) == {"new": "new", "x": "same", "y": "same", "z": "same"}
    assert planned.changes == []


def test_a_rescoped_event_loses_nothing() -> None:
    ledger = [record("x"), record("y", event="b"), record("z", state=State.PENDING, problem=FAILED)]
    planned = plan([], known(*ledger, rescoped={"src": frozenset({"a", ""})}))
    assert words(planned) == {
        "x": f"stored: {OUT_OF_SCOPE}",
        "y": "withdrawn: no longer listed",
        "z": f"pending: {OUT_OF_SCOPE}",
    }


def test_what_is_unrouted_now_stays_with_the_event_that_holds_it() -> None:
    unrouted = Problem("unrouted", "no hint")
    for event, standing in (("a", "changed"), ("z", "same")):
        planned = plan([found("x", "", unrouted, revision="2")], known(record("x", event, revision="1")))
        assert words(planned) == {"x": standing}
        assert not planned.obstacles


def test_a_limit_counts_work() -> None:
    planned = plan([found(name) for name in "xyz"], known(filters=Filters(limit=2)))
    assert [work.found.material.id for work in planned.left] == ["z"]
    assert [work.found.material.id for work in planned.work] == ["x", "y"]


STATES = st.sampled_from([State.STORED, State.PENDING, State.WITHDRAWN, State.TAKEN_DOWN])
PROBLEMS = st.sampled_from([None, None, FAILED, GONE, BLOCKED])
REVISIONS = st.sampled_from(["", "1", "2"])
EVENTS = st.sampled_from(["a", "b", "z", ""])
LASTS = st.sampled_from(["stored", OUT_OF_SCOPE, MOVED])
RECORDS = st.builds(
    lambda name, event, state, problem, last, revision: record(
        name, event, state, problem or (FAILED if state is State.PENDING else None), last, revision=revision
    ),
    st.sampled_from("xyz"), EVENTS, STATES, PROBLEMS, LASTS, REVISIONS,
)  # fmt: skip
FOUND = st.builds(
    lambda name, event, problem, revision: found(
        name, event, problem or (None if event else Problem("unrouted")), revision=revision
    ),
    st.sampled_from("wxyz"), st.sampled_from(["a", "b", ""]), PROBLEMS, REVISIONS,
)  # fmt: skip


@given(st.lists(FOUND), st.lists(RECORDS), st.sampled_from(Standing), st.sets(st.sampled_from(["a", "b"])))
def test_for_any_listing_and_any_ledger(
    items: list[Found], records: list[Record], standing: Standing, rescoped: set[str]
) -> None:
    knowledge = known(*records, standing=standing, rescoped={"src": frozenset(rescoped)})
    ledger = knowledge.ledger
    planned = plan(items, knowledge)
    worked = [work.found.key for work in planned.work]
    changed = [change.key for change in planned.changes]
    assert len(set(worked)) == len(worked)
    assert len(set(changed)) == len(changed)
    assert not set(worked) & {item.key for item in planned.same}
    assert not set(planned.dropped) & {key for key, each in ledger.items() if each.files}
    for item in items:
        held = any(key[1:] == item.key[1:] for key in ledger)
        everything = {*worked, *changed, *(each.key for each in (*planned.same, *planned.obstacles))}
        assert item.key in everything or held
    for change in planned.changes:
        before = ledger.get(change.key)
        if before is not None and before.files:
            assert before.state is not State.TAKEN_DOWN
            assert standing is not Standing.DOUBTFUL
            assert change.state is not State.PENDING
        if change.state is State.WITHDRAWN:
            said = any(item.key[1:] == change.key[1:] and item.problem for item in items)
            assert standing is Standing.COMPLETE or said
    for key in worked:
        assert key[0] in {"a", "b"}
        assert key not in ledger or ledger[key].state is not State.TAKEN_DOWN
    # Planning is idempotent: what was just recorded is not planned again.
    again = plan([], replace(knowledge, ledger=_after(ledger, planned)))
    assert not {change.key for change in again.changes if change.state is State.WITHDRAWN} & {
        change.key for change in planned.changes if change.state is State.WITHDRAWN
    }


def _after(ledger: Any, planned: Plan) -> dict[Key, Record]:
    after = dict(ledger)
    for change in planned.changes:
        if change.key in after:
            after[change.key] = after[change.key].moved(change.state, "t", "run", change.reason)
    return after


def test_a_key_as_text() -> None:
    assert ledger_name(("a", "src", "x/y")) == "a/src/x/y"
