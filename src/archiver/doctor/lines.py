"""What a look at something gives: lines, each with a level and the next step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How things stand: fine, worth a look, or in the way of the work."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """One finding: what was looked at, how it stands, and what to do; `hint` is empty when all is well."""

    level: Level
    subject: str
    text: str
    hint: str = ""


def ok(subject: str, text: str) -> Line:
    """Say that something is fine."""
    return Line(Level.OK, subject, text)


def warn(subject: str, text: str, hint: str) -> Line:
    """Say that something is worth a look."""
    return Line(Level.WARN, subject, text, hint)


def bad(subject: str, text: str, hint: str) -> Line:
    """Say that something is in the way."""
    return Line(Level.BAD, subject, text, hint)


def safely(subject: str, look: Callable[[], Iterable[Line]]) -> Iterator[Line]:
    """Look; what the look itself breaks on becomes a line, and whoever looks on goes on."""
    try:
        yield from look()
    except Exception as error:  # noqa: BLE001  # on a broken machine anything may be raised
        hint = "this is a fault of the program, or of what it looked at: report it with this page"
        yield warn(subject, f"could not be looked at: {type(error).__name__}: {error}", hint)


def size(number: int) -> str:
    """Write bytes for people: 3.2 GB."""
    return f"{number / 1e9:,.1f} GB"
