"""What a run may take: counted exactly, met once, and never mistaken for an interruption."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.allowance import Allowance, Limits


@dataclass
class Sized:
    size: int | None


@dataclass
class Task:
    material: Sized


def made(**limits: float | None) -> Allowance:
    return Allowance(Limits(**limits), threading.Event())  # type: ignore[arg-type]  # a test's short form


def test_without_limits_it_only_counts() -> None:
    heard: list[tuple[int, int | None]] = []
    allowance = Allowance(Limits(), threading.Event(), lambda done, total: heard.append((done, total)))
    with allowance.running():
        allowance.came(10, 20)
        allowance.asked(None)
    assert (allowance.bytes, allowance.requests, allowance.reached) == (10, 1, "")
    assert heard == [(10, 20)]
    assert not allowance.stop.is_set()


def test_bytes_end_it_when_they_are_used_up_and_not_before() -> None:
    limited = made(bytes=10)
    limited.came(9)
    assert not limited.stop.is_set()
    limited.came(1)
    assert limited.stop.is_set()
    assert limited.reached == "byte-limit"


def test_requests_end_it_when_they_are_used_up_and_not_before() -> None:
    limited = made(requests=2)
    limited.asked(None)
    assert not limited.stop.is_set()
    limited.asked(None)
    assert limited.stop.is_set()
    assert limited.reached == "request-limit"


def test_time_ends_it() -> None:
    limited = made(seconds=0.01)
    with limited.running():
        assert limited.stop.wait(20)
    assert limited.reached == "time-limit"


def test_time_does_not_run_after_the_end() -> None:
    limited = made(seconds=0.3)
    with limited.running():
        pass
    assert not limited.stop.wait(0.6)


def test_whoever_stopped_it_first_is_the_reason() -> None:
    limited = made(bytes=1)
    limited.stop.set()
    limited.came(5)
    assert limited.reached == ""


@given(st.lists(st.one_of(st.none(), st.integers(0, 50))), st.integers(1, 100))
def test_what_is_chosen_fits_and_nothing_that_would_fit_is_left(sizes: list[int | None], limit: int) -> None:
    logging.disable(logging.CRITICAL)
    try:
        limited = made(bytes=limit)
        tasks = [Task(Sized(size)) for size in sizes]
        chosen = limited.affordable(tasks)
    finally:
        logging.disable(logging.NOTSET)
    used = sum(task.material.size or 0 for task in chosen)
    assert used <= limit
    left_out = [task for task in tasks if not any(task is each for each in chosen)]
    assert all((task.material.size or 0) > limit - used for task in left_out)
    assert limited.reached == ("byte-limit" if left_out else "")


def test_what_can_never_come_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "archiver"):
        made(bytes=10).affordable([Task(Sized(11)), Task(Sized(9)), Task(Sized(8))])
    assert "never fetched under it: 1 of the items" in caplog.text
