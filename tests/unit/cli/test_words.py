from __future__ import annotations

import pytest

from archiver.cli.words import count, duration, size


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_340_000, "1.3 MB"),
        (2e9, "2.0 GB"),
        (5e12, "5000.0 GB"),
    ],
)
def test_sizes(number: float, told: str) -> None:
    assert size(number) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_durations(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_counts() -> None:
    assert [count(n, "item") for n in (0, 1, 2, 12_000)] == ["0 items", "1 item", "2 items", "12,000 items"]
