"""The slips that make a file no YAML: what was probably meant, and how that is written.

Nothing of the file is repeated here: the line may hold a password.
"""

from __future__ import annotations

import re

import yaml

_TABS = "spaces instead of tabs"
_COLON = 'quotes around a text with a colon in it, as in title: "Summer: Salon"'
_ESCAPE = r"'single quotes' around a text with a \ in it, or \\ for each"
_PAIRS = "quotes in pairs: one is missing before this, or stands inside a text"
_UNCLOSED = "a closing quote for the text that begins here"
#: What YAML keeps for itself: no text begins with it.
_RESERVED = frozenset("@`%")
#: What begins something else than a text: an alias, an anchor, a tag, a block of lines.
_SIGNS = frozenset("*&!|>")
_CLOSING = {"[": "]", "{": "}"}
# "  - title: ", and what the value behind it begins with. A key has no sign that makes it another thing.
_VALUE = re.compile(r"\s*(?:- +)*(?:[^\s'\"{}\[\],#:][^'\"{}\[\],#:]*: +)?(?P<first>\S)")


def place(error: yaml.YAMLError) -> yaml.Mark | None:
    """Give the place to look at: of a quote that is never closed its beginning, not the end of the file."""
    problem, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    return context if _is_unclosed(error) else problem or context


def remedy(text: str, error: yaml.YAMLError) -> str:
    """Say what belongs at the place of the error; "" when the slip is none of the usual ones."""
    mark = place(error)
    lines = text.splitlines()
    if mark is None:
        return ""
    if _is_unclosed(error):
        return _UNCLOSED
    if "unknown escape" in _said(error):  # path: "C:\photos"
        return _ESCAPE
    line = lines[mark.line] if mark.line < len(lines) else ""
    return _of_line(line[: mark.column], line[mark.column :], error) or _of_opening(lines, error)


def _of_line(head: str, rest: str, error: yaml.YAMLError) -> str:
    """Look at the line of the error alone: what stands before its place, and what from there on."""
    line = head + rest
    if "\t" in line[: len(line) - len(line.lstrip())]:  # "\t- id: beijing" (YAML 1.2.2, section 6.1)
        return _TABS
    if rest[:1] in _RESERVED:  # title: @home
        return _begins(rest[:1])
    if rest.startswith(":") and re.search(r":\s+\S", head):  # title: Summer: Salon
        # {id: beijing title: Salon} looks the same.
        return f"a comma in front of the next key, or {_COLON}" if _is_flow(error) else _COLON
    found = _VALUE.match(line)
    first = found["first"] if found else ""
    # title: *new* ideas; title: [Draft] Salon; but in [a, b} the other bracket is what is wrong.
    if first in _SIGNS or (first in _CLOSING and head.rstrip().endswith(_CLOSING[first])):
        return _begins(first)
    return _PAIRS if head.rstrip().endswith(("'", '"')) else ""  # title: 'Don't panic'


def _of_opening(lines: list[str], error: yaml.YAMLError) -> str:
    """Name the bracket that is still open where nothing fits any more."""
    mark = getattr(error, "context_mark", None)
    if mark is None or not _is_flow(error) or mark.line >= len(lines):
        return ""
    sign = lines[mark.line][mark.column : mark.column + 1]
    if sign not in _CLOSING:
        return ""
    return f"{_CLOSING[sign]} to close the {sign} of line {mark.line + 1}, or quotes if a text begins with it"


def _begins(sign: str) -> str:
    return f'quotes around a text that begins with {sign}, as in "{sign}…"'


def _is_unclosed(error: yaml.YAMLError) -> bool:
    return "quoted scalar" in (getattr(error, "context", None) or "") and "unexpected" in _said(error)


def _is_flow(error: yaml.YAMLError) -> bool:
    return "flow" in (getattr(error, "context", None) or "")


def _said(error: yaml.YAMLError) -> str:
    return getattr(error, "problem", None) or ""
