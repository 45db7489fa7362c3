"""Write a digest as plain text: for a terminal, and for the body of a mail."""

from __future__ import annotations

from collections.abc import Iterator

from archiver.digest.model import Digest
from archiver.digest.wording import Section, front, sections


def text(told: Digest) -> str:
    """Write the digest. Every line ends with a line feed, and holds nothing that steers a terminal."""
    return "".join(f"{line}\n" for line in _lines(told))


def _lines(told: Digest) -> Iterator[str]:
    yield _safe(told.archive)
    yield from map(_safe, front(told))
    for each in sections(told):
        yield ""
        yield from _section(each)


def _section(each: Section) -> Iterator[str]:
    yield f"{each.heading}:"
    yield from (f"  {_safe(entry.words)}" for entry in each.entries)
    if each.left_out:
        yield f"  … and {each.left_out:,} more"
    if each.to_do:
        yield f"  What to do: {each.to_do}"


def _safe(words: str) -> str:
    # Titles come from strangers: a right-to-left override would turn the rest of the line around.
    return "".join(sign for sign in " ".join(words.split()) if sign.isprintable())
