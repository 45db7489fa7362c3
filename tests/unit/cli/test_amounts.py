"""Amounts as people type them."""

from __future__ import annotations

import click
import pytest

from archiver.cli.amounts import seconds, size

CONTEXT, PARAMETER = click.Context(click.Command("x")), click.Option(["--x"])


@pytest.mark.parametrize(
    ("typed", "bytes_"),
    [("1", 1), ("500MB", 500_000_000), ("1.5GiB", 1_610_612_736), ("2 kb", 2000), ("7B", 7), (None, None)],
)
def test_sizes(typed: str | None, bytes_: int | None) -> None:
    assert size(CONTEXT, PARAMETER, typed) == bytes_


@pytest.mark.parametrize("typed", ["", "0", "0.1", "-1", "1XB", "MB", "1e9", "٣"])
def test_what_is_no_size(typed: str) -> None:
    with pytest.raises(click.BadParameter, match="no number of bytes"):
        size(CONTEXT, PARAMETER, typed)


@pytest.mark.parametrize(("typed", "number"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86400)])
def test_times(typed: str, number: float) -> None:
    assert seconds(CONTEXT, PARAMETER, typed) == number


@pytest.mark.parametrize("typed", ["", "0s", "5", "1w", "-1m", "1.5h"])
def test_what_is_no_time(typed: str) -> None:
    with pytest.raises(click.BadParameter, match="no length of time"):
        seconds(CONTEXT, PARAMETER, typed)
