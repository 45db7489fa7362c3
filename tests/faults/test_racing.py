"""Several runs that all believe to hold the archive: the create-only commit lets one win each version."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from archiver import ocfl
from archiver.ocfl import OcflObject
from faults import racing
from ocfl_checks import assert_valid, make_sink

WRITERS, TIMES = 4, 6


def test_no_acknowledged_commit_is_lost(tmp_path: Path, child_environment: dict[str, str]) -> None:
    make_sink(tmp_path)
    children = [
        subprocess.Popen(
            [sys.executable, racing.__file__, str(tmp_path), f"w{number}", str(TIMES)],
            env=child_environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(WRITERS)
    ]
    answers = [child.communicate(timeout=100) for child in children]
    assert [errors for _, errors in answers] == [""] * WRITERS
    safe = [path for told, _ in answers for path in told.split()]
    assert len(safe) >= TIMES
    sink = make_sink(tmp_path)
    each = ocfl.load(sink)["beijing"]
    assert each.head == len(safe)
    assert set(safe) <= each.state.keys()
    # What lost its race is not lost either: the next version takes it in.
    ocfl.heal(each)
    after = ocfl.commit(
        each, [], {"metadata/by.json": b"last"}, created="2012-09-17T10:00:00Z", message="last"
    )
    assert isinstance(after, OcflObject)
    held = {after.read(path) for path in after.state}
    assert {f"w{writer} {number}".encode() for writer in range(WRITERS) for number in range(TIMES)} <= held
    assert_valid(tmp_path / "archive")
