"""What is said of how a material found its event, where a command line is not needed to see it."""

from __future__ import annotations

from pathlib import Path

from archiver.config import ArchiveSettings, Config
from archiver.explain import Found, Knowledge, explain
from archiver.ledger import Match, Record, State
from archiver.model import Kind, Material
from archiver.routing import Router


def how(extra: dict[str, str]) -> str:
    material = Material("7", Kind.SLIDES, "Chef", "https://decks.example/7", event="beijing", extra=extra)
    record = Record("decks", "slideshare", material, State.STORED, Match("chef", "title", 1.0))
    config = Config(Path("a.yaml"), Path(), ArchiveSettings("A tour"), (), (), ())
    told = explain(Found(record, None, "its id"), Knowledge(config, {}, [record], Router(())))
    assert told is not None
    return told.routed


def test_what_a_report_led_to_is_not_said_to_be_of_an_entry() -> None:
    marks = {"found_in": "A day\nin Beijing", "found_at": "https://blog.example/1", "found_as": "x"}
    said = "it was found in the report “A day in Beijing” (https://blog.example/1) of this event"
    assert how(marks) == said
    assert how({"found_as": "x"}) == "it was found in the report of this event"
    assert "report" not in how({})
