"""Path patterns: reading event, kind, talk and speaker out of a file's path."""

from __future__ import annotations

import difflib
import itertools
import re
import unicodedata

_MAX_LENGTH = 300
_MAX_FIELDS = 8
# Every field matches inside one name. Ids have no underscore and extensions no dot, so that
# "beijing_deploy_chef.pdf" splits where a person would split it.
_FIELDS = {
    "event": r"[A-Za-z0-9][A-Za-z0-9-]*",
    "kind": r"[^/]+",
    "talk": r"[^/]+",
    "speaker": r"[^/]+",
    "date": r"\d{4}(?:-\d{2}(?:-\d{2})?)?",
    "ext": r"[^/.]+",
    "_": r"[^/]+",
}
_TOKEN = re.compile(r"\{([^{}]*)\}|(\*\*/)|(\*)|([ ]+)|([^{}* ]+)|(.)", re.DOTALL)


class Pattern:
    """A compiled pattern such as `{event}/{kind}/{talk} - {speaker}.{ext}`.

    `{name}` takes a part of one name, `{_}` one to ignore, `*` anything inside a name, `**/` any
    folders, a blank also underscores; all else stands for itself, upper and lower case alike. Where
    two fields could share a text the first takes the most. Raises `ValueError` when it makes no sense.
    """

    def __init__(self, text: str) -> None:
        if len(text) > _MAX_LENGTH:
            raise ValueError(f"the pattern is longer than {_MAX_LENGTH} characters")
        self.text = unicodedata.normalize("NFC", text)
        _check_shape(self.text)
        parts = [_Part(match) for match in _TOKEN.finditer(self.text)]
        _check_fields(parts)
        self._regex = re.compile("".join(part.regex for part in parts), re.IGNORECASE)

    def match(self, path: str) -> dict[str, str]:
        """Read the fields from a relative NFC path; empty when it does not match."""
        found = self._regex.fullmatch(path)
        return {name: value.strip() for name, value in found.groupdict().items()} if found else {}


class _Part:
    """One token of a pattern: its regular expression, and the field it fills."""

    def __init__(self, match: re.Match[str]) -> None:
        self.field = match[1]
        # Takes any text; a date is told by its digits wherever it stands.
        self.open = match[3] is not None or (match[1] is not None and match[1] != "date")
        if match[6] is not None:
            raise ValueError(f"'{match[6]}' is not closed: fields are written like {{talk}}")
        if self.field is not None:
            self.regex = _field(self.field)
        else:
            self.regex = _literal(match)


def _literal(match: re.Match[str]) -> str:
    if match[2]:
        return r"(?:[^/]+/)*"
    if match[3]:
        return r"[^/]*"
    return "[ _]+" if match[4] else re.escape(match[5])


def _field(name: str) -> str:
    if name not in _FIELDS:
        near = difflib.get_close_matches(name, _FIELDS, 1)
        guess = f"; did you mean {{{near[0]}}}?" if near else ""
        known = ", ".join(f"{{{field}}}" for field in _FIELDS)
        raise ValueError(f"{{{name}}} is no field of a pattern{guess} The fields are {known}")
    return f"({_FIELDS[name]})" if name == "_" else f"(?P<{name}>{_FIELDS[name]})"


def _check_shape(text: str) -> None:
    names = text.split("/")
    if text.startswith("/") or not all(names) or ".." in names:
        raise ValueError(f"{text!r} must be a relative path without empty parts and without '..'")
    if any("**" in name and name != "**" for name in names) or names[-1] == "**":
        raise ValueError("'**' stands for whole folders: write it as '**/' before a name")


def _check_fields(parts: list[_Part]) -> None:
    fields = [part.field for part in parts if part.field and part.field != "_"]
    twice = next((field for field in fields if fields.count(field) > 1), None)
    if twice:
        raise ValueError(f"{{{twice}}} is there twice; use {{_}} for what is to be ignored")
    if not fields:
        raise ValueError("the pattern has no field such as {kind} or {talk}; use `path` or `include`")
    if sum(part.open or bool(part.field) for part in parts) > _MAX_FIELDS:
        raise ValueError(f"the pattern has more than {_MAX_FIELDS} fields")
    if any(first.open and second.open for first, second in itertools.pairwise(parts)):
        raise ValueError("two fields stand side by side: put something between them that tells them apart")
