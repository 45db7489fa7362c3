"""A configuration over one upstream, and runs of it in this process's starter."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from faults.campaign import checks
from faults.campaign.ground import DISK
from faults.campaign.starter import How, Runner, Starter
from faults.campaign.upstreams import UPSTREAMS, Upstream

EVENT = "beijing"


@dataclass(frozen=True)
class Field:
    """One upstream under `kind`, and a folder with a configuration that reads it into `sinks`."""

    kind: str
    upstream: Upstream
    folder: Path
    starter: Starter

    @property
    def archive(self) -> Path:
        """The archive in that folder."""
        return self.folder / "archive"

    def run(self, *words: str, hasty: bool = False, verbose: bool = False) -> Runner:
        """Do a run; a hasty one gives up on a slow service after seconds, not minutes."""
        shown = ("-v",) if verbose else ()
        runner = self.starter.start(
            self.folder, "run", "--jobs", "1", "--json", *shown, *words, how=How(hasty=hasty)
        )
        runner.wait()
        return runner

    def records(self) -> list[dict[str, Any]]:
        """Read what the ledger of the newest version says."""
        return ledger(self.archive)

    def at(self, folder: Path, sinks: Mapping[str, Any] | None = None) -> Field:
        """Give the same upstream a folder and an archive of its own."""
        folder.mkdir(parents=True)
        data = {
            "archive": {"title": "A tour", "site": False},
            "sinks": dict(sinks or DISK),
            "sources": {"src": {"type": self.kind, **self.upstream.options}},
            "events": [
                {
                    "id": EVENT,
                    "title": "Beijing Stop",
                    "sources": [{"use": "src", **self.upstream.entry}],
                }
            ],
        }
        text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
        (folder / "archive.yaml").write_text(text, encoding="utf-8")
        return Field(self.kind, self.upstream, folder, self.starter)


def ledger(archive: Path) -> list[dict[str, Any]]:
    """Read the ledgers of the newest versions of an archive."""
    found: list[dict[str, Any]] = []
    for file in archive.glob("ocfl/*/inventory.json"):
        data = json.loads(file.read_bytes())
        for digest, paths in data["versions"][data["head"]]["state"].items():
            if any(path.startswith("metadata/ledger/") for path in paths):
                where = file.parent / data["manifest"][digest][0]
                found += [json.loads(line) for line in where.read_bytes().splitlines()]
    return found


@contextmanager
def field(
    kind: str, folder: Path, starter: Starter, titles: Sequence[str], speaker: str = "Hui Cheng"
) -> Iterator[Field]:
    """Make it."""
    with UPSTREAMS[kind](folder / "upstream", titles, speaker) as upstream:
        yield Field(kind, upstream, folder, starter).at(folder / "first")


def stored(archive: Path) -> set[str]:
    """Give the digests of the files that stand for materials themselves, not of what we add to them."""
    return checks.digests(archive)
