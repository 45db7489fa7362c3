"""What `archive status` tells of the last verification: damage until it is repaired, and nothing else."""

from __future__ import annotations

import pytest

from archiver.verify.lately import Lately, known_damage
from verify_kit import Bench


def told(bench: Bench) -> list[Lately]:
    return known_damage((name, bench.world.head(name).sink) for name in ("one", "two"))


def test_damage_is_told_until_it_is_repaired(bench: Bench) -> None:
    assert told(bench) == []
    path = bench.content()
    (bench.one / path).write_bytes(b"wrong")
    assert told(bench) == []  # nobody has looked yet
    report = bench.verify()
    (found,) = told(bench)
    assert (found.sink, found.at, found.paths) == ("one", report.finished, (path,))
    bench.verify(sinks=frozenset(["two"]))
    assert len(told(bench)) == 1  # of the other sink
    bench.verify(repair=True)
    assert told(bench) == []


@pytest.mark.parametrize("torn", [b"", b"[]", b'{"sinks": {"one": {}}, "findings": [{"what": "odd"}]}'])
def test_a_torn_report_is_passed_over(bench: Bench, torn: bytes) -> None:
    path = bench.content()
    (bench.one / path).unlink()
    bench.verify()
    (bench.one / "runs/29991231T000000.000Z-000000-verify.json").write_bytes(torn)
    assert [each.paths for each in told(bench)] == [(path,)]
