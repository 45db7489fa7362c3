"""One is told of in the singular."""

from __future__ import annotations

import pytest

from archiver.digest import subject, text
from archiver.digest.model import Digest, SinkTrouble, SourceTrouble

SOURCE = SourceTrouble("talks", "it was down", "failed", "", "", known=False)
SINK = SinkTrouble("local", "the disk is full", "", "")


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, "T: 1 source in trouble, 1 sink in trouble"),
        (2, "T: 2 sources in trouble, 2 sinks in trouble"),
        (0, "T: nothing new"),
    ],
)
def test_the_subject_counts_what_is_in_trouble(number: int, told: str) -> None:
    assert subject(Digest("T", "r", sources=(SOURCE,) * number, sinks=(SINK,) * number)) == told


@pytest.mark.parametrize(
    ("number", "told"), [(1, " 1 remains; "), (2, " 2 remain; "), (1_200, " 1,200 remain; ")]
)
def test_what_remains(number: int, told: str) -> None:
    assert told in text(Digest("T", "r", stopped="time-limit", remaining=number))
    assert told.strip("; ") in text(
        Digest("T", "r", stopped="time-limit", remaining=number, unlisted=("talks",))
    )
