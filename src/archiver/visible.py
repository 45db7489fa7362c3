"""Whether a material lies in the public sinks, and what says that it may or may not. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archiver.archive import Head
from archiver.ledger import Record, StoredFile
from archiver.rulings import Ruling
from archiver.shown import without_letters


@dataclass(frozen=True, slots=True)
class Visible:
    """One material and one public sink. `held` and `wanted` count its files that lie there and that might."""

    sink: str
    ruling: Ruling
    held: int
    wanted: int

    @property
    def told(self) -> str:
        """Say it in words that follow the sink's name."""
        may = self.ruling.consent.value
        if not self.ruling.public:
            lies = "; still there, see: archive consent left" if self.held else ""
            return f"not shown: it is {may} ({self.ruling.why}){lies}"
        if not self.wanted:
            return f"not there: it is {may} ({self.ruling.why}), and no file of it is for everybody"
        if self.held < self.wanted:
            return f"not there in full: it is {may} ({self.ruling.why}); the next run brings it"
        return f"there: it is {may} ({self.ruling.why})"

    def to_json(self) -> dict[str, Any]:
        """Give its shape in `archive why --json`."""
        return {
            "there": bool(self.wanted) and self.held == self.wanted,
            "consent": self.ruling.consent.value,
            "why": self.ruling.why,
        }


def visible(record: Record, ruling: Ruling, public: Mapping[str, Head]) -> list[Visible]:
    """Look in every public sink for the files of a material; nothing where it has none."""
    if not record.files or not record.material.event:
        return []
    files = without_letters(record).files
    return [
        Visible(name, ruling, sum(_lies(head, record.material.event, each) for each in files), len(files))
        for name, head in public.items()
    ]


def _lies(head: Head, event: str, file: StoredFile) -> bool:
    """Say whether the bytes are there, be it in a version that is not the newest."""
    target = head.object(event)
    manifest = target.inventory.manifest if target.inventory else {}
    return any(
        path in target.files and path.partition("/content/")[2] == file.path
        for path in manifest.get(file.sha256, ())
    )
