"""Records of a ledger, as they stand before a hand-off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archiver.ledger import Problem, Record, State, StoredFile
from archiver.model import Kind, Material

FILE = StoredFile("slides/x.pdf", 3, "a" * 64)
BASE = Record("decks", "speakerdeck", Material("1", Kind.SLIDES, event="a"), State.PENDING)


def record(reason: str = "blocked", **changes: Any) -> Record:
    return replace(BASE, problem=Problem(reason, "403"), **changes)
