"""Numbers as people read them: sizes, times, counts."""

from __future__ import annotations


def size(number: float) -> str:
    """Write a number of bytes for people, in decimal units: 1.3 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError


def duration(seconds: float) -> str:
    """Write a time for people: 12 s, 3 min 5 s, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(number: int, noun: str) -> str:
    """Write a number with its noun: 1 item, 2 items, 0 items."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
