from __future__ import annotations

import pytest

from archiver.cli.pace import Pace


def pace(sizes: list[int | None]) -> tuple[Pace, list[float]]:
    now = [100.0]
    return Pace.over(sizes, clock=lambda: now[0]), now


def test_with_all_sizes_the_time_left_goes_by_bytes() -> None:
    made, now = pace([6_000_000, 4_000_000])
    made.bytes, now[0] = 2_500_000, 110.0
    assert made.rate == 250_000
    assert made.left == pytest.approx(30)
    assert str(made) == "2.5 MB, 250.0 kB/s, about 30 s left"


def test_without_them_by_items() -> None:
    made, now = pace([6_000_000, None, None])
    made.bytes, now[0] = 500, 110.0
    assert made.left is None
    assert str(made) == "500 B, 50 B/s"
    made.done = 1
    assert made.left == pytest.approx(20)


def test_more_bytes_than_were_told_and_the_end() -> None:
    made, now = pace([100])
    made.bytes, now[0] = 250, 110.0
    assert made.left == 0
    made.done = 1
    assert "left" not in str(made)
    assert str(pace([])[0]) == "0 B, 0 B/s"
