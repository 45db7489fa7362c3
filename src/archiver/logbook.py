"""Documents of the whole archive that people's acts add lines to: decisions, who was asked, waivers.

Each line is one JSON object with `at`, its time. Lines are never changed; sinks that missed some get
them at the next run, because the union of all sinks' lines is what counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from archiver.errors import DamageError
from archiver.inventory import UNREADABLE

Line = Mapping[str, Any]

#: Where they lie in the object of the whole archive.
DECISIONS = "metadata/decisions.jsonl"
ASKED = "metadata/asked.jsonl"
WAIVERS = "metadata/waivers.jsonl"
CONSENTS = "metadata/consents.jsonl"
LOGBOOKS = (DECISIONS, ASKED, WAIVERS, CONSENTS)


def now() -> str:
    """Give the time for a line: UTC, to the microsecond, so that lines of one second keep their order."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def load(data: bytes, where: str) -> tuple[Line, ...]:
    """Read a logbook. Raises `DamageError` naming `where` and the line."""
    lines = []
    for number, raw in enumerate(data.split(b"\n"), 1):
        if not raw:
            continue
        try:
            line = json.loads(raw)
            if not isinstance(line, dict) or not isinstance(line.get("at"), str):
                raise TypeError("it is no object with a time")
        except UNREADABLE as error:
            raise DamageError(
                f"{where}, line {number}: {type(error).__name__}: {str(error)[:300]}",
                hint="restore the file from another sink or an earlier version",
            ) from error
        lines.append(line)
    return tuple(lines)


def dump(lines: Iterable[Line]) -> bytes:
    """Write a logbook, by time, each line once: equal content is equal bytes."""
    written = {(str(line["at"]), _written(line)) for line in lines}
    return "".join(f"{text}\n" for _, text in sorted(written)).encode("utf-8", "backslashreplace")


def union(logbooks: Iterable[Iterable[Line]]) -> tuple[Line, ...]:
    """Put the lines of several sinks together, by time."""
    return load(dump(line for lines in logbooks for line in lines), "a union")


def text(line: Line, name: str) -> str:
    """Give a field of a line that should be text; "" when it is none."""
    value = line.get(name)
    return value if isinstance(value, str) else ""


def texts(line: Line, name: str) -> tuple[str, ...]:
    """Give a field of a line that should be a list of texts."""
    value = line.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _written(line: Line) -> str:
    return json.dumps(dict(line), ensure_ascii=False, sort_keys=True)
