"""What is put in a bundle."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archiver.bundle import BLOCKED, FAILED, gather, is_open
from archiver.config import SourceSpec
from archiver.contracts import Options
from archiver.ledger import Record, State, Transition
from archiver.model import Kind, Material
from archiver.plan import OUT_OF_SCOPE
from unit.bundle.records import FILE, record


@pytest.mark.parametrize(
    ("given_record", "expected"),
    [
        (record(), True),
        (record("failed"), True),
        (record(files=(FILE,), state=State.STORED), True),  # a newer revision was refused
        (replace(record(), problem=None), False),
        (record("gone"), False),
        (record("link"), False),
        (record("unrouted"), False),
        (record(state=State.WITHDRAWN), False),
        (record(state=State.TAKEN_DOWN), False),
        (record(material=Material("link:https://x", Kind.SLIDES, event="a")), False),
        (record(material=Material("1", Kind.SLIDES)), False),
        (record(history=(Transition("2026", State.PENDING, "", OUT_OF_SCOPE),)), False),
    ],
)
def test_what_another_machine_could_still_get(given_record: Record, expected: bool) -> None:
    assert is_open(given_record) is expected


def test_gathering_takes_what_was_asked_for() -> None:
    specs = [SourceSpec("decks", "speakerdeck", Options()), SourceSpec("slides", "slideshare", Options())]
    records = [
        record(),
        record("failed", material=Material("2", Kind.SLIDES, event="b")),
        record(source="forgotten"),
    ]
    report = {
        "sources": {
            "slides": {"error": "403", "error_reason": "blocked"},
            "decks": {"error": "500", "error_reason": "failed"},
            "forgotten": {"error_reason": "blocked"},
            "odd": 7,
        }
    }
    found, refused = gather(records, report, specs)
    assert ([each.material.id for each in found], [each.source for each in refused]) == (["1"], ["slides"])
    found, refused = gather(records, report, specs, BLOCKED | FAILED)
    assert [each.material.id for each in found] == ["1", "2"]
    assert [each.source for each in refused] == ["decks", "slides"]
    found, _ = gather(records, {"sources": []}, specs, BLOCKED | FAILED, ["b"])
    assert [each.material.id for each in found] == ["2"]
