"""What is wrong with a configuration: every problem with its place and what was expected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from archiver.errors import ConfigError

QUOTED_LENGTH = 60

#: The way to a value: keys of mappings and positions in lists, which count from 0.
Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `line` and `column` count from 1; 0 when there is no place to name.

    `path` is the way to the value, as in `events[2].sources[0].album`. `expected` and `suggestion`
    may be empty.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    expected: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        parts = [self.message]
        parts += [f"expected {self.expected}"] if self.expected else []
        parts += [f"did you mean {self.suggestion!r}?"] if self.suggestion else []
        return f"{place}: {self.path + ': ' if self.path else ''}{'; '.join(parts)}"


class ConfigProblems(ConfigError):  # noqa: N818  # it is many errors
    """Everything that is wrong with one configuration file, in the order of the file."""

    def __init__(self, problems: Iterable[Problem], *, hint: str = "") -> None:
        self.problems = tuple(sorted(set(problems), key=lambda p: (p.line, p.column, p.path, p.message)))
        lines = [str(problem) for problem in self.problems]
        count = f"The configuration has {len(lines)} problems:"
        super().__init__("\n".join([count, *lines] if len(lines) > 1 else lines), hint=hint or _hint(lines))

    def as_dict(self) -> dict[str, Any]:
        """Return the problems as plain data, for machine output."""
        return {"problems": [asdict(problem) for problem in self.problems]}


def _hint(lines: Sequence[str]) -> str:
    them = "it" if len(lines) == 1 else "them"
    return f"correct {them}, then see with `archive check` whether the file is right"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant, or nothing."""
    known = sorted(known)
    folded = {name.lower().replace("-", "_"): name for name in known}
    near = difflib.get_close_matches(word[:100].lower().replace("-", "_"), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else ""


def quoted(text: str) -> str:
    """Quote a piece of the file: cut to a readable length, what cannot be printed escaped."""
    return repr(text if len(text) <= QUOTED_LENGTH else text[: QUOTED_LENGTH - 1] + "…")


def listed(words: Iterable[str]) -> str:
    """Join words for a sentence: `a, b or c`."""
    words = list(words)
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def path_text(keys: Keys) -> str:
    """Write the way to a value as in `events[2].sources[0].album`."""
    return "".join(_step(key) for key in keys).removeprefix(".")


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if re.fullmatch(r"[\w-]{1,60}", key) else f"[{quoted(key)}]"
