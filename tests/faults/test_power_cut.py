"""Power cuts: of what was not synced, any part may be missing. What was said to be safe is."""

from __future__ import annotations

import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver import ocfl
from faults import small_run
from faults.machine import Machine, MachineSink
from ocfl_checks import assert_valid

#: More than a small run has points.
POINTS = 60


class Killed(BaseException):
    """The end of a program; nothing of it runs on."""


class Until:
    """Ends the program at its n-th point; 0 is never."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.seen = 0

    def __call__(self) -> None:
        self.seen += 1
        if self.number and self.seen >= self.number:
            raise Killed


class Story:
    """Runs on one machine, killed and cut off as told; knows what was said to be safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.machine = Machine()
        self.safe: dict[str, bytes] = {}
        self.runs = 0

    def run(self, kill_at: int = 0) -> int:
        """Do a run; give the number of points that it passed."""
        self.runs += 1
        name, until = f"run{self.runs}", Until(kill_at)
        sink = MachineSink(self.machine, until)
        with suppress(Killed):
            small_run.store(sink, name, said=lambda each: self.said(each, name), files=self.folder)
        return until.seen

    def said(self, each: str, name: str) -> None:
        """Hear that the version of an object is safe."""
        if each == "beijing":
            self.safe.update(small_run.contents(name))

    def check(self) -> None:
        """Everything that was said to be safe is there, and proven."""
        objects = ocfl.load(MachineSink(self.machine))
        event = objects.get("beijing")
        held = {path: event.read(path) for path in event.state} if event else {}
        assert {path: held.get(path) for path in self.safe} == self.safe

    def end(self) -> None:
        """Do one whole run, cut the power once more, and ask the validator."""
        self.run()
        self.machine.cut(random.Random(self.runs))
        self.check()
        small_run.reopened(MachineSink(self.machine))
        shutil.rmtree(self.folder / "archive", ignore_errors=True)
        self.machine.copy_to(self.folder / "archive")
        assert_valid(self.folder / "archive")


def test_a_small_run_has_fewer_points_than_are_tried(tmp_path: Path) -> None:
    story = Story(tmp_path)
    assert 30 < story.run() < POINTS
    assert story.run() < POINTS
    story.end()


@pytest.mark.parametrize("before", [0, 1])
def test_cut_at_every_point(before: int, tmp_path: Path) -> None:
    for kill_at in range(1, POINTS):
        for seed in range(3):
            story = Story(tmp_path)
            for _ in range(before):
                story.run()
            story.run(kill_at)
            story.machine.cut(random.Random(seed))
            story.check()
            story.end()


@pytest.mark.parametrize(
    ("before", "kill_at", "again"), [(0, 16, 21), (0, 4, 30), (0, 41, 4), (1, 28, 20), (1, 29, 22)]
)
def test_killed_then_killed_while_going_on_then_cut(
    before: int, kill_at: int, again: int, tmp_path: Path
) -> None:
    """What the first killed run did not sync, the second one built upon."""
    for seed in range(20):
        story = Story(tmp_path)
        for _ in range(before):
            story.run()
        story.run(kill_at)
        story.run(again)
        story.machine.cut(random.Random(seed))
        story.check()
        story.end()


ROUND = st.tuples(st.integers(0, POINTS), st.booleans(), st.integers(0, 2**32))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROUND, min_size=2, max_size=5))
def test_any_sequence_of_kills_and_cuts(tmp_path: Path, rounds: list[tuple[int, bool, int]]) -> None:
    story = Story(tmp_path)
    for kill_at, cut, seed in rounds:
        story.run(kill_at)
        if cut:
            story.machine.cut(random.Random(seed))
        story.check()
    story.end()
