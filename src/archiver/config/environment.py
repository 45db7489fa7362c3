"""References to environment variables in the values of a configuration.

`${NAME}` is the value of NAME, `${NAME:-text}` the text when NAME is not set or empty, `$$` a dollar.
They are replaced after YAML was parsed: a value cannot become structure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: The name, and the default behind `:-`. A default ends at the first brace and holds no reference.
_REFERENCE = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^${}]*))?\}|(\{))")


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text with its references replaced.

    `values` came from the environment: no message may show them. `missing` are the variables that
    are neither set nor have a default. `malformed`: a `${` begins something else.
    """

    text: str
    values: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    malformed: bool = False


def expand(text: str, environ: Mapping[str, str]) -> Expanded:
    """Replace every reference in a text."""
    values: list[str] = []
    missing: list[str] = []
    odd: list[str] = []

    def replace(match: re.Match[str]) -> str:
        dollar, name, default, malformed = match.groups()
        if dollar or malformed:
            odd.extend([malformed] if malformed else [])
            return "$"
        value = environ.get(name)
        if value or (value is not None and default is None):
            values.append(value)
            return value
        if default is None:
            missing.append(name)
        return default or ""

    expanded = _REFERENCE.sub(replace, text)
    return Expanded(expanded, tuple(values), tuple(missing), bool(odd))


def refers(text: str) -> bool:
    """Say whether a text holds a reference, so that its value depends on the environment."""
    return any(match.group(2) for match in _REFERENCE.finditer(text))
