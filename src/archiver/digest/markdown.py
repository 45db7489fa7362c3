"""Write a digest as Markdown: for the summary of a CI job. Titles stay text, whatever they hold."""

from __future__ import annotations

from collections.abc import Iterator

from archiver.digest.model import Digest
from archiver.digest.wording import Entry, Section, front, sections


def markdown(told: Digest) -> str:
    """Write the digest (CommonMark). There is no HTML in it, and it ends with a line feed."""
    from archiver.pages.markdown import text

    blocks = [f"## {text(_shown(told.archive))}", *(text(_shown(line)) for line in front(told))]
    return "\n\n".join([*blocks, *map(_section, sections(told))]) + "\n"


def _section(each: Section) -> str:
    return "\n".join(_lines(each))


def _lines(each: Section) -> Iterator[str]:
    yield f"### {each.heading}"
    yield ""
    if each.to_do:
        yield each.to_do
        yield ""
    yield from (f"- {_entry(entry)}" for entry in each.entries)
    if each.left_out:
        yield f"- … and {each.left_out:,} more"


def _entry(entry: Entry) -> str:
    from archiver.pages.markdown import link

    web = entry.url.startswith(("http://", "https://"))
    return link(_shown(entry.words), entry.url if web else "")


def _shown(words: str) -> str:
    return "".join(sign for sign in " ".join(words.split()) if sign.isprintable())
