"""Each material is counted once, under one word."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver import tally
from archiver.instances import Workshop
from archiver.ledger import Problem, Record, State, StoredFile
from archiver.model import Kind, Material
from archiver.plan import MOVED, OUT_OF_SCOPE, RETURNED, Change, Plan, Work
from archiver.report import Report
from archiver.route import Found
from archiver.work import Outcome, Task

MATERIAL = Material("x", Kind.OTHER, event="a", size=7)
FILE = StoredFile("other/x", 4, "0" * 64)
HELD = Record("src", "t", MATERIAL, State.STORED, files=(FILE,))
PENDING = Record("src", "t", MATERIAL, State.PENDING, problem=Problem("failed"))


def report() -> Report:
    return Report("run", "now", "0.1")


def counted(made: Report) -> dict[str, int]:
    return made.counts.get("a", {}).get("src", {})


@pytest.mark.parametrize(
    ("state", "reason", "problem", "word"),
    [
        (State.WITHDRAWN, "no longer listed", None, "withdrawn"),
        (State.STORED, RETURNED, None, "returned"),
        (State.STORED, OUT_OF_SCOPE, None, "out-of-scope"),
        (State.PENDING, OUT_OF_SCOPE, Problem("failed"), "out-of-scope"),
        (State.STORED, MOVED, Problem("failed"), "out-of-scope"),
        (State.PENDING, "", Problem("gone"), "gone"),
    ],
)
def test_changes(state: State, reason: str, problem: Problem | None, word: str) -> None:
    made, found = report(), Found("src", "t", MATERIAL, "entry")
    planned = Plan(changes=[Change(HELD.key, None, state, problem, reason)], same=[found])
    tally.count_plan(made, planned, {})
    assert counted(made) == {word: 1}


def test_obstacles_are_counted_every_night_and_known_from_the_second_on() -> None:
    found = Found("src", "t", MATERIAL, "entry", Problem("blocked", "login"))
    for known in ({}, {HELD.key: PENDING}):
        made = report()
        tally.count_plan(made, Plan(obstacles=[found]), known)
        assert counted(made) == {"blocked": 1}
        assert [item.known for item in made.problems] == [bool(known)]


def test_a_dry_run_counts_what_would_be() -> None:
    made = report()
    planned = Plan(work=[Work(Found("src", "t", MATERIAL, "entry"), "retry")])
    tally.count_work(made, planned, {HELD.key: HELD})
    assert (counted(made), made.bytes) == ({"changed": 1}, 7)


@pytest.mark.parametrize(
    ("problem", "before", "after", "resumed", "word", "problems"),
    [
        (None, None, HELD, False, "new", 0),
        (None, PENDING, HELD, False, "new", 0),
        (None, None, HELD, True, "resumed", 0),
        (None, HELD, HELD, False, "changed", 0),
        (None, HELD, None, False, "same", 0),
        (Problem("failed"), None, PENDING, False, "failed", 1),
        (Problem("failed"), PENDING, None, False, "failed", 1),
        (Problem("gone"), HELD, HELD, False, "withdrawn", 0),
        (Problem("gone"), HELD, None, False, "same", 0),
        (Problem("gone"), None, PENDING, False, "gone", 1),
    ],
)
def test_outcomes(
    problem: Problem | None,
    before: Record | None,
    after: Record | None,
    resumed: bool,
    word: str,
    problems: int,
) -> None:
    made = report()
    task = Task(Workshop("run", Path()), "src", MATERIAL, "new", ())
    files = () if problem else (FILE,)
    outcome = Outcome(task, MATERIAL, files, () if problem else ("local",), problem)
    assert tally.count_outcome(made, outcome, before, after, resumed=resumed) == word
    assert counted(made) == {word: 1}
    assert len(made.problems) == problems
    stored = word in {"new", "changed", "resumed"}
    assert (made.files, made.bytes) == ((1, 4) if stored else (0, 0))
