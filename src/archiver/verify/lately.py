"""What the last verification of a sink found, read from its report: for whoever asks how it stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from archiver import ocfl
from archiver.archive import RUNS
from archiver.contracts import Sink
from archiver.errors import DamageError, MissingError
from archiver.inventory import UNREADABLE
from archiver.verify.findings import Finding, What
from archiver.verify.selection import ENDING, REPORT_BYTES


@dataclass(frozen=True, slots=True)
class Lately:
    """Damage that was found in one sink and not repaired: when (RFC 3339), and the paths, sorted."""

    sink: str
    at: str
    paths: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Give its entry in `archive status --json`."""
        return asdict(self)


def known_damage(sinks: Iterable[tuple[str, Sink[Any]]]) -> list[Lately]:
    """Give what the newest verification of each sink left damaged; nothing of sinks where all was well.

    Raises `SinkError` when a sink cannot be read.
    """
    found = (_newest(name, sink) for name, sink in sinks)
    return [each for each in found if each is not None and each.paths]


def _newest(name: str, sink: Sink[Any]) -> Lately | None:
    reports = sorted(stat.path for stat in sink.list(RUNS) if stat.path.endswith(ENDING))
    for path in reversed(reports):
        # A torn report tells nothing: the one before it does.
        with suppress(MissingError, DamageError, *UNREADABLE):
            report = json.loads(ocfl.read(sink, path, REPORT_BYTES))
            if name in report["sinks"]:
                at = str(report.get("finished") or report.get("started") or "")
                return Lately(name, at, tuple(sorted(_damaged(report, name))))
    return None


def _damaged(report: Mapping[str, Any], name: str) -> Iterator[str]:
    for each in report["findings"]:
        known = Finding(str(each["sink"]), str(each["path"]), What(each["what"]), "")
        if known.sink == name and known.is_damage and not each.get("repaired"):
            yield known.path
